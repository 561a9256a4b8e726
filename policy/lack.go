package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"musa"
)

// Lack lists the program's categories that the document does not define: those that came
// with an upgrade. Lint finds each of them, too.
func (d *Document) Lack() []musa.Category {
	var out []musa.Category
	for _, c := range musa.Categories() {
		if !d.Categories.Has(string(c)) {
			out = append(out, c)
		}
	}
	return out
}

// Paste is the lines of YAML that give the document the categories that it lacks, as another
// document has them: what each is, the purposes that use it, and the rules that end it. A
// purpose that the document has already is written with what it uses now, and replaces its
// line. It is empty where nothing lacks.
func (d *Document) Paste(from *Document) string {
	lack := d.Lack()
	if len(lack) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("categories:\n")
	for _, c := range lack {
		line, _ := from.Categories.Get(string(c))
		fmt.Fprintf(&b, "  %s: %s\n", c, flow(reflect.ValueOf(line)))
	}
	b.WriteString("purposes:\n")
	for _, e := range from.Purposes {
		if add := among(e.Value.Uses, lack); len(add) > 0 {
			line, had := d.Purposes.Get(e.Name)
			if !had {
				line, add = e.Value, e.Value.Uses
				line.Uses = nil
			}
			line.Uses = append(slices.Clone(line.Uses), add...)
			fmt.Fprintf(&b, "  %s: %s\n", e.Name, flow(reflect.ValueOf(line)))
		}
	}
	b.WriteString("retention:\n")
	for _, r := range from.Retention {
		if r.For = among(r.For, lack); len(r.For) > 0 {
			fmt.Fprintf(&b, "  - %s\n", flow(reflect.ValueOf(r)))
		}
	}
	return b.String()
}

func among(ws Words, lack []musa.Category) Words {
	var out Words
	for _, w := range ws {
		if slices.Contains(lack, musa.Category(w)) {
			out = append(out, w)
		}
	}
	return out
}
