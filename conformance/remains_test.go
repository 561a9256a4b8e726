package conformance_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/audit"
	"musa/blob"
	"musa/conformance"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/pix"
	"musa/proof"
)

// keep runs loops beside the requests, as a server does.
func keep(t *testing.T, loops ...house.Loop) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- house.Run(ctx, loops...) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("a loop: %v", err)
		}
	})
}

// TestNoRemains: what guests brought and made is physically gone after 24 hours.
func TestNoRemains(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-18", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) {
				t.Parallel() // most of it is waiting
				t.Run("to the second", func(t *testing.T) {
					s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "conversational"})
					g, end := s.Guest(), s.Clock.Now().Add(day)
					up, out := brought(t, g)
					loose := g.Upload("dog.png", photos.Read(t, "chelsea.png"))
					wantEnds(t, g, end, up, out, loose)
					goAt(t, s, g, end, up, out, loose)
					wantBlobs(t, s, 0)
				})
				t.Run("by the clock", func(t *testing.T) { aDayLater(t, stores) })
				t.Run("wherever a server writes", func(t *testing.T) { everywhere(t, stores) })
			})
		}
	})
}

// aDayLater has the clock run over the end: a due picture is refused at once, also to a
// response under way; its key is gone in five seconds, every byte in sixty, in a backup made
// before as well. Only what is held stays, for those who hold it.
func aDayLater(t *testing.T, stores musatest.Stores) {
	target, dir := aTarget(t, stores)
	s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "conversational", Clock: musatest.RunningClock(),
		Backup: house.Backup{Target: target, Name: "bt_conformance"}})
	s.Dirs = append(s.Dirs, dir)
	keep(t, s.Keeper.Run)
	g, officer := s.Guest(), s.Staff(t, musa.RoleCompliance)
	a, held := g.Upload("noise.png", noise(t, 1800)), g.Upload("held.png", noise(t, 60))
	out := g.Made(a.ID, nil)
	stays := person(s, musa.TierMember).Upload("noise.png", noise(t, 60))
	var hold api.Hold
	officer.Want(http.StatusCreated, officer.Do(http.MethodPost, "/api/admin/holds", map[string]string{"asset": held.ID, "reason": "a court asks for it"}), &hold)
	traces, err := s.Eraser.Proof.Record(t.Context(), a.ID, out.ID, held.ID)
	if err != nil {
		t.Fatal(err)
	}
	scanner := proof.NewScanner(traces...)
	if blind := scanner.Blind(); len(blind) > 0 {
		t.Fatalf("%d traces cannot be looked for", len(blind))
	}
	control(t, scanner, s)
	end := a.Created.Add(day)
	if !a.Ends.Equal(end) || out.Ends.Before(end) {
		t.Fatalf("a guest's upload ends %v and its result %v, want a day after %v", a.Ends, out.Ends, a.Created)
	}

	// The backup is made shortly before the end, so that no other comes by the schedule.
	s.Clock.Turn(end.Add(-20 * time.Second).Sub(s.Clock.Now()))
	if _, err := s.Archive.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hits, err := scanner.Files(t.Context(), dir); err != nil || len(hits) == 0 {
		t.Fatalf("the backup holds nothing of it: %v", err)
	}
	keys := map[string][]byte{}
	for _, it := range []api.Asset{a, out, held, stays} {
		keys[it.ID] = []byte(base64.StdEncoding.EncodeToString(secret(t, s, it.ID).wrapped))
	}
	inBackup := func() (ids []string) {
		all := keyCopy(t, s)
		for id, key := range keys {
			if bytes.Contains(all, key) {
				ids = append(ids, id)
			}
		}
		return ids
	}
	if n := len(inBackup()); n != len(keys) {
		t.Fatalf("the backup holds %d of %d keys", n, len(keys))
	}

	keep(t, s.Archive.Run)

	cut := make(chan time.Time, 1)
	go slowly(s, g, a.ID, end, cut)
	time.Sleep(end.Add(-time.Second).Sub(s.Clock.Now()))
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/assets/"+a.ID+"/content?role=thumb", nil), nil)
	time.Sleep(end.Sub(s.Clock.Now()))
	g.Problem(http.StatusGone, g.Do(http.MethodGet, "/api/assets/"+a.ID+"/content?role=thumb", nil))
	wantGone(t, g, a.ID)
	last := *out.Ends
	if held.Ends.After(last) {
		last = *held.Ends
	}
	time.Sleep(last.Sub(s.Clock.Now()))
	wantGone(t, g, out.ID)
	wantGone(t, g, held.ID)
	if at := <-cut; at.After(end.Add(time.Second)) {
		t.Errorf("a response under way was cut %v after the end, want within a second", at.Sub(end))
	}
	left := func(limit time.Duration) time.Duration { return last.Add(limit).Sub(s.Clock.Now()) }
	await(t, left(5*time.Second), "the keys are gone", func() bool { return keyless(t, s, a.ID, out.ID, held.ID) })
	await(t, left(time.Minute), "the pictures are purged", func() bool {
		return g.Asset(a.ID).State == "purged" && g.Asset(out.ID).State == "purged" && g.Asset(held.ID).State == "purged"
	})
	await(t, left(time.Minute), "the backup lets their keys go, and no other", func() bool {
		ids := inBackup()
		return len(ids) == 1 && ids[0] == stays.ID
	})
	for range 2 {
		for _, hit := range scan(t, scanner, s) {
			t.Errorf("after the purge: %v", hit)
		}
	}
	wantReceipt(t, g, out.ID)
	officer.Want(http.StatusOK, officer.Do(http.MethodPost, "/api/admin/holds/"+hold.ID+"/content", map[string]string{"reason": "the court's copy"}), nil)
}

// keyCopy opens the key copy in a backup target, as a thief who has the keyset, too.
func keyCopy(t *testing.T, s *musatest.Studio) []byte {
	t.Helper()
	key := s.Keys.Derive("backup keys")
	var all bytes.Buffer
	for info, err := range s.Archive.Target.List(t.Context(), "keys/") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Partial {
			continue // written at this moment; no name to open
		}
		src, err := s.Archive.Target.Open(t.Context(), info.Name, 0, -1)
		if errors.Is(err, fs.ErrNotExist) {
			continue // replaced meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := io.ReadAll(src)
		src.Close()
		if err != nil {
			t.Fatal(err)
		}
		small, err := key.OpenRecord(info.Name, sealed)
		if err != nil {
			t.Fatal(err)
		}
		zip, err := gzip.NewReader(bytes.NewReader(small))
		if err == nil {
			_, err = io.Copy(&all, zip)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}

// TestTheProofCanFail: a purge that does not remove, and a key that comes back, are found,
// and nothing is called purged.
func TestTheProofCanFail(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Run("bytes that were not removed", func(t *testing.T) {
				s := musatest.New(t, musatest.Rig{Stores: stores})
				g := s.Guest()
				out := g.Made(g.Upload("noise.png", noise(t, 200)).ID, nil)
				s.Step()
				s.Eraser.Blobs = lying{s.Eraser.Blobs}
				s.Clock.Turn(day)
				if err := s.Keeper.Step(context.Background()); err == nil {
					t.Error("a purge that removes nothing goes unnoticed")
				}
				if st := g.Asset(out.ID).State; st != "erased" {
					t.Errorf("with its bytes still there the picture is called %q", st)
				}
			})
			t.Run("a key that was not destroyed", func(t *testing.T) {
				s := musatest.New(t, musatest.Rig{Stores: stores})
				g := s.Guest()
				out := g.Made(g.Upload("noise.png", noise(t, 200)).ID, nil)
				s.Step()
				row := secret(t, s, out.ID)
				real := s.Eraser.Blobs
				s.Eraser.Blobs = refusing{real} // erased, and not yet confirmed
				s.Clock.Turn(day)
				if err := s.Keeper.Step(context.Background()); err == nil {
					t.Fatal("a store that refuses removal reports no error")
				}
				s.Eraser.Blobs = real
				row.restore(t, s)
				s.Clock.Turn(time.Minute) // the removal that failed is tried again
				// A scrub of PostgreSQL has to wait for the transactions of other tests.
				err := s.Keeper.Step(context.Background())
				for end := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
					err = s.Keeper.Step(context.Background())
				}
				if err == nil {
					t.Error("a key that is still there goes unnoticed")
				}
				if st := g.Asset(out.ID).State; st != "erased" {
					t.Errorf("with its key still there the picture is called %q", st)
				}
			})
		})
	}
}

// lying is a store that says it removed what it keeps.
type lying struct{ blob.Store }

func (lying) Remove(context.Context, string) error { return nil }

func (lying) RemoveAll(context.Context, []string) map[string]error { return map[string]error{} }

type secretRow struct {
	id, subject     string
	wrapped, sealed []byte
}

func secret(t *testing.T, s *musatest.Studio, id string) secretRow {
	t.Helper()
	r := secretRow{id: id}
	err := s.DB.SQL().QueryRow("SELECT subject, wrapped, sealed FROM secrets WHERE id = '"+id+"'").Scan(&r.subject, &r.wrapped, &r.sealed)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// restore puts the row back behind the product's back, over a connection of its own.
func (r secretRow) restore(t *testing.T, s *musatest.Studio) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	mark := map[musatest.Stores]string{musatest.Embedded: "VALUES (?, ?, ?, ?)", musatest.Scaled: "VALUES ($1, $2, $3, $4)"}[s.Stores]
	if _, err := own.Exec("INSERT INTO secrets (id, subject, wrapped, sealed) "+mark, r.id, r.subject, r.wrapped, r.sealed); err != nil {
		t.Fatal(err)
	}
}

func keyless(t *testing.T, s *musatest.Studio, ids ...string) bool {
	t.Helper()
	for _, id := range ids {
		var n int
		err := s.DB.SQL().QueryRow("SELECT COUNT(*) FROM secrets WHERE length(wrapped) > 0 AND id = '" + id + "'").Scan(&n)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
		if n > 0 {
			return false
		}
	}
	return true
}

func scan(t *testing.T, scanner *proof.Scanner, s *musatest.Studio) []proof.Hit {
	t.Helper()
	hits, err := scanner.Files(t.Context(), s.Dirs...)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// control checks that the scan finds what is still there. Other tests' checkpoints may move
// a row from the server's log to its table while the scan is between the two, so it has
// three looks.
func control(t *testing.T, scanner *proof.Scanner, s *musatest.Studio) {
	t.Helper()
	kinds := map[string]bool{}
	for range 3 {
		for _, h := range scan(t, scanner, s) {
			kinds[h.Kind] = true
		}
		if len(kinds) >= 3 {
			return
		}
	}
	t.Fatalf("before the erasure the scan finds %v, want key, record and bytes", kinds)
}

// slowly reads a picture a little at a time until its end, then as fast as it comes, and
// tells when it was cut off. Never, if it was not: the whole picture came.
func slowly(s *musatest.Studio, g *musatest.Client, id string, end time.Time, cut chan<- time.Time) {
	res := g.Open(http.MethodGet, "/api/assets/"+id+"/content", "", nil)
	defer res.Body.Close()
	piece := make([]byte, 16<<10)
	for {
		_, err := io.ReadFull(res.Body, piece)
		if errors.Is(err, io.EOF) {
			cut <- end.Add(time.Hour)
			return
		}
		if err != nil {
			cut <- s.Clock.Now()
			return
		}
		if s.Clock.Now().Before(end) {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// await asks until something holds, for as long as it may take.
func await(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(within)
	for !holds() {
		if time.Now().After(end) {
			t.Fatalf("after %v: not yet that %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// wantReceipt checks that a purged picture's receipt proves itself without the server, and
// that a changed one does not.
func wantReceipt(t *testing.T, g *musatest.Client, id string) {
	t.Helper()
	var a api.Asset
	var r api.Receipt
	await(t, time.Minute, "the receipt is in the log", func() bool {
		a = g.Asset(id) // it names its receipt once there is one
		ans := g.Do(http.MethodGet, "/api/receipts/"+a.Receipt, nil)
		return ans.Status == http.StatusOK && json.Unmarshal(ans.Body, &r) == nil && r.Logged
	})
	if r.Statement.Item != id || r.Statement.Erased == 0 || r.Statement.Purged < r.Statement.Erased {
		t.Errorf("the receipt says %+v", r.Statement)
	}
	if _, err := audit.VerifyReceipt(r.Receipt, r.Verifier); err != nil {
		t.Errorf("the receipt does not prove itself: %v", err)
	}
	forged := r.Receipt
	forged.Statement.Purged--
	if _, err := audit.VerifyReceipt(forged, r.Verifier); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("a forged receipt passes: %v", err)
	}
	stranger := *g
	stranger.Token = ""
	stranger.Want(http.StatusOK, stranger.Do(http.MethodGet, "/api/receipts/"+a.Receipt+"?key="+r.Capability, nil), nil)
	stranger.Want(http.StatusUnauthorized, stranger.Do(http.MethodGet, "/api/receipts/"+a.Receipt, nil), nil)
}

// noise is a square PNG that does not compress, side pixels wide.
func noise(t *testing.T, side int) []byte {
	t.Helper()
	raw := make([]byte, side*side*3)
	rng := rand.NewChaCha8([32]byte{7})
	rng.Read(raw)
	return encoded(t, fromPixels(t, raw, side, 3), pix.PNG, 0)
}
