package backup_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/seal"
)

// state reads how an asset stands by its row.
func state(t testing.TB, d *db.DB, id string) musa.AssetState {
	t.Helper()
	var a db.Asset
	err := d.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		a, err = tx.Asset(ctx, musa.AssetID(id))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.State
}

func (k *kept) backups() (list []db.Backup) {
	k.T.Helper()
	err := k.DB.Read(k.T.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.Backups(ctx, 100)
		return err
	})
	if err != nil {
		k.T.Fatal(err)
	}
	return list
}

// A target that takes nothing: readers are refused all the same, nothing is confirmed before
// the journal has it, and a backup says that it failed.
func TestATargetThatIsGone(t *testing.T) {
	t.Parallel()
	target, b := bucket(t)
	k := &kept{target: target, dir: b.Dir}
	k.Studio = musatest.New(t, musatest.Rig{Backup: house.Backup{Target: target, Name: "bt_test"}})
	g := k.Guest()
	a := g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	k.made()
	b.Kill()
	g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+a.ID, nil), nil)
	k.Clock.Turn(k.InForce().Undo())
	g.Want(http.StatusGone, g.Content(a.ID), nil)
	short, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if err := k.Keeper.Step(short); err == nil {
		t.Error("a purge that could not write its journal is no error")
	}
	if s := state(t, k.DB, a.ID); s != musa.AssetErased {
		t.Errorf("without its journal the picture is %s, want erased and not confirmed", s)
	}
	if _, err := k.Archive.Make(short); err == nil {
		t.Error("a backup into nothing is no error")
	}
	if last := k.backups()[0]; last.Finished != 0 || last.Code == "" {
		t.Errorf("a failed backup is noted as %+v", last)
	}
	b.Start()
	k.Clock.Turn(time.Hour) // what failed is tried again after a while
	k.Step()
	if s := state(t, k.DB, a.ID); s != musa.AssetPurged {
		t.Errorf("with its journal the picture is %s, want purged", s)
	}
	out := restored(t, k.fresh(t, musatest.Embedded))
	if out.Replay == 0 {
		t.Errorf("restored %+v", out)
	}
}

// A restore that is broken off anywhere leaves a store that nobody serves, and that the same
// restore makes whole.
func TestARestoreThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			g := k.Guest()
			for range 3 {
				g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
			}
			k.made()
			for _, at := range []string{"rows", "keys", "blobs"} {
				r := k.fresh(t, stores)
				ctx, stop := context.WithCancel(t.Context())
				r.Progress = func(what string, n int64) {
					if what == at {
						stop()
					}
				}
				if _, err := r.Run(ctx); err == nil {
					t.Fatalf("broken off at %s, and no error", at)
				}
				c := k.Config
				c.DB, c.Blobs, c.Backup = r.DB, r.Blobs, house.Backup{}
				_, err := house.New(t.Context(), c)
				wantProblem(t, err, "restore_unfinished")
				r.Progress = nil
				restored(t, r)
				if _, err := house.New(t.Context(), c); err != nil {
					t.Errorf("a restored store is not served: %v", err)
				}
				_, err = r.Run(t.Context())
				wantProblem(t, err, "restore_not_empty")
			}
		})
	}
}

// Whatever is missing or changed in a target is refused before anything is served.
func TestADamagedTarget(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	g := k.Guest()
	g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	k.made()
	other, err := seal.Create(filepath.Join(t.TempDir(), "other.keys"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := k.fresh(t, musatest.Embedded)
	wrong.Keys = other
	_, err = wrong.Run(t.Context())
	wantProblem(t, err, "backup_sealed")

	unknown := k.fresh(t, musatest.Embedded)
	unknown.Copy = "bk_none"
	_, err = unknown.Run(t.Context())
	wantProblem(t, err, "backup_not_found")

	names := make([]string, 0, 8)
	for name := range stored(t, k.target, "") {
		names = append(names, name)
	}
	slices.Sort(names)
	find := func(prefix, end string) string {
		i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) && strings.HasSuffix(n, end) })
		return filepath.Join(k.dir, strings.ReplaceAll(names[i], "/", "."))
	}
	for code, path := range map[string]string{
		"backup_no_keys": find("keys/", "index"), "backup_damaged": find("rows/", "00001"), "backup_journal_broken": find("journal/", "1"),
	} {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(whole)
		changed[len(changed)/2] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = k.fresh(t, musatest.Embedded).Run(t.Context())
		wantProblem(t, err, code)
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	restored(t, k.fresh(t, musatest.Embedded))
}

// The schedule is the policy's: a copy a day, tried by restoring it, and none older than
// the policy lets what was erased linger.
func TestTheSchedule(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	k.Guest().Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	step := func() {
		t.Helper()
		k.Step()
		if err := k.Archive.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step()
	p := k.InForce().Lifecycle.Backup
	if list := k.backups(); len(list) != 1 || list[0].Finished == 0 || list[0].Rehearsed == 0 {
		t.Fatalf("after the first step: %+v", list)
	}
	k.Clock.Turn(p.Every.Duration() - 1e6)
	step()
	if n := len(k.backups()); n != 1 {
		t.Errorf("%d copies a millisecond before the second is due", n)
	}
	k.Clock.Turn(1e6)
	step()
	if n := len(k.backups()); n != 2 {
		t.Errorf("%d copies when the second is due", n)
	}
	for range 12 {
		k.Clock.Turn(p.Every.Duration())
		step()
	}
	list, err := k.Archive.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bound := musa.At(k.Clock.Now().Add(-p.Within.Duration()))
	for _, c := range list {
		if c.At < bound {
			t.Errorf("copy %s is older than the policy allows", c.ID)
		}
	}
	if len(list) < 2 || len(list) > 8 {
		t.Errorf("%d copies are left", len(list))
	}
	if _, err := os.Stat(k.House.Backup.Scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a rehearsal left its scratch store: %v", err)
	}
}

// A node without the target would erase past its journal; giving up a target has to be said.
func TestEveryNodeKnowsTheTarget(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	c := k.Config
	c.Backup = house.Backup{}
	_, err := house.New(t.Context(), c)
	wantProblem(t, err, "backup_unset")
	c.Backup.GiveUp = true
	if _, err := house.New(t.Context(), c); err != nil {
		t.Error(err)
	}
	c.Backup.GiveUp = false
	if _, err := house.New(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// Copies of what is gone leave the target, also where a process died between copying a blob
// and looking whether it is still live.
func TestStrayCopiesGo(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	for _, name := range []string{"blob/asset/stray", "rows/bk_0/00001", "keys/bk_0/00000-000000000001"} {
		if _, err := k.target.Put(t.Context(), name, strings.NewReader("left by a crash")); err != nil {
			t.Fatal(err)
		}
	}
	k.made()
	for name := range stored(t, k.target, "") {
		if strings.Contains(name, "stray") || strings.Contains(name, "bk_0/") {
			t.Errorf("%s is still there", name)
		}
	}
}

// A server goes on erasing while a copy is rehearsed: key ranges are replaced and bytes leave
// the target under the restore's feet. It comes out whole, and without what went.
func TestErasingBesideARestore(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	photo := photos.Read(t, "astronaut.png")
	g := k.Guest()
	var pictures []api.Asset
	for range 3 {
		pictures = append(pictures, g.Upload("a.png", photo, "save", "true"))
	}
	k.made()
	erase := func(i int) {
		g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+pictures[i].ID, nil), nil)
		k.Clock.Turn(k.InForce().Undo())
		k.Step()
		if err := k.Archive.Step(t.Context()); err != nil {
			t.Error(err)
		}
	}
	r := k.fresh(t, musatest.Embedded)
	var early, late sync.Once
	r.Progress = func(what string, _ int64) {
		switch what {
		case "rows":
			early.Do(func() { erase(0) })
		case "keys":
			late.Do(func() { erase(1) })
		}
	}
	if out := restored(t, r); out.Lost != 0 {
		t.Errorf("restored %+v, and a live blob is lost", out)
	}
	for i, p := range pictures {
		err := r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Secret(ctx, p.ID)
			return err
		})
		if there := err == nil; there != (i == 2) {
			t.Errorf("picture %d of 3 has a key: %v", i, there)
		}
	}
}

// Who was signed out after the copy stays out when it is restored.
func TestARestoreSignsNobodyIn(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	staff, err := k.Accounts.AddStaff(t.Context(), musa.RoleOperator)
	if err != nil {
		t.Fatal(err)
	}
	k.made()
	if err := k.Accounts.RemoveStaff(t.Context(), staff.Subject); err != nil {
		t.Fatal(err)
	}
	if err := k.Archive.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := k.fresh(t, musatest.Embedded)
	restored(t, r)
	if got := table(t, r.DB, "sessions"); len(got) != 0 {
		t.Errorf("%d sessions came back", len(got))
	}
}
