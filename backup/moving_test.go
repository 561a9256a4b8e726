package backup_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"musa"
	"musa/backup"
	"musa/blob"
	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policy"
	"musa/rights"
)

// aside copies the store into a target that no server keeps its journal in.
func (k *kept) aside(to blob.Store) backup.Copy {
	k.T.Helper()
	a := backup.New(backup.Config{DB: k.DB, Blobs: k.Blobs, Target: to, Keys: k.Keys, Clock: k.Clock.Now, Log: slog.New(slog.DiscardHandler),
		Node: "aside", Policy: func() *policy.Document { return k.InForce() }, Aside: true})
	c, err := a.Make(k.T.Context())
	if err != nil {
		k.T.Fatal(err)
	}
	return c
}

// A copy that no journal follows would bring back what is erased after it: it is for moving
// only, and that has to be said. It does not count as a backup of the store.
func TestACopyWithoutAJournal(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	g := k.Guest()
	a := g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	k.made()
	moving := folder(t, t.TempDir())
	if c := k.aside(moving); !c.Aside {
		t.Errorf("the copy says that a journal follows it: %+v", c)
	}
	if n := len(k.backups()); n != 1 {
		t.Errorf("%d backups are noted, want the one in the store's own target", n)
	}
	g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+a.ID, nil), nil)
	k.Clock.Turn(k.InForce().Undo())
	k.Step()
	r := k.fresh(t, musatest.Embedded)
	r.Target = moving
	_, err := r.Run(t.Context())
	wantProblem(t, err, "backup_aside")
	r.Moved = true
	restored(t, r)
}

// Erasures that happened while a store kept no journal in a target are not in that target:
// copies from before are refused, later ones are not.
func TestATargetThatWasLeftForAWhile(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	photo := photos.Read(t, "astronaut.png")
	k.Guest().Upload("a.png", photo, "save", "true")
	old := k.made()
	for _, b := range []house.Backup{{GiveUp: true}, k.House.Backup} {
		c := k.Config
		c.Backup = b
		h, err := house.New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		k.House.Archive = h.Archive
	}
	k.Clock.Turn(time.Second)
	k.made()
	r := k.fresh(t, musatest.Embedded)
	r.Copy = old.ID
	_, err := r.Run(t.Context())
	wantProblem(t, err, "backup_aside")
	restored(t, k.fresh(t, musatest.Embedded))
}

// A restore that dies while it looks at what it made, or that finds faults, leaves a store
// that nobody serves.
func TestNothingIsServedBeforeItIsProved(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	k.Guest().Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	k.made()
	r := k.fresh(t, musatest.Embedded)
	ctx, stop := context.WithCancel(t.Context())
	r.Progress = func(what string, _ int64) {
		if what != "rows" && what != "keys" && what != "blobs" && what != "erasures" {
			stop()
		}
	}
	if _, err := r.Run(ctx); err == nil {
		t.Fatal("broken off while it looked, and no error")
	}
	refused := func() {
		t.Helper()
		c := k.Config
		c.DB, c.Blobs, c.Backup = r.DB, r.Blobs, house.Backup{}
		_, err := house.New(t.Context(), c)
		wantProblem(t, err, "restore_unfinished")
	}
	refused()
	r.Progress = nil
	for name := range stored(t, k.target, "blob/") {
		if err := errors.Join(k.target.Remove(t.Context(), "blob/"+name), r.Blobs.Remove(t.Context(), name)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := r.Run(t.Context())
	if err != nil || len(out.Faults) == 0 || out.Served {
		t.Fatalf("restored without a blob: %+v, %v", out, err)
	}
	refused()
	r.Accept = true
	if out, err = r.Run(t.Context()); err != nil || !out.Served {
		t.Errorf("restored with accepted faults: %+v, %v", out, err)
	}
}

// jammed takes nothing under a prefix while it is jammed.
type jammed struct {
	blob.Store
	what string
	jam  atomic.Bool
}

func (j *jammed) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if j.jam.Load() && strings.HasPrefix(name, j.what) {
		return 0, errors.New("jammed")
	}
	return j.Store.Put(ctx, name, r)
}

// The target gives up no copy of bytes before its journal has the erasure: a restore in
// between would miss bytes that nothing says are erased.
func TestTheJournalComesBeforeTheBytes(t *testing.T) {
	t.Parallel()
	target := &jammed{Store: folder(t, t.TempDir()), what: "journal/"}
	k := &kept{target: target}
	k.Studio = musatest.New(t, musatest.Rig{Backup: house.Backup{Target: target, Name: "bt_test"}})
	g := k.Guest()
	a := g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	k.made()
	before := len(stored(t, target, "blob/"))
	target.jam.Store(true)
	g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+a.ID, nil), nil)
	k.Clock.Turn(k.InForce().Undo())
	if err := k.Keeper.Step(t.Context()); err == nil {
		t.Error("a journal that takes nothing is no error")
	}
	if after := len(stored(t, target, "blob/")); after != before {
		t.Errorf("%d copies of blobs before, %d after, and the journal says nothing", before, after)
	}
	target.jam.Store(false)
	k.Clock.Turn(time.Minute)
	k.Step()
	if s := state(t, k.DB, a.ID); s != musa.AssetPurged {
		t.Errorf("the picture is %s", s)
	}
	if after := len(stored(t, target, "blob/")); after >= before {
		t.Errorf("%d copies of blobs before, %d at the end", before, after)
	}
}

// A role that was taken back after the copy is not given again by restoring it.
func TestARestoreGivesNoRoleBack(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	staff, err := k.Accounts.AddStaff(t.Context(), musa.RoleOperator)
	if err != nil {
		t.Fatal(err)
	}
	write := func(do func(db.Tx, context.Context, musa.SubjectID, musa.Role) error, role musa.Role) {
		t.Helper()
		err := k.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return do(tx, ctx, staff.Subject, role) })
		if err != nil {
			t.Fatal(err)
		}
	}
	write(db.Tx.AssignRole, musa.RoleCompliance)
	write(db.Tx.RevokeRole, musa.RoleOperator)
	k.Clock.Turn(time.Second)
	write(db.Tx.AssignRole, musa.RoleOperator) // given again before the copy: stays
	k.made()
	write(db.Tx.RevokeRole, musa.RoleCompliance)
	k.Step()
	r := k.fresh(t, musatest.Embedded)
	restored(t, r)
	var roles []db.RoleRow
	err = r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		roles, err = tx.Roles(ctx)
		return err
	})
	if err != nil || len(roles) != 1 || roles[0].Role != musa.RoleOperator {
		t.Errorf("roles after the restore: %+v, %v", roles, err)
	}
}

// An account that was closed after the copy is closed again by restoring it, with the same end
// and the receipt that was promised; one that was reopened after the copy is open.
func TestARestoreClosesWhatWasClosed(t *testing.T) {
	t.Parallel()
	target := folder(t, t.TempDir())
	k := &kept{target: target}
	k.Studio = musatest.New(t, musatest.Rig{Policy: "enhancer", Backup: house.Backup{Target: target, Name: "bt_test"}}) // 7 days to think again
	photo := photos.Read(t, "astronaut.png")
	leaves, returns, wavers := k.Guest(), k.Guest(), k.Guest()
	actors := map[*musatest.Client]musa.Actor{}
	for _, g := range []*musatest.Client{leaves, returns, wavers} {
		g.Upload("a.png", photo, "save", "true")
		actors[g] = musa.Actor{Role: musa.RoleSubject, Subject: g.Subject()}
	}
	by := func(g *musatest.Client) musa.Actor { return actors[g] }
	closed := func(g *musatest.Client) rights.Closing {
		t.Helper()
		c, err := k.Rights.Close(t.Context(), by(g))
		if err != nil {
			t.Fatal(err)
		}
		k.Clock.Turn(time.Second)
		return c
	}
	opened := func(g *musatest.Client) {
		t.Helper()
		if err := k.Rights.Reopen(t.Context(), by(g)); err != nil {
			t.Fatal(err)
		}
		k.Clock.Turn(time.Second)
	}
	closed(returns)
	k.made()
	opened(returns)
	closed(wavers)
	opened(wavers)
	want := closed(leaves)
	if err := k.Archive.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := k.fresh(t, musatest.Embedded)
	if out := restored(t, r); out.Repeat != 3 {
		t.Errorf("repeated %d closings and reopenings, want 3", out.Repeat)
	}
	c := k.Config
	c.DB, c.Blobs = r.DB, r.Blobs
	h, err := house.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for g, want := range map[*musatest.Client]rights.Closing{leaves: want, returns: {}, wavers: {}} {
		got, err := h.Rights.Closing(t.Context(), by(g))
		if err != nil || got != want {
			t.Errorf("closing after the restore: %+v, %v; want %+v", got, err, want)
		}
	}
	// A store that lay off until the time to think again was over.
	k.Clock.Turn(want.Until.Time().Sub(k.Clock.Now()))
	r = k.fresh(t, musatest.Embedded)
	restored(t, r)
	var s db.Subject
	err = r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		s, err = tx.Subject(ctx, by(leaves).Subject)
		return err
	})
	if err != nil || s.State != musa.SubjectErased {
		t.Errorf("a closed account whose end has come is %s after the restore, %v", s.State, err)
	}
}
