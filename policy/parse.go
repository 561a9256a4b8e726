package policy

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// maxSource bounds what Parse reads: a policy is a few pages.
const maxSource = 1 << 20

// Parse reads a document. name stands in the faults. It is strict: an unknown or double
// key, a duration without a unit, an anchor or a second document is a fault, and all
// faults of the text come back at once as Faults. Whether the document makes sense is
// for Lint to say.
func Parse(name string, src []byte) (*Document, error) {
	if len(src) > maxSource {
		return nil, Faults{{File: name, Line: 1, Column: 1, Reason: "larger than 1 MiB", Remedy: "a policy is a few pages: is this the right file?"}}
	}
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Faults{syntaxFault(name, err)}
	}
	d := &Document{file: name, at: make(map[string]position)}
	dec := decoder{file: name, at: d.at}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, Faults{{File: name, Line: 1, Column: 1, Reason: "not one YAML document", Remedy: "begin with `policy: NAME`; `musa policy show studio` prints a whole one"}}
	}
	dec.document(d, file.Docs[0].Body)
	if len(dec.faults) > 0 {
		return nil, dec.faults.sorted()
	}
	d.compiled = compile(d)
	return d, nil
}

func syntaxFault(name string, err error) Fault {
	f := Fault{File: name, Line: 1, Column: 1, Reason: "not YAML", Remedy: "mend the line's brackets, quotes or indentation"}
	var bad yaml.Error
	if !errors.As(err, &bad) {
		return f
	}
	if tok := bad.GetToken(); tok != nil && tok.Position != nil {
		f.Line, f.Column = tok.Position.Line, tok.Position.Column
	}
	first, _, _ := strings.Cut(bad.GetMessage(), "\n")
	f.Reason = "not YAML: " + first
	return f
}
