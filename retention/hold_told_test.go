package retention_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
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

// A person hears of a hold and of each opening of the copy, also after its release, until the
// tombstone goes; of what the law forbids to tell they hear nothing.
func TestThePersonIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		ctx := t.Context()
		one, two := officer(t, s), officer(t, s)
		g := s.Guest()
		asset := func() musa.AssetID {
			return musa.AssetID(g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true").ID)
		}
		told := hold(t, s, one, retention.HoldOrder{Asset: asset()})
		secret := hold(t, s, one, retention.HoldOrder{Asset: asset(), Untold: true})
		for _, h := range []retention.Hold{told, secret} {
			held(t, s, one, h.ID)
		}
		me := musa.Actor{Subject: told.Owner, Role: musa.RoleSubject}
		hears := func(state musa.HoldState) {
			t.Helper()
			list, err := s.Keeper.HoldsOn(ctx, me)
			must(t, err)
			if len(list) != 1 || list[0].Asset != told.Asset || list[0].State != state || list[0].OpenedBy != "" {
				t.Fatalf("the person hears of %+v, want %s alone", list, told.Asset)
			}
			uses, err := s.Accounts.Uses(ctx, me, "", 10)
			must(t, err)
			if len(uses) != 1 || uses[0].Object != string(told.Asset) || uses[0].Purpose != musa.PurposeHold || uses[0].Role != musa.RoleCompliance {
				t.Fatalf("the person reads of uses %+v", uses)
			}
		}
		hears(musa.HoldHeld)
		for _, by := range []musa.Actor{one, two} {
			_, err := s.Keeper.ReleaseHold(ctx, by, told.ID)
			must(t, err)
		}
		s.Step()
		s.Clock.Turn(db.TombstoneLife)
		must(t, s.Keeper.Sweep(ctx))
		hears(musa.HoldReleased)
		s.Clock.Turn(time.Millisecond)
		must(t, s.Keeper.Sweep(ctx))
		if list, err := s.Keeper.HoldsOn(ctx, me); err != nil || len(list) > 0 {
			t.Errorf("after the tombstone the person still hears of %+v, %v", list, err)
		}
	})
}

// A case shows the reason, the notes of reviews and who opened the copy why; a review moves
// the next one. None of these words lies anywhere in clear.
func TestACaseKeepsItsHistory(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		ctx := t.Context()
		by, g := officer(t, s), s.Guest()
		words := musatest.Markers{"reason": []byte("a reason that nobody else knows"), "note": []byte("looked again and found it due"), "why": []byte("the court of appeal asked")}
		h := hold(t, s, by, retention.HoldOrder{Asset: musa.AssetID(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID), Reason: string(words["reason"])})
		s.Clock.Turn(24 * time.Hour)
		reviewed, err := s.Keeper.ReviewHold(ctx, by, h.ID, string(words["note"]))
		must(t, err)
		if want := h.Review.Add(24 * time.Hour); reviewed.Review != want {
			t.Errorf("the next review is at %d, want %d", reviewed.Review, want)
		}
		s.Clock.Turn(time.Millisecond)
		c, err := s.Keeper.HeldContent(ctx, by, h.ID, string(words["why"]))
		must(t, err)
		must(t, c.Close())
		s.Clock.Turn(time.Millisecond)
		seen, err := s.Keeper.HoldCase(ctx, by, h.ID)
		must(t, err)
		if seen.Reason != string(words["reason"]) || seen.Category != musa.CategoryOriginal || seen.Info.Name != "cat.png" {
			t.Errorf("the case says %+v", seen)
		}
		var history []string
		for _, step := range seen.History {
			history = append(history, step.Action+": "+step.Words)
			if step.By != by.Subject {
				t.Errorf("%s was by %q", step.Action, step.By)
			}
		}
		want := []string{"hold_opened: ", "hold_reviewed: " + string(words["note"]), "opened_for_hold: " + string(words["why"]), "opened_for_hold: read the case"}
		if strings.Join(history, "\n") != strings.Join(want, "\n") {
			t.Errorf("its history is %q, want %q", history, want)
		}
		if found := musatest.Find(t, s.Dirs, words); len(found) > 0 {
			t.Errorf("in clear: %v", found)
		}
		if found := musatest.Find(t, []string{musatest.InClear(t, words)}, words); len(found) != len(words) {
			t.Errorf("the look finds only %v where it is in clear", found)
		}
		for _, role := range []musa.Role{musa.RoleOperator, musa.RoleSupport, musa.RoleModerator, musa.RoleSubject, musa.RoleSystem} {
			other := by
			other.Role = role
			if _, err := s.Keeper.HeldContent(ctx, other, h.ID, "curious"); !errors.Is(err, musa.ErrRefused) {
				t.Errorf("as %s it opens: %v", role, err)
			}
		}
		if _, err := s.Keeper.HeldContent(ctx, by, h.ID, ""); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("without a reason it opens: %v", err)
		}
	})
}

// waiting is a blob store whose reads wait, as over a slow network.
type waiting struct {
	blob.Store
	reached chan struct{}
	release chan struct{}
	once    *sync.Once
}

func (w waiting) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	w.once.Do(func() { close(w.reached) })
	<-w.release
	return w.Store.Open(ctx, name, off, n)
}

// The order in which hold and end come decides, not how long the copy takes: a hold opened a
// millisecond before keeps the key past the end; one a millisecond later is refused.
func TestHoldAndEndInEitherOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		by, g := officer(t, s), s.Guest()
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
		s.Clock.Turn(a.Ends.Sub(s.Clock.Now()) - time.Millisecond)
		w := waiting{Store: s.Keeper.Vault.Blobs, reached: make(chan struct{}), release: make(chan struct{}), once: new(sync.Once)}
		s.Keeper.Vault.Blobs = w
		var (
			done = make(chan error, 1)
			h    retention.Hold
		)
		go func() {
			var err error
			h, err = s.Keeper.OpenHold(t.Context(), by, retention.HoldOrder{Asset: musa.AssetID(a.ID), Reason: "in time"})
			done <- err
		}()
		<-w.reached
		s.Clock.Turn(time.Millisecond)
		must(t, s.Keeper.Step(t.Context()))
		var state string
		must(t, s.DB.SQL().QueryRow("SELECT state FROM assets WHERE id = '"+a.ID+"'").Scan(&state))
		if state != "active" {
			t.Errorf("while it is copied for a hold the picture is %s", state)
		}
		g.Problem(http.StatusGone, g.Content(a.ID)) // its owner's reads end all the same
		close(w.release)
		must(t, <-done)
		held(t, s, by, h.ID)
		s.Step()
		if got := g.Asset(a.ID).State; got != "purged" {
			t.Errorf("after the copy was made the original is %s", got)
		}
		_, err := s.Keeper.OpenHold(t.Context(), by, retention.HoldOrder{Asset: musa.AssetID(a.ID), Reason: "too late"})
		if !errors.Is(err, musa.ErrGone) {
			t.Errorf("after the end a hold is answered with %v", err)
		}
	})
}

// Holds and ends at the same instant: each picture is held whole or gone, never both or
// neither, and nothing waits for ever.
func TestHoldsRaceWithEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		const pictures = 6
		ctx := t.Context()
		by, g := officer(t, s), s.Guest()
		first := hold(t, s, by, retention.HoldOrder{Asset: musa.AssetID(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID)})
		ids := make([]musa.AssetID, pictures)
		for i := range ids {
			a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
			ids[i] = musa.AssetID(a.ID)
			if i == 0 {
				s.Clock.Turn(a.Ends.Sub(s.Clock.Now()) - time.Hour)
			}
		}
		s.Clock.Turn(time.Hour - time.Millisecond)
		var group sync.WaitGroup
		held := make([]retention.Hold, pictures)
		for i, id := range ids {
			group.Go(func() {
				if i == pictures/2 {
					s.Clock.Turn(time.Millisecond)
				}
				h, err := s.Keeper.OpenHold(ctx, by, retention.HoldOrder{Asset: id, Reason: "at the end"})
				if err != nil && !errors.Is(err, musa.ErrGone) {
					t.Errorf("hold on %s: %v", id, err)
				}
				held[i] = h
			})
			group.Go(func() {
				if err := s.Keeper.Step(ctx); err != nil {
					t.Errorf("step: %v", err)
				}
			})
		}
		group.Wait()
		s.Clock.Turn(time.Hour)
		s.Step()
		kept := 1
		for i, id := range ids {
			if got := g.Asset(string(id)).State; got != "purged" {
				t.Errorf("%s is %s", id, got)
			}
			if held[i].ID != "" {
				kept++
				c, err := s.Keeper.HeldContent(ctx, by, held[i].ID, "is it whole?")
				must(t, err)
				n, err := io.Copy(io.Discard, c)
				if err = errors.Join(err, c.Close()); err != nil || n != c.Size() {
					t.Errorf("of hold %s %d of %d bytes: %v", held[i].ID, n, c.Size(), err)
				}
			}
		}
		list, err := s.Keeper.Holds(ctx, by, retention.HoldQuery{})
		must(t, err)
		if len(list) != kept || list[0].ID != first.ID {
			t.Errorf("%d holds are listed, %d were answered", len(list), kept)
		}
	})
}

// What a crash left of a hold on its way keeps the key for ten minutes, not longer.
func TestAStaleHoldIsDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		by, g := officer(t, s), s.Guest()
		hold(t, s, by, retention.HoldOrder{Asset: musa.AssetID(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID)})
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
		due(s, a)
		s.Clock.Turn(-time.Millisecond)
		crashed := musa.NewHoldID(s.Clock.Now())
		must(t, s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.InsertHold(ctx, db.Hold{ID: crashed, Asset: musa.AssetID(a.ID), Owner: "", OpenedBy: by.Subject})
		}))
		step := func() string {
			must(t, s.Keeper.Sweep(t.Context()))
			must(t, s.Keeper.Step(t.Context()))
			return g.Asset(a.ID).State
		}
		s.Clock.Turn(10 * time.Minute)
		if got := step(); got != "hidden" {
			t.Errorf("after ten minutes it is %s", got)
		}
		s.Clock.Turn(time.Millisecond)
		step()
		s.Step()
		if got := g.Asset(a.ID).State; got != "purged" {
			t.Errorf("after more than ten minutes it is %s", got)
		}
	})
}
