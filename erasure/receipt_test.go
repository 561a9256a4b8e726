package erasure_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
)

// A receipt has its place in the log from the confirmation on, when this node may write the
// log; while another node writes it, the receipt waits for that one.
func TestReceiptsAreLoggedByWhoeverMay(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			first, second := g.Upload("cat.png", photos.Read(t, "chelsea.png")), g.Upload("cat.png", photos.Read(t, "chelsea.png"))
			if waiting, logged := confirmed(t, s, musa.AssetID(first.ID)); waiting != 0 || logged != 1 {
				t.Errorf("%d receipts wait and %d are logged, want none and 1", waiting, logged)
			}
			s.Clock.Turn(time.Minute) // this node's lease is over
			write(t, s, func(ctx context.Context, tx db.Tx) error {
				if mine, err := tx.TakeLease(ctx, "sequencer", "node-other", 24*time.Hour); !mine {
					return fmt.Errorf("the other node did not get the lease: %w", err)
				}
				return nil
			})
			if waiting, logged := confirmed(t, s, musa.AssetID(second.ID)); waiting != 1 || logged != 1 {
				t.Errorf("%d receipts wait and %d are logged, want 1 and 1", waiting, logged)
			}
		})
	}
}

func write(t *testing.T, s *musatest.Studio, change func(context.Context, db.Tx) error) {
	t.Helper()
	if err := s.House.DB.Write(t.Context(), change); err != nil {
		t.Fatal(err)
	}
}

// confirmed erases an asset up to its confirmation, without any sequencing, and counts
// receipts by where they stand.
func confirmed(t *testing.T, s *musatest.Studio, id musa.AssetID) (waiting, logged int) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx db.Tx) error {
		_, err := s.Eraser.Assets(ctx, tx, []musa.AssetID{id})
		return err
	})
	if _, err := s.Eraser.Remove(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	for n := 0; n == 0; {
		s.Clock.Turn(time.Minute) // a scrub waits for other tests' transactions, and is tried again
		if err := s.Eraser.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		var err error
		if n, err = s.Eraser.Confirm(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
	}
	own := s.OwnSQL()
	defer own.Close()
	err := own.QueryRowContext(t.Context(), `SELECT COALESCE(SUM(CASE WHEN position = -1 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN position >= 0 THEN 1 ELSE 0 END), 0) FROM receipts`).Scan(&waiting, &logged)
	if err != nil {
		t.Fatal(err)
	}
	return waiting, logged
}
