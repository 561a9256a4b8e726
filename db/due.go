package db

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"musa"
)

// unheld leaves out assets of which a copy is just being made for a hold: their keys have to
// stay until that is done.
const unheld = "NOT EXISTS (SELECT 1 FROM holds AS h WHERE h.asset = assets.id AND h.state = 'opening')"

// DueAssets lists active assets whose end has come, the longest overdue first, but none
// that is being copied for a hold. In a Write on PostgreSQL the rows are locked and other
// nodes get others.
func (tx Tx) DueAssets(ctx context.Context, now musa.Millis, limit int) ([]musa.AssetID, error) {
	var list []musa.AssetID
	err := tx.get(ctx, &list, "SELECT id FROM assets WHERE state = 'active' AND ends > 0 AND ends <= ? AND "+unheld+" ORDER BY ends LIMIT ? ?",
		now, limit, tx.locked(skipLocked))
	return list, wrapf(err, "due assets")
}

// DueRecords lists active records whose end has come, as DueAssets does.
func (tx Tx) DueRecords(ctx context.Context, now musa.Millis, limit int) ([]musa.RecordID, error) {
	var list []musa.RecordID
	err := tx.get(ctx, &list, "SELECT id FROM records WHERE state = 'active' AND ends > 0 AND ends <= ? ORDER BY ends LIMIT ? ?",
		now, limit, tx.locked(skipLocked))
	return list, wrapf(err, "due records")
}

// Backlog is what is due and not yet erased.
type Backlog struct {
	Assets   int
	Records  int
	Subjects int         // closed
	Oldest   musa.Millis // the earliest end among them, 0 when there is none
}

// Overdue counts what is due at an instant and still active, and closed owners who should be
// erased.
func (tx Tx) Overdue(ctx context.Context, now musa.Millis) (Backlog, error) {
	var b Backlog
	var a, r, s musa.Millis
	err := tx.bun.QueryRowContext(ctx, `SELECT a.n, a.first, r.n, r.first, s.n, s.first FROM
		(SELECT COUNT(*) AS n, COALESCE(MIN(ends), 0) AS first FROM assets WHERE state = 'active' AND ends > 0 AND ends <= ?) AS a,
		(SELECT COUNT(*) AS n, COALESCE(MIN(ends), 0) AS first FROM records WHERE state = 'active' AND ends > 0 AND ends <= ?) AS r,
		(SELECT COUNT(*) AS n, COALESCE(MIN(ends), 0) AS first FROM subjects WHERE state = 'closed' AND ends > 0 AND ends <= ?) AS s`,
		now, now, now).Scan(&b.Assets, &a, &b.Records, &r, &b.Subjects, &s)
	b.Oldest = earliest(earliest(a, r), s)
	return b, wrapf(err, "overdue")
}

// Erasure names an item to erase and the receipt that will prove it ("" for none).
type Erasure[ID ~string] struct {
	Item    ID
	Receipt musa.ReceiptID
}

// EraseAssets destroys the keys of active assets and leaves a tombstone, which dooms their
// blobs: no row of these changes. It names those that it erased, without such as were erased before or are being copied for a hold. The keys leave the database's files with the next
// clean Scrub.
func (tx Tx) EraseAssets(ctx context.Context, list ...Erasure[musa.AssetID]) ([]musa.AssetID, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if err := tx.byIndex(ctx); err != nil {
		return nil, wrapf(err, "erase assets")
	}
	var erased []musa.AssetID
	err := tx.get(ctx, &erased, `UPDATE assets SET state = 'erased', erased = ?, receipt = v.column2, uses = 0
		FROM ? WHERE assets.id = v.column1 AND assets.state = 'active' AND `+unheld+` RETURNING assets.id`, tx.Now, pairs(tx, list))
	if err != nil || len(erased) == 0 {
		return nil, wrapf(err, "erase assets")
	}
	ids := make([]string, len(erased))
	for i, a := range erased {
		ids[i] = string(a)
	}
	if err := tx.destroySecrets(ctx, ids...); err != nil {
		return nil, err
	}
	return erased, nil
}

// EraseRecords destroys the keys and contents of active records, and returns those
// that it erased.
func (tx Tx) EraseRecords(ctx context.Context, list ...Erasure[musa.RecordID]) ([]musa.RecordID, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if err := tx.byIndex(ctx); err != nil {
		return nil, wrapf(err, "erase records")
	}
	var gone []struct {
		ID       musa.RecordID
		Category musa.Category
	}
	err := tx.get(ctx, &gone, `UPDATE records SET state = 'erased', erased = ?, receipt = v.column2
		FROM ? WHERE records.id = v.column1 AND records.state = 'active' RETURNING records.id, records.category`, tx.Now, pairs(tx, list))
	if err != nil || len(gone) == 0 {
		return nil, wrapf(err, "erase records")
	}
	erased, ids, led := make([]musa.RecordID, len(gone)), make([]string, len(gone)), []musa.RecordID(nil)
	for i, r := range gone {
		erased[i], ids[i] = r.ID, string(r.ID)
		if r.Category == musa.CategorySupport || r.Category == musa.CategorySurvey {
			led = append(led, r.ID)
		}
	}
	if err := tx.followRecords(ctx, led); err != nil {
		return nil, wrapf(err, "erase records")
	}
	return erased, tx.destroySecrets(ctx, ids...)
}

// byIndex keeps PostgreSQL's planner, until the transaction ends, from reading a whole table
// for some hundred of its rows. It would: its figures say nothing of what this very
// purge has changed, and a table's dead rows are read with it.
func (tx Tx) byIndex(ctx context.Context) error {
	if tx.dialect != PostgreSQL {
		return nil
	}
	_, err := tx.exec(ctx, "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
	return err
}

// pairs are items and receipts as a table v of column1 and column2.
func pairs[ID ~string](tx Tx, list []Erasure[ID]) schema.QueryWithArgs {
	items, receipts := make([]string, len(list)), make([]string, len(list))
	values := make(rows, len(list))
	for i, e := range list {
		items[i], receipts[i] = string(e.Item), string(e.Receipt)
		values[i] = []any{items[i], receipts[i]}
	}
	if tx.dialect == PostgreSQL { // a VALUES list of hundreds takes it as long to plan as to run
		return bun.SafeQuery("unnest(ARRAY[?], ARRAY[?]) AS v (column1, column2)", bun.List(items), bun.List(receipts))
	}
	return bun.SafeQuery("(VALUES ?) AS v", values)
}

// DropTombstones forgets up to limit assets purged, and as many records erased, before
// an instant, with their lineage. It returns how many rows went.
func (tx Tx) DropTombstones(ctx context.Context, before musa.Millis, limit int) (int, error) {
	var ids []musa.AssetID
	err := tx.get(ctx, &ids, "SELECT id FROM assets WHERE state = 'purged' AND purged < ? AND erased < ? ORDER BY purged LIMIT ? ?",
		before, before, limit, tx.locked(skipLocked))
	if err != nil {
		return 0, wrapf(err, "tombstones")
	}
	if len(ids) > 0 {
		for _, query := range []string{
			"DELETE FROM sources WHERE asset IN (?0) OR source IN (?0)",
			"DELETE FROM job_inputs WHERE asset IN (?0)",
			"DELETE FROM assets WHERE id IN (?0)",
		} {
			if _, err := tx.exec(ctx, query, bun.List(ids)); err != nil {
				return 0, wrapf(err, "drop tombstones")
			}
		}
	}
	n, err := tx.exec(ctx, "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE state = 'erased' AND erased < ? ORDER BY erased LIMIT ?)", before, limit)
	return len(ids) + n, wrapf(err, "drop tombstones of records")
}
