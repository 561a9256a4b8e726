package retention_test

import (
	"context"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/policy"
	"musa/retention"
)

// A change that comes while items still follow the one before is not taken for done by that.
func TestAChangeUnderAnother(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Stores: musatest.Scaled}) // SQLite has one writer, whom nobody overtakes
	g, begin := s.Guest(), s.Clock.Now()
	s.SetTier(g, musa.TierPaid)
	out := made(t, g)
	own := s.OwnSQL()
	defer own.Close()
	// Another node changes back when the pictures have followed and the records have not, and
	// dies with that.
	died := make(chan error, 1)
	versions, overtaken := s.Keeper.Versions, false
	s.Keeper.Versions = func() *policy.Versions {
		if !overtaken && counted(t, s, "SELECT COUNT(*) FROM assets WHERE choice > 0") > 0 {
			overtaken = true
			go func() {
				died <- s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
					sub, err := tx.Subject(ctx, g.Subject())
					if err != nil {
						return err
					}
					sub.Choice = 0
					return tx.ChangeSubject(ctx, sub)
				})
			}()
			for waits := 0; waits == 0 && len(died) == 0; {
				if err := own.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waits); err != nil {
					t.Error(err)
					break
				}
			}
		}
		return versions()
	}
	keep := week
	if _, err := s.Keeper.Change(t.Context(), actor(g), g.Subject(), retention.Change{Choice: &keep}); err != nil {
		t.Fatal(err)
	}
	if err := <-died; err != nil {
		t.Fatal(err)
	}
	s.Keeper.Versions = versions
	s.Clock.Turn(time.Minute)
	if err := s.Keeper.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, g, out, begin.Add(48*time.Hour))
}
