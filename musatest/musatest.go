// Package musatest is a whole studio for tests: real database, real blobs, real queue and
// the real house behind a real HTTP server, with a clock that tests turn. Nothing in it is
// a double but the clock, and the engine where a test asks for the null one.
package musatest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/blob"
	"musa/blob/files"
	"musa/blob/s3"
	"musa/db"
	"musa/engine"
	"musa/engine/enginetest"
	"musa/engine/local"
	"musa/house"
	"musa/musatest/rigs"
	"musa/neural"
	"musa/notice"
	"musa/pix"
	"musa/policies"
	"musa/policy"
	"musa/queue"
	"musa/retention"
	"musa/seal"
)

// Stores says what a studio stands on.
type Stores string

// The two deployments that every test of stored data runs on.
const (
	Embedded Stores = "sqlite+files"
	Scaled   Stores = "postgres+s3"
)

// BothStores lists them.
func BothStores() []Stores { return []Stores{Embedded, Scaled} }

// Rig says how a studio is built. The zero Rig is the studio preset on SQLite and files
// with the null engine.
type Rig struct {
	Stores Stores
	Policy string // a preset's name, or a whole document as YAML when it holds a newline
	Engine engine.Engine
	Clock  *Clock // a turned clock; made if nil
	Credit int64  // a new guest's credits; 1000 if 0
	Width  int    // jobs at once; 2 if 0
	Guests int    // from one network in an hour; as many as come if 0: all of them come from this machine
	Backup house.Backup
	Silent bool // has no mail server
	// Passwords is what hashing one takes; next to nothing if zero: most tests are about something else.
	Passwords account.Cost
	// Proxies are reverse proxies whose word about a visitor counts.
	Proxies api.Proxies
	// Providers are identity providers that people may sign in with; the policy has to name them.
	Providers []account.Provider
}

// Studio is a running studio.
type Studio struct {
	*house.House
	T      testing.TB
	Clock  *Clock
	URL    string
	Dirs   []string // every folder that holds something of this studio, for raw scans
	Stores Stores
	Mails  *rigs.SMTP // where its mail goes; nil in a silent one
	own    func() *sql.DB
	config db.Config
}

// Node opens the database once more, as another node of the studio does.
func (s *Studio) Node() *db.DB {
	s.T.Helper()
	d, err := db.Open(context.Background(), s.config)
	must(s.T, err)
	s.T.Cleanup(func() { d.Close() })
	return d
}

// OwnSQL opens the database once more, behind the product's back. Close it.
func (s *Studio) OwnSQL() *sql.DB {
	s.T.Helper()
	return s.own()
}

// New builds and starts a studio. Jobs run; what is due is erased when Step is called.
func New(t testing.TB, r Rig) *Studio {
	t.Helper()
	if r.Clock == nil {
		r.Clock = NewClock()
	}
	if r.Engine == nil {
		r.Engine = &enginetest.Null{}
	}
	if r.Credit == 0 {
		r.Credit = 1000
	}
	if r.Guests == 0 {
		r.Guests = math.MaxInt32
	}
	if r.Width == 0 {
		r.Width = 2
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	dir := t.TempDir()
	s := &Studio{T: t, Clock: r.Clock, Stores: r.Stores}
	log := slog.New(slog.NewTextHandler(testLog{t}, nil))
	keys, err := seal.Create(filepath.Join(t.TempDir(), "musa.keys"))
	must(t, err)
	c := house.Config{Keys: keys, Policy: document(t, r.Policy), Clock: r.Clock.Now, Log: log, Node: "node-" + filepath.Base(dir), Version: "test",
		Engines: map[string]engine.Engine{r.Engine.Name(): r.Engine}, Engine: r.Engine.Name(), Cookies: api.CookiesPlain,
		Limits: pix.DefaultLimits(), Memory: 512 << 20, Allowance: r.Credit, Guests: r.Guests, Price: 1, Width: r.Width, Session: 30 * 24 * time.Hour, Backup: r.Backup,
		Passwords: cmp.Or(r.Passwords, account.Cost{Memory: 8, Time: 1})}
	s.Dirs = append(s.Dirs, dir)
	config := db.Config{Path: filepath.Join(dir, "musa.db"), Clock: r.Clock.Now, Log: log}
	s.own = func() *sql.DB { return openSQL(t, "sqlite3", config.Path) }
	var cluster string
	if r.Stores == Scaled {
		config.URL, cluster = rigs.Migrated(t)
		s.own = func() *sql.DB { return openSQL(t, "pgx", config.URL) }
	}
	s.config = config
	c.DB, err = db.Open(ctx, config)
	must(t, err)
	t.Cleanup(func() { c.DB.Close() })
	if cluster != "" {
		s.Dirs = append(s.Dirs, DatabaseFiles(t, c.DB.SQL(), cluster)...)
	}
	c.Blobs = s.blobs(ctx, dir)
	c.Queue, err = queue.Open(ctx, queue.Config{Log: log})
	must(t, err)
	t.Cleanup(c.Queue.Close)
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	must(t, err)
	// A name, not a number: passkeys need one.
	c.PublicURL, c.Providers, c.Proxies = "http://localhost:"+port, r.Providers, r.Proxies
	if !r.Silent {
		s.Mails = rigs.SMTPServer(t)
		c.Mail = notice.Mail{URL: s.Mails.URL, From: Sender, Dial: new(net.Dialer).DialContext}
	}
	s.House, err = house.New(ctx, c)
	must(t, err)
	must(t, s.Recover(ctx))
	server.Config.Handler = s.Handler()
	server.Config.ConnContext = api.ConnContext
	server.Start()
	s.URL = server.URL
	var run sync.WaitGroup
	run.Go(func() {
		if err := house.Run(ctx, s.Runner.Run); err != nil {
			t.Errorf("runner: %v", err)
		}
	})
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		stop()
		run.Wait()
	})
	return s
}

func (s *Studio) blobs(ctx context.Context, dir string) blob.Store {
	if s.Stores != Scaled {
		store, err := files.New(filepath.Join(dir, "blobs"))
		must(s.T, err)
		return store
	}
	b := rigs.S3(s.T)
	s.Dirs = append(s.Dirs, b.Dir)
	store, err := s3.New(ctx, s3.Config{URL: b.URL, AccessKey: b.AccessKey, SecretKey: b.SecretKey, HTTPClient: http.DefaultClient})
	must(s.T, err)
	return store
}

// Sender is from whom a studio's mails come.
const Sender = "Example Studio <studio@studio.example>"

// Post sends every mail that is due, as a server does all the time, and returns what its mail
// server got for an address, the oldest first.
func (s *Studio) Post(address string) []rigs.Mail {
	s.T.Helper()
	must(s.T, s.Notices.Step(s.T.Context()))
	return s.Mails.To(address)
}

// scrubWait bounds how long Step waits for transactions of the studio itself, such as of a job.
const scrubWait = 30 * time.Second

// Again does what a server does at its next turn if a machine was too busy for the limit that a
// read has. Any other error ends the test.
func Again(t testing.TB, turn func() error) {
	t.Helper()
	for tries := 1; ; tries++ {
		err := turn()
		var p *musa.Problem
		if tries == 5 || !errors.As(err, &p) || p.Code != "read_too_long" {
			must(t, err)
			return
		}
	}
}

// Step does what retention does all the time, until nothing waits for its purge or its scrub: a
// scrub of PostgreSQL has to wait for the transactions that run beside it.
func (s *Studio) Step() {
	s.T.Helper()
	for end := time.Now().Add(scrubWait); ; time.Sleep(20 * time.Millisecond) {
		Again(s.T, func() error { return s.Keeper.Step(context.Background()) })
		var waiting int
		must(s.T, s.DB.SQL().QueryRow("SELECT (SELECT COUNT(*) FROM assets WHERE state = 'erased') + (SELECT COUNT(*) FROM strays)").Scan(&waiting))
		if waiting == 0 {
			return
		}
		if time.Now().After(end) {
			s.T.Fatalf("after %v something erased still waits for its purge, or a key for its scrub", scrubWait)
		}
	}
}

// document loads a preset, or parses a whole document.
func document(t testing.TB, source string) *policy.Document {
	t.Helper()
	if source == "" {
		source = "studio"
	}
	if !isDocument(source) {
		doc, err := policies.Load(source, os.ReadFile)
		must(t, err)
		return doc
	}
	doc, err := policies.Parse("./test.yaml", func(string) ([]byte, error) { return []byte(source), nil })
	must(t, err)
	if faults := doc.Lint(); len(faults) > 0 {
		t.Fatalf("policy: %v", faults)
	}
	return doc
}

func isDocument(source string) bool { return strings.Contains(source, "\n") }

// Local is the real local engine, with the networks fetched at first use.
func Local(t testing.TB) engine.Engine {
	t.Helper()
	nets := neural.Open(Models(t))
	t.Cleanup(func() { nets.Close() })
	e, err := local.New(local.Config{Models: nets})
	must(t, err)
	return e
}

// Clock is a clock that stands still until it is turned, or runs besides being turned.
type Clock struct {
	mu    sync.Mutex
	now   time.Time // guarded by mu
	since time.Time // when now was set, for one that runs; guarded by mu
}

// RunningClock runs from the present, and can be turned as well.
func RunningClock() *Clock { return &Clock{now: time.Now(), since: time.Now()} }

// NewClock stands at the present, on a whole second.
func NewClock() *Clock { return &Clock{now: time.Now().Truncate(time.Second)} }

// Now reads it.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.since.IsZero() {
		return c.now.Add(time.Since(c.since))
	}
	return c.now
}

// Turn moves it on.
func (c *Clock) Turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Months is the same day and time so many calendar months later; in a month that is too short for
// it, the last day.
func Months(from time.Time, n int) time.Time {
	for short := 0; ; short++ {
		if to := from.AddDate(0, 0, -short).AddDate(0, n, 0); to.Day() == from.Day()-short {
			return to
		}
	}
}

// DatabaseFiles lists all of a server's folders and files but the tables of its other
// databases, which belong to other tests: its log, its statistics, its temporary files.
func DatabaseFiles(t testing.TB, d *sql.DB, cluster string) (roots []string) {
	t.Helper()
	var oid string
	must(t, d.QueryRow("SELECT CAST(oid AS text) FROM pg_database WHERE datname = current_database()").Scan(&oid))
	entries, err := os.ReadDir(cluster)
	must(t, err)
	for _, e := range entries {
		if e.Name() != "base" {
			roots = append(roots, filepath.Join(cluster, e.Name()))
		}
	}
	for _, name := range []string{oid, "pgsql_tmp"} {
		if _, err := os.Stat(filepath.Join(cluster, "base", name)); err == nil {
			roots = append(roots, filepath.Join(cluster, "base", name))
		}
	}
	return roots
}

func openSQL(t testing.TB, driver, source string) *sql.DB {
	t.Helper()
	d, err := sql.Open(driver, source)
	must(t, err)
	return d
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// SetTier puts a client's person into another tier, as an operator does.
func (s *Studio) SetTier(c *Client, t musa.Tier) retention.Forecast {
	s.T.Helper()
	f, err := s.Keeper.Change(s.T.Context(), musa.Actor{Role: musa.RoleOperator}, c.Subject(), retention.Change{Tier: t})
	must(s.T, err)
	return f
}

// Publish takes a whole document up, given as YAML.
func (s *Studio) Publish(source string) *policy.Document {
	s.T.Helper()
	doc := document(s.T, source)
	must(s.T, s.House.Publish(s.T.Context(), doc))
	return doc
}
