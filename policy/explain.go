package policy

import "musa"

// ExplainIn says in words of a language when an item of a category ends in a tier, and which lines say
// so; in English for one that the page does not speak. It is musa.ErrInvalid for a category or tier that
// the document does not declare.
func (d *Document) ExplainIn(tag string, c musa.Category, tier musa.Tier) ([]Sentence, error) {
	category, ok := d.Categories.Get(string(c))
	if !ok {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "category_unknown", Field: "category",
			Public: "The policy has no such category. It has " + inEnglish.list(d.Categories.Names()) + "."}
	}
	if !d.Tiers.Has(string(tier)) {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "tier_unknown", Field: "tier",
			Public: "The policy has no such tier. It has " + inEnglish.list(d.Tiers.Names()) + "."}
	}
	p := &page{d: d, t: tongues[tag], sections: []Section{{}}}
	if category.Collected.Off() {
		p.say("categories."+string(c)+".collected", "This service collects no %s.", p.t.bareName(string(c)))
	}
	rules := p.rulesFor(string(c), string(tier), "")
	switch rules {
	case 0:
		p.say("retention", "No rule ends %s for %s: they cannot have any.", p.t.naming(string(c)), p.t.tierWords(Words{string(tier)}))
	case 1:
	default:
		p.say("retention", "Of the rules that apply, the one that comes first decides.")
	}
	return p.sections[0].Sentences, nil
}

// rulesFor says every rule that reaches a category in a tier, and those that it borrows.
func (p *page) rulesFor(category, tier, lender string) int {
	n := 0
	for i, r := range p.d.Retention {
		if !r.For.Has(category) || (len(r.Tier) > 0 && !r.Tier.Has(tier)) || (lender != "" && r.SameAs != "") {
			continue
		}
		n++
		p.rule(item("retention", i), r, Words{category})
		if r.SameAs != "" {
			p.rulesFor(r.SameAs, tier, category)
		}
	}
	return n
}
