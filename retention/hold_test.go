package retention_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/proof"
	"musa/retention"
)

// officer is somebody new who acts for compliance.
func officer(t *testing.T, s *musatest.Studio) musa.Actor {
	t.Helper()
	staff, err := s.Accounts.AddStaff(t.Context(), musa.RoleCompliance)
	must(t, err)
	by, err := s.Accounts.Identify(t.Context(), staff.Token, account.Visitor{})
	must(t, err)
	by, err = s.Accounts.Staff(t.Context(), by, musa.RoleCompliance)
	must(t, err)
	return by
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hold(t *testing.T, s *musatest.Studio, by musa.Actor, o retention.HoldOrder) retention.Hold {
	t.Helper()
	if o.Reason == "" {
		o.Reason = "order 17 of the court"
	}
	h, err := s.Keeper.OpenHold(t.Context(), by, o)
	must(t, err)
	return h
}

// held reads what a hold keeps.
func held(t *testing.T, s *musatest.Studio, by musa.Actor, id musa.HoldID) []byte {
	t.Helper()
	c, err := s.Keeper.HeldContent(t.Context(), by, id, "to answer the court")
	must(t, err)
	data, err := io.ReadAll(c)
	must(t, errors.Join(err, c.Close()))
	return data
}

// onBoth runs a test on both deployments.
func onBoth(t *testing.T, f func(t *testing.T, s *musatest.Studio)) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			f(t, musatest.New(t, musatest.Rig{Stores: stores}))
		})
	}
}

func due(s *musatest.Studio, a api.Asset) { s.Clock.Turn(a.Ends.Sub(s.Clock.Now())) }

// C-18's exception: what is held survives its original and its owner, nothing else does; it
// opens for compliance alone; two persons release it, and then nothing of it is left.
func TestOnlyTheHeldCopySurvives(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		ctx := t.Context()
		one, two := officer(t, s), officer(t, s)
		g := s.Guest()
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
		before := g.Content(a.ID).Body
		h := hold(t, s, one, retention.HoldOrder{Asset: musa.AssetID(a.ID)})
		if h.State != musa.HoldHeld || h.Evidence == "" || h.Ends <= h.Review || h.Review <= musa.At(s.Clock.Now()) {
			t.Fatalf("opened as %+v", h)
		}
		due(s, a)
		g.Problem(http.StatusGone, g.Content(a.ID))
		s.Step()
		if got := g.Asset(a.ID); got.State != "purged" || got.Receipt == "" {
			t.Errorf("the original is %q with receipt %q", got.State, got.Receipt)
		}
		if !bytes.Equal(held(t, s, one, h.ID), before) {
			t.Error("the held copy is not what the picture was")
		}
		owner := erasePerson(t, s, h.Owner)
		s.Step()
		if !bytes.Equal(held(t, s, two, h.ID), before) {
			t.Errorf("after %s was erased the copy is another", owner)
		}
		traces, err := s.Eraser.Proof.Record(ctx, string(h.Evidence))
		must(t, err)
		scanner := proof.NewScanner(traces...)
		if hits, err := scanner.Files(ctx, s.Dirs...); err != nil || len(hits) == 0 {
			t.Fatalf("before the release the scan finds %v, %v", hits, err)
		}
		_, err = s.Keeper.ReleaseHold(ctx, one, h.ID)
		must(t, err)
		if _, err := s.Keeper.ReleaseHold(ctx, one, h.ID); !errors.Is(err, musa.ErrRefused) {
			t.Errorf("the same person released it alone: %v", err)
		}
		released, err := s.Keeper.ReleaseHold(ctx, two, h.ID)
		must(t, err)
		if released.State != musa.HoldReleased || released.ReleaseBy != one.Subject || released.ReleasedBy != two.Subject {
			t.Errorf("released as %+v", released)
		}
		if _, err := s.Keeper.HeldContent(ctx, one, h.ID, "once more"); !errors.Is(err, musa.ErrGone) {
			t.Errorf("after the release it opens: %v", err)
		}
		s.Step()
		if hits, err := scanner.Files(ctx, s.Dirs...); err != nil || len(hits) > 0 {
			t.Errorf("after the release remains %v, %v", hits, err)
		}
		must(t, s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			copied, err := tx.Asset(ctx, h.Evidence)
			if err == nil && (copied.State != musa.AssetPurged || copied.Receipt == "") {
				t.Errorf("the copy is %s with receipt %q", copied.State, copied.Receipt)
			}
			return err
		}))
	})
}

func erasePerson(t *testing.T, s *musatest.Studio, id musa.SubjectID) musa.SubjectID {
	t.Helper()
	must(t, s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := s.Eraser.Subject(ctx, tx, id)
		return err
	}))
	return id
}

// Without a release the copy goes at its end: the order's, or the policy's where that comes
// first. Then the hold is over, and its row is forgotten with the tombstones.
func TestAHoldEndsByItself(t *testing.T) {
	onBoth(t, func(t *testing.T, s *musatest.Studio) {
		by := officer(t, s)
		g := s.Guest()
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
		ends := musa.At(s.Clock.Now().Add(48 * time.Hour))
		h := hold(t, s, by, retention.HoldOrder{Asset: musa.AssetID(a.ID), Ends: ends})
		if h.Ends != ends || h.Review != ends {
			t.Fatalf("ends at %d and is reviewed at %d, want %d", h.Ends, h.Review, ends)
		}
		s.Clock.Turn(48*time.Hour - time.Millisecond)
		s.Step()
		held(t, s, by, h.ID)
		s.Clock.Turn(time.Millisecond)
		if _, err := s.Keeper.HeldContent(t.Context(), by, h.ID, "too late"); !errors.Is(err, musa.ErrGone) {
			t.Errorf("at its end it opens: %v", err)
		}
		s.Step()
		must(t, s.Keeper.Sweep(t.Context()))
		list, err := s.Keeper.Holds(t.Context(), by, retention.HoldQuery{State: musa.HoldReleased})
		must(t, err)
		if len(list) != 1 || list[0].ReleasedBy != "" || list[0].Released < ends {
			t.Errorf("after its end it stands as %+v", list)
		}
		s.Clock.Turn(db.TombstoneLife + time.Millisecond)
		must(t, s.Keeper.Sweep(t.Context()))
		if list, err := s.Keeper.Holds(t.Context(), by, retention.HoldQuery{}); err != nil || len(list) > 0 {
			t.Errorf("30 days later it is still listed: %+v, %v", list, err)
		}
	})
}

// A hold is refused in words: to who may not, for what is due or gone, unknown or held
// already, and without a reason. Nothing stays of it.
func TestHoldsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	by, g := officer(t, s), s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	h := hold(t, s, by, retention.HoldOrder{Asset: musa.AssetID(a.ID)})
	due(s, a)
	refused := func(name string, want error, code string, change func(*musa.Actor, *retention.HoldOrder)) {
		t.Run(name, func(t *testing.T) {
			actor, o := by, retention.HoldOrder{Asset: musa.AssetID(a.ID), Reason: "order 18"}
			change(&actor, &o)
			_, err := s.Keeper.OpenHold(t.Context(), actor, o)
			var p *musa.Problem
			if !errors.Is(err, want) || (code != "" && (!errors.As(err, &p) || p.Code != code || p.Public == "")) {
				t.Errorf("it is answered with %v, want %v %q", err, want, code)
			}
			var opening int
			must(t, s.DB.SQL().QueryRow("SELECT COUNT(*) FROM holds WHERE state = 'opening'").Scan(&opening))
			if opening > 0 {
				t.Error("a refused hold left a row")
			}
		})
	}
	refused("due", musa.ErrGone, "due", func(*musa.Actor, *retention.HoldOrder) {})
	refused("by an operator", musa.ErrRefused, "holds_role", func(a *musa.Actor, _ *retention.HoldOrder) { a.Role = musa.RoleOperator })
	refused("by a person", musa.ErrRefused, "holds_role", func(a *musa.Actor, _ *retention.HoldOrder) { a.Role = musa.RoleSubject })
	refused("without a reason", musa.ErrInvalid, "reason_needed", func(_ *musa.Actor, o *retention.HoldOrder) { o.Reason = " " })
	refused("with a past end", musa.ErrInvalid, "ends_past", func(_ *musa.Actor, o *retention.HoldOrder) { o.Ends = musa.At(s.Clock.Now()) })
	refused("of nothing", musa.ErrNotFound, "", func(_ *musa.Actor, o *retention.HoldOrder) { o.Asset = musa.NewAssetID(s.Clock.Now()) })
	refused("of a held copy", musa.ErrRefused, "held_already", func(_ *musa.Actor, o *retention.HoldOrder) { o.Asset = h.Evidence })
	s.Step()
	refused("of what is erased", musa.ErrGone, "hold_too_late", func(*musa.Actor, *retention.HoldOrder) {})
}
