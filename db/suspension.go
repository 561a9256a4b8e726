package db

import (
	"context"
	"strconv"

	"github.com/uptrace/bun"

	"musa"
)

// Suspension sets an account aside until a person decides. The reason is sealed in the audit log
// under the account's key.
//
// Category: case.
type Suspension struct {
	bun.BaseModel `bun:"table:suspensions"`

	Subject musa.SubjectID `bun:",pk"`
	Clause  string         // the line of the policy that it rests on
	Thread  musa.ThreadID  // the report; may be empty
	At      musa.Millis
	Due     musa.Millis // when it has to be decided
	Staff   musa.SubjectID
}

var suspensionTable = Table{Name: "suspensions", Category: musa.CategoryCase, Columns: columns(musa.CategoryCase, "subject", "clause", "thread", "at", "due", "staff"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"thread", "threads", Keep}, {"staff", "subjects", Keep}}, Untold: []string{"thread", "staff"}}

// Suspend sets an active owner aside; musa.ErrConflict when they are not active. A backup target's
// journal learns of it, so that no restore lets them in again.
func (tx Tx) Suspend(ctx context.Context, s Suspension) error {
	n, err := tx.exec(ctx, "UPDATE subjects SET state = ? WHERE id = ? AND state = ?", musa.SubjectSuspended, s.Subject, musa.SubjectActive)
	if err == nil && n == 0 {
		err = musa.ErrConflict
	}
	if err != nil {
		return wrapf(err, "suspend %s", s.Subject)
	}
	if err := tx.insert(ctx, &s); err != nil {
		return wrapf(err, "suspend %s", s.Subject)
	}
	err = tx.NoteAct(ctx, Act{Did: ActSuspended, Subject: s.Subject, What: strconv.FormatInt(int64(s.Due), 10), Item: string(s.Thread), In: s.Staff})
	return wrapf(err, "suspend %s", s.Subject)
}

// Restore makes a suspended owner active again; one who closed their account meanwhile stays closed.
// musa.ErrNotFound when they are not suspended.
func (tx Tx) Restore(ctx context.Context, id musa.SubjectID) error {
	n, err := tx.exec(ctx, "DELETE FROM suspensions WHERE subject = ?", id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return wrapf(err, "restore %s", id)
	}
	_, err = tx.exec(ctx, "UPDATE subjects SET state = ? WHERE id = ? AND state = ?", musa.SubjectActive, id, musa.SubjectSuspended)
	if err == nil {
		err = tx.NoteAct(ctx, Act{Did: ActRestored, Subject: id})
	}
	return wrapf(err, "restore %s", id)
}

// Suspension finds an owner's suspension; musa.ErrNotFound.
func (tx Tx) Suspension(ctx context.Context, id musa.SubjectID) (Suspension, error) {
	var s Suspension
	err := tx.get(ctx, &s, "SELECT * FROM suspensions WHERE subject = ? ?", id, tx.locked(forUpdate))
	return s, wrapf(err, "suspension of %s", id)
}

// Suspensions lists up to limit suspensions, those first that have to be decided first.
func (tx Tx) Suspensions(ctx context.Context, limit int) ([]Suspension, error) {
	var list []Suspension
	err := tx.get(ctx, &list, "SELECT * FROM suspensions ORDER BY due, subject LIMIT ?", limit)
	return list, wrapf(err, "suspensions")
}
