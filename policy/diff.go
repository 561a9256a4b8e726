package policy

import (
	"reflect"
	"slices"
	"strings"
)

// What a change does to a statement of the page.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Change is one difference between two versions, as people read it. Was is empty for what
// is new, Is for what no longer stands.
type Change struct {
	Kind string `json:"kind"`
	Path string `json:"path"`         // in the newer document; in the older where it is gone
	Of   string `json:"of,omitempty"` // what Was and Is speak of, where they do not say it
	Was  string `json:"was,omitempty"`
	Is   string `json:"is,omitempty"`
	Text string `json:"text"` // both in one sentence
}

// Differences is what differs under one heading of the page.
type Differences struct {
	Heading string   `json:"heading"`
	Changes []Change `json:"changes"`
	Lines   bool     `json:"lines,omitempty"` // of the document, not sentences of the page
}

// InDocument heads the changes that Diff tells as the document writes them.
const InDocument = "In the document"

// Diff says what a newer document changes: first in words, by whose what is kept how long and
// by the sentences of the page that come, go or change; then, under InDocument, by every
// line that does, since not every line has a sentence. A comment, an order of keys or a rule
// that only moved is no change.
func Diff(older, newer *Document) []Differences { return DiffIn("en", older, newer) }

// DiffIn is the difference in another language; English for one that the page does not speak. The
// document's own lines stay as they are written.
func DiffIn(tag string, older, newer *Document) []Differences {
	t := tongues[tag]
	was, is := older.render(t), newer.render(t)
	var out []Differences
	for _, h := range headings(was, is) {
		var told []Change
		if h == keptHeading {
			told = lifetimes(t, older, newer)
		}
		told = append(told, t.changesBetween(sentencesUnder(was, h), sentencesUnder(is, h))...)
		if len(told) > 0 {
			out = append(out, Differences{Heading: t.of(h), Changes: told})
		}
	}
	if lines := t.changesBetween(older.lines(), newer.lines()); len(lines) > 0 {
		out = append(out, Differences{Heading: t.of(InDocument), Changes: lines, Lines: true})
	}
	return out
}

// change words one difference.
func (t tongue) change(path, was, is string) Change {
	c := Change{Kind: Changed, Path: path, Was: was, Is: is}
	switch {
	case was == "":
		c.Kind, c.Text = Added, t.f("New: %s", is)
	case is == "":
		c.Kind, c.Text = Removed, t.f("No longer: %s", was)
	default:
		c.Text = t.f("Was: %s Is: %s", was, is)
	}
	if about := t.about(path); about != "" {
		c.Of, c.Text = about, about+": "+c.Text
	}
	return c
}

// about names what a sentence speaks of that does not say so itself, because on the page it
// stands below another.
func (t tongue) about(path string) string {
	parts := strings.SplitN(path, ".", 3)
	if len(parts) < 3 {
		return ""
	}
	switch parts[0] {
	case "rights":
		return t.said(parts[1], rightTitles)
	case "consents":
		return capital(t.consentWords(parts[1]))
	case "processors":
		return capital(parts[1])
	}
	return ""
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

// sentencesUnder leaves out the rules of retention, which lifetimes tells by whose they are:
// their paths move when a rule is added.
func sentencesUnder(sections []Section, heading string) []Sentence {
	var out []Sentence
	for _, s := range sections {
		for _, x := range s.Sentences {
			if s.Heading == heading && !strings.HasPrefix(x.Path, "retention[") {
				out = append(out, x)
			}
		}
	}
	return out
}

// changesBetween pairs what is gone with what is new by the path; a sentence that only
// moved is no change.
func (t tongue) changesBetween(was, is []Sentence) []Change {
	gone, came := without(was, is), without(is, was)
	var out []Change
	for _, g := range gone {
		after := ""
		if i := slices.IndexFunc(came, func(s Sentence) bool { return s.Path == g.Path }); i >= 0 {
			after = came[i].Text
			came = slices.Delete(came, i, i+1)
		}
		out = append(out, t.change(g.Path, g.Text, after))
	}
	for _, s := range came {
		out = append(out, t.change(s.Path, "", s.Text))
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

// lifetime is how long what belongs to some tiers is kept, before and after.
type lifetime struct {
	path       string
	was, is    string
	tiers      Words
	categories Words
}

// lifetimes tells for each tier and category what its rules say, and joins those that change
// alike: "For guests, the pictures that are made for you: were erased 24 hours after they were
// made, are erased 12 hours after they were made."
func lifetimes(t tongue, older, newer *Document) []Change {
	tiers := union(older.Tiers.Names(), newer.Tiers.Names())
	var found []lifetime
	for _, c := range union(newer.Categories.Names(), older.Categories.Names()) {
		var of []lifetime
		for _, tier := range tiers {
			wasPath, was := older.lifetime(t, c, tier)
			path, is := newer.lifetime(t, c, tier)
			if was == is {
				continue
			}
			if is == "" {
				path = wasPath
			}
			of = joined(of, lifetime{path, was, is, Words{tier}, Words{c}}, sameFate)
		}
		for _, x := range of {
			found = joined(found, x, func(a, b lifetime) bool { return sameFate(a, b) && slices.Equal(a.tiers, b.tiers) })
		}
	}
	var out []Change
	for _, x := range found {
		out = append(out, x.change(t, len(tiers)))
	}
	return out
}

func sameFate(a, b lifetime) bool { return a.path == b.path && a.was == b.was && a.is == b.is }

func joined(all []lifetime, x lifetime, same func(a, b lifetime) bool) []lifetime {
	for i := range all {
		if same(all[i], x) {
			all[i].tiers, all[i].categories = union(all[i].tiers, x.tiers), union(all[i].categories, x.categories)
			return all
		}
	}
	return append(all, x)
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func (x lifetime) change(t tongue, tiers int) Change {
	subject := capital(t.namings(x.categories))
	if len(x.tiers) < tiers {
		subject = t.f("For %s, %s", t.tierWords(x.tiers), t.namings(x.categories))
	}
	c := Change{Kind: Changed, Path: x.path, Of: subject, Was: x.was, Is: x.is}
	switch {
	case x.was == "":
		c.Kind, c.Text = Added, t.f("%s: are new, and are %s.", subject, x.is)
	case x.is == "":
		c.Kind, c.Text = Removed, t.f("%s: were %s, and are no longer kept at all.", subject, x.was)
	default:
		c.Text = t.f("%s: were %s, are %s.", subject, x.was, x.is)
	}
	return c
}

// lifetime is what all rules for a category in a tier say, in words that follow "are", and
// the first of them; empty where nothing of it is held.
func (d *Document) lifetime(t tongue, category, tier string) (path, fate string) {
	if len(d.held(Words{category})) == 0 || !d.Tiers.Has(tier) {
		return "", ""
	}
	var parts []string
	for i, r := range d.Retention {
		if !r.For.Has(category) || (len(r.Tier) > 0 && !r.Tier.Has(tier)) {
			continue
		}
		if path == "" {
			path = item("retention", i)
		}
		parts = append(parts, r.manner(voice{t, categoryWords, chooserNames}, Words{category}))
	}
	fate = strings.Join(parts, t.of(", or "))
	if len(parts) > 1 {
		fate += t.of(", whichever comes first")
	}
	return path, fate
}

// manner is one rule with all that belongs to it.
func (r Rule) manner(v voice, categories Words) string {
	t := v.t
	if r.SameAs != "" {
		return t.f("kept as long as the %s once they were saved", v.name(r.SameAs))
	}
	out := r.does(t, categories)
	var more []string
	if len(r.Choices) > 0 {
		more = append(more, t.f("%s may choose %s", t.alternatives(t.words(r.SetBy, v.choosers)), t.alternatives(t.spanWords(r.Choices))))
	}
	if r.OnTierLoss.Shorten.On() {
		more = append(more, t.f("shortened %s after notice when the membership ends", t.span(r.OnTierLoss.Notice)))
	}
	if r.Restricted.On() {
		more = append(more, t.of("restricted until then"))
	}
	if len(r.Residue) > 0 {
		more = append(more, t.f("with %s remaining", t.list(t.words(r.Residue, residueNames))))
	}
	if r.Review.Said() {
		more = append(more, t.f("looked at %s", t.each(r.Review)))
	}
	if len(more) > 0 {
		out += " (" + strings.Join(more, "; ") + ")"
	}
	return out
}

// does is fate without its verb.
func (r Rule) does(t tongue, categories Words) string {
	when := r.occasion(t, categories)
	switch {
	case r.Minimum.On():
		return t.f("kept by law (%s) for %s", t.of(r.Law), t.span(r.Keep))
	case r.Keep.Indefinite():
		return t.of("kept without end")
	case r.Then == "anonymise" && counted(categories):
		return t.f("made into totals that lead to nobody %s", when)
	}
	return t.f("erased %s", when)
}
