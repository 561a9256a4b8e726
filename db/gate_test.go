package db_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"musa/db"
)

// However much housekeeping queues for SQLite's one writer, a person waits for the transaction
// that runs and for no other.
func TestPeopleWriteBeforeChores(t *testing.T) {
	t.Parallel()
	s := open(t, db.SQLite)
	var (
		chores atomic.Int64
		wait   sync.WaitGroup
	)
	ctx, stop := context.WithCancel(t.Context())
	defer wait.Wait()
	defer stop()
	started := make(chan struct{}, 8)
	for range 8 {
		wait.Go(func() {
			for ctx.Err() == nil {
				err := s.Chore(ctx, func(ctx context.Context, tx db.Tx) error {
					chores.Add(1)
					_, err := tx.TakeLease(ctx, "chore", "node", 1)
					return err
				})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 8 {
		<-started
	}
	const writes = 50
	before := int64(0)
	for range writes {
		asked := chores.Load()
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			before += chores.Load() - asked
			_, err := tx.TakeLease(ctx, "person", "node", 1)
			return err
		})
	}
	// One may begin between the question and its place in the line; in turn there were eight.
	if before > 3*writes {
		t.Errorf("%d chores went before %d writes", before, writes)
	}
	// A chore whose caller gave up leaves the writer to the others.
	gone, leave := context.WithCancel(t.Context())
	leave()
	_ = s.Chore(gone, func(context.Context, db.Tx) error { return nil })
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return nil })
}

// A chore that could go on is told that a person waits, and goes on where nobody does.
func TestAChoreSeesWhoWaits(t *testing.T) {
	t.Parallel()
	s := open(t, db.SQLite)
	begun, wrote := make(chan struct{}), make(chan error, 1)
	err := s.Chore(t.Context(), func(ctx context.Context, tx db.Tx) error {
		if tx.Awaited() {
			t.Error("a chore is told that somebody waits, and nobody does")
		}
		go func() {
			close(begun)
			wrote <- s.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.TakeLease(ctx, "person", "node", 1)
				return err
			})
		}()
		<-begun
		for !tx.Awaited() && ctx.Err() == nil {
			runtime.Gosched()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
