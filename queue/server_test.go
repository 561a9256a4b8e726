package queue_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"musa"
	"musa/musatest/rigs"
	"musa/queue"
)

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
	untilCopies(t, q, urls[1], 3)
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

func TestCopiesGrowWithTheCluster(t *testing.T) {
	t.Parallel()
	nodes := rigs.NATSCluster(t)
	untilOpen(t, queue.Config{URL: nodes[0].URL}).Close() // all three know each other
	nodes[2].Kill()
	if err := deleteStream(t, nodes[0].URL); err != nil {
		t.Fatal(err)
	}
	q := untilOpen(t, queue.Config{URL: nodes[0].URL})
	id := newJob()
	announce(t, q, "pictures", id)
	nodes[2].Start()
	untilCopies(t, q, nodes[0].URL, 3)
	got := make(chan queue.Delivery, 1)
	work(t, q, "pictures", 1, into(got))
	if d := want(t, got, "the job announced to a cluster that was not whole"); d.Job != id {
		t.Errorf("got %+v", d)
	}
}

// untilCopies asks for Ready, as a load balancer does, until the cluster keeps n
// copies of the jobs.
func untilCopies(t *testing.T, q *queue.Queue, url string, n int) {
	t.Helper()
	js := admin(t, url)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); ; <-again.C {
		ready := q.Ready(t.Context())
		have := 0
		if s, err := js.Stream(t.Context(), "MUSA_JOBS"); err == nil && s.CachedInfo().Cluster != nil {
			have = 1
			for _, peer := range s.CachedInfo().Cluster.Replicas {
				if peer.Current {
					have++
				}
			}
		}
		if have == n && ready == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d copies, want %d; ready: %v", have, n, ready)
		}
	}
}

// admin is another client, with the rights of an operator.
func admin(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// deleteStream tries until the cluster has a leader that obeys, or has obeyed a try whose
// answer was lost with the old leader.
func deleteStream(t *testing.T, url string) error {
	t.Helper()
	js := admin(t, url)
	for deadline := time.Now().Add(patience); ; {
		err := js.DeleteStream(t.Context(), "MUSA_JOBS")
		if err == nil || errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
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

func TestServerWithoutJetStreamIsExplained(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "nats.conf")
	accounts := `accounts { BARE { users: [{user: ada, password: geheim}] } }`
	if err := os.WriteFile(config, []byte(accounts), 0o600); err != nil {
		t.Fatal(err)
	}
	node := rigs.NATSServer(t, "-c", config)
	url := strings.Replace(node.URL, "nats://", "nats://ada:geheim@", 1)
	_, err := queue.Open(t.Context(), queue.Config{URL: url, Log: quiet()})
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "queue_no_jetstream" || !strings.Contains(p.Public, "JetStream") {
		t.Errorf("%v, want queue_no_jetstream", err)
	}
	url = strings.Replace(node.URL, "nats://", "nats://ada:falsch@", 1)
	if _, err := queue.Open(t.Context(), queue.Config{URL: url, Log: quiet()}); err == nil || strings.Contains(err.Error(), "falsch") {
		t.Errorf("wrong password: %v", err)
	}
}

func TestStreamInFilesIsRefused(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	_, err := admin(t, url).CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "MUSA_JOBS", Subjects: []string{"musa.jobs.*.*"}, Storage: jetstream.FileStorage,
		Retention: jetstream.WorkQueuePolicy, MaxMsgsPerSubject: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = queue.Open(t.Context(), queue.Config{URL: url, Log: quiet()})
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "queue_foreign_stream" {
		t.Errorf("%v, want queue_foreign_stream", err)
	}
}

func TestFullQueueSaysSo(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	_, err := admin(t, url).CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "MUSA_JOBS", Subjects: []string{"musa.jobs.*.*"}, Storage: jetstream.MemoryStorage,
		Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		MaxMsgsPerSubject: 1, MaxBytes: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	q := open(t, queue.Config{URL: url})
	var kept []musa.JobID
	for err == nil {
		id := newJob()
		if err = q.Announce(t.Context(), "pictures", id); err == nil {
			kept = append(kept, id)
		}
	}
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "queue_full" || !errors.Is(err, musa.ErrUnavailable) {
		t.Errorf("after %d jobs: %v, want queue_full", len(kept), err)
	}
	announce(t, q, "pictures", kept...) // out already: no error although it is full
	got := make(chan queue.Delivery, len(kept))
	work(t, q, "pictures", 1, into(got))
	for range kept {
		want(t, got, "a job of the full queue")
	}
}

func TestForeignMessageDoesNotComeBack(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	q := open(t, queue.Config{URL: url, AckWait: 200 * time.Millisecond})
	js := admin(t, url)
	if _, err := js.Publish(t.Context(), "musa.jobs.pictures.nobody", []byte("surprise")); err != nil {
		t.Fatal(err)
	}
	id := newJob()
	announce(t, q, "pictures", id)
	got := make(chan queue.Delivery, 4)
	stop := work(t, q, "pictures", 1, into(got))
	if d := want(t, got, "the job behind it"); d.Job != id {
		t.Errorf("got %+v", d)
	}
	stop()
	s, err := js.Stream(t.Context(), "MUSA_JOBS")
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != 0 {
		t.Errorf("%d messages left", n)
	}
}
