//go:build e2e

package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"musa/blob"
	"musa/blob/s3"
	"musa/db"
	"musa/house"
	"musa/musatest/nodes"
	"musa/musatest/rigs"
	"musa/policies"
	"musa/queue"
	"musa/seal"
)

// stale is how old an unfinished write must be before any node may judge that its writer
// is dead: several nodes share the store, and none knows the others' lives.
const stale = 10 * time.Minute

// shared is what the nodes of one deployment have in common.
type shared struct {
	db     string // its URL
	pgdata string
	bucket *rigs.Bucket
	queue  string // NATS's store
	nats   *rigs.NATSNode
}

func newShared(t *testing.T) shared {
	t.Helper()
	s := shared{bucket: rigs.S3(t), queue: t.TempDir()}
	s.db, s.pgdata = rigs.Postgres(t)
	s.nats = rigs.NATSServer(t, "-sd", s.queue)
	return s
}

// flags name them to a process. Keys go by the environment, as an operator would do it.
func (s shared) flags() []string { return append(s.stores(), "--nats", s.nats.URL) }

func (s shared) stores() []string { return []string{"--db", s.db, "--blobs", s.bucket.URL} }

func (s shared) env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s.bucket.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.bucket.SecretKey}
}

// roots are all folders in which the deployment keeps something.
func (s shared) roots() []string { return []string{s.pgdata, s.bucket.Dir, s.queue} }

func (s shared) open(t *testing.T, clock func() time.Time) (*db.DB, blob.Store) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: s.db, Clock: clock, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	store, err := s3.New(t.Context(), s3.Config{URL: s.bucket.URL, AccessKey: s.bucket.AccessKey, SecretKey: s.bucket.SecretKey, HTTPClient: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	return d, store
}

// sweep does what every node does now and then, at the time that clock tells.
func (s shared) sweep(t *testing.T, d *db.DB, store blob.Store, clock func() time.Time, keyfile string) {
	t.Helper()
	doc, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Load(keyfile)
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.Open(t.Context(), queue.Config{URL: s.nats.URL, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	h, err := house.New(t.Context(), house.Config{DB: d, Blobs: store, Queue: q, Keys: keys, Policy: doc, Clock: clock, Log: quiet(), Node: "sweeper"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Keeper.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// killsShared is how often one of several processes dies under the jobs.
const killsShared = 25

// TestKilledNodes kills, at 25 random moments, one of a server and two runner nodes that
// share PostgreSQL, an S3 server and a NATS server.
func TestKilledNodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	common := newShared(t)
	server := nodes.Server(t, dir, common.flags()...)
	nodes := []*nodes.Node{server, nodes.Worker(t, dir, "one", common.flags()...), nodes.Worker(t, dir, "two", common.flags()...)}
	for _, n := range nodes {
		n.Env = common.env()
	}
	server.Start() // alone, since it makes the keys
	for _, n := range nodes[1:] {
		n.Begin()
	}
	c := newCrowd(t, server.URL)
	r := dice(t)
	for range killsShared {
		c.Order()
		wait(t, r, 1200*time.Millisecond)
		n := nodes[r.IntN(len(nodes))]
		n.Kill()
		n.Begin()
	}
	server.Ready()
	c.Settled()
	// What a dead node was writing goes when no living one can be writing it any more.
	later := func() time.Time { return time.Now().Add(stale + time.Minute) }
	d, store := common.open(t, later)
	common.sweep(t, d, store, later, filepath.Join(dir, "musa.keys"))
	for _, n := range nodes {
		n.Stop()
	}
	look(t, d, c)
	wantBlobs(t, d, store)
	for _, n := range nodes {
		wantEmpty(t, n.Temp, n.Home)
	}
	wantVerified(t, dir, append(common.stores(), "--policy", "studio", "--keys", filepath.Join(dir, "musa.keys"),
		"--s3-access-key", common.bucket.AccessKey, "--s3-secret-key", common.bucket.SecretKey)...)
}
