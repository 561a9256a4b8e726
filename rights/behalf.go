package rights

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
)

// Letter is a request that reached support instead of its own door.
type Letter struct {
	Subject  musa.SubjectID
	Right    string
	Words    string
	Received musa.Millis // when it was first said: the law's clock runs from then
}

// Enter enters what somebody wrote to support as their request, in the caller's transaction: it is
// in their list and in the staff's queue, and waits for a person. Promise P-26.
func (r *Rights) Enter(ctx context.Context, tx db.Tx, by musa.Actor, l Letter) (musa.CaseID, error) {
	doc := r.Policy()
	if _, ok := doc.Rights.Get(l.Right); !ok {
		_, err := r.askable(Request{Right: l.Right})
		return "", err
	}
	s, err := tx.Subject(ctx, l.Subject)
	if err != nil {
		return "", err
	}
	person := musa.Actor{Subject: s.ID, Tier: s.Tier, Role: musa.RoleSystem, Standing: s.Standing()}
	c := Case{Case: r.received(tx, person, l.Right), Paper: Paper{Words: l.Words}}
	clock, _ := doc.ClockOf(l.Right, person.Standing.Region)
	c.Received, c.Due = l.Received, clock.Within.After(l.Received)
	if err := r.file(ctx, tx, person, &c); err != nil {
		return "", fmt.Errorf("enter a request of %s: %w", s.ID, err)
	}
	return c.ID, r.enter(ctx, tx, by, c.Case, "right_entered")
}
