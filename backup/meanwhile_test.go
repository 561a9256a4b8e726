package backup_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
)

// What is erased while a restored store is looked at goes out of that store, too: a rehearsal
// lasts, and its folder is on a disk.
func TestErasingBesideTheLookAtARestore(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	g := k.Guest()
	photo := photos.Read(t, "astronaut.png")
	goes, stays := g.Upload("a.png", photo, "save", "true"), g.Upload("b.png", photo, "save", "true")
	k.made()
	r := k.fresh(t, musatest.Embedded)
	bytes := 0
	var once sync.Once
	r.Progress = func(what string, _ int64) {
		if what == "tables" {
			once.Do(func() {
				bytes = len(stored(t, r.Blobs, ""))
				g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+goes.ID, nil), nil)
				k.Clock.Turn(k.InForce().Undo())
				k.Step()
				k.Clock.Turn(10 * time.Second)
			})
		}
	}
	restored(t, r)
	for id, want := range map[string]bool{goes.ID: false, stays.ID: true} {
		err := r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Secret(ctx, id)
			return err
		})
		if there := err == nil; there != want {
			t.Errorf("a picture has a key: %v, want %v", there, want)
		}
	}
	if n := len(stored(t, r.Blobs, "")); bytes == 0 || n >= bytes {
		t.Errorf("%d blobs in the restored store before, %d after", bytes, n)
	}
}

// A store that a killed rehearsal left goes when its node starts again, whoever rehearses next.
func TestAStartClearsTheScratchFolder(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	left := filepath.Join(k.House.Backup.Scratch, "musa.db")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := k.Archive.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the scratch folder is still there: %v", err)
	}
}

// Old copies go by the policy's time also while no copy can be made, and make room for one. The
// last whole one stays, and is known.
func TestOldCopiesGoWhereNoneCanBeMade(t *testing.T) {
	t.Parallel()
	target := &jammed{Store: folder(t, t.TempDir()), what: "rows/"}
	k := &kept{target: target}
	k.Studio = musatest.New(t, musatest.Rig{Backup: house.Backup{Target: target, Name: "bt_test"}})
	k.Guest().Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
	k.made()
	k.Clock.Turn(time.Hour)
	last := k.made()
	target.jam.Store(true)
	k.Clock.Turn(k.InForce().Lifecycle.Backup.Within.Duration() + time.Hour)
	if err := k.Archive.Step(t.Context()); err == nil {
		t.Error("a copy into a full target is no error")
	}
	list, err := k.Archive.List(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != last.ID {
		t.Errorf("copies in the target: %+v, %v; want the last only", list, err)
	}
	known := false
	for _, b := range k.backups() {
		known = known || b.ID == last.ID
	}
	if !known {
		t.Error("the store forgot its last copy")
	}
}
