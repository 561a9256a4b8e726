package db

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"musa"
)

// Whose says which items a page is of: everybody's where Owner is empty.
type Whose struct {
	Owner musa.SubjectID
	After string // the last id of the page before
	Limit int
}

func (w Whose) owned() schema.QueryWithArgs {
	if w.Owner == "" {
		return bun.SafeQuery("")
	}
	return bun.SafeQuery("owner = ? AND", w.Owner)
}

// LivingAssets pages through active assets by id. In a Write their rows stay locked until
// the end.
func (tx Tx) LivingAssets(ctx context.Context, w Whose) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, "SELECT * FROM assets WHERE ? state = 'active' AND id > ? ORDER BY id LIMIT ? ?",
		w.owned(), w.After, w.Limit, tx.locked(forUpdate))
	return list, wrapf(err, "living assets")
}

// LivingRecords pages through active records in the same way.
func (tx Tx) LivingRecords(ctx context.Context, w Whose) ([]Record, error) {
	var list []Record
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE ? state = 'active' AND id > ? ORDER BY id LIMIT ? ?",
		w.owned(), w.After, w.Limit, tx.locked(forUpdate))
	return list, wrapf(err, "living records")
}

// Living counts what is active and has an end, by the index of ends.
func (tx Tx) Living(ctx context.Context) (int64, error) {
	var n int64
	err := tx.bun.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM assets WHERE state = 'active' AND ends > 0)
		+ (SELECT COUNT(*) FROM records WHERE state = 'active' AND ends > 0)`).Scan(&n)
	return n, wrapf(missing(err), "count what lives")
}

// endColumns are what a changed end is made of, in the order of endsOf.
const endColumns = `tier = v.column2, choice = v.column3, due = v.column4, rule = v.column5, ends = v.column6, reason = v.column7,
	former = v.column8, grace = v.column9, closed = v.column10, ordered = v.column11 FROM (VALUES ?1) AS v`

// SetAssetEnds stores, in one statement, what shapes the ends of active assets: tier, choice,
// due, rule, ordered (and with them ends), reason, former tier, grace, closing. What is no
// longer active is left alone.
func (tx Tx) SetAssetEnds(ctx context.Context, list []Asset) error {
	values := make(rows, len(list))
	for i, a := range list {
		values[i] = []any{string(a.ID), string(a.Tier), a.Choice, int64(a.Due), a.Rule, int64(earliest(a.Due, a.Ordered)), string(a.Reason),
			string(a.Former), int64(a.Grace), int64(a.Closed), int64(a.Ordered)}
	}
	return wrapf(tx.setEnds(ctx, "assets", values), "set ends of %d assets", len(list))
}

// SetRecordEnds does the same for records.
func (tx Tx) SetRecordEnds(ctx context.Context, list []Record) error {
	values := make(rows, len(list))
	for i, r := range list {
		values[i] = []any{string(r.ID), string(r.Tier), r.Choice, int64(r.Due), r.Rule, int64(earliest(r.Due, r.Ordered)), string(r.Reason),
			string(r.Former), int64(r.Grace), int64(r.Closed), int64(r.Ordered)}
	}
	return wrapf(tx.setEnds(ctx, "records", values), "set ends of %d records", len(list))
}

func (tx Tx) setEnds(ctx context.Context, table bun.Ident, values rows) error {
	if len(values) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE ?0 SET "+endColumns+" WHERE ?0.id = v.column1 AND ?0.state = 'active'", table, values)
	return err
}
