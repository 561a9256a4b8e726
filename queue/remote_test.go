package queue_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"musa"
	"musa/musatest/rigs"
	"musa/queue"
)

// The test binary runs itself as a runner node that takes one job, says so and never
// ends it, so that the test can kill it as the kernel would.
const (
	stuckRunnerURL  = "MUSA_TEST_STUCK_RUNNER_URL"
	stuckRunnerWait = "MUSA_TEST_STUCK_RUNNER_ACKWAIT"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(stuckRunnerURL) != "":
		fmt.Println(stuckRunner(os.Getenv(stuckRunnerURL), os.Getenv(stuckRunnerWait)))
		os.Exit(1)
	case os.Getenv(fileWatcher) != "":
		if err := embeddedLife(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func stuckRunner(url, ackWait string) error {
	wait, err := time.ParseDuration(ackWait)
	if err != nil {
		return err
	}
	q, err := queue.Open(context.Background(), queue.Config{URL: url, AckWait: wait, Log: quiet()})
	if err != nil {
		return err
	}
	return q.Work(context.Background(), "pictures", 1, func(_ context.Context, d queue.Delivery) error {
		fmt.Println(d.Job)
		select {}
	})
}

// killedRunner starts a runner process, waits until it holds a job and kills it.
// It returns the job and the moment of death.
func killedRunner(t *testing.T, url string, ackWait, life time.Duration) (musa.JobID, time.Time) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stuckRunnerURL+"="+url, stuckRunnerWait+"="+ackWait.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the runner took no job")
	}
	<-time.After(life)
	died := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	return musa.JobID(lines.Text()), died
}

func TestKilledRunnersJobIsHandedOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                 string
		ackWait, life, limit time.Duration
	}{
		{"short", time.Second, 0, 1500 * time.Millisecond},
		// It lives for several renewals, and dies with a fresh claim.
		{"short, renewed", time.Second, 2500 * time.Millisecond, 1500 * time.Millisecond},
		// Zero is the default. Design rule 8: within 15 s.
		{"as delivered", 0, 0, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := rigs.NATS(t)
			q := open(t, queue.Config{URL: url, AckWait: c.ackWait})
			id := newJob()
			announce(t, q, "pictures", id)
			held, died := killedRunner(t, url, c.ackWait, c.life)
			if held != id {
				t.Fatalf("the runner held %s, want %s", held, id)
			}
			got := make(chan queue.Delivery, 2)
			work(t, q, "pictures", 1, into(got))
			d := want(t, got, "the dead runner's job")
			after := time.Since(died)
			t.Logf("handed on %v after death", after)
			if d.Job != id || !d.Redelivered {
				t.Errorf("got %+v, want %s redelivered", d, id)
			}
			if after > c.limit {
				t.Errorf("handed on after %v, want at most %v", after, c.limit)
			}
		})
	}
}

func TestClientGoesOnWhenTheServerForgets(t *testing.T) {
	t.Parallel()
	node := rigs.NATSServer(t)
	web, runner := open(t, queue.Config{URL: node.URL}), open(t, queue.Config{URL: node.URL})
	lost, later := newJob(), newJob()
	got, goOn := make(chan queue.Delivery, 10), make(chan struct{})
	var carried atomic.Int32
	work(t, runner, "pictures", 1, func(_ context.Context, d queue.Delivery) error {
		if carried.Add(1) == 1 { // hold the first over the server's death
			got <- d
			<-goOn
			return nil
		}
		got <- d
		return nil
	})
	ear := listen(t, web)
	news := watch(t, web, later)
	held := newJob()
	announce(t, web, "pictures", held)
	want(t, got, "the first job")
	announce(t, web, "pictures", lost)

	node.Kill()
	for web.Ready(t.Context()) == nil {
	}
	if err := web.Announce(t.Context(), "pictures", later); !errors.Is(err, musa.ErrUnavailable) {
		t.Errorf("Announce without a server = %v, want ErrUnavailable", err)
	}
	if err := web.Broadcast(queue.Notice{Kind: queue.NoticeDue}); !errors.Is(err, musa.ErrUnavailable) {
		t.Errorf("Broadcast without a server = %v, want ErrUnavailable", err)
	}
	node.Start()

	for want(t, ear, "word that notices were lost").Kind != queue.NoticeMissed {
	}
	announce(t, web, "pictures", lost, later) // what a sweep does then
	close(goOn)
	for _, id := range []musa.JobID{lost, later} {
		if d := want(t, got, "a job announced again"); d.Job != id || d.Redelivered {
			t.Errorf("got %+v, want %s", d, id)
		}
	}
	runner.Report(queue.Progress{Job: later, State: musa.JobRunning, Done: 1})
	if p := want(t, news, "news over the new connection"); p.Done != 1 {
		t.Errorf("got %+v", p)
	}
}

func TestLostStreamIsMadeAnewWithoutAReconnect(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	q := open(t, queue.Config{URL: url})
	ear := listen(t, q)
	got := make(chan queue.Delivery, 4)
	work(t, q, "pictures", 1, into(got))
	announce(t, q, "pictures", newJob())
	want(t, got, "the first job")

	if err := deleteStream(t, url); err != nil {
		t.Fatal(err)
	}
	if n := want(t, ear, "word that jobs were forgotten"); n.Kind != queue.NoticeRefill {
		t.Errorf("heard %+v, want refill", n)
	}
	id := newJob()
	announce(t, q, "pictures", id)
	if d := want(t, got, "a job of the new stream"); d.Job != id {
		t.Errorf("got %+v", d)
	}
}

// An acknowledgement that is on its way while the server forgets must not remove
// another job: numbers start again at one.
func TestOldAcknowledgementHitsNoNewJob(t *testing.T) {
	t.Parallel()
	node := rigs.NATSServer(t)
	quick := queue.Config{URL: node.URL, AckWait: time.Second}
	web, old := open(t, quick), open(t, quick)
	holding, goOn, ended := make(chan queue.Delivery, 1), make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	announce(t, web, "pictures", newJob())
	go func() {
		defer close(ended)
		first := true
		if err := old.Work(ctx, "pictures", 1, func(_ context.Context, d queue.Delivery) error {
			if first {
				first = false
				holding <- d
				<-goOn
			}
			return nil
		}); err != nil {
			t.Errorf("Work: %v", err)
		}
	}()
	want(t, holding, "job number one of the old stream")
	ear := listen(t, web)
	node.Kill()
	node.Start()
	for want(t, ear, "word that the server is back").Kind != queue.NoticeMissed {
	}
	id := newJob()
	announce(t, web, "pictures", id) // number one of the new stream

	// Another runner takes it and is killed; meanwhile the old one ends.
	held, _ := killedRunner(t, node.URL, time.Second, 0)
	if held != id {
		t.Fatalf("the runner held %s, want %s", held, id)
	}
	cancel()
	close(goOn)
	want(t, ended, "the old runner's end")
	got := make(chan queue.Delivery, 2)
	work(t, web, "pictures", 1, into(got))
	if d := want(t, got, "the job that the old acknowledgement could have removed"); d.Job != id {
		t.Errorf("got %+v", d)
	}
}
