package policy_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"musa/lang"
	"musa/policy"
)

// spoken are the files whose sentences stand on the page and in the papers, and maps the tables that they
// look words up in.
var (
	spoken = strings.Fields("render.go explain.go render_consents.go render_people.go render_terms.go render_use.go diff.go tongue.go register.go agreement.go")
	maps   = strings.Fields(`categoryWords tierNames pluralEvents unlessWords whenWords purposePhrases basisWords rightWords claimWords
		safeguardWords infrastructureWords doWords classWords modeWords notifyWords chooserNames residueNames fieldNames unitWordsOf offerWords
		accepterNames enforceWords roleNames consentNames grounds rightTitles countryNames
		formalCategories formalChoosers purposeTitles basisClauses recordFields`)
)

// sentences are all that the page can say in English, read from the source.
func sentences(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{"they were uploaded": true, "at once": true, "In the document": true, "What is kept, and for how long": true, "tax and accounting": true,
		"GDPR": true, policy.RecordTitle: true, policy.AgreementTitle: true}
	for _, unit := range []string{"second", "minute", "hour", "day", "month", "year"} {
		for _, form := range []string{unit, unit + "s", "in " + unit, "in " + unit + "s", "every " + unit} {
			found[form] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if slices.Contains(spoken, name) {
					saidBy(n, found)
				}
			case *ast.ValueSpec:
				for i, v := range n.Names {
					if slices.Contains(maps, v.Name) && i < len(n.Values) {
						tabled(n.Values[i], found)
					}
				}
			}
			return true
		})
	}
	return found
}

func saidBy(call *ast.CallExpr, found map[string]bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	at, ok := map[string]int{"say": 1, "of": 0, "f": 0, "section": 0, "joined": 1}[sel.Sel.Name]
	if ok && at < len(call.Args) {
		literal(call.Args[at], found)
	}
}

func tabled(e ast.Expr, found map[string]bool) {
	if table, ok := e.(*ast.CompositeLit); ok {
		for _, line := range table.Elts {
			literal(line.(*ast.KeyValueExpr).Value, found)
		}
	}
}

func literal(e ast.Expr, found map[string]bool) {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		words, _ := strconv.Unquote(lit.Value) // the compiler took it
		found[words] = true
	}
}

// Every language of the interface says each sentence of the policy's page, with the same places to
// fill, and none that the page no longer says.
func TestThePageIsSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	all := sentences(t)
	for _, c := range lang.All() {
		if c.Tag() == "en" {
			continue
		}
		text, err := os.ReadFile("words/" + c.Tag() + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]string
		if err := json.Unmarshal(text, &words); err != nil {
			t.Fatal(err)
		}
		for english := range all {
			said, ok := words[english]
			switch {
			case !ok:
				t.Errorf("%s: missing %q", c.Tag(), english)
			case !samePlaces(english, said):
				t.Errorf("%s: %q has other places than %q", c.Tag(), said, english)
			}
		}
		for english := range words {
			if !all[english] {
				t.Errorf("%s: nobody says %q any more", c.Tag(), english)
			}
		}
	}
}

// samePlaces fills the places of the one into the other: none is left, missing or of another kind.
func samePlaces(english, said string) bool {
	var args []any
	for rest := english; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			break
		}
		if rest = after; rest[0] == 'd' {
			args = append(args, 7)
		} else {
			args = append(args, "x")
		}
	}
	return strings.Count(said, "%") == len(args) && !strings.Contains(fmt.Sprintf(said, args...), "%!")
}

// What is said otherwise in another language is the same page: the same lines of the document under
// as many headings, and no English left but names.
func TestThePageInGerman(t *testing.T) {
	t.Parallel()
	for _, doc := range pages(t) {
		wantSame(t, doc.Ref(), doc.Render(), doc.RenderIn("de"))
	}
	list := pages(t)
	for _, older := range list {
		for _, newer := range list {
			for _, d := range policy.DiffIn("de", older, newer) {
				for _, c := range d.Changes {
					if !d.Lines {
						wantGerman(t, c.Text)
					}
				}
			}
		}
	}
}

func wantSame(t *testing.T, of string, english, german []policy.Section) {
	t.Helper()
	if len(english) != len(german) {
		t.Fatalf("%s: %d headings in English, %d in German", of, len(english), len(german))
	}
	for i, section := range german {
		if len(section.Sentences) != len(english[i].Sentences) {
			t.Fatalf("%s: %d sentences below %q, %d in English", of, len(section.Sentences), section.Heading, len(english[i].Sentences))
		}
		for n, s := range section.Sentences {
			wantGerman(t, s.Text)
			if s.Path != english[i].Sentences[n].Path {
				t.Errorf("%s: %q stands for %s, in English for %s", of, s.Text, s.Path, english[i].Sentences[n].Path)
			}
		}
		wantGerman(t, section.Heading)
	}
}

// pages are the presets and a document that says everything that one can.
func pages(t *testing.T) (list []*policy.Document) {
	t.Helper()
	for _, doc := range documents(t) {
		list = append(list, doc)
	}
	return list
}

var leftovers = strings.Fields("the of are you your is after before nobody never only")

func wantGerman(t *testing.T, said string) {
	t.Helper()
	for word := range strings.FieldsFuncSeq(said, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzäöüßABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜ", r)
	}) {
		if slices.Contains(leftovers, strings.ToLower(word)) {
			t.Errorf("not German: %q", said)
			return
		}
	}
	if strings.Contains(said, "%!") {
		t.Errorf("not filled in: %q", said)
	}
}
