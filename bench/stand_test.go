package bench_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"musa/api"
	"musa/blob"
	"musa/blob/files"
	"musa/blob/s3"
	"musa/db"
	"musa/engine"
	"musa/engine/enginetest"
	"musa/house"
	"musa/musatest/rigs"
	"musa/pix"
	"musa/policies"
	"musa/queue"
	"musa/seal"
)

// stores says what a house stands on.
type stores struct{ database, blobs string }

func (s stores) String() string { return s.database + "+" + s.blobs }

// The stores that are measured. The goals name databases: PostgreSQL with files tells its
// share apart from that of an S3 server.
var (
	embedded = stores{db.SQLite, "files"}
	mixed    = stores{db.PostgreSQL, "files"}
	scaled   = stores{db.PostgreSQL, "s3"}
)

// on runs a benchmark once for each.
func on(b *testing.B, f func(*testing.B, stores), all ...stores) {
	for _, s := range all {
		b.Run(s.String(), func(b *testing.B) { f(b, s) })
	}
}

func openDB(b *testing.B, s stores) *db.DB {
	b.Helper()
	config := db.Config{Path: filepath.Join(b.TempDir(), "musa.db"), Clock: time.Now, Log: slog.New(slog.DiscardHandler)}
	if s.database == db.PostgreSQL {
		config.URL, _ = rigs.PostgresFor(b)
	}
	d, err := db.Open(b.Context(), config)
	must(b, err)
	b.Cleanup(func() { d.Close() })
	return d
}

func openBlobs(b *testing.B, s stores) blob.Store {
	b.Helper()
	if s.blobs == "files" {
		store, err := files.New(filepath.Join(b.TempDir(), "blobs"))
		must(b, err)
		return store
	}
	bucket := rigs.S3(b)
	store, err := s3.New(b.Context(), s3.Config{URL: bucket.URL, AccessKey: bucket.AccessKey, SecretKey: bucket.SecretKey, HTTPClient: http.DefaultClient})
	must(b, err)
	return store
}

// newHouse is a house as musa serve builds it, at the real time, with the null engine. Its
// loops do not run: see running.
func newHouse(b *testing.B, s stores) *house.House {
	b.Helper()
	return houseOn(b, openDB(b, s), openBlobs(b, s))
}

func houseOn(b *testing.B, d *db.DB, blobs blob.Store) *house.House {
	b.Helper()
	keys, err := seal.Create(filepath.Join(b.TempDir(), "musa.keys"))
	must(b, err)
	doc, err := policies.Load(policies.Default, nil)
	must(b, err)
	null, log := newIdle(b), slog.New(slog.DiscardHandler)
	c := house.Config{DB: d, Blobs: blobs, Keys: keys, Policy: doc, Clock: time.Now, Log: log, Node: "node-bench",
		Version: "bench", Engines: map[string]engine.Engine{null.Name(): null}, Engine: null.Name(), Cookies: api.CookiesPlain,
		Limits: pix.DefaultLimits(), Memory: 512 << 20, Allowance: 1000, Guests: 1 << 30, Price: 1, Width: hands, Session: time.Hour}
	if d.Dialect() == db.PostgreSQL {
		c.ScrubEvery = 10 * time.Second // as musa serve sets it
	}
	c.Queue, err = queue.Open(b.Context(), queue.Config{Log: log})
	must(b, err)
	b.Cleanup(c.Queue.Close)
	h, err := house.New(b.Context(), c)
	must(b, err)
	return h
}

// running runs a loop until the benchmark ends.
func running(b *testing.B, loop house.Loop) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := loop(ctx); err != nil && ctx.Err() == nil {
			b.Errorf("loop: %v", err)
		}
	})
	b.Cleanup(func() { stop(); wait.Wait() })
}

// open opens the house's doors and returns their address.
func open(b *testing.B, h *house.House) string {
	b.Helper()
	server := httptest.NewServer(h.Handler())
	b.Cleanup(server.Close)
	return server.URL
}

// idle is the null engine with its picture made beforehand: encoding one would be work.
type idle struct {
	enginetest.Null
	outputs []engine.Output
}

// newIdle lets the null engine work once.
func newIdle(b *testing.B) *idle {
	b.Helper()
	e := &idle{}
	var err error
	e.outputs, err = e.Null.Run(b.Context(), engine.Task{}, engine.Plan{Model: "none"}, nil)
	must(b, err)
	return e
}

// Run returns the picture.
func (e *idle) Run(_ context.Context, _ engine.Task, _ engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	report(engine.Progress{Step: engine.StepUpscale, Done: 1, Total: 1})
	return e.outputs, nil
}
