package policy

import (
	"reflect"
	"slices"
)

// Change is one difference between two versions, as people read it. Before is empty for
// what is new, After for what no longer stands.
type Change struct {
	Heading string `json:"heading"`
	Path    string `json:"path"` // in the newer document; in the older where it is gone
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
}

// InDocument heads the changes that Diff tells as the document writes them.
const InDocument = "In the document"

// Diff says what a newer document changes: first by the sentences of the page that come, go
// or change, then, under InDocument, by every line that does, since not every line has a
// sentence. A comment, an order of keys or a rule that only moved is no change.
func Diff(older, newer *Document) []Change {
	was, is := older.Render(), newer.Render()
	var out []Change
	for _, h := range headings(was, is) {
		out = append(out, changesUnder(h, sentencesUnder(was, h), sentencesUnder(is, h))...)
	}
	return append(out, changesUnder(InDocument, older.lines(), newer.lines())...)
}

// lines is the document line by line, each under its path.
func (d *Document) lines() []Sentence {
	var out []Sentence
	v := reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		name, section := v.Type().Field(i).Tag.Get("policy"), v.Field(i)
		switch {
		case name == "" || section.IsZero():
		case section.Type() == reflect.TypeFor[[]Rule]():
			for n := range section.Len() {
				out = append(out, Sentence{Path: item(name, n), Text: flow(section.Index(n))})
			}
		case hasMapping(section):
			for _, p := range pairsOf(section) {
				out = append(out, Sentence{Path: name + "." + p.name, Text: p.name + ": " + flow(p.value)})
			}
		default:
			out = append(out, Sentence{Path: name, Text: name + ": " + flow(section)})
		}
	}
	return out
}

func headings(pages ...[]Section) []string {
	var out []string
	for _, p := range pages {
		for _, s := range p {
			if !slices.Contains(out, s.Heading) {
				out = append(out, s.Heading)
			}
		}
	}
	return out
}

func sentencesUnder(sections []Section, heading string) []Sentence {
	for _, s := range sections {
		if s.Heading == heading {
			return s.Sentences
		}
	}
	return nil
}

// changesUnder pairs what is gone with what is new by the path; a sentence that only
// moved is no change.
func changesUnder(heading string, was, is []Sentence) []Change {
	gone, came := without(was, is), without(is, was)
	var out []Change
	for _, g := range gone {
		c := Change{Heading: heading, Path: g.Path, Before: g.Text}
		if i := slices.IndexFunc(came, func(s Sentence) bool { return s.Path == g.Path }); i >= 0 {
			c.After = came[i].Text
			came = slices.Delete(came, i, i+1)
		}
		out = append(out, c)
	}
	for _, s := range came {
		out = append(out, Change{Heading: heading, Path: s.Path, After: s.Text})
	}
	return out
}

// without is what stands in a and not in b, counted: a sentence said twice and now once
// has changed.
func without(a, b []Sentence) []Sentence {
	left := make(map[string]int)
	for _, s := range b {
		left[s.Text]++
	}
	var out []Sentence
	for _, s := range a {
		if left[s.Text] > 0 {
			left[s.Text]--
			continue
		}
		out = append(out, s)
	}
	return out
}
