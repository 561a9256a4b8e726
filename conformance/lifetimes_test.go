package conformance_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/blob"
	"musa/conformance"
	"musa/egress"
	"musa/musatest"
	"musa/musatest/photos"
)

// TestDownloads: what is made under the open door stays a day to be downloaded, for guests and
// accounts alike.
func TestDownloads(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "O-02", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "open-door"}, func(t *testing.T, s *musatest.Studio) {
			for _, tier := range []musa.Tier{musa.TierGuest, musa.TierMember, musa.TierPaid} {
				g := person(s, tier)
				end := s.Clock.Now().Add(day)
				up, out := brought(t, g)
				wantEnds(t, g, end, up, out)
				if !strings.Contains(out.EndsText, "24 hours") || out.EndsRule != "retention[3]" {
					t.Errorf("a result's countdown says %q by %q", out.EndsText, out.EndsRule)
				}
				one := g.Do(http.MethodGet, "/api/assets/"+out.ID+"/content?download=1", nil)
				if one.Status != http.StatusOK || !strings.HasPrefix(one.Header.Get("Content-Disposition"), "attachment; filename") {
					t.Fatalf("download: status %d, disposition %q", one.Status, one.Header.Get("Content-Disposition"))
				}
				s.Clock.Turn(day - time.Second)
				if _, ok := exported(t, g)[out.ID]; !ok {
					t.Error("a second before its end the download of all lacks the result")
				}
				goAt(t, s, g, end, up, out)
				if n := len(exported(t, g)); n != 0 {
					t.Errorf("after their end the download of all holds %d pictures", n)
				}
			}
			wantBlobs(t, s, 0)
		})
	})
}

// TestCleanupQueue: what is due waits in the open, also when the store refuses and when the
// server dies.
func TestCleanupQueue(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-21", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, queued)
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores)+" across kill -9", func(t *testing.T) { queuedAcrossDeaths(t, stores) })
		}
	})
}

// queueOf is the operator's cleanup queue, which adds up at every look.
func queueOf(t *testing.T, op *musatest.Client, state string) api.Cleanup {
	t.Helper()
	c := fetched[api.Cleanup](t, op, "/api/admin/cleanup?state="+state)
	if c.Entered != c.Waiting+c.Erasing+c.Purged+c.Failed {
		t.Errorf("the queue does not add up: %+v", c)
	}
	return c
}

// wantQueue compares the queue's counts.
func wantQueue(t *testing.T, op *musatest.Client, want api.Cleanup) {
	t.Helper()
	c := queueOf(t, op, "purged")
	got := api.Cleanup{Entered: c.Entered, Waiting: c.Waiting, Erasing: c.Erasing, Purged: c.Purged, Failed: c.Failed}
	if got.Entered != want.Entered || got.Waiting != want.Waiting || got.Erasing != want.Erasing || got.Purged != want.Purged || got.Failed != want.Failed {
		t.Fatalf("the queue holds %+v, want %+v", got, want)
	}
}

func queued(t *testing.T, s *musatest.Studio) {
	op, g := s.Staff(t, musa.RoleOperator), s.Guest()
	g.Problem(http.StatusNotFound, g.Do(http.MethodGet, "/api/admin/cleanup", nil))
	up, out := brought(t, g)
	items := []api.Asset{up, out, g.Upload("dog.png", photos.Read(t, "chelsea.png"))}
	s.Clock.Turn(day - time.Second)
	s.Step()
	wantQueue(t, op, api.Cleanup{})
	s.Clock.Turn(time.Second)
	wantQueue(t, op, api.Cleanup{Entered: 3, Waiting: 3})
	for _, line := range queueOf(t, op, "waiting").Items {
		if line.State != "waiting" || line.Erased != nil || line.Due == nil || !line.Due.Equal(s.Clock.Now()) {
			t.Errorf("what waits stands as %+v", line)
		}
	}
	real := s.Eraser.Blobs
	erasing := false
	s.Eraser.Blobs = watched{real, func() { erasing = queueOf(t, op, "erasing").Erasing == 3 || erasing }}
	if err := s.Keeper.Step(t.Context()); err == nil {
		t.Fatal("a step over a store that refuses removal reports no error")
	}
	if !erasing {
		t.Error("while bytes were being removed the queue did not say so")
	}
	wantQueue(t, op, api.Cleanup{Entered: 3, Failed: 3})
	tries := func() int { return queueOf(t, op, "failed").Items[0].Tries }
	for _, line := range queueOf(t, op, "failed").Items {
		if line.Cause == "" || line.Tries != 1 || line.Erased == nil || line.Purged != nil {
			t.Errorf("what failed stands as %+v", line)
		}
		written := rowsLeft(s, "receipts WHERE item = '"+line.Item+"'")(t)
		if a := g.Asset(line.Item); a.State != "erased" || a.Receipt != "" || written > 0 {
			t.Errorf("while its bytes are there the picture is %q, its receipt %q, and %d are written", a.State, a.Receipt, written)
		}
	}
	await(t, time.Minute, "it is tried again", func() bool {
		s.Clock.Turn(time.Minute)
		_ = s.Keeper.Step(t.Context()) // fails as before
		return tries() > 1
	})
	wantQueue(t, op, api.Cleanup{Entered: 3, Failed: 3})
	s.Eraser.Blobs = real
	s.Clock.Turn(time.Hour)
	s.Step()
	wantQueue(t, op, api.Cleanup{Entered: 3, Purged: 3})
	for _, it := range items {
		wantReceipt(t, g, it.ID)
	}
	wantBlobs(t, s, 0)
}

// watched is a store that refuses, and lets a test look while it is asked to remove.
type watched struct {
	blob.Store
	look func()
}

func (w watched) RemoveAll(ctx context.Context, names []string) map[string]error {
	w.look()
	return refusing{w.Store}.RemoveAll(ctx, names)
}

// deaths are how often the server dies among erasures. e2e has hundreds.
const deaths = 4

func queuedAcrossDeaths(t *testing.T, stores musatest.Stores) {
	d := deploy(t, stores, brief(t, "6s"))
	d.Start()
	op, g := d.operator(), d.Guest()
	const pictures = 24
	ends := []time.Time{}
	var ids []string
	for range pictures {
		a := g.Upload("dog.png", noise(t, 40))
		ends, ids = append(ends, *a.Ends), append(ids, a.ID)
	}
	due := func(at time.Time) (n int) {
		for _, end := range ends {
			if !end.After(at) {
				n++
			}
		}
		return n
	}
	// Clocks of one machine: what the queue holds lies between what was due before and after.
	look := func() api.Cleanup {
		before := due(time.Now().Add(-10 * time.Millisecond))
		c := queueOf(t, op, "")
		if after := due(time.Now().Add(10 * time.Millisecond)); c.Entered < before || c.Entered > after {
			t.Fatalf("%d to %d pictures are due, and the queue holds %+v", before, after, c)
		}
		return c
	}
	apart := ends[pictures-1].Sub(ends[0]) / deaths
	for i := range deaths {
		at := ends[0].Add(time.Duration(i)*apart + 100*time.Millisecond)
		for time.Now().Before(at) {
			look()
			time.Sleep(10 * time.Millisecond)
		}
		d.Kill()
		d.Start()
		look()
	}
	// One of several nodes that died keeps its lease of the purge for a minute.
	await(t, 3*time.Minute, "all is purged", func() bool { return look().Purged == pictures })
	receipts := map[string]bool{}
	for _, id := range ids {
		wantReceipt(t, g, id)
		receipts[g.Asset(id).Receipt] = true
	}
	if len(receipts) != pictures {
		t.Errorf("%d pictures have %d receipts", pictures, len(receipts))
	}
}

// refusing is a store on a disk that does not let go.
type refusing struct{ blob.Store }

var errRefuses = errors.New("disk refuses removal")

func (refusing) Remove(context.Context, string) error { return errRefuses }

func (refusing) RemoveAll(_ context.Context, names []string) map[string]error {
	stay := map[string]error{}
	for _, name := range names {
		stay[name] = errRefuses
	}
	return stay
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
