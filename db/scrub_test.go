package db_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"musa"
	"musa/db"
)

// hoard fills the store with secrets of many sizes and returns their bytes by asset.
type hoard struct {
	*store
	owner musa.SubjectID
	bytes map[musa.AssetID][][]byte
	order []musa.AssetID
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func (h *hoard) fill(t testing.TB, n int) {
	t.Helper()
	for range n / 100 {
		write(t, h.DB, func(ctx context.Context, tx db.Tx) error {
			for range 100 {
				a := picture(h.owner, 0)
				sealed := random(40 + mathrand.IntN(400))
				if mathrand.IntN(20) == 0 {
					sealed = random(3000 + mathrand.IntN(9000)) // on overflow pages, or in a TOAST table
				}
				s := db.Secret{Wrapped: random(60), Sealed: sealed}
				if err := tx.InsertAsset(ctx, a, s); err != nil {
					return err
				}
				h.bytes[a.ID] = [][]byte{s.Wrapped, s.Sealed}
				h.order = append(h.order, a.ID)
			}
			return nil
		})
	}
}

// files is the directory that must not hold a deleted secret. For PostgreSQL it holds
// the server's own log too.
func (s *store) files() string {
	if s.Dialect() == db.PostgreSQL {
		return filepath.Dir(s.dir)
	}
	return s.dir
}

// scrubbed waits until a scrub was clean: transactions of this test's other
// goroutines may be in its way.
func (s *store) scrubbed(t testing.TB, dirty []string) {
	t.Helper()
	for range 100 {
		clean, err := s.Scrub(context.Background(), dirty)
		if err != nil {
			t.Fatal(err)
		}
		if clean {
			return
		}
	}
	t.Fatal("never clean")
}

// Of 2,000 deleted secrets 32 bytes in a row are in no file; before the scrub they are.
func TestScrubLeavesNothing(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		h := &hoard{store: s, owner: s.person(t), bytes: map[musa.AssetID][][]byte{}}
		h.fill(t, 3000)
		if s.Dialect() == db.PostgreSQL {
			s.tamper(t, "ANALYZE") // statistics must hold no keys
			s.tamper(t, "CHECKPOINT")
		}
		mathrand.Shuffle(len(h.order), func(i, j int) { h.order[i], h.order[j] = h.order[j], h.order[i] })
		doomed := h.order[:2000]
		var needles, kept [][]byte
		for _, id := range doomed {
			needles = append(needles, h.bytes[id]...)
		}
		for _, id := range h.order[2000:] {
			kept = append(kept, h.bytes[id]...)
		}
		if found := scan(t, s.files(), needles); found != len(needles) {
			t.Fatalf("the control finds %d of %d: a scan that misses proves nothing", found, len(needles))
		}
		var dirty []string
		for i := 0; i < len(doomed); i += 100 {
			erase(t, s.DB, doomed[i:i+100]...)
			for _, id := range doomed[i : i+100] {
				dirty = append(dirty, string(id))
			}
			h.fill(t, 100) // rows move between pages meanwhile
		}
		if found := scan(t, s.files(), needles); found == 0 {
			t.Error("without a scrub nothing is left: the test cannot fail")
		} else {
			t.Logf("without a scrub %d of %d are left", found, len(needles))
		}
		s.scrubbed(t, dirty)
		if found := scan(t, s.files(), needles); found != 0 {
			t.Errorf("%d of %d deleted secrets are left", found, len(needles))
		}
		if found := scan(t, s.files(), kept); found != len(kept) {
			t.Errorf("of those that were kept %d of %d are there", found, len(kept))
		}
	})
}

// A few ids name their partitions only; the former content of a record and a person's
// key go too.
func TestScrubOfAFew(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := musa.NewSubjectID(start.Time())
		key, wrapped, before, after := random(60), random(60), random(300), random(300)
		a := picture(owner, 0)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(
				tx.InsertSubject(ctx, db.Subject{ID: owner, Kind: musa.SubjectGuest, State: musa.SubjectActive}, key),
				tx.InsertAsset(ctx, a, db.Secret{Wrapped: wrapped, Sealed: before}))
		})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.ReplaceSealed(ctx, string(a.ID), after) })
		all := [][]byte{key, wrapped, before, after}
		if found := scan(t, s.files(), all); found != 4 {
			t.Fatalf("the control finds %d of 4", found)
		}
		s.scrubbed(t, []string{string(a.ID)})
		if found := scan(t, s.files(), [][]byte{before}); found != 0 {
			t.Error("the former content is left")
		}
		erase(t, s.DB, a.ID)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			ok, err := tx.EraseSubject(ctx, owner)
			if !ok {
				t.Error("the subject was not erased")
			}
			return err
		})
		s.scrubbed(t, []string{string(a.ID), string(owner)})
		if found := scan(t, s.files(), all); found != 0 {
			t.Errorf("%d of 4 are left", found)
		}
	})
}

// A statement that fails is written to the server's log; the keys in it must not be.
func TestAFailedInsertTellsTheLogNoKey(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		a := s.hang(t, s.person(t), 0)
		wrapped := random(60)
		err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.InsertRecord(ctx, db.Record{ID: musa.RecordID(a.ID), Owner: a.Owner}, db.Secret{Wrapped: wrapped})
		})
		if !errors.Is(err, musa.ErrConflict) {
			t.Fatalf("a second secret of one id gives %v", err)
		}
		s.scrubbed(t, nil)
		text := []byte(fmt.Sprintf("%x", wrapped))
		if found := scan(t, s.files(), [][]byte{wrapped, text}); found != 0 {
			t.Error("the key is left, or in the server's log")
		}
	})
}

// An open reader makes Scrub say "not yet" at once; nobody else waits for it.
func TestScrubWithAnOpenReader(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		a := s.hang(t, s.person(t), 0)
		reader, err := s.outside(t).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Rollback()
		if s.Dialect() == db.PostgreSQL {
			if _, err := reader.Exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := reader.QueryRow("SELECT COUNT(*) FROM secrets").Scan(&n); err != nil {
			t.Fatal(err)
		}
		erase(t, s.DB, a.ID)
		began := time.Now()
		clean, err := s.Scrub(t.Context(), []string{string(a.ID)})
		if clean || err != nil {
			t.Errorf("with an open reader Scrub says %v, %v", clean, err)
		}
		s.hang(t, a.Owner, 0)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Scrub and a write took %v", took)
		}
		if err := reader.Rollback(); err != nil {
			t.Fatal(err)
		}
		s.scrubbed(t, []string{string(a.ID)})
	})
}
