package conformance_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/photos"
)

// eachStore runs a promise on both deployments.
func eachStore(t *testing.T, r musatest.Rig, f func(t *testing.T, s *musatest.Studio)) {
	t.Helper()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			r := r
			r.Stores = stores
			f(t, musatest.New(t, r))
		})
	}
}

// TestOriginals: originals go when the work is done, unless they are saved.
func TestOriginals(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-17", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			picture := photos.Read(t, "chelsea.png")

			t.Run("gone when the job has ended", func(t *testing.T) {
				g := g.In(t)
				a := g.Upload("cat.png", picture)
				g.Made(a.ID, nil)
				wantGone(t, g, a.ID)
				s.Step()
				if got := g.Asset(a.ID); got.State != "purged" || got.Receipt == "" {
					t.Fatalf("after a step the original is %q with receipt %q, want purged with one", got.State, got.Receipt)
				}
			})
			t.Run("an unused upload goes at the policy's limit", func(t *testing.T) {
				g := g.In(t)
				a := g.Upload("cat.png", picture)
				bothSides(t, s, g, a)
			})
			t.Run("a saved one stays as long as a result", func(t *testing.T) {
				g := g.In(t)
				a := g.Upload("cat.png", picture, "save", "true")
				out := g.Made(a.ID, nil)
				s.Step()
				saved := g.Asset(a.ID)
				if saved.State != "active" || !saved.Saved {
					t.Fatalf("a saved original is %q after its job", saved.State)
				}
				if !strings.Contains(saved.EndsText, "saved") {
					t.Errorf("the countdown of a saved original says %q", saved.EndsText)
				}
				if saved.Ends == nil || out.Ends == nil || saved.Ends.After(*out.Ends) {
					t.Fatalf("a saved original ends %v, its result %v", saved.Ends, out.Ends)
				}
				bothSides(t, s, g, saved)
			})
		})
		t.Run("gone when the job failed", func(t *testing.T) {
			s := musatest.New(t, musatest.Rig{Policy: "enhancer", Engine: &enginetest.Null{Fail: errors.New("out of paint")}})
			endsWith(t, s, "failed", func(*musatest.Client, string) {})
		})
		t.Run("gone when the job was cancelled", func(t *testing.T) {
			s := musatest.New(t, musatest.Rig{Policy: "enhancer", Engine: &enginetest.Null{Hold: time.Minute}})
			endsWith(t, s, "cancelled", func(g *musatest.Client, job string) {
				g.Want(http.StatusOK, g.Do(http.MethodDelete, "/api/jobs/"+job, nil), nil)
			})
		})
	})
}

// endsWith brings a job to its end and looks that the original went with it.
func endsWith(t *testing.T, s *musatest.Studio, state string, act func(g *musatest.Client, job string)) {
	t.Helper()
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	j := g.Enhance(a.ID, nil)
	if !musa.JobState(g.Job(j.ID).State).Ended() && len(g.Content(a.ID).Body) == 0 {
		t.Error("the original is gone while the job runs")
	}
	act(g, j.ID)
	if got := g.Await(j.ID).State; got != state {
		t.Fatalf("the job ended %q, want %q", got, state)
	}
	wantGone(t, g, a.ID)
	s.Step()
	if got := g.Asset(a.ID); got.State != "purged" || got.Receipt == "" {
		t.Fatalf("the original is %q with receipt %q, want purged with one", got.State, got.Receipt)
	}
	wantBlobs(t, s, 0)
}

// bothSides turns the clock to a second before an asset's end, where it must open, and to
// the end itself, where it must not, before anything has stepped.
func bothSides(t *testing.T, s *musatest.Studio, g *musatest.Client, a api.Asset) {
	t.Helper()
	if a.Ends == nil {
		t.Fatalf("asset in state %q has no end", a.State)
	}
	s.Clock.Turn(a.Ends.Add(-time.Second).Sub(s.Clock.Now()))
	s.Step()
	g.Want(http.StatusOK, g.Content(a.ID), nil)
	s.Clock.Turn(time.Second)
	wantGone(t, g, a.ID)
	s.Step()
	wantGone(t, g, a.ID)
	if got := g.Asset(a.ID); got.State != "purged" {
		t.Fatalf("a step after its end the asset is %q, want purged", got.State)
	}
}

// wantGone checks that an asset answers its owner 410 with a reason.
func wantGone(t *testing.T, g *musatest.Client, id string) {
	t.Helper()
	p := g.Problem(http.StatusGone, g.Content(id))
	if p.Code != "gone" || p.Reason == "" {
		t.Fatalf("410 with code %q and reason %q", p.Code, p.Reason)
	}
}
