package rights_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/rights"
)

// The words of a job go with its prompt: also those that its result carries, which itself
// stays, and from the database's files. Erasing a picture with what came of it takes both.
func TestWordsAndWhatCameOfAPicture(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g, other := s.Guest(), s.Guest()
			a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			out := g.Made(a.ID, nil)
			by := musa.Actor{Subject: g.Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
			stranger := musa.Actor{Subject: other.Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
			job := musa.JobID(out.Job)
			if err := s.Rights.ErasePrompt(t.Context(), stranger, job); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("a stranger erases the words: %v", err)
			}
			keys := wordsOf(t, s, job)
			if err := s.Rights.ErasePrompt(t.Context(), by, job); err != nil {
				t.Fatal(err)
			}
			if j := g.Job(string(job)); j.Prompt != "" {
				t.Error("the prompt is still told")
			}
			g.Want(http.StatusOK, g.Content(out.ID), nil)
			if got := g.Asset(out.ID); got.Made == nil || got.Made.Understood != "" {
				t.Errorf("the result says how it was made: %+v", got.Made)
			}
			s.Clock.Turn(time.Minute)
			s.Step()
			// A scrub of PostgreSQL has to wait for the transactions of other tests.
			for end := time.Now().Add(30 * time.Second); len(musatest.Find(t, s.Dirs, keys)) > 0 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				s.Clock.Turn(time.Second)
				s.Step()
			}
			for what, where := range musatest.Find(t, s.Dirs, keys) {
				t.Errorf("%s is still in %s", what, where)
			}
			if _, err := s.Rights.Erase(t.Context(), by, musa.AssetID(a.ID), rights.Derived); err != nil {
				t.Fatal(err)
			}
			g.Problem(http.StatusGone, g.Content(out.ID))
			g.Problem(http.StatusGone, g.Content(a.ID))
		})
	}
}

// wordsOf is what opens a job's records.
func wordsOf(t *testing.T, s *musatest.Studio, job musa.JobID) musatest.Markers {
	t.Helper()
	keys := musatest.Markers{}
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		records, err := tx.RecordsOfJob(ctx, job)
		for _, r := range records {
			keys["the key of a "+string(r.Category)] = r.Secret.Wrapped
		}
		return err
	})
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys: %v", len(keys), err)
	}
	return keys
}
