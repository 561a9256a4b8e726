package db_test

import (
	"context"
	"testing"

	"musa"
	"musa/db"
)

// The blobs of a picture count as gone from its erasure on, though nobody wrote that into their
// rows: a copy takes none of them along, and a restore that stored nothing forgets them.
func TestTheBlobsOfWhatIsErasedAreNotAlive(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		gone, kept := s.hang(t, owner, 0), s.hang(t, owner, 0)
		erase(t, s.DB, gone.ID)
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			live, err := tx.LiveBlobs(ctx, "", 10)
			if err != nil || len(live) != 1 || live[0].Asset != kept.ID {
				t.Errorf("alive are the blobs %v, want those of %s: %v", live, kept.ID, err)
			}
			return err
		})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.DropDoomed(ctx) })
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			for id, want := range map[musa.AssetID]int{gone.ID: 0, kept.ID: 1} {
				left, err := tx.BlobsOf(ctx, id)
				if err != nil || len(left) != want {
					t.Errorf("%d blobs are left of %s, want %d: %v", len(left), id, want, err)
				}
			}
			return nil
		})
	})
}
