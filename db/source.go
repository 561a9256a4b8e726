package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Source says that an asset was derived from another.
//
// Category: history.
type Source struct {
	bun.BaseModel `bun:"table:sources"`

	Asset  musa.AssetID `bun:",pk"`
	Source musa.AssetID `bun:",pk"`
}

var sourceTable = Table{Name: "sources", Category: musa.CategoryHistory,
	Columns: columns(musa.CategoryHistory, "asset", "source"),
	Edges:   []Edge{{"asset", "assets", Follow}, {"source", "assets", Follow}}}

// InsertSource notes what an asset was made from.
func (tx Tx) InsertSource(ctx context.Context, asset musa.AssetID, sources ...musa.AssetID) error {
	if len(sources) == 0 {
		return nil
	}
	rows := make([]Source, len(sources))
	for i, s := range sources {
		rows[i] = Source{Asset: asset, Source: s}
	}
	return wrapf(tx.insert(ctx, &rows), "insert sources of %s", asset)
}

// SourcesOf lists what an asset was made from.
func (tx Tx) SourcesOf(ctx context.Context, asset musa.AssetID) ([]musa.AssetID, error) {
	var ids []musa.AssetID
	err := tx.get(ctx, &ids, "SELECT source FROM sources WHERE asset = ? ORDER BY source", asset)
	return ids, wrapf(err, "sources of %s", asset)
}

// DerivedOf lists what was made from an asset.
func (tx Tx) DerivedOf(ctx context.Context, source musa.AssetID) ([]musa.AssetID, error) {
	var ids []musa.AssetID
	err := tx.get(ctx, &ids, "SELECT asset FROM sources WHERE source = ? ORDER BY asset", source)
	return ids, wrapf(err, "derived of %s", source)
}
