package rights

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"musa"
	"musa/db"
	"musa/vault"
)

// clauseAge is the line of the policy that a suspension for a report about a child rests on.
const clauseAge = "age.reported"

// maxReason is the longest reason of a decision about an account, in characters.
const maxReason = 2000

// mailSuspended is the kind of mail that tells of a suspension.
const mailSuspended = "suspended"

// Suspension is an account that is set aside until a person decides.
type Suspension struct {
	Subject musa.SubjectID
	Clause  string        // the policy's line
	Thread  musa.ThreadID // the report; may be empty
	Since   musa.Millis
	Due     musa.Millis // when it has to be decided
	Overdue bool
}

// Decision is what a member of the staff decides about somebody's account. The reason is sealed
// with the audit log, under the account's own key.
type Decision struct {
	Subject musa.SubjectID
	Thread  musa.ThreadID // the report that it answers; may be empty
	Reason  string
}

// Suspend sets an account aside at once, after a person confirmed that a report is plausible: its
// jobs end, orders are refused, sign-in and rights stay open. The person is told by mail.
// Policy age.reported. ErrNotFound for who is no open account, ErrConflict for one suspended already.
func (r *Rights) Suspend(ctx context.Context, by musa.Actor, d Decision) (Suspension, error) {
	var cancelled []musa.JobID
	var s db.Suspension
	within := r.Policy().Age.Reported.Erase
	err := r.deciding(by, d)
	if err == nil && !within.Said() {
		err = &musa.Problem{Kind: musa.ErrRefused, Code: "suspension_unknown",
			Public: "This studio's policy names no time for a decision about a reported account. Publish a version with age.reported."}
	}
	if err != nil {
		return Suspension{}, err
	}
	err = r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := r.suspendable(ctx, tx, d.Subject); err != nil {
			return err
		}
		s = db.Suspension{Subject: d.Subject, Clause: clauseAge, Thread: d.Thread, At: tx.Now, Due: within.After(tx.Now), Staff: by.Subject}
		if err := tx.Suspend(ctx, s); err != nil {
			return err
		}
		var err error
		if _, cancelled, err = r.stop(ctx, tx, d.Subject); err != nil {
			return err
		}
		if err := tx.QueueMail(ctx, db.Mail{Subject: d.Subject, Kind: mailSuspended}); err != nil {
			return err
		}
		return r.Vault.Log(ctx, tx, vault.Entry{Action: "account_suspended", Role: by.Role, Owner: d.Subject, Object: string(d.Subject), By: by.Subject, Words: d.Reason})
	})
	if err != nil {
		return Suspension{}, fmt.Errorf("suspend %s: %w", d.Subject, err)
	}
	r.spread(nil, cancelled)
	return suspensionOf(s, s.At), nil
}

// suspendable refuses who is nobody's open account, and who works here.
func (r *Rights) suspendable(ctx context.Context, tx db.Tx, id musa.SubjectID) error {
	s, err := tx.Subject(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case s.Kind != musa.SubjectPerson && s.Kind != musa.SubjectGuest, s.State == musa.SubjectErased:
		return musa.ErrNotFound
	case s.State != musa.SubjectActive:
		return &musa.Problem{Kind: musa.ErrConflict, Code: "not_active", Public: "This account is suspended or closed already. Look at it again."}
	}
	roles, err := tx.RolesOf(ctx, id)
	if err == nil && len(roles) > 0 {
		err = &musa.Problem{Kind: musa.ErrRefused, Code: "staff_member",
			Public: "This person works for the studio. Whoever operates it has to take their roles back first."}
	}
	return err
}

// deciding refuses roles that do not decide about accounts, and decisions without a reason.
func (r *Rights) deciding(by musa.Actor, d Decision) error {
	switch {
	case by.Role != musa.RoleSupport && by.Role != musa.RoleOperator:
		return musa.ErrNotFound
	case d.Subject == by.Subject:
		return &musa.Problem{Kind: musa.ErrRefused, Code: "own_account", Public: "Nobody decides about their own account."}
	case strings.TrimSpace(d.Reason) == "" || utf8.RuneCountInString(d.Reason) > maxReason:
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "reason_needed", Field: "reason",
			Public: fmt.Sprintf("Say in one to %d characters why: it is kept sealed, for those who review.", maxReason)}
	}
	return nil
}

// Restore ends a suspension: the report was wrong. ErrNotFound where there is none.
func (r *Rights) Restore(ctx context.Context, by musa.Actor, d Decision) error {
	if err := r.deciding(by, d); err != nil {
		return err
	}
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.Restore(ctx, d.Subject); err != nil {
			return err
		}
		if err := tx.QueueMail(ctx, db.Mail{Subject: d.Subject, Kind: mailSuspended, Object: "restored"}); err != nil {
			return err
		}
		return r.Vault.Log(ctx, tx, vault.Entry{Action: "account_restored", Role: by.Role, Owner: d.Subject, Object: string(d.Subject), By: by.Subject, Words: d.Reason})
	})
	if err != nil {
		return fmt.Errorf("restore %s: %w", d.Subject, err)
	}
	return nil
}

// EraseSuspended ends a suspended account for good, at once and without a way back: the second
// step, which a person decides. What comes back opens the receipt. Policy age.reported.erase.
func (r *Rights) EraseSuspended(ctx context.Context, by musa.Actor, d Decision) (Closing, error) {
	if err := r.deciding(by, d); err != nil {
		return Closing{}, err
	}
	var (
		out       Closing
		cancelled []musa.JobID
		gone      []string
	)
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := r.setAside(ctx, tx, d.Subject)
		if err != nil {
			return err
		}
		if gone, cancelled, err = r.stop(ctx, tx, s.ID); err != nil {
			return err
		}
		s.Closed, s.Ends, s.Receipt = tx.Now, tx.Now, musa.NewReceiptID(tx.Now.Time())
		key, err := r.Eraser.Promise(ctx, tx, s)
		if err != nil {
			return err
		}
		defer key.Zero()
		if err := tx.CloseSubject(ctx, s, tx.Now); err != nil {
			return err
		}
		out = Closing{Closed: s.Closed, Until: s.Closed, Erased: s.Ends, Receipt: s.Receipt, Capability: base64.RawURLEncoding.EncodeToString(key[:])}
		return r.Vault.Log(ctx, tx, vault.Entry{Action: "suspended_erased", Role: by.Role, Owner: s.ID, Object: string(s.ID), By: by.Subject, Words: d.Reason})
	})
	if err != nil {
		return Closing{}, fmt.Errorf("erase suspended %s: %w", d.Subject, err)
	}
	r.spread(gone, cancelled)
	return out, nil
}

// setAside finds a suspended account. One that its person closed meanwhile is taken out of its
// grace: the decision is sooner.
func (r *Rights) setAside(ctx context.Context, tx db.Tx, id musa.SubjectID) (db.Subject, error) {
	s, err := tx.Subject(ctx, id)
	if err != nil {
		return s, err
	}
	if _, err := tx.Suspension(ctx, id); err != nil {
		return s, err
	}
	if s.State == musa.SubjectClosed {
		if _, err := tx.ReopenSubject(ctx, id, r.until(s)); err != nil {
			return s, err
		}
		s, err = tx.Subject(ctx, id)
	}
	return s, err
}

// Suspensions lists what has to be decided, the most urgent first.
func (r *Rights) Suspensions(ctx context.Context, by musa.Actor, limit int) ([]Suspension, error) {
	if by.Role != musa.RoleSupport && by.Role != musa.RoleOperator {
		return nil, musa.ErrNotFound
	}
	var list []Suspension
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Suspensions(ctx, limit)
		list = make([]Suspension, len(rows))
		for i, s := range rows {
			list[i] = suspensionOf(s, tx.Now)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list suspensions: %w", err)
	}
	return list, nil
}

// Suspended tells a person how the suspension of their account stands; false where there is none.
func (r *Rights) Suspended(ctx context.Context, by musa.Actor) (s Suspension, is bool, err error) {
	err = r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		row, err := tx.Suspension(ctx, by.Subject)
		s = suspensionOf(row, tx.Now)
		return err
	})
	if errors.Is(err, musa.ErrNotFound) {
		return Suspension{}, false, nil
	}
	if err != nil {
		return Suspension{}, false, fmt.Errorf("suspension of %s: %w", by.Subject, err)
	}
	s.Thread = "" // who reported it is not told
	return s, true, nil
}

func suspensionOf(s db.Suspension, now musa.Millis) Suspension {
	return Suspension{Subject: s.Subject, Clause: s.Clause, Thread: s.Thread, Since: s.At, Due: s.Due, Overdue: s.Due <= now}
}
