package db

import (
	"context"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"musa"
)

// Removal is the failure of an erased asset's bytes to go, until they went.
//
// Category: technical.
type Removal struct {
	bun.BaseModel `bun:"table:removals"`

	Asset musa.AssetID `bun:",pk"`
	Tries int64
	First musa.Millis
	Last  musa.Millis
	Cause string // a code, never a path or an address
}

var removalTable = Table{Name: "removals", Category: Technical, Columns: columns(Technical, "asset", "tries", "first", "last", "cause"),
	Edges: []Edge{{"asset", "assets", Follow}}}

// FailRemoval notes that bytes of these assets could not be removed, and why, in a code.
func (tx Tx) FailRemoval(ctx context.Context, causes map[musa.AssetID]string) error {
	values := make(rows, 0, len(causes))
	for _, id := range slices.Sorted(maps.Keys(causes)) {
		values = append(values, []any{string(id), 1, tx.Now, tx.Now, causes[id]})
	}
	if len(values) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, `INSERT INTO removals (asset, tries, first, last, cause) VALUES ?
		ON CONFLICT (asset) DO UPDATE SET tries = removals.tries + 1, last = excluded.last, cause = excluded.cause`, values)
	return wrapf(err, "note %d failed removals", len(causes))
}

// EndRemovals forgets the failures of assets whose bytes are all gone.
func (tx Tx) EndRemovals(ctx context.Context) error {
	_, err := tx.exec(ctx, "DELETE FROM removals WHERE NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.asset = removals.asset)")
	return wrapf(err, "end removals")
}
