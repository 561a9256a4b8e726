package erasure

import (
	"context"
	"slices"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/policy"
)

// kept lists what stays of an owner under a pseudonym that leads to nobody any more, because
// the policy's erasure right keeps it for a purpose: what was accepted and chosen, requests,
// the audit log, what is held. Payments are told apart: they are detached. What is held in
// secret is not named. Promise E-29.
func (e *Eraser) kept(ctx context.Context, tx db.Tx, s db.Subject) ([]audit.Kept, error) {
	rows, err := tx.Holdings(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	doc := e.Policy()
	var out []audit.Kept
	for _, h := range rows {
		if h.Category == musa.CategoryPayment || !stays(h.Table) || !keeps(doc, h.Category) {
			continue
		}
		end := doc.End(policy.Item{Category: h.Category, Tier: s.Tier, Created: h.Newest, LastSeen: s.LastSeen, Closed: tx.Now})
		if i := slices.IndexFunc(out, func(k audit.Kept) bool { return k.Category == h.Category }); i >= 0 {
			out[i].Until = max(out[i].Until, end.At)
			continue
		}
		out = append(out, audit.Kept{Category: h.Category, Until: end.At, Rule: end.Path})
	}
	return out, nil
}

// stays says that a table's rows outlive the key of their owner.
func stays(table string) bool {
	for _, t := range db.Tables() {
		for _, edge := range t.Edges {
			if t.Name == table && edge.Column == t.Owner && edge.To == "subjects" {
				return edge.On == db.Keep
			}
		}
	}
	return false
}

// keeps says that the erasure right keeps a category for one of the purposes that it names.
func keeps(doc *policy.Document, c musa.Category) bool {
	right, _ := doc.Rights.Get("erasure")
	for _, p := range right.Keeps {
		if line, ok := doc.Purposes.Get(p); ok && line.Uses.Has(string(c)) {
			return true
		}
	}
	return false
}
