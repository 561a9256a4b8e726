package conformance_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"musa/blob"
	"musa/conformance"
	"musa/db"
	"musa/egress"
	"musa/musatest"
	"musa/musatest/photos"
)

// TestLifetimes: what a guest makes goes when the policy says, from the very second.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "C-18", "guests' uploads, results and previews after 24 hours", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "studio"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			out := g.Made(a.ID, nil)
			if end := a.Created.Add(day); !out.Ends.Equal(end) {
				t.Fatalf("a guest's result ends %v, want a day after %v", out.Ends, a.Created)
			}
			s.Clock.Turn(day - time.Second)
			s.Step()
			g.Want(http.StatusOK, g.Content(out.ID), nil)
			g.Want(http.StatusOK, g.Content(a.ID), nil)
			s.Clock.Turn(time.Second)
			wantGone(t, g, out.ID)
			wantGone(t, g, a.ID)
			g.Problem(http.StatusGone, g.Do(http.MethodGet, "/api/assets/"+out.ID+"/content?role=thumb", nil))
			s.Step()
			wantBlobs(t, s, 0)
			for table, want := range map[string]int{"secrets": 0, "blobs": 0} {
				if n := rowsOf(t, s, table); n != want {
					t.Errorf("after the end table %s holds %d rows, want %d", table, n, want)
				}
			}
		})
	})
	conformance.Part(t, "O-02", "countdown, download of one and all, then 410 and no byte", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "studio"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			out := g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
			if out.Ends == nil || out.EndsText == "" || out.EndsRule == "" {
				t.Fatalf("a result without its end in time, words and rule: %+v", out)
			}
			one := g.Do(http.MethodGet, "/api/assets/"+out.ID+"/content?download=1", nil)
			if one.Status != http.StatusOK || len(one.Header.Get("Content-Disposition")) < len("attachment; filename=x") {
				t.Fatalf("download: status %d, disposition %q", one.Status, one.Header.Get("Content-Disposition"))
			}
			if _, ok := exported(t, g)[out.ID]; !ok {
				t.Error("the download of all lacks the result")
			}
			bothSides(t, s, g, out)
			wantBlobs(t, s, 0)
		})
	})
}

// TestCleanupQueue: what is due waits in the open, also when the store refuses.
func TestCleanupQueue(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "C-21", "erased first, then removed; a store that refuses is tried until it does not", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "studio"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			out := g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
			s.Step()
			s.Clock.Turn(day)
			real := s.Eraser.Blobs
			s.Eraser.Blobs = refusing{real}
			if err := s.Keeper.Step(context.Background()); err == nil {
				t.Fatal("a step over a store that refuses removal reports no error")
			}
			if got := g.Asset(out.ID); got.State != "erased" || got.Receipt == "" && got.Purged != nil {
				t.Fatalf("with a store that refuses removal the asset is %q, want erased: its key gone, its bytes waiting", got.State)
			}
			wantGone(t, g, out.ID)
			if waiting := doomed(t, s); waiting != 2 {
				t.Fatalf("%d blobs wait for removal, want 2", waiting)
			}
			s.Eraser.Blobs = real
			s.Step()
			got := g.Asset(out.ID)
			if got.State != "purged" || got.Receipt == "" {
				t.Fatalf("after the store recovered the asset is %q with receipt %q", got.State, got.Receipt)
			}
			s.Step()
			g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/receipts/"+got.Receipt, nil), nil)
		})
	})
}

// refusing is a store on a disk that does not let go.
type refusing struct{ blob.Store }

func (refusing) Remove(context.Context, string) error { return errors.New("disk refuses removal") }

func doomed(t *testing.T, s *musatest.Studio) int {
	t.Helper()
	n := 0
	err := s.DB.Read(context.Background(), func(ctx context.Context, tx db.Tx) error {
		list, err := tx.DoomedBlobs(ctx, 100)
		n = len(list)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEgress: on the local engine nothing leaves the server.
func TestEgress(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "E-22", "undeclared hosts are refused by the one dialer", func(t *testing.T) {
		refused := 0
		d, err := egress.New(egress.Config{OnRefuse: func(string) { refused++ }})
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"example.org:443", "127.0.0.1:5432", "169.254.169.254:80"} {
			if conn, err := d.DialContext(t.Context(), "tcp", address); err == nil {
				conn.Close()
				t.Errorf("an undeclared address was dialled")
			}
		}
		if refused != 3 {
			t.Errorf("%d refusals were reported, want 3", refused)
		}
	})
	conformance.Part(t, "E-22", "a job on the local engine says that nothing leaves", func(t *testing.T) {
		s := musatest.New(t, musatest.Rig{})
		g := s.Guest()
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
		j := g.Await(g.Enhance(a.ID, nil).ID)
		if j.Plan == nil || j.Plan.Notice != "On this server. Nothing leaves it." {
			t.Errorf("the job's notice: %+v", j.Plan)
		}
	})
}
