package rights

import (
	"context"
	"errors"
	"strconv"

	"musa"
	"musa/consent"
	"musa/db"
)

// Repeat does again what somebody decided at an instant, in a store that was restored from a
// copy made before. What the copy knows already stays as it is. Nothing is told to anybody: it
// was when it happened.
func (r *Rights) Repeat(ctx context.Context, tx db.Tx, act db.Act, at musa.Millis) error {
	s, err := tx.Subject(ctx, act.Subject)
	if errors.Is(err, musa.ErrNotFound) || err == nil && s.State == musa.SubjectErased {
		return nil // came after the copy, or is gone
	}
	if err != nil {
		return err
	}
	event := ""
	switch act.Did {
	case db.ActClosed, db.ActReopened:
		event, err = r.repeatClosing(ctx, tx, s, act, at)
	case db.ActSuspended, db.ActRestored:
		event, err = r.repeatSuspension(ctx, tx, s, act, at)
	case db.ActRestricted, db.ActObjected, db.ActLifted:
		event, err = r.repeatCase(ctx, tx, s, act, at)
	case db.ActWithdrew:
		return r.Consents.Repeat(ctx, tx, act)
	}
	if err != nil || event == "" {
		return err
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: event, Role: musa.RoleSystem, Subject: s.ID, Object: string(s.ID)})
}

func (r *Rights) repeatClosing(ctx context.Context, tx db.Tx, s db.Subject, act db.Act, at musa.Millis) (event string, err error) {
	switch {
	case act.Did == db.ActClosed && (s.State == musa.SubjectActive || s.State == musa.SubjectSuspended):
		if _, _, err := r.stop(ctx, tx, s.ID); err != nil {
			return "", err
		}
		s.Closed, s.Receipt = at, musa.ReceiptID(act.Item)
		until := r.until(s)
		s.Ends = r.ends(s, until)
		if _, err := r.Eraser.Promise(ctx, tx, s); err != nil {
			return "", err
		}
		return "account_closed", tx.CloseSubject(ctx, s, until)
	case act.Did == db.ActReopened && s.State == musa.SubjectClosed && s.Closed <= at:
		_, err := tx.ReopenSubject(ctx, s.ID, r.until(s))
		return "account_reopened", err
	}
	return "", nil
}

// repeatSuspension sets an account aside again, or lets it in again. Policy age.reported.
func (r *Rights) repeatSuspension(ctx context.Context, tx db.Tx, s db.Subject, act db.Act, at musa.Millis) (event string, err error) {
	known, err := tx.Suspension(ctx, s.ID)
	aside := err == nil
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return "", err
	}
	switch {
	case act.Did == db.ActSuspended && !aside && s.State == musa.SubjectActive:
		due, err := strconv.ParseInt(act.What, 10, 64)
		if err != nil {
			return "", err
		}
		if _, _, err := r.stop(ctx, tx, s.ID); err != nil {
			return "", err
		}
		return "account_suspended", tx.Suspend(ctx, db.Suspension{Subject: s.ID, Clause: clauseAge, Thread: musa.ThreadID(act.Item), At: at, Due: musa.Millis(due), Staff: act.In})
	case act.Did == db.ActRestored && aside && known.At <= at:
		return "account_restored", tx.Restore(ctx, s.ID)
	}
	return "", nil
}

// repeatCase makes a restriction or an objection count again, or no more. Of a case that came
// after the copy the words are lost; what was decided is not. GDPR art. 18 and 21.
func (r *Rights) repeatCase(ctx context.Context, tx db.Tx, s db.Subject, act db.Act, at musa.Millis) (event string, err error) {
	c, err := tx.Case(ctx, musa.CaseID(act.Item))
	fresh := errors.Is(err, musa.ErrNotFound)
	if err != nil && !fresh {
		return "", err
	}
	if act.Did == db.ActLifted {
		if fresh || !inEffect(c) {
			return "", nil
		}
		c.State, c.Outcome = musa.CaseWithdrawn, OutcomeLifted
		event = "right_retracted"
	} else {
		if !fresh && c.Answered > 0 {
			return "", nil
		}
		if fresh {
			kind := RightRestriction
			if act.Did == db.ActObjected {
				kind = RightObjection
			}
			clock, _ := r.Policy().ClockOf(kind, s.Region)
			c = db.Case{ID: musa.CaseID(act.Item), Subject: s.ID, Kind: kind, Regime: clock.Law, Purpose: musa.Purpose(act.What), Received: at, Due: clock.Within.After(at)}
		}
		c.State, c.Answered, c.Outcome = musa.CaseAnswered, at, consent.OutcomeRestricted
		if act.Did == db.ActObjected {
			c.Outcome = consent.OutcomeUpheld
		} else if _, _, err := r.stop(ctx, tx, s.ID); err != nil {
			return "", err
		}
		event = "right_answered"
	}
	save := tx.SaveCase
	if fresh {
		save = tx.InsertCase
	}
	if err := save(ctx, c); err != nil {
		return "", err
	}
	return event, r.Consents.Settle(ctx, tx, s.ID)
}
