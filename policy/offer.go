package policy

import (
	"time"

	"musa"
)

// Choices is what the rule for a category in a tier lets people choose from, the time that
// holds where nobody chooses, and who may: nil where there is no choice. A category that
// takes another's time ("same_as") has that one's choices.
func (d *Document) Choices(c musa.Category, t musa.Tier) (offer []Span, keep Span, setBy Words) {
	r, ok := d.ruled(c, t, func(r Rule) bool { return len(r.Choices) > 0 })
	if !ok {
		return nil, Span{}, nil
	}
	return append([]Span(nil), r.Choices...), r.Keep, append(Words(nil), r.SetBy...)
}

// TierLoss is what happens to what exists of a category when its owner loses a tier: whether
// the shorter time of the new tier comes to bear, and how long before that they hear of it.
func (d *Document) TierLoss(c musa.Category, from musa.Tier) (notice time.Duration, shortens bool) {
	r, _ := d.ruled(c, from, func(r Rule) bool { return r.OnTierLoss.Shorten.On() })
	return r.OnTierLoss.Notice.Duration(), r.OnTierLoss.Shorten.On()
}

// ruled finds the first rule of a category in a tier that is of a kind, also one that it
// borrows.
func (d *Document) ruled(c musa.Category, t musa.Tier, kind func(Rule) bool) (Rule, bool) {
	var lender string
	for _, r := range d.Retention {
		if !r.For.Has(string(c)) || (len(r.Tier) > 0 && !r.Tier.Has(string(t))) {
			continue
		}
		if r.SameAs == "" && kind(r) {
			return r, true
		}
		if r.SameAs != "" && lender == "" {
			lender = r.SameAs
		}
	}
	for _, r := range d.Retention {
		if lender != "" && r.SameAs == "" && r.For.Has(lender) && (len(r.Tier) == 0 || r.Tier.Has(string(t))) && kind(r) {
			return r, true
		}
	}
	return Rule{}, false
}
