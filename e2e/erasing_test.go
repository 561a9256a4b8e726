//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"musa/api"
	"musa/blob/files"
	"musa/db"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/pix"
)

// The deaths among erasures: of two servers with a store each, and of two that share one.
const (
	deathsAlone  = 2 * 100
	deathsShared = 25
)

// TestKilledWhileErasing kills the server at random moments while pictures come to their
// end all the time: nothing is lost, revived or erased twice, and each has its one receipt.
func TestKilledWhileErasing(t *testing.T) {
	t.Parallel()
	for server := range 2 {
		t.Run(fmt.Sprintf("server %d", server), func(t *testing.T) {
			t.Parallel()
			killedWhileErasing(t, rand.New(rand.NewPCG(*seed, uint64(server))))
		})
	}
}

func killedWhileErasing(t *testing.T, r *rand.Rand) {
	t.Logf("repeat with -seed=%d", *seed)
	dir := t.TempDir()
	brief := briefly(t, dir, "1s")
	s := nodes.Server(t, dir, "--policy", brief)
	s.Start()
	m := newMortals(t, s.URL)
	for i := range deathsAlone / 2 {
		m.Send(i)
		wait(t, r, 300*time.Millisecond)
		s.Kill()
		s.Start()
	}
	m.Settled()
	s.Stop()
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "data", "musa.db"), Clock: time.Now, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	m.Once(d)
	store, err := files.New(filepath.Join(dir, "data", "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	wantBlobs(t, d, store)
	wantEmpty(t, s.Temp, s.Home)
	wantVerified(t, dir, "--deep", "--data", filepath.Join(dir, "data"), "--policy", brief, "--keys", filepath.Join(dir, "musa.keys"))
}

// TestKilledNodesWhileErasing does it to two servers on PostgreSQL and S3.
func TestKilledNodesWhileErasing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	brief := briefly(t, dir, "1s")
	common := newShared(t)
	flags := append(common.flags(), "--policy", brief)
	servers := []*nodes.Node{nodes.Server(t, dir, flags...), nodes.Server(t, filepath.Join(dir, "two"), append(flags, "--keys", filepath.Join(dir, "musa.keys"))...)}
	for _, n := range servers {
		n.Env = common.env()
		n.Start()
	}
	m := newMortals(t, servers[0].URL)
	r := dice(t)
	for i := range deathsShared {
		m.Send(i)
		wait(t, r, time.Second)
		n := servers[r.IntN(len(servers))]
		n.Kill()
		n.Start()
	}
	m.Settled()
	for _, n := range servers {
		n.Stop()
	}
	d, store := common.open(t, time.Now)
	m.Once(d)
	wantBlobs(t, d, store)
	wantVerified(t, dir, append(common.stores(), "--policy", brief, "--keys", filepath.Join(dir, "musa.keys"),
		"--s3-access-key", common.bucket.AccessKey, "--s3-secret-key", common.bucket.SecretKey)...)
}

// mortals are pictures of one guest that come to their end soon, and some that stay.
type mortals struct {
	t      *testing.T
	by     *musatest.Client
	photo  []byte
	pixels []byte
	short  []string
	stay   []string
	gone   map[string]bool // seen as gone once
	r      *rand.Rand
}

func newMortals(t *testing.T, url string) *mortals {
	t.Helper()
	m := &mortals{t: t, by: musatest.NewGuest(t, url), gone: map[string]bool{}, r: rand.New(rand.NewPCG(*seed, deathsAlone))}
	m.photo, m.pixels = crop(t, 40, 40)
	return m
}

// Send uploads pictures, of which every tenth stays, and looks again at one that went.
func (m *mortals) Send(round int) {
	m.t.Helper()
	for range 4 {
		m.short = append(m.short, m.take(upload(false, m.photo)))
	}
	if round%10 == 0 {
		m.stay = append(m.stay, m.take(upload(true, m.photo)))
	}
	id := m.short[m.r.IntN(len(m.short))]
	switch status := m.by.Content(id).Status; {
	case status == http.StatusGone:
		m.gone[id] = true
	case status != http.StatusOK:
		m.t.Fatalf("a picture answers %d", status)
	case m.gone[id]:
		m.t.Fatalf("the picture %s is back", id)
	}
}

func (m *mortals) take(r *http.Request) string {
	m.t.Helper()
	got := try(m.by, r, http.StatusCreated)
	if got.ID == "" {
		m.t.Fatalf("an upload to a server that is ready: status %d", got.status)
	}
	return got.ID
}

// Settled waits until what is due is purged, checks one receipt of forty offline, and looks at
// what stays.
func (m *mortals) Settled() {
	m.t.Helper()
	receipts := map[string]bool{}
	for i, id := range m.short {
		var a api.Asset
		until(m.t, "a picture to be purged", func() bool {
			a = m.by.Asset(id)
			return a.State == "purged" && a.Receipt != ""
		})
		if receipts[a.Receipt] {
			m.t.Errorf("two pictures have the receipt %s", a.Receipt)
		}
		receipts[a.Receipt] = true
		if i%40 == 0 {
			m.proven(a.Receipt)
		}
	}
	for _, id := range m.stay {
		content := m.by.Content(id)
		m.by.Want(http.StatusOK, content, nil)
		i, err := pix.Decode(m.t.Context(), content.Body, pix.Limits{})
		if err != nil {
			m.t.Fatalf("%s does not decode: %v", id, err)
		}
		pixels, _, err := i.Pixels()
		i.Close()
		if err != nil || !bytes.Equal(pixels, m.pixels) {
			m.t.Errorf("%s has other pixels than were sent: %v", id, err)
		}
	}
	m.t.Logf("%d pictures erased, %d stay", len(m.short), len(m.stay))
}

func (m *mortals) proven(receipt string) {
	m.t.Helper()
	var paper musatest.Answer
	until(m.t, "a receipt to be logged", func() bool {
		paper = m.by.Do(http.MethodGet, "/api/receipts/"+receipt, nil)
		var r struct{ Checkpoint string }
		m.by.Want(http.StatusOK, paper, &r)
		return r.Checkpoint != ""
	})
	file := filepath.Join(m.t.TempDir(), "receipt.json")
	if err := os.WriteFile(file, paper.Body, 0o600); err != nil {
		m.t.Fatal(err)
	}
	if said, status := nodes.Run(m.t, m.t.TempDir(), "receipt", "verify", file); status != 0 {
		m.t.Errorf("receipt %s: status %d\n%s", receipt, status, said)
	}
}

// Once looks into the store at rest: each picture was erased once, its receipt lies once in
// the log, and the log has no gap.
func (m *mortals) Once(d *db.DB) {
	m.t.Helper()
	for what, query := range map[string]string{
		"items with several receipts":       "SELECT count(*) FROM (SELECT item FROM receipts GROUP BY item HAVING count(*) > 1) AS twice",
		"receipts outside the log":          "SELECT count(*) FROM receipts WHERE position < 0",
		"gaps in the log":                   "SELECT max(position) + 1 - count(*) FROM receipts",
		"leaves without a receipt":          "SELECT (SELECT max(size) FROM checkpoints) - count(*) FROM receipts",
		"purged pictures without a receipt": "SELECT count(*) FROM assets AS a WHERE a.state = 'purged' AND NOT EXISTS (SELECT 1 FROM receipts AS r WHERE r.id = a.receipt AND r.item = a.id)",
		"pictures half erased":              "SELECT count(*) FROM assets WHERE state = 'erased'",
		"keys of what is gone":              "SELECT count(*) FROM secrets AS s JOIN assets AS a ON a.id = s.id WHERE a.state <> 'active'",
		"living pictures without a key":     "SELECT count(*) FROM assets AS a WHERE a.state = 'active' AND NOT EXISTS (SELECT 1 FROM secrets AS s WHERE s.id = a.id)",
		"bytes of what is gone":             "SELECT count(*) FROM blobs AS b JOIN assets AS a ON a.id = b.asset WHERE a.state <> 'active'",
		"pictures that are lost":            fmt.Sprintf("SELECT %d - count(*) FROM assets WHERE state = 'purged'", len(m.short)),
		"pictures too few":                  fmt.Sprintf("SELECT %d - count(*) FROM assets WHERE state = 'active'", len(m.stay)),
	} {
		var n int
		if err := d.SQL().QueryRowContext(m.t.Context(), query).Scan(&n); err != nil {
			m.t.Fatalf("%s: %v", what, err)
		}
		if n != 0 {
			m.t.Errorf("%d %s", n, what)
		}
	}
}
