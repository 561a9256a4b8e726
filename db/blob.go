package db

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"musa"
)

// Blob is one file of sealed bytes. Its row commits as "writing" before the first byte
// is put, so a crash leaves no bytes that the sweep does not know.
//
// Category: scratch while writing, then that of its asset.
type Blob struct {
	bun.BaseModel `bun:"table:blobs"`

	Name    string `bun:",pk"`
	Asset   musa.AssetID
	Role    musa.BlobRole
	State   musa.BlobState
	Size    int64
	Created musa.Millis
}

// alive are blobs that are whole and belong to something that is not erased.
const alive = "state = 'live' AND EXISTS (SELECT 1 FROM assets AS a WHERE a.id = blobs.asset AND a.state = 'active')"

var blobTable = Table{Name: "blobs", Category: musa.CategoryScratch,
	Columns: columns(musa.CategoryScratch, "name", "asset", "role", "state", "size", "created"),
	Edges:   []Edge{{"asset", "assets", Follow}}}

// InsertBlob announces bytes that are about to be put; their state is writing.
func (tx Tx) InsertBlob(ctx context.Context, blobs ...Blob) error {
	if len(blobs) == 0 {
		return nil
	}
	list := slices.Clone(blobs)
	for i := range list {
		list[i].State = musa.BlobWriting
	}
	return wrapf(tx.insert(ctx, &list), "insert blobs of asset %s", list[0].Asset)
}

// LiveBlob notes that the bytes of blobs are whole, by name and size. musa.ErrConflict when
// the sweep has doomed one since: then none may be used, and the transaction must not commit.
func (tx Tx) LiveBlob(ctx context.Context, blobs ...Blob) error {
	if len(blobs) == 0 {
		return nil
	}
	sizes := make(rows, len(blobs))
	for i, b := range blobs {
		sizes[i] = []any{b.Name, b.Size}
	}
	n, err := tx.exec(ctx, `UPDATE blobs SET state = 'live', size = v.column2
		FROM (VALUES ?) AS v WHERE blobs.name = v.column1 AND blobs.state = 'writing'`, sizes)
	if err == nil && n < len(blobs) {
		err = musa.ErrConflict
	}
	return wrapf(err, "make %d blobs live", len(blobs))
}

// BlobsOf lists an asset's blobs by role.
func (tx Tx) BlobsOf(ctx context.Context, asset musa.AssetID) ([]Blob, error) {
	var list []Blob
	err := tx.get(ctx, &list, "SELECT * FROM blobs WHERE asset = ? ORDER BY role, name", asset)
	return list, wrapf(err, "blobs of %s", asset)
}

// Blob finds a blob by its name; musa.ErrNotFound.
func (tx Tx) Blob(ctx context.Context, name string) (Blob, error) {
	var b Blob
	err := tx.get(ctx, &b, "SELECT * FROM blobs WHERE name = ?", name)
	return b, wrapf(err, "blob")
}

// BlobsWriting lists blobs whose writing began before an instant and has not ended:
// left by a crash, or very slow.
func (tx Tx) BlobsWriting(ctx context.Context, before musa.Millis, limit int) ([]Blob, error) {
	var list []Blob
	err := tx.get(ctx, &list, "SELECT * FROM blobs WHERE state = 'writing' AND created < ? ORDER BY created LIMIT ? ?",
		before, limit, tx.locked(skipLocked))
	return list, wrapf(err, "blobs being written")
}

// DoomBlob marks bytes whose writing has not ended for removal, and says whether they may
// be removed: false when they have gone live since.
func (tx Tx) DoomBlob(ctx context.Context, name string) (bool, error) {
	if _, err := tx.exec(ctx, "UPDATE blobs SET state = 'doomed' WHERE name = ? AND state = 'writing'", name); err != nil {
		return false, wrapf(err, "doom blob")
	}
	b, err := tx.Blob(ctx, name)
	if isMissing(err) {
		return true, nil
	}
	return b.State == musa.BlobDoomed, err
}

// DropBlob forgets blobs whose bytes are gone.
func (tx Tx) DropBlob(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "DELETE FROM blobs WHERE name IN (?)", bun.List(names))
	return wrapf(err, "drop blobs")
}
