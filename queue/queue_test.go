package queue_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"musa"
	"musa/queue"
)

// patience ends a test that waits for what never comes; nothing waits this long.
const patience = 30 * time.Second

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func open(t testing.TB, c queue.Config) *queue.Queue {
	t.Helper()
	if c.Log == nil {
		c.Log = quiet()
	}
	q, err := queue.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func newJob() musa.JobID { return musa.NewJobID(time.Now()) }

func announce(t testing.TB, q *queue.Queue, lane string, ids ...musa.JobID) {
	t.Helper()
	for _, id := range ids {
		if err := q.Announce(t.Context(), lane, id); err != nil {
			t.Fatal(err)
		}
	}
}

// work runs Work until the test ends or stop is called, which waits for it.
func work(t testing.TB, q *queue.Queue, lane string, width int, carry func(context.Context, queue.Delivery) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Work(ctx, lane, width, carry) }()
	var once atomic.Bool
	stop = func() {
		if !once.CompareAndSwap(false, true) {
			return
		}
		cancel()
		if err := want(t, done, "Work to end"); err != nil && !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Work: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// into sends each delivery to a channel and is done with it.
func into(ch chan<- queue.Delivery) func(context.Context, queue.Delivery) error {
	return func(_ context.Context, d queue.Delivery) error {
		ch <- d
		return nil
	}
}

func want[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

func wantNone[T any](t testing.TB, ch <-chan T, what string) {
	t.Helper()
	select {
	case v := <-ch:
		t.Errorf("%s: got %v", what, v)
	default:
	}
}
