package policy

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

//go:embed words/*.json
var tongueFiles embed.FS

// tongue is a language that the page speaks: for each English sentence of this package, whole and
// with its places, what stands instead. Nil is English. A sentence that it lacks stays English; a
// test finds it. Places are numbered where another language orders them otherwise.
type tongue map[string]string

// inEnglish is what programs are told in.
var inEnglish tongue

var tongues = readTongues()

// readTongues panics when a file of this package is no table of words: it is part of the program.
func readTongues() map[string]tongue {
	all := map[string]tongue{}
	files, err := tongueFiles.ReadDir("words")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		text, err := tongueFiles.ReadFile(path.Join("words", f.Name()))
		if err != nil {
			panic(err)
		}
		var t tongue
		if err := json.Unmarshal(text, &t); err != nil {
			panic(fmt.Errorf("words/%s: %w", f.Name(), err))
		}
		all[strings.TrimSuffix(f.Name(), ".json")] = t
	}
	return all
}

// of is what stands in the place of an English sentence or phrase.
func (t tongue) of(words string) string {
	if said, ok := t[words]; ok {
		return said
	}
	return words
}

// f fills the places of a sentence.
func (t tongue) f(format string, args ...any) string { return fmt.Sprintf(t.of(format), args...) }

// words looks each one up and keeps those without a translation.
func (t tongue) words(ws []string, in map[string]string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w
		if said, ok := in[w]; ok {
			out[i] = t.of(said)
		}
	}
	return out
}

func (t tongue) said(word string, in map[string]string) string { return t.words(Words{word}, in)[0] }

// joined is a list whose last part is joined by a word of its own.
func (t tongue) joined(ws []string, last string) string {
	switch len(ws) {
	case 0:
		return t.of("nothing")
	case 1:
		return ws[0]
	}
	return strings.Join(ws[:len(ws)-1], ", ") + t.of(last) + ws[len(ws)-1]
}

func (t tongue) list(ws []string) string         { return t.joined(ws, " and ") }
func (t tongue) alternatives(ws []string) string { return t.joined(ws, " or ") }

// bareName is a kind of data without an article; a name that we have no words for stands as the
// document writes it.
func (t tongue) bareName(category string) string {
	if w, ok := categoryWords[category]; ok {
		return t.of(w)
	}
	return strings.ReplaceAll(category, "_", " ")
}

func (t tongue) naming(category string) string { return t.f("the %s", t.bareName(category)) }

func (t tongue) namings(categories Words) string {
	out := make([]string, len(categories))
	for i, c := range categories {
		out[i] = t.naming(c)
	}
	return t.list(out)
}

func (t tongue) tierWords(tiers Words) string { return t.list(t.words(tiers, tierNames)) }

// span is a length of time: "1 hour", "30 days".
func (t tongue) span(s Span) string { return t.counted(s, "") }

// within is the same after a word that bends it.
func (t tongue) within(s Span) string { return t.counted(s, "in ") }

func (t tongue) counted(s Span, bent string) string {
	if t == nil || s.Indefinite() || s.count == 0 {
		return t.of(s.Words())
	}
	unit := unitWords[s.unit]
	if s.count != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", s.count, t.of(bent+unit))
}

func (t tongue) spanWords(spans []Span) []string {
	out := make([]string, len(spans))
	for i, s := range spans {
		out[i] = t.span(s)
	}
	return out
}

// each is how often something is done: "every day", "every 90 days".
func (t tongue) each(s Span) string {
	if s.count == 1 {
		return t.of("every " + unitWords[s.unit])
	}
	return t.f("every %s", t.span(s))
}

func (t tongue) purposePhrase(name string) string {
	if w, ok := purposePhrases[name]; ok {
		return t.of(w)
	}
	return t.f("for %s", strings.ReplaceAll(name, "_", " "))
}

func (t tongue) purposesWords(names Words) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = t.purposePhrase(n)
	}
	return t.list(out)
}

// plain is a name in words, or as the document writes it without its underscores.
func (t tongue) plain(name string, in map[string]string) string {
	return strings.ReplaceAll(t.said(name, in), "_", " ")
}

// law is how a regime is called: "GDPR".
func (t tongue) law(regime string) string { return t.of(strings.ToUpper(regime)) }

// headed puts headings into words at last: until then the English ones name the sections.
func (t tongue) headed(sections []Section) []Section {
	for i := range sections {
		sections[i].Heading = t.of(sections[i].Heading)
	}
	return sections
}

func (t tongue) consentWords(name string) string { return t.plain(name, consentNames) }
func (t tongue) countryWords(code string) string { return t.said(code, countryNames) }
