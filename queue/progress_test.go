package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"musa"
	"musa/musatest/rigs"
	"musa/queue"
)

func watch(t testing.TB, q *queue.Queue, id musa.JobID) <-chan queue.Progress {
	t.Helper()
	news, err := q.Watch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return news
}

func TestProgressReachesWatchersOnEveryNode(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	runner, web1, web2 := open(t, queue.Config{URL: url}), open(t, queue.Config{URL: url}), open(t, queue.Config{URL: url})
	id := newJob()
	browsers := []<-chan queue.Progress{watch(t, web1, id), watch(t, web1, id), watch(t, web2, id), watch(t, runner, id)}
	other := watch(t, web1, newJob())
	sent := queue.Progress{Job: id, Attempt: 2, State: musa.JobRunning, Done: 3, Total: 12, Step: "upscale", Seconds: 4.5}
	runner.Report(sent)
	for i, news := range browsers {
		if got := want(t, news, fmt.Sprintf("news for browser %d", i)); got != sent {
			t.Errorf("browser %d got %+v, want %+v", i, got, sent)
		}
	}
	wantNone(t, other, "news of another's job")
}

func TestSlowWatcherLosesTheOldestAndBlocksNobody(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	id := newJob()
	slow, fast := watch(t, q, id), watch(t, q, id)
	const last = 2000
	for i := 1; i <= last; i++ {
		q.Report(queue.Progress{Job: id, State: musa.JobRunning, Done: i, Total: last})
		if got := want(t, fast, "news beside a stuck watcher"); got.Done != i {
			t.Fatalf("fast watcher got %d, want %d", got.Done, i)
		}
	}
	// The slow one wakes: it has missed much, and ends at the newest all the same.
	seen, before := 0, 0
	for before < last {
		got := want(t, slow, "the newest news")
		if got.Done <= before {
			t.Fatalf("news %d after %d", got.Done, before)
		}
		before = got.Done
		seen++
	}
	if seen > last/2 {
		t.Errorf("a stuck watcher kept %d of %d news", seen, last)
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	byContext, err := q.Watch(ctx, newJob())
	if err != nil {
		t.Fatal(err)
	}
	byClose := watch(t, q, newJob())
	cancel()
	for range byContext {
	}
	q.Close()
	for range byClose {
	}
	if _, err := q.Watch(t.Context(), newJob()); err == nil {
		t.Error("Watch on a closed queue gives no error")
	}
	if _, err := q.Watch(t.Context(), ">"); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("Watch of everything = %v, want ErrInvalid", err)
	}
}

func TestProgressCarriesNoWords(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	id := newJob()
	news := watch(t, q, id)
	q.Report(queue.Progress{Job: "aunt.png", State: musa.JobRunning})
	q.Report(queue.Progress{Job: id, State: "my aunt at the sea"})
	q.Report(queue.Progress{Job: id, State: musa.JobRunning, Step: "painting my aunt", Seconds: math.NaN(), Done: 1})
	got := want(t, news, "the one proper report")
	if got != (queue.Progress{Job: id, State: musa.JobRunning, Done: 1}) {
		t.Errorf("got %+v", got)
	}
}
