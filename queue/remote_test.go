package queue_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

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
		name          string
		ackWait, life time.Duration
	}{
		{"short", time.Second, 0},
		// It lives for several renewals, and dies with a fresh claim.
		{"short, renewed", time.Second, 2500 * time.Millisecond},
		{"as delivered", 15 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := rigs.NATS(t)
			config := queue.Config{URL: url}
			if c.ackWait != 15*time.Second { // the default itself is under test
				config.AckWait = c.ackWait
			}
			q := open(t, config)
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
			t.Logf("handed on %v after death, claim %v", after, c.ackWait)
			if d.Job != id || !d.Redelivered {
				t.Errorf("got %+v, want %s redelivered", d, id)
			}
			if limit := c.ackWait + 500*time.Millisecond; after > limit {
				t.Errorf("handed on after %v, want at most %v", after, limit)
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

	admin, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Request("$JS.API.STREAM.DELETE.MUSA_JOBS", nil, patience); err != nil {
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

func TestNothingButIDsAndNumbersOnTheWire(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	tap, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	heard := make(chan *nats.Msg, 4096)
	if _, err := tap.ChanSubscribe("musa.>", heard); err != nil {
		t.Fatal(err)
	}
	if err := tap.Flush(); err != nil {
		t.Fatal(err)
	}
	q := open(t, queue.Config{URL: url})
	id := newJob()
	got := make(chan queue.Delivery, 1)
	work(t, q, "pictures", 1, func(_ context.Context, d queue.Delivery) error {
		q.Report(queue.Progress{Job: d.Job, Attempt: 1, State: musa.JobRunning, Done: 1, Total: 3, Step: "my aunt at the sea", Seconds: 1.5})
		got <- d
		return errors.New("prompt: my aunt at the sea, aunt.png")
	})
	announce(t, q, "pictures", id)
	want(t, got, "the job")
	if err := q.Broadcast(queue.Notice{Kind: queue.NoticeCancel, IDs: []string{string(id)}}); err != nil {
		t.Fatal(err)
	}
	shapes := map[string]*regexp.Regexp{
		"musa.jobs.pictures." + string(id): regexp.MustCompile(`^$`),
		"musa.progress." + string(id):      regexp.MustCompile(`^\{"attempt":1,"state":"running","done":1,"total":3,"seconds":1.5\}$`),
		"musa.notice.cancel":               regexp.MustCompile(`^\["` + string(id) + `"\]$`),
	}
	for range shapes {
		msg := want(t, heard, "all three messages")
		shape, known := shapes[msg.Subject]
		if !known || !shape.Match(msg.Data) {
			t.Errorf("on the wire: %s %s", msg.Subject, msg.Data)
		}
		for name := range msg.Header {
			if !strings.HasPrefix(name, "Nats-") {
				t.Errorf("header %s on the wire", name)
			}
		}
		delete(shapes, msg.Subject)
	}
}

func TestOnlyDeclaredServersAreDialled(t *testing.T) {
	t.Parallel()
	nodes := rigs.NATSCluster(t) // it advertises all three
	declared := strings.TrimPrefix(nodes[0].URL, "nats://")
	dialled := make(chan string, 100)
	q := untilOpen(t, queue.Config{
		URL: "nats://localhost" + declared[strings.LastIndexByte(declared, ':'):],
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			select {
			case dialled <- address:
			default:
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	for len(dialled) > 0 {
		<-dialled
	}
	nodes[0].Kill()
	for range 5 { // it tries again and again, and nowhere else
		address := want(t, dialled, "a connection")
		if host, port, _ := net.SplitHostPort(address); host != "localhost" || !strings.HasSuffix(declared, port) {
			t.Errorf("dialled %s, declared was localhost with the port of %s", address, declared)
		}
	}
	if err := q.Ready(t.Context()); !errors.Is(err, musa.ErrUnavailable) {
		t.Errorf("Ready = %v, want ErrUnavailable", err)
	}
}

func TestClusterOutlivesAServer(t *testing.T) {
	t.Parallel()
	nodes := rigs.NATSCluster(t)
	var urls []string
	for _, n := range nodes {
		urls = append(urls, n.URL)
	}
	q := untilOpen(t, queue.Config{URL: strings.Join(urls, ",")})
	ids := map[musa.JobID]bool{}
	for range 20 {
		id := newJob()
		ids[id] = true
		announce(t, q, "pictures", id, id)
	}
	nodes[0].Kill()
	got := make(chan queue.Delivery, 40)
	work(t, q, "pictures", 2, into(got))
	for len(ids) > 0 {
		delete(ids, want(t, got, "a job that another server kept").Job)
	}
}

// untilOpen waits until the cluster has elected its leader.
func untilOpen(t *testing.T, c queue.Config) *queue.Queue {
	t.Helper()
	c.Log = quiet()
	for deadline := time.Now().Add(patience); ; {
		q, err := queue.Open(t.Context(), c)
		if err == nil {
			t.Cleanup(q.Close)
			return q
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestUnusableServersAreExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url, code string
		kind      error
	}{
		"nobody there":       {"nats://" + rigs.FreeAddress(t), "queue_unreachable", musa.ErrUnavailable},
		"not NATS":           {"http://localhost:4222", "queue_bad_url", musa.ErrInvalid},
		"unknown option":     {"nats://user:geheim@localhost:4222?colour=red", "queue_bad_url", musa.ErrInvalid},
		"unreadable":         {"nats://user:geheim@local host:4222", "queue_bad_url", musa.ErrInvalid},
		"credentials gone":   {rigs.NATS(t) + "?creds=/nowhere/geheim.creds", "queue_unreachable", musa.ErrUnavailable},
		"key without a cert": {"nats://localhost:4222?key=/nowhere", "queue_bad_url", musa.ErrInvalid},
	} {
		q, err := queue.Open(t.Context(), queue.Config{URL: c.url, Log: quiet()})
		if err == nil {
			q.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		var p *musa.Problem
		if !errors.As(err, &p) || p.Code != c.code || !errors.Is(err, c.kind) || !strings.Contains(p.Public, "nats") {
			t.Errorf("%s: %v, want problem %s", name, err, c.code)
		}
		if strings.Contains(err.Error()+p.Public, "user:geheim") {
			t.Errorf("%s: the error tells the password", name)
		}
	}
}
