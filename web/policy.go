package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"musa/lang"
	"musa/policy"
)

// terms is what the studio says of the policy document. Everything in it is read from the
// document in force; nothing here has words of its own.
type terms struct {
	name, version    string
	original, output life
}

// life is how long something stays, and the rule that says so. A zero life is one that
// the document does not state for guests.
type life struct {
	rule   string
	after  string // what starts the clock: created, job_ended
	stated bool
	length policy.Span
}

func readTerms(doc *policy.Document) terms {
	t := terms{name: doc.Policy, version: doc.Version}
	for i, rule := range doc.Retention {
		switch {
		case !rule.Keep.Said() || rule.Keep.Indefinite():
		case !t.original.stated && slices.Contains(rule.For, "original") && rule.From == "job_ended":
			t.original = life{rule: rulePath(i), after: rule.From, stated: true, length: rule.Keep}
		case !t.output.stated && slices.Contains(rule.For, "output") && appliesToGuest(rule):
			t.output = life{rule: rulePath(i), after: rule.From, stated: true, length: rule.Keep}
		}
	}
	return t
}

// anchor names a sentence by the line that it cites, so that a rule can be linked to.
func (l line) anchor() templ.Attributes {
	if l.id == "" {
		return nil
	}
	return templ.Attributes{"id": l.id}
}

func rulePath(index int) string { return fmt.Sprintf("retention[%d]", index) }

func appliesToGuest(rule policy.Rule) bool {
	return len(rule.Tier) == 0 || slices.Contains(rule.Tier, "guest")
}

// originalWords says what happens to an original that nobody asked to keep.
func (t terms) originalWords(words *lang.Catalogue) string {
	switch {
	case !t.original.stated:
		return words.T("life.original.policy", nil)
	case t.original.length.Duration() == 0:
		return words.T("life.original.atonce", nil)
	default:
		return words.T("life.original.after", lang.Vars{"span": spanWords(words, t.original.length)})
	}
}

// outputWords says how long a guest's result stays.
func (t terms) outputWords(words *lang.Catalogue) string {
	if !t.output.stated {
		return words.T("life.output.policy", nil)
	}
	return words.T("life.output.after", lang.Vars{"span": spanWords(words, t.output.length)})
}

// spanWords says a length in the page's language, in the unit that the document uses.
func spanWords(words *lang.Catalogue, span policy.Span) string { return spanText(words, span.String()) }

func spanText(words *lang.Catalogue, text string) string {
	digits := strings.TrimRight(text, "smhdoy")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return text
	}
	return words.T("span."+text[len(digits):], lang.Vars{"n": n})
}
