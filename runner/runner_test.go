package runner_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/photos"
)

// A failed job gives its credits back, keeps nothing and lets the original go.
func TestAFailedJob(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Engine: &enginetest.Null{Fail: errors.New("out of paint")}})
	g := s.Guest()
	before := credits(t, g)
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	j := g.Await(g.Enhance(a.ID, nil).ID)
	if j.State != "failed" || j.Error == nil || j.Error.Message == "" || len(j.Outputs) != 0 {
		t.Fatalf("the job ended %q with error %+v and %d results", j.State, j.Error, len(j.Outputs))
	}
	if got := credits(t, g); got != before {
		t.Errorf("%d credits after a failure, want %d", got, before)
	}
	g.Problem(http.StatusGone, g.Content(a.ID))
}

// A result is captured once, and the input's end begins with the job's.
func TestASucceededJob(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	before := credits(t, g)
	g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	if got := credits(t, g); got != before-1 {
		t.Errorf("%d credits after a job of 1, want %d", got, before-1)
	}
}

// A runner whose job was given to another keeps nothing of what it made: the row's attempt
// has moved on.
func TestAFencedRunner(t *testing.T) {
	t.Parallel()
	gate := &gated{Null: enginetest.Null{}, begun: make(chan struct{}), free: make(chan struct{})}
	s := musatest.New(t, musatest.Rig{Engine: gate, Width: 1})
	g := s.Guest()
	j := g.Enhance(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	<-gate.begun
	err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		got, mine, err := tx.ClaimJob(ctx, db.Claim{Job: musa.JobID(j.ID), Runner: "another", Redelivered: true})
		if err == nil && (!mine || got.Attempt != 2) {
			t.Errorf("the redelivered claim: mine %v, attempt %d", mine, got.Attempt)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	close(gate.free)
	// One job at a time: when the next one has ended, the first has been let go.
	other := s.Guest()
	other.Made(other.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true").ID, nil)
	blobs := 0
	for range s.Blobs.List(t.Context(), "") {
		blobs++
	}
	if blobs != 2+4 {
		t.Errorf("%d blobs, want the original, and the other guest's two pictures, each with its preview", blobs)
	}
	if got := g.Job(j.ID); got.State != "running" || len(got.Outputs) != 0 {
		t.Errorf("the job is %q with %d results, though its runner was fenced", got.State, len(got.Outputs))
	}
}

// gated is the null engine behind a gate.
type gated struct {
	enginetest.Null
	begun, free chan struct{}
}

func (e *gated) Run(ctx context.Context, t engine.Task, p engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	select {
	case <-e.begun:
	default:
		close(e.begun)
	}
	<-e.free
	return e.Null.Run(ctx, t, p, report)
}

func credits(t *testing.T, g *musatest.Client) int64 {
	t.Helper()
	var me struct {
		Credits int64 `json:"credits"`
		Held    int64 `json:"held"`
	}
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), &me)
	if me.Held != 0 {
		t.Errorf("%d credits are held while nothing runs", me.Held)
	}
	return me.Credits
}

// A cancel that comes after the claim, before anybody can tell the runner, keeps the engine
// from beginning.
func TestACancelRightAfterTheClaim(t *testing.T) {
	t.Parallel()
	e := &counted{}
	s := musatest.New(t, musatest.Rig{Engine: e, Width: 1})
	var once sync.Once
	var err error
	// The runner looks at its clock between the claim and the work.
	s.Runner.Clock = func() time.Time {
		once.Do(func() { err = cancelAll(s) })
		return s.Clock.Now()
	}
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	if j := g.Await(g.Enhance(a.ID, nil).ID); j.State != "cancelled" {
		t.Fatalf("the job ended %q", j.State)
	}
	g.Made(a.ID, nil) // one at a time: the first has been let go now
	if n := e.runs.Load(); err != nil || n != 1 {
		t.Errorf("the engine ran %d times (%v), want once: for the job that was not cancelled", n, err)
	}
}

// counted is the null engine with a count of its runs.
type counted struct {
	enginetest.Null
	runs atomic.Int32
}

func (e *counted) Run(ctx context.Context, t engine.Task, p engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	e.runs.Add(1)
	return e.Null.Run(ctx, t, p, report)
}

// cancelAll ends every running job, without a word to its runner.
func cancelAll(s *musatest.Studio) error {
	return s.House.DB.Write(s.T.Context(), func(ctx context.Context, tx db.Tx) error {
		open, err := tx.Announced(ctx, "", 10)
		for _, j := range open {
			if _, err := tx.CancelJob(ctx, j.ID); err != nil {
				return err
			}
		}
		return err
	})
}
