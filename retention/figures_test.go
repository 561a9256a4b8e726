package retention_test

import (
	"fmt"
	"testing"
	"time"

	"musa"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/retention"
)

func figures(t *testing.T, s *musatest.Studio) retention.Figures {
	t.Helper()
	s.Clock.Turn(10 * time.Second) // past what was taken before
	f, err := s.Keeper.Figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The figures are those of the rows: what is overdue, what went, and how late.
func TestFiguresFollowALife(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			if f := figures(t, s); f.Overdue+f.Erased30d+f.Purged30d != 0 || f.PurgeP99 != 0 || f.At != musa.At(s.Clock.Now()) {
				t.Errorf("at first %+v", f)
			}
			a := s.Guest().Upload("cat.png", photos.Read(t, "chelsea.png"))
			s.Clock.Turn(a.Ends.Add(-10*time.Second - time.Millisecond).Sub(s.Clock.Now()))
			if f := figures(t, s); f.Overdue != 0 {
				t.Errorf("a moment before its end: %+v", f)
			}
			s.Clock.Turn(30 * time.Second)
			if f := figures(t, s); f.Overdue != 1 || f.OldestOverdue.Round(time.Second) != 40*time.Second || f.Erased30d != 0 {
				t.Errorf("40 s overdue: %+v", f)
			}
			s.Step()
			if f := figures(t, s); f.Overdue != 0 || f.OldestOverdue != 0 || f.Erased30d != 1 || f.Purged30d != 1 ||
				f.KeyP99.Round(time.Second) != 40*time.Second || f.PurgeP99.Round(time.Second) != 40*time.Second {
				t.Errorf("gone: %+v", f)
			}
			s.Clock.Turn(30*24*time.Hour - 20*time.Minute)
			if f := figures(t, s); f.Purged30d != 1 {
				t.Errorf("just within 30 days: %+v", f)
			}
			s.Clock.Turn(20 * time.Minute)
			if f := figures(t, s); f.Purged30d != 0 || f.PurgeP99 != 0 {
				t.Errorf("after 30 days: %+v", f)
			}
		})
	}
}

// Of a thousand lags the 990th is told, and each look counts what came since the last.
func TestFiguresOfManyLags(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			a := s.Guest().Upload("cat.png", photos.Read(t, "chelsea.png"))
			var gone []went
			for n := range musa.Millis(1000) {
				// Spread over days; the key went after n/10 s, the bytes after n s.
				end := musa.At(s.Clock.Now()).Add(-time.Duration(n+1) * 40 * time.Minute)
				gone = append(gone, went{end, end + 100*(n+1), end + 1000*(n+1)})
			}
			plantPurged(t, s, a.ID, gone...)
			if f := figures(t, s); f.Purged30d != 1000 || f.Erased30d != 1000 || f.KeyP99 != 99*time.Second || f.PurgeP99 != 990*time.Second {
				t.Errorf("of a thousand: %+v", f)
			}
			// What its owner took back before its end is not early: it counts from its erasure.
			now := musa.At(s.Clock.Now())
			s.Clock.Turn(time.Hour)
			early := went{now.Add(24 * time.Hour), now, now.Add(30 * time.Minute)}
			plantPurged(t, s, a.ID, early, early, early, early, early, early, early, early, early, early, early, early)
			if f := figures(t, s); f.Purged30d != 1012 || f.PurgeP99 != 30*time.Minute || f.KeyP99 != 99*time.Second {
				t.Errorf("of 1012: %+v", f)
			}
			plantPurged(t, s, a.ID, early)
			if f, err := s.Keeper.Figures(t.Context()); err != nil || f.Purged30d != 1012 {
				t.Errorf("taken again within ten seconds: %+v, %v", f, err)
			}
		})
	}
}

// went is when something ended, lost its key and its bytes.
type went struct{ end, erased, purged musa.Millis }

// plantPurged copies an asset's row as ones that went at the given instants.
func plantPurged(t *testing.T, s *musatest.Studio, from string, gone ...went) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	tx, err := own.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gone {
		_, err := tx.Exec(fmt.Sprintf(`INSERT INTO assets (id, owner, author, category, state, tier, job, created, job_ended,
			saved, uses, choice, due, rule, ordered, ends, reason, policy_version, bytes, erased, purged, receipt)
			SELECT '%s', owner, author, category, 'purged', tier, job, created, job_ended, saved, uses, choice, %d, rule, ordered, %d, reason,
			policy_version, bytes, %d, %d, receipt FROM assets WHERE id = '%s'`, musa.NewAssetID(g.end.Time()), g.end, g.end, g.erased, g.purged, from))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
