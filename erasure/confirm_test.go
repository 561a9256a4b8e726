package erasure_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
)

// refusing is a store that removes nothing while it refuses.
type refusing struct {
	blob.Store
	yes *bool
}

func (r refusing) RemoveAll(ctx context.Context, names []string) map[string]error {
	if !*r.yes {
		return r.Store.RemoveAll(ctx, names)
	}
	left := map[string]error{}
	for _, n := range names {
		left[n] = musa.ErrUnavailable
	}
	return left
}

// An owner whose bytes went only long after their key still gets the receipt that they were
// promised, however often others' keys were scrubbed meanwhile; until then their row stays.
func TestAReceiptThatWaitedLongIsConfirmed(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			refuses := true
			s.Eraser.Blobs = refusing{s.Eraser.Blobs, &refuses}
			g := s.Guest()
			g.Upload("cat.png", photos.Read(t, "chelsea.png"))
			id := g.Subject()
			g.Want(http.StatusAccepted, g.Do(http.MethodPost, "/api/me/erasure", nil), nil)
			s.Keeper.Step(t.Context()) // the store's refusal is its error
			scrubbed(t, s)
			for range 2 {
				s.Clock.Turn(16 * 24 * time.Hour)
				scrubbed(t, s)
				if err := s.Keeper.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := pending(t, s); n != 1 {
				t.Fatalf("while the bytes are there %d receipts are pending, want 1", n)
			}
			refuses = false
			for end := time.Now().Add(20 * time.Second); pending(t, s) > 0; {
				s.Step()
				if time.Now().After(end) {
					t.Fatal("the bytes are gone, and the receipt is still pending")
				}
			}
			s.Clock.Turn(db.TombstoneLife + time.Hour)
			for range 2 {
				if err := s.Keeper.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Subject(ctx, id)
				return err
			}); err == nil {
				t.Error("the row of an owner who waits for nothing stays")
			}
		})
	}
}

// One owner's key that does not open keeps nobody else from a receipt; what is theirs is
// confirmed once it opens again.
func TestOneBadKeyKeepsNobodyElseFromAReceipt(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			bad, good, gone := s.Guest(), s.Guest(), s.Guest()
			theirs := bad.Upload("cat.png", photos.Read(t, "chelsea.png"))
			other := good.Upload("cat.png", photos.Read(t, "chelsea.png"))
			gone.Upload("cat.png", photos.Read(t, "chelsea.png"))
			wrapped := swapKey(t, s, bad.Subject(), nil)
			s.Clock.Turn(time.Hour)
			gone.Want(http.StatusAccepted, gone.Do(http.MethodPost, "/api/me/erasure", nil), nil)
			for end := time.Now().Add(20 * time.Second); good.Asset(other.ID).State != "purged" || pending(t, s) > 0; {
				if time.Now().After(end) {
					t.Fatalf("beside an owner whose key does not open a picture is %s, and %d receipts are pending", good.Asset(other.ID).State, pending(t, s))
				}
				s.Keeper.Step(t.Context()) // the bad key is its error
			}
			if err := s.Keeper.Step(t.Context()); err == nil {
				t.Error("a receipt that cannot be written is not told of")
			}
			swapKey(t, s, bad.Subject(), wrapped)
			s.Step()
			if got := bad.Asset(theirs.ID); got.State != "purged" || got.Receipt == "" {
				t.Errorf("with its key again the picture is %s", got.State)
			}
		})
	}
}

// With the clock set back what is erased is scrubbed all the same.
func TestAClockSetBackKeepsNothingFromItsScrub(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	s.Eraser.ScrubEvery = time.Second
	scrubbed(t, s)
	s.Clock.Turn(-2 * time.Hour)
	scrubbed(t, s)
}

// scrubbed scrubs until nothing that was destroyed before is left; a scrub may have to wait for
// other tests' transactions.
func scrubbed(t *testing.T, s *musatest.Studio) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx db.Tx) error {
		if err := tx.InsertSecret(ctx, db.Secret{ID: "lo_x", Subject: "su_x", Wrapped: []byte("key")}); err != nil {
			return err
		}
		return tx.DropSecrets(ctx, "lo_x")
	})
	for end := time.Now().Add(20 * time.Second); ; {
		if err := s.Eraser.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		if number(t, s, "SELECT COUNT(*) FROM strays") == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("a destroyed key still waits for its scrub")
		}
	}
}

func pending(t *testing.T, s *musatest.Studio) int {
	t.Helper()
	return number(t, s, "SELECT COUNT(*) FROM receipts WHERE position = -2")
}

func number(t *testing.T, s *musatest.Studio, query string) (n int) {
	t.Helper()
	if err := s.House.DB.SQL().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// swapKey puts another wrapped key in the place of an owner's, with nil one that does not open.
func swapKey(t *testing.T, s *musatest.Studio, id musa.SubjectID, wrapped []byte) (was []byte) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	if err := own.QueryRowContext(t.Context(), "SELECT wrapped FROM subject_keys WHERE subject = $1", string(id)).Scan(&was); err != nil {
		t.Fatal(err)
	}
	if wrapped == nil {
		wrapped = append([]byte(nil), was...)
		wrapped[len(wrapped)-1] ^= 1
	}
	if _, err := own.ExecContext(t.Context(), "UPDATE subject_keys SET wrapped = $1 WHERE subject = $2", wrapped, string(id)); err != nil {
		t.Fatal(err)
	}
	return was
}
