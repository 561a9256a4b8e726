package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"musa"
	"musa/db"
)

// Of many that wait for their removal only a page is read, and who is bare is found behind
// them: over a million, one question was longer than a read may be.
func TestBareAssetsAreFoundPageByPage(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		var all []musa.AssetID
		for range 5 {
			a := s.hang(t, owner, 0)
			all = append(all, a.ID)
		}
		slices.Sort(all) // all are erased in one instant: then their ids decide
		erase(t, s.DB, all...)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			blobs, err := tx.BlobsOf(ctx, all[4])
			for _, b := range blobs {
				err = errors.Join(err, tx.DropBlob(ctx, b.Name))
			}
			return err
		})
		var found []musa.AssetID
		var after db.Mark
		pages := 0
		for {
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				bare, last, err := tx.BareAfter(ctx, after, 2)
				found, after = append(found, bare...), last
				return err
			})
			if pages++; after == (db.Mark{}) || pages > 5 {
				break
			}
		}
		if pages != 3 || !slices.Equal(found, all[4:]) {
			t.Errorf("%d pages show %v, want 3 and %v", pages, found, all[4:])
		}
	})
}
