// Package db keeps the studio's rows, on SQLite or PostgreSQL by one code.
//
// It promises: every change runs in one transaction with one "now"; a key that was
// deleted is gone from the database's files once [DB.Scrub] says so; no read outlives
// a second, since an open reader would keep deleted keys in the write-ahead log; and
// every table and column has a category (see [Tables]).
//
// It holds nothing personal in clear: what belongs to a person is a sealed column, and
// keys lie in two narrow tables of their own, secrets and subject_keys. Whoever takes
// the database alone learns ids, states and times, and opens nothing.
//
// It does not decide: lifetimes come from policy, arithmetic from ledger, chains from
// audit. It does not remove blobs; it remembers which are to be removed.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"musa"
)

// The two databases that are spoken to.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// readLimit bounds a read transaction on a dialect. While one is open, SQLite cannot
// truncate its log, and its only writer may wait for that. PostgreSQL's VACUUM FULL copies
// what such a reader might still see, so that Scrub waits and tries again; nobody else
// does, and a busy server may need longer for its answers.
func readLimit(dialect string) time.Duration {
	if dialect == PostgreSQL {
		return 5 * time.Second
	}
	return time.Second
}

// Config says which database and with what it is reached.
type Config struct {
	URL   string // "" or sqlite:PATH, or postgres://…
	Path  string // the SQLite file when URL is empty
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	Clock musa.Clock
	Log   *slog.Logger
}

// DB is one open database. Its methods may be called from many goroutines.
type DB struct {
	dialect string
	clock   musa.Clock
	log     *slog.Logger
	writer  *bun.DB // SQLite: one connection
	reader  *bun.DB
	gate    gate // SQLite: before the writer

	reclaimAt atomic.Int64 // SQLite: at how many rows secrets may be worth a rewrite
}

// Open connects, brings the schema up to date and returns the database.
// What an operator can mend comes back as a *musa.Problem that says how.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Clock == nil {
		return nil, fmt.Errorf("open database without a clock: %w", musa.ErrInvalid)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &DB{clock: c.Clock, log: c.Log}
	if err := d.connect(ctx, c); err != nil {
		return nil, err
	}
	if err := d.migrate(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *DB) connect(ctx context.Context, c Config) error {
	switch {
	case c.URL == "" && c.Path == "":
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "database_unset", Field: "db",
			Public: "No database is named. Set db to a postgres:// URL, or leave it empty and set data."}
	case c.URL == "":
		return d.openSQLite(ctx, c.Path)
	case strings.HasPrefix(c.URL, "sqlite:"):
		return d.openSQLite(ctx, strings.TrimPrefix(strings.TrimPrefix(c.URL, "sqlite:"), "//"))
	case strings.HasPrefix(c.URL, "postgres://"), strings.HasPrefix(c.URL, "postgresql://"):
		return d.openPostgres(ctx, c)
	}
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "database_scheme", Field: "db",
		Public: "The setting db takes sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME."}
}

// Close ends all connections.
func (d *DB) Close() error {
	var err error
	for _, pool := range []*bun.DB{d.reader, d.writer} {
		if pool == nil {
			continue
		}
		if e := pool.Close(); e != nil && err == nil {
			err = fmt.Errorf("close database: %w", e)
		}
	}
	return err
}

// Dialect is SQLite or PostgreSQL.
func (d *DB) Dialect() string { return d.dialect }

// SQL is a pool that can only read, for a checker that brings its own SQL.
func (d *DB) SQL() *sql.DB { return d.reader.DB }

// Now reads the database's own clock, against which a node checks its own.
func (d *DB) Now(ctx context.Context) (time.Time, error) {
	query := "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	if d.dialect == PostgreSQL {
		query = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	var ms int64
	if err := d.reader.QueryRowContext(ctx, query).Scan(&ms); err != nil {
		return time.Time{}, problem(fmt.Errorf("read the database's clock: %w", err))
	}
	return musa.Millis(ms).Time(), nil
}
