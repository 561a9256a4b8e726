package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"musa"
	"musa/queue"
)

func TestEachJobIsCarriedOnce(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	if !q.Embedded() {
		t.Error("a queue without a URL is not embedded")
	}
	ids := map[musa.JobID]bool{}
	for range 50 {
		id := newJob()
		ids[id] = true
		announce(t, q, "pictures", id)
	}
	if n, err := q.Waiting(t.Context(), "pictures"); err != nil || n != 50 {
		t.Fatalf("waiting = %d, %v; want 50", n, err)
	}
	got := make(chan queue.Delivery, 100)
	stop := work(t, q, "pictures", 4, into(got))
	for range 50 {
		d := want(t, got, "a job")
		if !ids[d.Job] || d.Redelivered {
			t.Fatalf("unexpected delivery %+v", d)
		}
		delete(ids, d.Job)
	}
	stop()
	wantNone(t, got, "a job came twice")
	if n, err := q.Waiting(t.Context(), "pictures"); err != nil || n != 0 {
		t.Fatalf("waiting = %d, %v; want 0", n, err)
	}
}

func TestLanesAreApart(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	film, picture := newJob(), newJob()
	announce(t, q, "films", film)
	announce(t, q, "pictures", picture)
	films, pictures := make(chan queue.Delivery, 2), make(chan queue.Delivery, 2)
	work(t, q, "films", 1, into(films))
	work(t, q, "pictures", 1, into(pictures))
	if d := want(t, films, "the film"); d.Job != film {
		t.Errorf("films got %s", d.Job)
	}
	if d := want(t, pictures, "the picture"); d.Job != picture {
		t.Errorf("pictures got %s", d.Job)
	}
}

func TestAnnouncingTwiceIsOneJob(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	id := newJob()
	announce(t, q, "pictures", id, id)
	if n, _ := q.Waiting(t.Context(), "pictures"); n != 1 {
		t.Fatalf("waiting = %d after two announcements, want 1", n)
	}
	got := make(chan queue.Delivery, 4)
	goOn := make(chan struct{})
	stop := work(t, q, "pictures", 2, func(_ context.Context, d queue.Delivery) error {
		got <- d
		<-goOn
		return nil
	})
	want(t, got, "the job")
	marker := newJob()
	announce(t, q, "pictures", id, marker) // id is still out: in a runner's hands
	if d := want(t, got, "the next job"); d.Job != marker {
		t.Errorf("got %s, announced while it ran", d.Job)
	}
	close(goOn)
	stop()

	announce(t, q, "pictures", id) // ended: the caller may want it again
	work(t, q, "pictures", 1, into(got))
	if d := want(t, got, "the job announced after its end"); d.Job != id || d.Redelivered {
		t.Errorf("got %+v", d)
	}
}

func TestWidthIsKept(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	for range 5 {
		announce(t, q, "pictures", newJob())
	}
	started, goOn := make(chan queue.Delivery, 5), make(chan struct{})
	work(t, q, "pictures", 2, func(_ context.Context, d queue.Delivery) error {
		started <- d
		<-goOn
		return nil
	})
	want(t, started, "first job")
	want(t, started, "second job")
	// Whoever comes next gets the third at once: it was not taken in advance.
	other := make(chan queue.Delivery, 5)
	stop := work(t, q, "pictures", 1, into(other))
	for range 3 {
		want(t, other, "job left to the other worker")
	}
	stop()
	wantNone(t, started, "a third job beside two")
	close(goOn)
}

func TestFailedJobComesBack(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{RetryDelay: 10 * time.Millisecond})
	id := newJob()
	announce(t, q, "pictures", id)
	got := make(chan queue.Delivery, 4)
	work(t, q, "pictures", 1, func(_ context.Context, d queue.Delivery) error {
		got <- d
		if d.Redelivered {
			return nil
		}
		return errors.New("engine stumbled")
	})
	if d := want(t, got, "the job"); d.Redelivered {
		t.Error("first delivery says it is a second")
	}
	if d := want(t, got, "the job again"); d.Job != id || !d.Redelivered {
		t.Errorf("got %+v, want %s redelivered", d, id)
	}
}

func TestShutdownGivesJobsBackAtOnce(t *testing.T) {
	t.Parallel()
	// With these waits the job would not come back within the test by itself.
	q := open(t, queue.Config{AckWait: time.Hour, RetryDelay: time.Hour})
	id := newJob()
	announce(t, q, "pictures", id)
	started := make(chan queue.Delivery, 1)
	stop := work(t, q, "pictures", 1, func(ctx context.Context, d queue.Delivery) error {
		started <- d
		<-ctx.Done()
		return ctx.Err()
	})
	want(t, started, "the job")
	stop()
	got := make(chan queue.Delivery, 1)
	work(t, q, "pictures", 1, into(got))
	if d := want(t, got, "the job given back"); d.Job != id || !d.Redelivered {
		t.Errorf("got %+v", d)
	}
}

func TestLongJobKeepsItsClaim(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{AckWait: 300 * time.Millisecond})
	announce(t, q, "pictures", newJob())
	got := make(chan queue.Delivery, 4)
	ended := make(chan struct{}, 4)
	work(t, q, "pictures", 2, func(_ context.Context, d queue.Delivery) error {
		got <- d
		<-time.After(4 * 300 * time.Millisecond)
		ended <- struct{}{}
		return nil
	})
	want(t, got, "the job")
	want(t, ended, "its end")
	wantNone(t, got, "the job was handed out twice although its runner lives")
}

func TestMalformedWorkIsRefused(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	carry := func(context.Context, queue.Delivery) error { return nil }
	for name, err := range map[string]error{
		"lane with a wildcard": q.Announce(t.Context(), "pictures.*", newJob()),
		"empty lane":           q.Announce(t.Context(), "", newJob()),
		"not an id":            q.Announce(t.Context(), "pictures", "portrait of my aunt.png"),
		"width 0":              q.Work(t.Context(), "pictures", 0, carry),
		"work on a wildcard":   q.Work(t.Context(), ">", 1, carry),
	} {
		if !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestCloseEndsWork(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	done := make(chan error, 1)
	got := make(chan queue.Delivery, 1)
	go func() { done <- q.Work(context.Background(), "pictures", 1, into(got)) }()
	announce(t, q, "pictures", newJob())
	want(t, got, "the job")
	q.Close()
	q.Close()
	if err := want(t, done, "Work to end"); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("Work = %v, want ErrClosed", err)
	}
	if err := q.Announce(t.Context(), "pictures", newJob()); !errors.Is(err, musa.ErrUnavailable) {
		t.Errorf("Announce after Close = %v, want ErrUnavailable", err)
	}
}

// A worker that forgets to ask for its next job finds out after two missed heartbeats.
func TestWorkerNeverForgetsToAsk(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	const jobs = 3000
	for range jobs {
		announce(t, q, "pictures", newJob())
	}
	got := make(chan queue.Delivery, 1)
	work(t, q, "pictures", 1, into(got))
	var longest time.Duration
	last := time.Now()
	for range jobs {
		want(t, got, "the next job")
		now := time.Now()
		longest, last = max(longest, now.Sub(last)), now
	}
	if longest > 1500*time.Millisecond {
		t.Errorf("a worker idled %v before waiting jobs", longest)
	}
}
