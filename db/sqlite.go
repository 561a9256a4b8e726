package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/mattn/go-sqlite3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"musa"
)

// sqliteConnector opens connections that keep temporary data in memory: a sort that
// spills to a file would leave rows behind.
type sqliteConnector struct {
	dsn string
	drv *sqlite3.SQLiteDriver
}

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.drv.Open(c.dsn) }
func (c sqliteConnector) Driver() driver.Driver                        { return c.drv }

func sqlitePool(path string, options url.Values) *sql.DB {
	options.Set("_busy_timeout", "5000")
	options.Set("_foreign_keys", "on")
	options.Set("_synchronous", "FULL")
	options.Set("_secure_delete", "on")
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String()
	return sql.OpenDB(sqliteConnector{
		dsn: name + "?" + options.Encode(),
		drv: &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
			_, err := c.Exec("PRAGMA temp_store = MEMORY", nil)
			return err
		}},
	})
}

// openSQLite opens one writing connection and a pool of reading ones. A pool of
// writers would only earn SQLITE_BUSY and stalls of seconds.
func (d *DB) openSQLite(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("resolve database path: %w", err)
	}
	if err := reserve(abs); err != nil {
		return err
	}
	d.dialect = SQLite
	writer := sqlitePool(abs, url.Values{"_journal_mode": {"WAL"}, "_txlock": {"immediate"}})
	writer.SetMaxOpenConns(1)
	d.writer = bun.NewDB(writer, sqlitedialect.New())
	reader := sqlitePool(abs, url.Values{"_query_only": {"true"}, "_txlock": {"deferred"}})
	reader.SetMaxOpenConns(2 * (1 + runtime.NumCPU()))
	reader.SetMaxIdleConns(2 * (1 + runtime.NumCPU()))
	d.reader = bun.NewDB(reader, sqlitedialect.New())
	if err := writer.PingContext(ctx); err != nil {
		d.Close()
		return problem(fmt.Errorf("open database: %w", err))
	}
	return nil
}

// reserve makes the file and its directory, readable by their owner alone.
func reserve(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return dirProblem(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return dirProblem(err)
	}
	if err := f.Close(); err != nil {
		return dirProblem(err)
	}
	// SQLite needs to make its log beside the file.
	probe, err := os.CreateTemp(filepath.Dir(path), ".probe-*")
	if err != nil {
		return dirProblem(err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func dirProblem(err error) error {
	p := &musa.Problem{Kind: musa.ErrUnavailable, Code: "data_unwritable", Field: "data", Cause: err,
		Public: "The data directory cannot be written. Give its owner write access, or set data to another directory."}
	if isFull(err) {
		p.Code = "disk_full"
		p.Public = "The disk of the data directory is full. Free some space; nothing is lost."
	}
	if errors.Is(err, fs.ErrNotExist) {
		p.Code = "data_missing"
	}
	return p
}
