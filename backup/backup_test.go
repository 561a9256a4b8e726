package backup_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"musa"
	"musa/api"
	"musa/backup"
	"musa/blob"
	"musa/blob/files"
	"musa/blob/s3"
	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/musatest/rigs"
)

// folder is a target, or the blobs of a restored store, on this machine.
func folder(t testing.TB, dir string) blob.Store {
	t.Helper()
	store, err := files.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func bucket(t testing.TB) (blob.Store, *rigs.Bucket) {
	t.Helper()
	b := rigs.S3(t)
	store, err := s3.New(t.Context(), s3.Config{URL: b.URL, AccessKey: b.AccessKey, SecretKey: b.SecretKey, HTTPClient: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	return store, b
}

// kept is a studio with a backup target.
type kept struct {
	*musatest.Studio
	target blob.Store
	dir    string // of the target
}

func keep(t testing.TB, stores musatest.Stores) *kept {
	t.Helper()
	k := &kept{dir: t.TempDir()}
	k.target = folder(t, k.dir)
	if stores == musatest.Scaled {
		var b *rigs.Bucket
		k.target, b = bucket(t)
		k.dir = b.Dir
	}
	k.Studio = musatest.New(t, musatest.Rig{Stores: stores, Backup: house.Backup{Target: k.target, Name: "bt_test",
		Scratch: filepath.Join(t.TempDir(), "rehearsal"), Folder: func(dir string) (blob.Store, error) { return files.New(dir) }}})
	return k
}

// made copies the store now.
func (k *kept) made() backup.Copy {
	k.T.Helper()
	c, err := k.Archive.Make(k.T.Context())
	if err != nil {
		k.T.Fatal(err)
	}
	return c
}

// fresh is an empty store to restore into.
func (k *kept) fresh(t testing.TB, on musatest.Stores) backup.Restore {
	t.Helper()
	c := db.Config{Path: filepath.Join(t.TempDir(), "musa.db"), Clock: k.Clock.Now, Log: slog.New(slog.DiscardHandler)}
	r := backup.Restore{Target: k.target, Keys: k.Keys, Clock: k.Clock.Now, Log: c.Log, Versions: house.VersionsOf}
	if on == musatest.Scaled {
		c.URL, _ = rigs.Migrated(t)
		r.Blobs, _ = bucket(t)
	} else {
		r.Blobs = folder(t, filepath.Join(t.TempDir(), "blobs"))
	}
	d, err := db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	r.DB = d
	return r
}

// restored restores, and takes no fault.
func restored(t testing.TB, r backup.Restore) backup.Restored {
	t.Helper()
	out, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Faults) > 0 {
		t.Fatalf("the restored store has faults: %+v", out.Faults)
	}
	return out
}

// table dumps all rows of a table as JSON lines, whichever the database.
func table(t testing.TB, d *db.DB, name string) []string {
	t.Helper()
	shapes, err := d.Shapes(t.Context(), []string{name})
	if err != nil {
		t.Fatal(err)
	}
	far := db.Moment{At: 1 << 50, Log: 1 << 40}
	far.Audit.Seq = 1 << 40
	if name == "sessions" {
		far.At = 0 // only those that end later are dumped
	}
	rows, err := d.Dump(t.Context(), db.Page{Shape: shapes[0], Moment: far, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range rows {
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return lines
}

// stored reads all blobs of a store.
func stored(t testing.TB, s blob.Store, prefix string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		src, err := s.Open(t.Context(), info.Name, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(src)
		src.Close()
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(info.Name, prefix)] = string(data)
	}
	return all
}

// Nothing but bytes and rows says whether a store came over whole: every table is compared
// row by row, every blob byte by byte, in all four directions.
func TestAStoreComesOverWhole(t *testing.T) {
	t.Parallel()
	for _, from := range musatest.BothStores() {
		for _, to := range musatest.BothStores() {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				t.Parallel()
				k := keep(t, from)
				g := k.Guest()
				g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
				g.Made(g.Upload("b.png", photos.Read(t, "astronaut.png"), "save", "true").ID, nil)
				gone := g.Upload("c.png", photos.Read(t, "astronaut.png"), "save", "true")
				g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+gone.ID, nil), nil)
				k.Clock.Turn(k.InForce().Undo())
				k.Step()
				k.made()
				r := k.fresh(t, to)
				out := restored(t, r)
				if out.Keys == 0 || out.Blobs == 0 || out.Lost != 0 || out.Replay != 0 {
					t.Fatalf("restored %+v", out)
				}
				for _, name := range append(db.DumpTables(), db.KeyTables()...) {
					if want, got := table(t, k.DB, name), table(t, r.DB, name); !slices.Equal(want, got) {
						t.Errorf("%s:\nwas %q\nis  %q", name, want, got)
					}
				}
				if !maps.Equal(stored(t, k.Blobs, ""), stored(t, r.Blobs, "")) {
					t.Error("blobs came over changed")
				}
			})
		}
	}
}

// keyCopy opens the whole key copy, as a thief who has the keyset, too.
func (k *kept) keyCopy() []byte {
	k.T.Helper()
	key := k.Keys.Derive("backup keys")
	var all bytes.Buffer
	for name, sealed := range stored(k.T, k.target, "") {
		if !strings.HasPrefix(name, "keys/") {
			continue
		}
		small, err := key.OpenRecord(name, []byte(sealed))
		if err != nil {
			k.T.Fatal(err)
		}
		zip, err := gzip.NewReader(bytes.NewReader(small))
		if err != nil {
			k.T.Fatal(err)
		}
		if _, err := io.Copy(&all, zip); err != nil {
			k.T.Fatal(err)
		}
	}
	return all.Bytes()
}

func (k *kept) wrapped(id string) []byte {
	k.T.Helper()
	var raw []byte
	err := k.DB.Read(k.T.Context(), func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Secret(ctx, id)
		raw = s.Wrapped
		return err
	})
	if err != nil {
		k.T.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(raw))
}

// C-18: a backup made before an erasure holds neither the bytes nor the key of what was
// erased, opened with the keyset and looked at raw; what stays is there.
func TestTheTargetForgetsWhatIsErased(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			g, other := k.Guest(), k.Guest()
			photo := photos.Read(t, "astronaut.png")
			goes, stays := g.Upload("secret-name.png", photo, "save", "true"), other.Upload("b.png", photo, "save", "true")
			k.made()
			key, kept := k.wrapped(goes.ID), k.wrapped(stays.ID)
			if all := k.keyCopy(); !bytes.Contains(all, key) || !bytes.Contains(all, kept) {
				t.Fatal("the control does not find the keys in the key copy")
			}
			before := len(stored(t, k.target, "blob/"))
			g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+goes.ID, nil), nil)
			k.Clock.Turn(k.InForce().Undo())
			k.Step()
			if err := k.Archive.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			if all := k.keyCopy(); bytes.Contains(all, key) || !bytes.Contains(all, kept) {
				t.Error("the key copy holds a destroyed key, or lost another")
			}
			if after := len(stored(t, k.target, "blob/")); after >= before {
				t.Errorf("%d blobs in the target before, %d after", before, after)
			}
			m := musatest.Markers{"name": []byte("secret-name")}
			m.Runs("photo", photo, 8)
			for what, where := range musatest.Find(t, []string{k.dir}, m) {
				t.Errorf("%s lies in %s", what, where)
			}
		})
	}
}

// What was erased after a copy was made does not come back; everybody else does.
func TestRestoringRevivesNobody(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			photo := photos.Read(t, "astronaut.png")
			var people []*musatest.Client
			var pictures []api.Asset
			for range 6 {
				g := k.Guest()
				people, pictures = append(people, g), append(pictures, g.Upload("a.png", photo, "save", "true"))
			}
			k.made()
			for i := range 3 {
				people[i].Want(http.StatusAccepted, people[i].Do(http.MethodDelete, "/api/assets/"+pictures[i].ID, nil), nil)
			}
			k.Clock.Turn(k.InForce().Undo())
			k.Step()
			r := k.fresh(t, stores)
			out := restored(t, r)
			if out.Replay < 3 || out.Erased < 3 {
				t.Errorf("restored %+v, want at least 3 erasures", out)
			}
			for i, p := range pictures {
				err := r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
					_, err := tx.Secret(ctx, p.ID)
					return err
				})
				if revived := err == nil; revived != (i >= 3) {
					t.Errorf("picture %d of 6 has a key: %v", i, revived)
				}
			}
			k.withoutJournal(t)
		})
	}
}

// withoutJournal takes entries out of the journal, each in a way of its own.
func (k *kept) withoutJournal(t *testing.T) {
	var entries []string
	for name := range stored(t, k.target, "") {
		if strings.HasPrefix(name, "journal/") {
			entries = append(entries, name)
		}
	}
	slices.Sort(entries)
	if len(entries) < 2 {
		t.Fatalf("a journal of %d entries", len(entries))
	}
	if err := k.Archive.Step(t.Context()); err != nil { // now the key copy knows the last entry
		t.Fatal(err)
	}
	for _, c := range []struct {
		code string
		name string
	}{{"backup_journal_cut", entries[len(entries)-1]}, {"backup_no_journal", entries[0]}} {
		if err := k.target.Remove(t.Context(), c.name); err != nil {
			t.Fatal(err)
		}
		_, err := k.fresh(t, musatest.Embedded).Run(t.Context())
		wantProblem(t, err, c.code)
	}
}

func wantProblem(t testing.TB, err error, code string) {
	t.Helper()
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Errorf("got %v, want a problem %s", err, code)
	}
}
