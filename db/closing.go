package db

import (
	"context"

	"musa"
)

// CloseSubject marks an active or suspended owner as closed, with when their data goes and the receipt
// that will say so, and lets no session of theirs outlive the time to think again. All that
// is theirs is ordered to go at until. musa.ErrConflict when they are neither.
func (tx Tx) CloseSubject(ctx context.Context, s Subject, until musa.Millis) error {
	n, err := tx.exec(ctx, "UPDATE subjects SET state = ?, closed = ?, ends = ?, receipt = ? WHERE id = ? AND state IN (?, ?)",
		musa.SubjectClosed, s.Closed, s.Ends, s.Receipt, s.ID, musa.SubjectActive, musa.SubjectSuspended)
	if err == nil && n == 0 {
		err = musa.ErrConflict
	}
	if err != nil {
		return wrapf(err, "close subject %s", s.ID)
	}
	if _, err := tx.exec(ctx, "UPDATE sessions SET expires = ?0 WHERE subject = ?1 AND expires > ?0", until, s.ID); err != nil {
		return wrapf(err, "end sessions of subject %s", s.ID)
	}
	if err := tx.NoteAct(ctx, Act{Did: ActClosed, Subject: s.ID, Item: string(s.Receipt)}); err != nil {
		return wrapf(err, "close subject %s", s.ID)
	}
	return tx.OrderItems(ctx, s, until)
}

// OrderItems orders everything active of a closed owner to go at an instant, but what goes
// sooner by an order of its own.
func (tx Tx) OrderItems(ctx context.Context, s Subject, at musa.Millis) error {
	for _, table := range []string{"assets", "records"} {
		_, err := tx.exec(ctx, "UPDATE "+table+` SET ordered = ?0, closed = ?1, reason = CASE WHEN due > 0 AND due <= ?0 THEN ?2 ELSE ?3 END,
			ends = CASE WHEN due > 0 AND due < ?0 THEN due ELSE ?0 END
			WHERE owner = ?4 AND state = 'active' AND (ordered = 0 OR ordered > ?0)`, at, s.Closed, musa.EndPolicy, musa.EndOrdered, s.ID)
		if err != nil {
			return wrapf(err, "order %s of %s", table, s.ID)
		}
	}
	return nil
}

// ReduceSubject takes out of a closed owner's row all but what their end is reckoned by, and
// destroys what let them in and the way to them by their address. Promise C-22.
func (tx Tx) ReduceSubject(ctx context.Context, id musa.SubjectID) error {
	if err := tx.DropCredentials(ctx, id); err != nil {
		return err
	}
	if err := tx.DropAddress(ctx, id); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `UPDATE subjects SET created = 0, last_seen = 0, choice = 0, former = '', grace = 0,
		region = '', consents = '', objections = '', restricted = 0, unlogged = 0 WHERE id = ? AND state = ?`, id, musa.SubjectClosed)
	return wrapf(err, "reduce subject %s", id)
}

// ReopenSubject makes a closed owner active again, or suspended as they were, and takes back what closing ordered. It
// says false when they are not closed.
func (tx Tx) ReopenSubject(ctx context.Context, id musa.SubjectID, until musa.Millis) (bool, error) {
	var receipts []musa.ReceiptID
	err := tx.get(ctx, &receipts, "SELECT receipt FROM subjects WHERE id = ? AND state = ? ?", id, musa.SubjectClosed, tx.locked(forUpdate))
	if err != nil || len(receipts) == 0 {
		return false, wrapf(err, "reopen subject %s", id)
	}
	if _, err := tx.exec(ctx, "DELETE FROM receipts WHERE id = ? AND position = ?", receipts[0], ReceiptPending); err != nil {
		return false, wrapf(err, "take back receipt of %s", id)
	}
	if _, err := tx.exec(ctx, `UPDATE subjects SET state = CASE WHEN EXISTS (SELECT 1 FROM suspensions AS s WHERE s.subject = subjects.id) THEN ? ELSE ? END,
		closed = 0, ends = 0, receipt = '', last_seen = ? WHERE id = ?`, musa.SubjectSuspended, musa.SubjectActive, tx.Now, id); err != nil {
		return false, wrapf(err, "reopen subject %s", id)
	}
	for _, table := range []string{"assets", "records"} {
		_, err := tx.exec(ctx, "UPDATE "+table+" SET ordered = 0, closed = 0, ends = due, reason = ? WHERE owner = ? AND state = 'active' AND ordered = ?",
			musa.EndPolicy, id, until)
		if err != nil {
			return false, wrapf(err, "take back order of %s of %s", table, id)
		}
	}
	return true, wrapf(tx.NoteAct(ctx, Act{Did: ActReopened, Subject: id}), "reopen subject %s", id)
}

// ClosingSubjects lists closed owners after an id who were not reduced yet, by id. In a Write
// on PostgreSQL the rows are locked, and one that is just being reopened is left out: what is
// done to them meets only such as stay closed until the commit.
func (tx Tx) ClosingSubjects(ctx context.Context, after musa.SubjectID, limit int) ([]Subject, error) {
	var list []Subject
	err := tx.get(ctx, &list, "SELECT * FROM subjects WHERE state = 'closed' AND last_seen > 0 AND id > ? ORDER BY id LIMIT ? ?",
		after, limit, tx.locked(skipLocked))
	return list, wrapf(err, "closing subjects")
}

// EndedSubjects lists closed owners whose end has come, the longest overdue first. In a
// Write on PostgreSQL the rows are locked and other nodes get others.
func (tx Tx) EndedSubjects(ctx context.Context, limit int) ([]Subject, error) {
	var list []Subject
	err := tx.get(ctx, &list, "SELECT * FROM subjects WHERE state = 'closed' AND ends > 0 AND ends <= ? ORDER BY ends LIMIT ? ?",
		tx.Now, limit, tx.locked(skipLocked))
	return list, wrapf(err, "ended subjects")
}

// OpenJobsOf lists an owner's jobs that have not ended.
func (tx Tx) OpenJobsOf(ctx context.Context, owner musa.SubjectID) ([]Job, error) {
	var list []Job
	err := tx.get(ctx, &list, "SELECT * FROM jobs WHERE owner = ? AND state IN ('queued', 'running') ORDER BY id ?", owner, tx.locked(forUpdate))
	return list, wrapf(err, "open jobs of %s", owner)
}

// CategoryCount is how many items of a category an owner has.
type CategoryCount struct {
	Category musa.Category
	Items    int
}

// CountItems counts an owner's active items by category.
func (tx Tx) CountItems(ctx context.Context, owner musa.SubjectID) ([]CategoryCount, error) {
	var list []CategoryCount
	err := tx.get(ctx, &list, `SELECT category, COUNT(*) AS items FROM (
		SELECT category FROM assets WHERE owner = ?0 AND state = 'active'
		UNION ALL SELECT category FROM records WHERE owner = ?0 AND state = 'active') AS all_items GROUP BY category ORDER BY category`, owner)
	return list, wrapf(err, "count items of %s", owner)
}
