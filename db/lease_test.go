package db_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"musa"
	"musa/db"
)

func take(t testing.TB, d *db.DB, holder string) (ok bool) {
	t.Helper()
	write(t, d, func(ctx context.Context, tx db.Tx) (err error) {
		ok, err = tx.TakeLease(ctx, "sequencer", holder, time.Second)
		return err
	})
	return ok
}

func TestALeaseOnBothSidesOfItsEnd(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		for _, c := range []struct {
			at     musa.Millis
			holder string
			want   bool
		}{
			{0, "a", true},
			{999, "b", false},
			{999, "a", true}, // renewed: ends at 1999
			{1998, "b", false},
			{1999, "b", true},
			{2000, "a", false},
		} {
			s.turn(start + c.at)
			if got := take(t, s.DB, c.holder); got != c.want {
				t.Errorf("at %d ms %s takes it: %v", c.at, c.holder, got)
			}
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.DropLease(ctx, "sequencer", "a") })
		if take(t, s.DB, "a") {
			t.Error("a gave back what b holds")
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.DropLease(ctx, "sequencer", "b") })
		if !take(t, s.DB, "a") {
			t.Error("what was given back is not free")
		}
	})
}

func TestOneOfManyGetsALease(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		nodes := []*db.DB{s.DB, s.join(t)}
		var got atomic.Int32
		var wait sync.WaitGroup
		for i := range 10 {
			wait.Go(func() {
				if take(t, nodes[i%2], string(rune('a'+i))) {
					got.Add(1)
				}
			})
		}
		wait.Wait()
		if got.Load() != 1 {
			t.Errorf("%d hold one lease", got.Load())
		}
	})
}
