package db

import (
	"context"

	"github.com/uptrace/bun"
)

// OfCategories says which of some assets and records are of these categories.
func (tx Tx) OfCategories(ctx context.Context, ids, categories []string) (map[string]bool, error) {
	return tx.ofCategories(ctx, "SELECT id FROM assets WHERE id IN (?0) AND category IN (?1) UNION ALL SELECT id FROM records WHERE id IN (?0) AND category IN (?1)",
		ids, categories)
}

// BlobsOfCategories says which of some blobs are of such assets.
func (tx Tx) BlobsOfCategories(ctx context.Context, names, categories []string) (map[string]bool, error) {
	return tx.ofCategories(ctx, "SELECT b.name FROM blobs AS b JOIN assets AS a ON a.id = b.asset WHERE b.name IN (?0) AND a.category IN (?1)", names, categories)
}

func (tx Tx) ofCategories(ctx context.Context, query string, ids, categories []string) (map[string]bool, error) {
	var list []string
	if err := tx.get(ctx, &list, query, bun.List(ids), bun.List(categories)); err != nil {
		return nil, wrapf(err, "categories of %d", len(ids))
	}
	of := make(map[string]bool, len(list))
	for _, id := range list {
		of[id] = true
	}
	return of, nil
}
