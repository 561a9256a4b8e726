package conformance_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/audit"
	"musa/blob"
	"musa/conformance"
	"musa/house"
	"musa/musatest"
	"musa/pix"
	"musa/policies"
	"musa/proof"
)

// lifetime is how long a guest's results live under the policy of seconds.
const lifetime = 16 * time.Second

// inSeconds is the studio preset with the lifetimes of guests' pictures in seconds.
func inSeconds(t *testing.T) string {
	t.Helper()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(doc.YAML()), "keep: 24h", "keep: "+lifetime.String(), 1)
	if !strings.Contains(text, lifetime.String()) {
		t.Fatal("the preset no longer names a guest's 24 hours as it did")
	}
	return text
}

// keep runs retention beside the requests, as a server does.
func keep(t *testing.T, s *musatest.Studio) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- house.Run(ctx, s.Keeper.Run) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("retention: %v", err)
		}
	})
}

// TestNoRemains: with the clock running, a due picture is refused at once, also to a
// response under way; its key is gone in five seconds, every byte in sixty.
func TestNoRemains(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "C-18", "no remains of what was due, on disk, in bucket and database", func(t *testing.T) {
		text := inSeconds(t)
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) {
				t.Parallel()
				s := musatest.New(t, musatest.Rig{Stores: stores, Policy: text, Clock: musatest.RunningClock()})
				keep(t, s)
				g := s.Guest()
				a := g.Upload("noise.png", noise(t, 1800), "save", "true")
				out := g.Made(a.ID, nil)
				traces, err := s.Eraser.Proof.Record(t.Context(), a.ID, out.ID)
				if err != nil {
					t.Fatal(err)
				}
				scanner := proof.NewScanner(traces...)
				if blind := scanner.Blind(); len(blind) > 0 {
					t.Fatalf("%d traces cannot be looked for", len(blind))
				}
				control(t, scanner, s)
				cut := make(chan time.Time, 1)
				go slowly(g, a.ID, *a.Ends, cut)
				time.Sleep(time.Until(*out.Ends))
				wantGone(t, g, a.ID)
				wantGone(t, g, out.ID)
				if at := <-cut; at.After(a.Ends.Add(time.Second)) {
					t.Errorf("a response under way was cut %v after the end, want within a second", at.Sub(*a.Ends))
				}
				await(t, 5*time.Second, "the keys are gone", func() bool { return rowsOf(t, s, "secrets") == 0 || keyless(t, s, a.ID, out.ID) })
				await(t, 55*time.Second, "the pictures are purged", func() bool {
					return g.Asset(a.ID).State == "purged" && g.Asset(out.ID).State == "purged"
				})
				for range 2 {
					for _, hit := range scan(t, scanner, s) {
						t.Errorf("after the purge: %v", hit)
					}
				}
				wantReceipt(t, g, out.ID)
			})
		}
	})
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
				if err := s.Keeper.Step(context.Background()); err == nil {
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
func slowly(g *musatest.Client, id string, end time.Time, cut chan<- time.Time) {
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
			cut <- time.Now()
			return
		}
		if time.Now().Before(end) {
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
	a := g.Asset(id)
	var r api.Receipt
	await(t, 5*time.Second, "the receipt is in the log", func() bool {
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
