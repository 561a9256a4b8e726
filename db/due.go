package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// DueAssets lists active assets whose end has come, the longest overdue first. In a
// Write on PostgreSQL the rows are locked and other nodes get others.
func (tx Tx) DueAssets(ctx context.Context, now musa.Millis, limit int) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, "SELECT * FROM assets WHERE state = 'active' AND ends > 0 AND ends <= ? ORDER BY ends LIMIT ? ?",
		now, limit, tx.locked(skipLocked))
	return list, wrapf(err, "due assets")
}

// DueRecords lists active records whose end has come, as DueAssets does.
func (tx Tx) DueRecords(ctx context.Context, now musa.Millis, limit int) ([]Record, error) {
	var list []Record
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE state = 'active' AND ends > 0 AND ends <= ? ORDER BY ends LIMIT ? ?",
		now, limit, tx.locked(skipLocked))
	return list, wrapf(err, "due records")
}

// NextEnd is the earliest end of anything active, 0 when nothing ends.
func (tx Tx) NextEnd(ctx context.Context) (musa.Millis, error) {
	var a, r musa.Millis
	err := tx.bun.QueryRowContext(ctx, `SELECT
		COALESCE((SELECT MIN(ends) FROM assets WHERE state = 'active' AND ends > 0), 0),
		COALESCE((SELECT MIN(ends) FROM records WHERE state = 'active' AND ends > 0), 0)`).Scan(&a, &r)
	return earliest(a, r), wrapf(err, "next end")
}

// Backlog is what is due and not yet erased.
type Backlog struct {
	Assets  int
	Records int
	Oldest  musa.Millis // the earliest end among them, 0 when there is none
}

// Overdue counts what is due at an instant and still active.
func (tx Tx) Overdue(ctx context.Context, now musa.Millis) (Backlog, error) {
	var b Backlog
	var a, r musa.Millis
	err := tx.bun.QueryRowContext(ctx, `SELECT a.n, a.first, r.n, r.first FROM
		(SELECT COUNT(*) AS n, COALESCE(MIN(ends), 0) AS first FROM assets WHERE state = 'active' AND ends > 0 AND ends <= ?) AS a,
		(SELECT COUNT(*) AS n, COALESCE(MIN(ends), 0) AS first FROM records WHERE state = 'active' AND ends > 0 AND ends <= ?) AS r`,
		now, now).Scan(&b.Assets, &a, &b.Records, &r)
	b.Oldest = earliest(a, r)
	return b, wrapf(err, "overdue")
}

// Erasure names an item to erase and the receipt that will prove it ("" for none).
type Erasure[ID ~string] struct {
	Item    ID
	Receipt musa.ReceiptID
}

// EraseAssets destroys the keys of active assets, dooms their blobs and leaves a
// tombstone. It returns the assets as they now stand, without those that were erased
// before. The keys leave the database's files with the next clean Scrub.
func (tx Tx) EraseAssets(ctx context.Context, list ...Erasure[musa.AssetID]) ([]Asset, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var erased []Asset
	err := tx.get(ctx, &erased, `UPDATE assets SET state = 'erased', erased = ?, receipt = v.column2, uses = 0
		FROM (VALUES ?) AS v WHERE assets.id = v.column1 AND assets.state = 'active' RETURNING `+assetColumns, tx.Now, pairs(list))
	if err != nil || len(erased) == 0 {
		return nil, wrapf(err, "erase assets")
	}
	ids := make([]string, len(erased))
	for i, a := range erased {
		ids[i] = string(a.ID)
	}
	if err := tx.destroySecrets(ctx, ids...); err != nil {
		return nil, err
	}
	_, err = tx.exec(ctx, "UPDATE blobs SET state = 'doomed' WHERE asset IN (?)", bun.List(ids))
	return erased, wrapf(err, "doom blobs of assets")
}

// EraseRecords destroys the keys and contents of active records, and returns those
// that it erased.
func (tx Tx) EraseRecords(ctx context.Context, list ...Erasure[musa.RecordID]) ([]musa.RecordID, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var ids []string
	err := tx.get(ctx, &ids, `UPDATE records SET state = 'erased', erased = ?, receipt = v.column2
		FROM (VALUES ?) AS v WHERE records.id = v.column1 AND records.state = 'active' RETURNING records.id`, tx.Now, pairs(list))
	if err != nil || len(ids) == 0 {
		return nil, wrapf(err, "erase records")
	}
	erased := make([]musa.RecordID, len(ids))
	for i, id := range ids {
		erased[i] = musa.RecordID(id)
	}
	return erased, tx.destroySecrets(ctx, ids...)
}

// pairs are the rows of a VALUES list, whose columns both databases call column1 and
// column2.
func pairs[ID ~string](list []Erasure[ID]) rows {
	values := make(rows, len(list))
	for i, e := range list {
		values[i] = []any{string(e.Item), string(e.Receipt)}
	}
	return values
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
