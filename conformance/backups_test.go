package conformance_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/backup"
	"musa/blob"
	folders "musa/blob/files"
	"musa/blob/s3"
	"musa/conformance"
	"musa/db"
	"musa/engine"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/musatest/rigs"
	"musa/queue"
)

// aTarget is an empty backup target of the stores' kind, and the folder that it lies in.
func aTarget(t *testing.T, on musatest.Stores) (target blob.Store, dir string) {
	t.Helper()
	if on == musatest.Scaled {
		return aBucket(t)
	}
	dir = t.TempDir()
	return aFolder(t, dir), dir
}

func aFolder(t *testing.T, dir string) blob.Store {
	t.Helper()
	store, err := folders.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func aBucket(t *testing.T) (store blob.Store, dir string) {
	t.Helper()
	b := rigs.S3(t)
	store, err := s3.New(t.Context(), s3.Config{URL: b.URL, AccessKey: b.AccessKey, SecretKey: b.SecretKey, HTTPClient: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	return store, b.Dir
}

// withBackup is a studio that has a backup target, and that target's folder.
func withBackup(t *testing.T, on musatest.Stores, policy string) (*musatest.Studio, string) {
	t.Helper()
	target, dir := aTarget(t, on)
	return musatest.New(t, musatest.Rig{Stores: on, Policy: policy, Passwords: account.Stated, Backup: house.Backup{Target: target, Name: "bt_conformance",
		Scratch: filepath.Join(t.TempDir(), "rehearsal"), Folder: func(dir string) (blob.Store, error) { return folders.New(dir) }}}), dir
}

// backedUp does what the schedule asks for at this moment.
func backedUp(t *testing.T, s *musatest.Studio) {
	t.Helper()
	err := s.Archive.Step(t.Context())
	var p *musa.Problem
	if errors.As(err, &p) {
		t.Fatalf("%v: %s", err, p.Public)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// copies lists what the schedule has made, the newest first.
func copies(t *testing.T, s *musatest.Studio) (list []db.Backup) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.Backups(ctx, 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestBackups: the store is copied on schedule, sealed; each copy is tried by restoring it, and
// none brings back what was erased.
func TestBackups(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "W-13", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) {
				t.Run("on schedule and rehearsed", func(t *testing.T) { scheduled(t, stores) })
				t.Run("sealed", func(t *testing.T) { sealedCopies(t, stores) })
				t.Run("a copy that is not whole is not called rehearsed", func(t *testing.T) { spoiltCopy(t, stores) })
				t.Run("nothing erased comes back", func(t *testing.T) { restoredWithout(t, stores) })
			})
		}
	})
}

// scheduled looks at both sides of each date of the schedule.
func scheduled(t *testing.T, stores musatest.Stores) {
	s, _ := withBackup(t, stores, "workspace")
	p := s.InForce().Lifecycle.Backup
	every, rehearse := p.Every.Duration(), p.Rehearse.Duration()
	if every <= 0 || rehearse <= every {
		t.Fatalf("the preset copies every %v and rehearses every %v", every, rehearse)
	}
	g := s.Guest()
	g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	backedUp(t, s)
	first := copies(t, s)
	if len(first) != 1 || first[0].Finished == 0 || first[0].Rehearsed == 0 || first[0].Code != "" {
		t.Fatalf("after the first step: %+v", first)
	}
	s.Clock.Turn(every - time.Second)
	backedUp(t, s)
	if n := len(copies(t, s)); n != 1 {
		t.Fatalf("a second before the next is due there are %d copies", n)
	}
	s.Clock.Turn(time.Second)
	backedUp(t, s)
	if n := len(copies(t, s)); n != 2 {
		t.Fatalf("when the next is due there are %d copies", n)
	}
	tried := func() (last musa.Millis) {
		for _, c := range copies(t, s) {
			last = max(last, c.Rehearsed)
		}
		return last
	}
	start := tried()
	s.Clock.Turn(start.Time().Add(rehearse).Sub(s.Clock.Now()) - time.Second)
	backedUp(t, s)
	if tried() != start {
		t.Error("it was rehearsed before its time")
	}
	s.Clock.Turn(time.Second)
	backedUp(t, s)
	if tried() == start {
		t.Error("it was not rehearsed in its time")
	}
	for _, c := range copies(t, s) {
		if s.Clock.Now().Sub(c.Started.Time()) > p.Within.Duration()+every {
			t.Errorf("a copy of %v is still there", c.Started.Time())
		}
	}
}

// sealedCopies looks that whoever has the target alone reads nothing.
func sealedCopies(t *testing.T, stores musatest.Stores) {
	s, dir := withBackup(t, stores, "workspace")
	g := s.Guest()
	photo := photos.Read(t, "astronaut.png")
	m := musatest.Markers{"prompt": []byte("make it warmer beside the lighthouse of Hvaldimir"), "file name": []byte("uncle-at-the-lighthouse"), "owner": []byte(g.Subject())}
	a := g.Upload("uncle-at-the-lighthouse.png", photo, "save", "true")
	out := g.Made(a.ID, musatest.Order{"prompt": string(m["prompt"])})
	m.Runs("upload", photo, 12)
	m.Runs("stored original", g.Content(a.ID).Body, 12)
	m.Runs("result", g.Content(out.ID).Body, 12)
	backedUp(t, s)
	if len(files(t, dir)) < 4 {
		t.Fatalf("the target holds %d files", len(files(t, dir)))
	}
	wantNone(t, "in the target", musatest.Find(t, []string{dir}, m))
	if found := musatest.Find(t, []string{musatest.InClear(t, m)}, m); len(found) != len(m) {
		t.Fatalf("the same scan finds %d of %d markers in a store written in clear", len(found), len(m))
	}
}

// spoiltCopy takes the blobs out of the target: the rehearsal has to notice.
func spoiltCopy(t *testing.T, stores musatest.Stores) {
	s, _ := withBackup(t, stores, "workspace")
	s.Guest().Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	if _, err := s.Archive.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	for info, err := range s.Archive.Target.List(t.Context(), "blob/") {
		if err == nil {
			err = s.Archive.Target.Remove(t.Context(), info.Name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Archive.Step(t.Context()); err == nil {
		t.Error("a rehearsal of half a copy reports no error")
	}
	if c := copies(t, s)[0]; c.Rehearsed != 0 || c.Code == "" {
		t.Errorf("half a copy counts as rehearsed: %+v", c)
	}
}

// restoredWithout erases after the copy was made, by a person's order, by the clock, and with
// an account, and serves what the copy restores to: none of it opens, all else does.
func restoredWithout(t *testing.T, stores musatest.Stores) {
	s, _ := withBackup(t, stores, "workspace")
	photo := photos.Read(t, "chelsea.png")
	type picture struct {
		of   *musatest.Client
		id   string
		goes bool
	}
	var all []picture
	hang := func(g *musatest.Client, goes bool) string {
		a := g.Upload("cat.png", photo, "save", "true")
		all = append(all, picture{g, a.ID, goes})
		return a.ID
	}
	stays, leaves, orders, guest := s.Guest(), s.Guest(), s.Guest(), s.Guest()
	for _, g := range []*musatest.Client{stays, leaves, orders} {
		s.SetTier(g, musa.TierMember)
	}
	hang(stays, false)
	hang(leaves, true)
	ordered := hang(orders, true)
	hang(orders, false)
	hang(guest, true)
	s.Step()
	backedUp(t, s)

	orders.Want(http.StatusAccepted, orders.Do(http.MethodDelete, "/api/assets/"+ordered, nil), nil)
	leaves.Want(http.StatusAccepted, leaves.Do(http.MethodPost, "/api/me/erasure", nil), nil)
	ends := *guest.Asset(all[4].id).Ends
	grace, ok := s.InForce().Rights.Get("erasure")
	if !ok {
		t.Fatal("the preset knows no erasure")
	}
	s.Clock.Turn(max(ends.Sub(s.Clock.Now()), grace.Grace.Duration()) + time.Minute)
	sweep(t, s)
	look := func(when, base string) {
		t.Helper()
		for _, p := range all {
			g := &musatest.Client{T: t, Base: base, Token: p.of.Token}
			if got := g.Content(p.id).Status; (got == http.StatusOK) == p.goes {
				t.Errorf("%s a picture answers %d, erased: %v", when, got, p.goes)
			}
		}
	}
	look("before the loss", s.URL)
	look("after the restore", restoredStudio(t, s, stores))
}

// restoredStudio restores the newest copy into an empty store and serves it.
func restoredStudio(t *testing.T, s *musatest.Studio, on musatest.Stores) (base string) {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	conf := db.Config{Path: filepath.Join(dir, "musa.db"), Clock: s.Clock.Now, Log: log}
	blobs := aFolder(t, filepath.Join(dir, "blobs"))
	if on == musatest.Scaled {
		conf.URL, _ = rigs.Postgres(t)
		blobs, _ = aBucket(t)
	}
	d, err := db.Open(t.Context(), conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	done, err := backup.Restore{Target: s.Archive.Target, DB: d, Blobs: blobs, Keys: s.Keys, Clock: s.Clock.Now, Log: log, Versions: house.VersionsOf}.Run(t.Context())
	if err != nil || len(done.Faults) > 0 || done.Lost > 0 {
		t.Fatalf("restored %+v: %v", done, err)
	}
	if done.Replay == 0 {
		t.Error("the journal made nothing of the copy stay erased")
	}
	q, err := queue.Open(t.Context(), queue.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	c := s.Config
	c.DB, c.Blobs, c.Queue, c.Log, c.Node = d, blobs, q, log, "node-restored"
	c.Engines = map[string]engine.Engine{s.Engine: s.Engines[s.Engine]}
	h, err := house.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h.Handler())
	server.Config.ConnContext = api.ConnContext
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
