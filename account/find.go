package account

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
)

// Found is an account as the staff find it: by its exact address, with nothing of what it holds.
type Found struct {
	Subject musa.SubjectID
	State   musa.SubjectState
	Tier    musa.Tier
	Created musa.Millis
}

// Find leads the staff from an exact address to its account. That they looked is entered under the
// account. ErrNotFound where no account has it, and to who is not of the staff.
func (a *Accounts) Find(ctx context.Context, by musa.Actor, email string) (Found, error) {
	if by.Role != musa.RoleSupport && by.Role != musa.RoleOperator {
		return Found{}, musa.ErrNotFound
	}
	address, err := Address(email)
	if err != nil {
		return Found{}, err
	}
	var f Found
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		row, err := tx.AddressBy(ctx, a.digestOf(address))
		if err != nil {
			return err
		}
		s, err := tx.Subject(ctx, row.Subject)
		if err != nil {
			return err
		}
		f = Found{Subject: s.ID, State: s.State, Tier: s.Tier, Created: s.Created}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "account_found", Role: by.Role, Subject: s.ID, Object: string(s.ID)})
	})
	if err != nil {
		return Found{}, fmt.Errorf("find an account: %w", err)
	}
	return f, nil
}
