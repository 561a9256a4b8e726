package policy

import (
	"errors"
	"maps"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxSource bounds what Parse reads: a policy is a few pages.
const maxSource = 1 << 20

// Parse reads a whole document. name stands in the faults. It is strict: an unknown or
// double key, a duration without a unit, an anchor or a second document is a fault, and all
// faults of the text come back at once as Faults. Whether the document makes sense is for
// Lint to say.
func Parse(name string, src []byte) (*Document, error) { return parse(&Document{}, name, src) }

// ParseOver reads a document that begins with `extends` and says only what differs from
// another: a line of a mapping replaces or joins that line of the base, part by part, and a
// list replaces the list. The base is not changed. Faults of what is inherited cite the
// base's file.
func ParseOver(base *Document, name string, src []byte) (*Document, error) {
	d := *base
	d.at = maps.Clone(base.at)
	d.extends = true
	return parse(&d, name, src)
}

// Extends is the name that a document gives under `extends`; empty where it is whole, or
// cannot be read.
func Extends(src []byte) string {
	body, err := syntax("", src)
	if err != nil {
		return ""
	}
	m, ok := body.(*ast.MappingNode)
	if !ok {
		return ""
	}
	for _, pair := range m.Values {
		if pair.Key.GetToken().Value == "extends" {
			return pair.Value.GetToken().Value
		}
	}
	return ""
}

func parse(d *Document, name string, src []byte) (*Document, error) {
	body, err := syntax(name, src)
	if err != nil {
		return nil, err
	}
	if d.at == nil {
		d.at = make(map[string]position)
	}
	d.file = name
	return decode(d, &decoder{file: name, at: d.at}, body)
}

// ParseStored reads a whole document that was taken up before, maybe by another release of
// the program. What is published cannot be mended, so a key that this one does not know is
// left out and its path returned, and nothing is asked of the categories. A value that cannot
// be read is a fault as ever: guessing at it could end things too soon.
func ParseStored(name string, src []byte) (d *Document, left []string, err error) {
	body, err := syntax(name, src)
	if err != nil {
		return nil, nil, err
	}
	dec := &decoder{file: name, at: make(map[string]position), stored: true}
	d, err = decode(&Document{file: name, at: dec.at}, dec, body)
	return d, dec.left, err
}

func decode(d *Document, dec *decoder, body ast.Node) (*Document, error) {
	dec.document(d, body)
	if d.Extends != "" && !d.extends {
		dec.fault(d.at["extends"], "extends", "what it extends is not at hand here", "load it by its own name or file")
	}
	if len(dec.faults) > 0 {
		return nil, dec.faults.sorted()
	}
	d.Extends, d.extends = "", false
	d.compiled = compile(d)
	return d, nil
}

func syntax(name string, src []byte) (ast.Node, error) {
	if len(src) > maxSource {
		return nil, Faults{{File: name, Line: 1, Column: 1, Reason: "larger than 1 MiB", Remedy: "a policy is a few pages: is this the right file?"}}
	}
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Faults{syntaxFault(name, err)}
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, Faults{{File: name, Line: 1, Column: 1, Reason: "not one YAML document", Remedy: "begin with `policy: NAME`; `musa policy show studio` prints a whole one"}}
	}
	return file.Docs[0].Body, nil
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
