package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Case is a request of a person about a right, with its clock. What they wrote and what was answered lies
// sealed in a record.
//
// Category: case.
type Case struct {
	bun.BaseModel `bun:"table:cases"`

	ID       musa.CaseID `bun:",pk"`
	Subject  musa.SubjectID
	Kind     string // a right, as the policy names it
	State    musa.CaseState
	Regime   string       // the law whose clock it has
	Purpose  musa.Purpose // that is objected to; may be empty
	Received musa.Millis
	Due      musa.Millis
	Extended musa.Millis    // when the person was told that it takes longer; 0
	Answered musa.Millis    // 0 while open
	Outcome  string         // a code
	Handler  musa.SubjectID // who answered; empty where the server did
	Record   musa.RecordID
}

var caseTable = Table{Name: "cases", Category: musa.CategoryCase, Columns: columns(musa.CategoryCase, "id", "subject", "kind", "state", "regime", "purpose", "received", "due", "extended", "answered", "outcome", "handler", "record"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Keep}, {"handler", "subjects", Keep}, {"record", "records", Keep}}, Untold: []string{"handler"}}

// InsertCase adds a request.
func (tx Tx) InsertCase(ctx context.Context, c Case) error {
	return wrapf(tx.insert(ctx, &c), "insert case %s", c.ID)
}

// Case finds a request; musa.ErrNotFound. In a Write its row stays locked until the end.
func (tx Tx) Case(ctx context.Context, id musa.CaseID) (Case, error) {
	var c Case
	err := tx.get(ctx, &c, "SELECT * FROM cases WHERE id = ? ?", id, tx.locked(forUpdate))
	return c, wrapf(err, "case %s", id)
}

// SaveCase stores where a request stands.
func (tx Tx) SaveCase(ctx context.Context, c Case) error {
	n, err := tx.exec(ctx, "UPDATE cases SET state = ?, due = ?, extended = ?, answered = ?, outcome = ?, handler = ?, record = ? WHERE id = ?",
		c.State, c.Due, c.Extended, c.Answered, c.Outcome, c.Handler, c.Record, c.ID)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "save case %s", c.ID)
}

// CasesOf lists a person's requests older than after ("" for all), newest first.
func (tx Tx) CasesOf(ctx context.Context, subject musa.SubjectID, after musa.CaseID, limit int) ([]Case, error) {
	var list []Case
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM cases WHERE subject = ? ? ORDER BY id DESC LIMIT ?", subject, older, limit)
	return list, wrapf(err, "cases of %s", subject)
}

// CasesInEffect lists the answered requests of a person with one of some outcomes.
func (tx Tx) CasesInEffect(ctx context.Context, subject musa.SubjectID, outcomes ...string) ([]Case, error) {
	var list []Case
	err := tx.get(ctx, &list, "SELECT * FROM cases WHERE subject = ? AND state = ? AND outcome IN (?) ORDER BY id", subject, musa.CaseAnswered, bun.List(outcomes))
	return list, wrapf(err, "cases in effect of %s", subject)
}

// OpenCases lists requests that wait for an answer and come after one, the most urgent first:
// what is overdue stands at the beginning.
func (tx Tx) OpenCases(ctx context.Context, after Case, limit int) ([]Case, error) {
	var list []Case
	err := tx.get(ctx, &list, "SELECT * FROM cases WHERE answered = 0 AND (due > ?0 OR (due = ?0 AND id > ?1)) ORDER BY due, id LIMIT ?2", after.Due, after.ID, limit)
	return list, wrapf(err, "open cases")
}

// DropCases forgets up to limit requests that were received before an instant, but none that is
// in effect for somebody who is there: with its row the restriction or objection would go. What
// was written in them ends by itself.
func (tx Tx) DropCases(ctx context.Context, before musa.Millis, limit int) (int, error) {
	n, err := tx.exec(ctx, `DELETE FROM cases WHERE id IN (SELECT c.id FROM cases AS c WHERE c.received < ?
		AND NOT (c.state = 'answered' AND c.outcome IN ('restricted', 'upheld') AND EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = c.subject AND s.state <> 'erased'))
		ORDER BY c.received LIMIT ?)`, before, limit)
	return n, wrapf(err, "drop cases")
}
