package db

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"musa"
)

// BareAssets lists assets that were erased, have no blob left and do not wait for the backup
// target's journal: what a look for remains may confirm. The oldest come first.
func (tx Tx) BareAssets(ctx context.Context, limit int) ([]Asset, error) {
	var list []Asset
	// A value, not EXISTS: that would be planned as a join, for a table whose figures are old.
	err := tx.get(ctx, &list, `SELECT * FROM assets AS a WHERE a.state = 'erased'
		AND (SELECT b.name FROM blobs AS b WHERE b.asset = a.id LIMIT 1) IS NULL
		AND (SELECT j.seq FROM journal_entries AS j WHERE j.item = a.id LIMIT 1) IS NULL ORDER BY a.erased LIMIT ?`, limit)
	return list, wrapf(err, "bare assets")
}

// Mark is a place among erased assets, in the order of their erasure; zero before the first.
type Mark struct {
	Erased musa.Millis
	ID     musa.AssetID
}

// BareAfter looks at up to limit erased assets after a mark and names those that BareAssets
// would. It returns the mark of the last that it looked at, zero when there are none behind
// it: of a million that wait for their removal nothing is read but the page.
func (tx Tx) BareAfter(ctx context.Context, after Mark, limit int) (bare []musa.AssetID, last Mark, err error) {
	var page []struct {
		ID     musa.AssetID
		Erased musa.Millis
		Bare   int
	}
	err = tx.get(ctx, &page, `SELECT p.id, p.erased, CASE WHEN (SELECT b.name FROM blobs AS b WHERE b.asset = p.id LIMIT 1) IS NULL
		AND (SELECT j.seq FROM journal_entries AS j WHERE j.item = p.id LIMIT 1) IS NULL THEN 1 ELSE 0 END AS bare
		FROM (SELECT id, erased FROM assets WHERE state = 'erased' AND (erased, id) > (?, ?) ORDER BY erased, id LIMIT ?) AS p ORDER BY p.erased, p.id`,
		after.Erased, after.ID, limit)
	if err != nil {
		return nil, Mark{}, wrapf(err, "bare assets after %s", after.ID)
	}
	for _, a := range page {
		if a.Bare == 1 {
			bare = append(bare, a.ID)
		}
	}
	if len(page) == limit {
		last = Mark{page[limit-1].Erased, page[limit-1].ID}
	}
	return bare, last, nil
}

// ErasedBlobs lists blobs of erased assets, whatever their own state, those first whose asset was erased first, without
// those whose removal failed and is to be tried later: a second later for each try, at most a
// minute.
func (tx Tx) ErasedBlobs(ctx context.Context, limit int) ([]Blob, error) {
	var list []Blob
	// Each database is told to go from the oldest asset to its blobs: the figures that it
	// plans by are old when a million assets were erased a moment ago.
	blobs := bun.Safe("CROSS JOIN blobs AS b")
	if tx.dialect == PostgreSQL {
		blobs = "CROSS JOIN LATERAL (SELECT * FROM blobs AS x WHERE x.asset = a.id OFFSET 0) AS b"
	}
	err := tx.get(ctx, &list, `SELECT b.* FROM assets AS a ?0 WHERE b.asset = a.id AND a.state = 'erased'
		AND NOT EXISTS (SELECT 1 FROM removals AS r WHERE r.asset = a.id AND r.last + 1000 * CASE WHEN r.tries > 60 THEN 60 ELSE r.tries END > ?1)
		ORDER BY a.erased LIMIT ?2`, blobs, tx.Now, limit)
	return list, wrapf(err, "blobs of erased assets")
}

// StrayBlobs lists doomed blobs that belong to no erased asset, the oldest first: what was
// never finished. Those whose removal failed come later, as with ErasedBlobs.
func (tx Tx) StrayBlobs(ctx context.Context, limit int) ([]Blob, error) {
	var list []Blob
	err := tx.get(ctx, &list, `SELECT * FROM blobs AS b WHERE b.state = 'doomed'
		AND NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.id = b.asset AND a.state = 'erased')
		AND NOT EXISTS (SELECT 1 FROM removals AS r WHERE r.asset = b.asset AND r.last + 1000 * CASE WHEN r.tries > 60 THEN 60 ELSE r.tries END > ?)
		ORDER BY b.created LIMIT ?`, tx.Now, limit)
	return list, wrapf(err, "stray blobs")
}

// Destroyed names up to limit of each: assets whose keys are destroyed and which nobody has
// confirmed yet, the oldest of them and the newest since an instant, owners to whom a receipt is
// promised that is not confirmed yet, and records and owners that were erased since the instant.
// Their keys may linger in the database's files. What leaves no tombstone is among Strays.
func (tx Tx) Destroyed(ctx context.Context, since musa.Millis, limit int) ([]string, error) {
	var ids []string
	err := tx.get(ctx, &ids, `SELECT id FROM (SELECT id FROM assets WHERE state = 'erased' ORDER BY erased LIMIT ?1) AS a
		UNION SELECT id FROM (SELECT id FROM assets WHERE state = 'erased' AND erased >= ?0 ORDER BY erased DESC LIMIT ?1) AS n
		UNION SELECT id FROM (SELECT s.id FROM receipts AS t JOIN subjects AS s ON s.id = t.subject AND s.receipt = t.id AND s.state = 'erased'
			WHERE t.position < 0 AND t.position = -2 LIMIT ?1) AS p
		UNION SELECT id FROM (SELECT id FROM records WHERE state = 'erased' AND erased >= ?0 LIMIT ?1) AS r
		UNION SELECT id FROM (SELECT id FROM subjects WHERE state = 'erased' AND closed >= ?0 LIMIT ?1) AS s`, since, limit)
	return ids, wrapf(err, "destroyed keys")
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

// UnpurgeAssets takes PurgeAssets back, in the same transaction, for those whose receipt cannot
// be written.
func (tx Tx) UnpurgeAssets(ctx context.Context, ids ...musa.AssetID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE assets SET state = 'erased', purged = 0 WHERE id IN (?) AND state = 'purged'", bun.List(ids))
	return wrapf(err, "unpurge %d assets", len(ids))
}

// DropSubjects forgets up to limit owners who were erased before an instant, of whom no
// asset's tombstone is left and whose receipt waits for nothing: without the row it would for
// ever.
func (tx Tx) DropSubjects(ctx context.Context, before musa.Millis, limit int) (int, error) {
	n, err := tx.exec(ctx, `DELETE FROM subjects WHERE id IN (SELECT s.id FROM subjects AS s WHERE s.state = ? AND s.closed < ?
		AND NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.owner = s.id)
		AND NOT EXISTS (SELECT 1 FROM receipts AS r WHERE r.id = s.receipt AND r.position < 0) LIMIT ?)`, musa.SubjectErased, before, limit)
	return n, wrapf(err, "drop erased subjects")
}

// DropReceipts forgets up to limit receipts made before an instant. Their leaves stay in
// the log and tell nobody anything.
func (tx Tx) DropReceipts(ctx context.Context, before musa.Millis, limit int) (int, error) {
	// None is older than the moment in its id. Without that bound every receipt would be read
	// to find that none is old.
	n, err := tx.exec(ctx, "DELETE FROM receipts WHERE id IN (SELECT id FROM receipts WHERE id < ? AND created < ? AND +position >= 0 ORDER BY id LIMIT ?)",
		musa.NewReceiptID(before.Time()), before, limit)
	return n, wrapf(err, "drop old receipts")
}

// Items names what an owner has that is active.
type Items struct {
	Assets  []musa.AssetID
	Records []musa.RecordID
}

// ActiveItems lists all of an owner's active assets and records. In a Write their rows stay
// locked until the end.
func (tx Tx) ActiveItems(ctx context.Context, owner musa.SubjectID) (Items, error) {
	var i Items
	if err := tx.get(ctx, &i.Assets, "SELECT id FROM assets WHERE owner = ? AND state = 'active' ORDER BY id ?", owner, tx.locked(forUpdate)); err != nil {
		return i, wrapf(err, "assets of %s", owner)
	}
	err := tx.get(ctx, &i.Records, "SELECT id FROM records WHERE owner = ? AND state = 'active' ORDER BY id ?", owner, tx.locked(forUpdate))
	return i, wrapf(err, "records of %s", owner)
}

// WaiveReceipts takes back the promise of a receipt for an owner's assets that are erased
// and not yet confirmed: their owner is going, too, and nobody could hold it.
func (tx Tx) WaiveReceipts(ctx context.Context, owner musa.SubjectID) error {
	_, err := tx.exec(ctx, "UPDATE assets SET receipt = '' WHERE owner = ? AND state = 'erased'", owner)
	return wrapf(err, "waive receipts of %s", owner)
}

// SubjectKeysOf finds the wrapped keys of several owners. One whose key is destroyed is left
// out.
func (tx Tx) SubjectKeysOf(ctx context.Context, owners ...musa.SubjectID) (map[musa.SubjectID][]byte, error) {
	keys := make(map[musa.SubjectID][]byte, len(owners))
	for some := range slices.Chunk(owners, 500) {
		var list []struct {
			Subject musa.SubjectID
			Wrapped []byte
		}
		if err := tx.get(ctx, &list, "SELECT subject, wrapped FROM subject_keys WHERE subject IN (?) AND length(wrapped) > 0", bun.List(some)); err != nil {
			return nil, wrapf(err, "keys of %d subjects", len(owners))
		}
		for _, k := range list {
			keys[k.Subject] = k.Wrapped
		}
	}
	return keys, nil
}

// Departed lists erased owners whose promised receipt may be confirmed: nothing of theirs
// waits to be purged or for the backup target's journal.
func (tx Tx) Departed(ctx context.Context, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, `SELECT s.id FROM receipts AS r JOIN subjects AS s ON s.id = r.subject AND s.receipt = r.id AND s.state = 'erased'
		WHERE r.position < 0 AND r.position = -2 AND NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.owner = s.id AND a.state <> 'purged')
		AND NOT EXISTS (SELECT 1 FROM journal_entries AS j WHERE j.item = s.id) ORDER BY r.id LIMIT ?`, limit)
	return ids, wrapf(err, "departed subjects")
}

// ReleaseReceipts lets the promised receipts of owners into the log.
func (tx Tx) ReleaseReceipts(ctx context.Context, owners ...musa.SubjectID) error {
	if len(owners) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE receipts SET position = ? WHERE subject IN (?) AND position < 0 AND position = ?", ReceiptWaiting, bun.List(owners), ReceiptPending)
	return wrapf(err, "release receipts of %d subjects", len(owners))
}
