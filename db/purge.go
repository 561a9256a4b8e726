package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// BareAssets lists assets that were erased at or before an instant and have no blob left:
// what a look for remains may confirm. The oldest come first.
func (tx Tx) BareAssets(ctx context.Context, erased musa.Millis, limit int) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, `SELECT * FROM assets AS a WHERE a.state = 'erased' AND a.erased <= ?
		AND NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.asset = a.id) ORDER BY a.erased LIMIT ?`, erased, limit)
	return list, wrapf(err, "bare assets")
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
