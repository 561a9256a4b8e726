// Package proof looks for what should not be there: remains of erased data, and faults of
// a whole store.
//
// It promises to look by its own means. It has its own SQL and reads files as raw bytes,
// so that a mistake in what deletes cannot hide from what checks; of our packages it
// imports the blob port and the glossary alone. It only reads, page by page, because an
// open reader would keep deleted keys in the database's log. What it reports names kinds,
// tables and ids, never content.
//
// It does not repair, holds no clock and no keys, and cannot tell whether a sealed byte
// would open: it tells whether the byte is still there.
package proof

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"musa/blob"
)

// The databases that it speaks to, as package db names them.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Config says what is looked at.
type Config struct {
	SQL     *sql.DB // a pool that need only read
	Dialect string  // SQLite or PostgreSQL
	Blobs   blob.Store
}

// readLimit bounds one look, as package db bounds its reads.
func (c Config) readLimit() time.Duration {
	if c.Dialect == PostgreSQL {
		return 5 * time.Second
	}
	return time.Second
}

// Inspector looks into one store. It is safe for concurrent use.
type Inspector struct {
	Config
}

// New makes an inspector.
func New(c Config) *Inspector { return &Inspector{Config: c} }

// querier is the pool, or the one connection of a round.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// look runs one query on the pool and scans each row; it ends within its limit.
func (i *Inspector) look(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return i.ask(ctx, i.SQL, scan, query, args...)
}

func (i *Inspector) ask(ctx context.Context, of querier, scan func(*sql.Rows) error, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, i.readLimit())
	defer cancel()
	if i.Dialect == SQLite {
		// SQLite numbers $2 by where it stands; ?2 is what PostgreSQL means by $2.
		query = strings.ReplaceAll(query, "$", "?")
	}
	rows, err := of.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
