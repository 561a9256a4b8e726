package web

import (
	"net/http"
	"strings"

	"musa"
	"musa/lang"
	"musa/policy"
)

// me is a person's own page. What is theirs is fetched by its script; what it says of the
// rules is read from the document in force.
func (s *site) me(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, "me.title")
	p.script, p.style = "js/me.js", "desk.css"
	p.speaks = []string{"me.", "span.", "tier.", "category.", "role.", "purpose.", "part.", "fault."}
	p.personal = true
	s.render(w, r, http.StatusOK, p, mePage(p, readAccount(s.policy())))
}

// accountTerms is what the document says of accounts.
type accountTerms struct {
	stays []stay
	grace policy.Span
	kept  []kept
}

// stay is how long the results of one tier stay, and between what its people may choose.
type stay struct {
	tier, rule string
	length     policy.Span
	offers     []policy.Span
}

// kept is what a closed account leaves behind, until its own end.
type kept struct {
	category, rule, law, from string
	tiers                     []string
	length                    policy.Span
}

func readAccount(doc *policy.Document) accountTerms {
	erasure, _ := doc.Rights.Get("erasure")
	t := accountTerms{grace: erasure.Grace}
	for _, tier := range doc.Tiers.Names() {
		if s, ok := stayOf(doc, tier); ok {
			t.stays = append(t.stays, s)
		}
	}
	left := policy.Words{string(musa.CategoryAccount)}
	for _, purpose := range erasure.Keeps {
		line, _ := doc.Purposes.Get(purpose)
		left = append(left, line.Uses...)
	}
	for i, rule := range doc.Retention {
		for _, c := range rule.For {
			line, _ := doc.Categories.Get(c)
			if !left.Has(c) || line.Collected.Off() || !rule.Keep.Said() || rule.Keep.Indefinite() {
				continue
			}
			t.kept = append(t.kept, kept{category: c, rule: rulePath(i), law: rule.Law, from: rule.From, tiers: rule.Tier, length: rule.Keep})
		}
	}
	return t
}

// stayOf finds the first rule that ends a tier's results by time.
func stayOf(doc *policy.Document, tier string) (stay, bool) {
	for i, rule := range doc.Retention {
		if !rule.For.Has(string(musa.CategoryOutput)) || len(rule.Tier) > 0 && !rule.Tier.Has(tier) || !rule.Keep.Said() || rule.Keep.Indefinite() {
			continue
		}
		s := stay{tier: tier, rule: rulePath(i), length: rule.Keep}
		if rule.SetBy.Has("subject") {
			s.offers = rule.Choices
		}
		return s, true
	}
	return stay{}, false
}

// named says a name of the document in the page's language, where it has a word for it.
func named(words *lang.Catalogue, prefix, name string) string {
	if said := words.T(prefix+name, nil); said != prefix+name {
		return said
	}
	return strings.ReplaceAll(name, "_", " ")
}

func spansWords(words *lang.Catalogue, spans []policy.Span) string {
	var said []string
	for _, s := range spans {
		said = append(said, spanWords(words, s))
	}
	return strings.Join(said, ", ")
}

// graceWords says what a closing leaves time for.
func (t accountTerms) graceWords(words *lang.Catalogue) string {
	if t.grace.Duration() == 0 {
		return words.T("me.close.atonce", nil)
	}
	return words.T("me.close.grace", lang.Vars{"span": spanWords(words, t.grace)})
}
