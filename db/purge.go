package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// BareAssets lists assets that were erased and have no blob left: what a look for remains
// may confirm. The oldest come first.
func (tx Tx) BareAssets(ctx context.Context, limit int) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, `SELECT * FROM assets AS a WHERE a.state = 'erased'
		AND NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.asset = a.id) ORDER BY a.erased LIMIT ?`, limit)
	return list, wrapf(err, "bare assets")
}

// Destroyed names up to limit of each: assets whose keys are destroyed and which nobody has
// confirmed yet, the oldest first, and records and owners that were erased since an
// instant. Their keys may linger in the database's files.
func (tx Tx) Destroyed(ctx context.Context, since musa.Millis, limit int) ([]string, error) {
	var ids []string
	err := tx.get(ctx, &ids, `SELECT id FROM (SELECT id FROM assets WHERE state = 'erased' ORDER BY erased LIMIT ?1) AS a
		UNION ALL SELECT id FROM (SELECT id FROM records WHERE state = 'erased' AND erased >= ?0 LIMIT ?1) AS r
		UNION ALL SELECT id FROM (SELECT id FROM subjects WHERE state = 'erased' AND closed >= ?0 LIMIT ?1) AS s`, since, limit)
	return ids, wrapf(err, "destroyed keys")
}

// AbandonJobs ends the open jobs of an owner who is going.
func (tx Tx) AbandonJobs(ctx context.Context, owner musa.SubjectID) error {
	_, err := tx.exec(ctx, "UPDATE jobs SET state = 'cancelled', ended = ? WHERE owner = ? AND state IN ('queued', 'running')", tx.Now, owner)
	return wrapf(err, "abandon jobs of %s", owner)
}

// PurgeAssets marks confirmed assets as purged and returns those that were not before.
func (tx Tx) PurgeAssets(ctx context.Context, ids ...musa.AssetID) ([]Asset, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var list []Asset
	err := tx.get(ctx, &list, "UPDATE assets SET state = 'purged', purged = ? WHERE id IN (?) AND state = 'erased' RETURNING *", tx.Now, bun.List(ids))
	return list, wrapf(err, "purge assets")
}

// DropLedger forgets an erased owner's account and its entries.
func (tx Tx) DropLedger(ctx context.Context, subject musa.SubjectID) error {
	if _, err := tx.exec(ctx, "DELETE FROM ledger_entries WHERE subject = ?", subject); err != nil {
		return wrapf(err, "drop ledger of %s", subject)
	}
	_, err := tx.exec(ctx, "DELETE FROM ledger_accounts WHERE subject = ?", subject)
	return wrapf(err, "drop account of %s", subject)
}

// DropSubjects forgets up to limit owners who were erased before an instant and of whom no
// asset's tombstone is left.
func (tx Tx) DropSubjects(ctx context.Context, before musa.Millis, limit int) (int, error) {
	n, err := tx.exec(ctx, `DELETE FROM subjects WHERE id IN (SELECT s.id FROM subjects AS s WHERE s.state = ? AND s.closed < ?
		AND NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.owner = s.id) LIMIT ?)`, musa.SubjectErased, before, limit)
	return n, wrapf(err, "drop erased subjects")
}

// DropReceipts forgets up to limit receipts made before an instant. Their leaves stay in
// the log and tell nobody anything.
func (tx Tx) DropReceipts(ctx context.Context, before musa.Millis, limit int) (int, error) {
	n, err := tx.exec(ctx, "DELETE FROM receipts WHERE id IN (SELECT id FROM receipts WHERE created < ? AND position >= 0 LIMIT ?)", before, limit)
	return n, wrapf(err, "drop old receipts")
}

// Items names what an owner has that is active.
type Items struct {
	Assets  []musa.AssetID
	Records []musa.RecordID
}

// ActiveItems lists all of an owner's active assets and records.
func (tx Tx) ActiveItems(ctx context.Context, owner musa.SubjectID) (Items, error) {
	var i Items
	if err := tx.get(ctx, &i.Assets, "SELECT id FROM assets WHERE owner = ? AND state = 'active'", owner); err != nil {
		return i, wrapf(err, "assets of %s", owner)
	}
	err := tx.get(ctx, &i.Records, "SELECT id FROM records WHERE owner = ? AND state = 'active'", owner)
	return i, wrapf(err, "records of %s", owner)
}

// WaiveReceipts takes back the promise of a receipt for an owner's assets that are erased
// and not yet confirmed: their owner is going, too, and nobody could hold it.
func (tx Tx) WaiveReceipts(ctx context.Context, owner musa.SubjectID) error {
	_, err := tx.exec(ctx, "UPDATE assets SET receipt = '' WHERE owner = ? AND state = 'erased'", owner)
	return wrapf(err, "waive receipts of %s", owner)
}
