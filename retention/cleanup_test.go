package retention_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/retention"
)

// broken is a store that cannot remove while it is broken.
type broken struct {
	blob.Store
	mu   *sync.Mutex
	yes  *bool // guarded by mu
	code string
}

func (b broken) RemoveAll(ctx context.Context, names []string) map[string]error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !*b.yes {
		return b.Store.RemoveAll(ctx, names)
	}
	left := map[string]error{}
	for _, n := range names {
		left[n] = &musa.Problem{Kind: musa.ErrUnavailable, Code: b.code}
	}
	return left
}

func (b broken) set(yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.yes = yes
}

// The queue adds up at every look, also among erasures, names what is stuck and why, and
// forgets that when the bytes went.
func TestTheCleanupQueue(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			store := broken{s.Eraser.Blobs, &sync.Mutex{}, new(bool), "storage_denied"}
			s.Eraser.Blobs = store
			g := s.Guest()
			for range 3 {
				g.Upload("cat.png", photos.Read(t, "chelsea.png"))
			}
			look := func(state retention.CleanupState) retention.Cleanup {
				c, err := s.Keeper.Cleanup(t.Context(), retention.CleanupQuery{State: state, Limit: 2})
				if err != nil {
					t.Fatal(err)
				}
				if c.Entered != c.Waiting+c.Erasing+c.Purged+c.Failed {
					t.Errorf("the queue does not add up: %+v", c)
				}
				return c
			}
			if c := look(""); c.Entered != 0 {
				t.Errorf("before the end: %+v", c)
			}
			s.Clock.Turn(time.Hour)
			c := look(db.CleanupWaiting)
			if c.Waiting != 3 || len(c.Lines) != 2 || c.Next == "" {
				t.Errorf("at the end: %+v", c)
			}
			rest, err := s.Keeper.Cleanup(t.Context(), retention.CleanupQuery{State: db.CleanupWaiting, After: c.Next})
			if err != nil || len(rest.Lines) != 1 || rest.Next != "" {
				t.Errorf("the second page: %+v, %v", rest, err)
			}
			store.set(true)
			if err := s.Keeper.Step(t.Context()); err == nil {
				t.Error("a failed removal is not returned")
			}
			if c := look(db.CleanupFailed); c.Failed != 3 || c.Lines[0].Tries != 1 || c.Lines[0].Cause != "storage_denied" || c.Lines[0].Erased == 0 {
				t.Errorf("while the store fails: %+v", c)
			}
			store.set(false)
			if err := s.Keeper.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c := look(""); c.Failed != 3 {
				t.Errorf("tried again before its time: %+v", c)
			}
			s.Clock.Turn(time.Second)
			s.Step()
			if c := look(db.CleanupPurged); c.Purged != 3 || c.Failed != 0 || len(c.Lines) != 2 || c.Lines[0].Purged == 0 {
				t.Errorf("after it was repaired: %+v", c)
			}
			if n := count(t, s, "removals"); n != 0 {
				t.Errorf("%d failures are still noted", n)
			}
			s.Clock.Turn(db.TombstoneLife)
			if c := look(""); c.Entered != 0 {
				t.Errorf("when the tombstones' time is over: %+v", c)
			}
		})
	}
}

// Unfinished bytes that cannot be removed are tried again later and later, and another node leaves
// alone what one is at.
func TestStraysWaitBetweenTries(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			store := broken{s.Eraser.Blobs, &sync.Mutex{}, new(bool), "storage_denied"}
			s.Eraser.Blobs = store
			store.set(true)
			write(t, s, func(ctx context.Context, tx db.Tx) error {
				if err := tx.InsertBlob(ctx, db.Blob{Name: "asset/x", Asset: "as_x", Role: musa.BlobFull, State: musa.BlobWriting, Created: tx.Now}); err != nil {
					return err
				}
				_, err := tx.DoomBlob(ctx, "asset/x")
				return err
			})
			if _, err := s.Eraser.Remove(t.Context(), 10); err == nil {
				t.Error("a failed removal is not returned")
			}
			if _, err := s.Eraser.Remove(t.Context(), 10); err != nil {
				t.Errorf("tried again before its time: %v", err)
			}
			store.set(false)
			s.Clock.Turn(time.Second)
			other := func(holder string) bool {
				var mine bool
				write(t, s, func(ctx context.Context, tx db.Tx) (err error) {
					mine, err = tx.TakeLease(ctx, "remove", holder, time.Second)
					return err
				})
				return mine
			}
			if !other("another") {
				t.Fatal("a node that is at nothing holds the lease")
			}
			if n, err := s.Eraser.Remove(t.Context(), 10); n != 0 || err != nil {
				t.Errorf("beside another node %d are removed: %v", n, err)
			}
			s.Clock.Turn(time.Second)
			if n, err := s.Eraser.Remove(t.Context(), 10); n != 1 || err != nil {
				t.Errorf("removed %d: %v", n, err)
			}
			if n := count(t, s, "removals"); n != 0 {
				t.Errorf("%d failures are still noted", n)
			}
		})
	}
}

// What is due while a copy of it is being made for a hold keeps its key and is gone to
// readers all the same; when the copy is made or dropped, the key goes.
func TestAnOpeningHoldKeepsAKey(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
			hold := db.Hold{ID: musa.NewHoldID(s.Clock.Now()), Asset: musa.AssetID(a.ID), Owner: g.Subject()}
			write(t, s, func(ctx context.Context, tx db.Tx) error { return tx.InsertHold(ctx, hold) })
			has := func() bool {
				err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
					_, err := tx.Secret(ctx, a.ID)
					return err
				})
				return err == nil
			}
			s.Clock.Turn(time.Hour)
			g.Problem(410, g.Content(a.ID))
			if err := s.Keeper.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !has() {
				t.Fatal("the key went while the copy was being made")
			}
			g.Problem(410, g.Content(a.ID))
			write(t, s, func(ctx context.Context, tx db.Tx) error { return tx.DropHold(ctx, hold.ID) })
			s.Step()
			if has() {
				t.Error("the key stayed when the hold was dropped")
			}
		})
	}
}

// Nothing is confirmed before the backup target's journal has it.
func TestTheJournalComesFirst(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	down := true
	own := s.OwnSQL()
	defer own.Close()
	s.Eraser.Journal = func(ctx context.Context) error {
		if down {
			return musa.ErrUnavailable
		}
		_, err := own.ExecContext(ctx, "DELETE FROM journal_entries")
		return err
	}
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	s.Clock.Turn(time.Hour)
	if err := s.Keeper.Step(t.Context()); err == nil {
		t.Error("a target that is down is not told of")
	}
	if got := g.Asset(a.ID).State; got != "erased" {
		t.Errorf("without the journal it is %s, want erased", got)
	}
	if n := count(t, s, "journal_entries"); n == 0 {
		t.Fatal("nothing waits for the journal")
	}
	if n, err := s.Eraser.Confirm(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("confirmed %d without the journal: %v", n, err)
	}
	down = false
	s.Step()
	if got := g.Asset(a.ID); got.State != "purged" || got.Receipt == "" {
		t.Errorf("with the journal it is %s", got.State)
	}
}
