package rights

import (
	"context"
	"fmt"

	"musa"
	"musa/consent"
	"musa/db"
)

// Restriction is how the use of a person's data stands restricted; zero where it is not.
type Restriction struct {
	Since musa.Millis
	Cases []musa.CaseID // each of which lifts its part when it is taken back
}

// Restricted tells a person since when the use of what is theirs is restricted, and by which
// requests, so that they find the way out where they meet it. GDPR art. 18.
func (r *Rights) Restricted(ctx context.Context, by musa.Actor) (Restriction, error) {
	if !by.Standing.Restricted {
		return Restriction{}, nil
	}
	var out Restriction
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, by.Subject)
		if err != nil {
			return err
		}
		list, err := tx.CasesInEffect(ctx, by.Subject, consent.OutcomeRestricted)
		out = Restriction{Since: s.Restricted}
		for _, c := range list {
			out.Cases = append(out.Cases, c.ID)
		}
		return err
	})
	if err != nil {
		return Restriction{}, fmt.Errorf("restriction of %s: %w", by.Subject, err)
	}
	return out, nil
}
