package erasure_test

import (
	"context"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/photos"
)

// A node that dies between destroying keys and scrubbing the database's files leaves the
// scrub to whoever runs after it: also of records and owners, which nobody confirms.
func TestAnotherNodesKeysAreScrubbed(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			j := g.Await(g.Enhance(g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true").ID, nil).ID)
			s.Step()
			keys := destroy(t, s, musa.JobID(j.ID))
			if found := musatest.Find(t, s.Dirs, keys); len(found) == 0 {
				t.Fatal("the control finds no key right after its row went")
			}
			s.Step()
			for what, where := range musatest.Find(t, s.Dirs, keys) {
				t.Errorf("%s is still in %s", what, where)
			}
		})
	}
}

// destroy erases a job's records as another process would that dies right after, and
// returns what opened them.
func destroy(t *testing.T, s *musatest.Studio, job musa.JobID) musatest.Markers {
	t.Helper()
	keys := musatest.Markers{}
	err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		records, err := tx.RecordsOfJob(ctx, job)
		if err != nil {
			return err
		}
		var ids []musa.RecordID
		for _, r := range records {
			secret, err := tx.Secret(ctx, string(r.ID))
			if err != nil {
				return err
			}
			keys["the key of a "+string(r.Category)] = secret.Wrapped
			ids = append(ids, r.ID)
		}
		return s.Eraser.Records(ctx, tx, ids)
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// An owner who goes takes their open jobs along: nobody is left to pay for them.
func TestAnErasedOwnersJobsEnd(t *testing.T) {
	t.Parallel()
	gate := &gated{begun: make(chan struct{}, 1), free: make(chan struct{})}
	s := musatest.New(t, musatest.Rig{Engine: gate, Width: 1})
	g := s.Guest()
	j := g.Enhance(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	<-gate.begun
	s.Clock.Turn(31 * 24 * time.Hour)
	if err := s.Keeper.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(gate.free)
	other := s.Guest()
	other.Made(other.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		row, err := tx.Job(ctx, musa.JobID(j.ID))
		if row.State != musa.JobCancelled {
			t.Errorf("the job of an erased guest is %s, want cancelled", row.State)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// gated is the null engine behind a gate.
type gated struct {
	enginetest.Null
	begun, free chan struct{}
}

func (e *gated) Run(ctx context.Context, t engine.Task, p engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	select {
	case e.begun <- struct{}{}:
	default:
	}
	<-e.free
	return e.Null.Run(ctx, t, p, report)
}
