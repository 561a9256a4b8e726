package main

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/proof"
	"musa/seal"
)

// verifySource says which store is looked at. Nothing is written to it, and a server may
// run beside.
type verifySource struct {
	Data     string `help:"Folder of the database and the blobs." default:"./data" placeholder:"DIR"`
	DB       string `name:"db" help:"Database URL (postgres://…); empty is SQLite in the data folder." placeholder:"URL"`
	Keys     string `help:"The instance's key file: says which store belongs to it and who signed." default:"./musa.keys" placeholder:"FILE"`
	Verifier string `help:"The log's public key, instead of the key file." placeholder:"KEY"`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// VerifyCmd is `musa verify`.
type VerifyCmd struct {
	verifySource
	Policy   string   `help:"Policy to judge by: the name of a preset, or a file; empty is the one in force in the store."`
	Blobs    string   `help:"Blob store URL (s3://…); empty is files in the data folder." placeholder:"URL"`
	S3Key    string   `name:"s3-access-key" help:"Access key of the blob store." env:"AWS_ACCESS_KEY_ID" placeholder:"KEY"`
	S3Secret string   `name:"s3-secret-key" help:"Secret key of the blob store." env:"AWS_SECRET_ACCESS_KEY" placeholder:"KEY"`
	Quick    bool     `help:"Ask the indexes alone: what is late." xor:"level"`
	Deep     bool     `help:"Read every byte as well: sealed blobs, and raw files for keys that were destroyed." xor:"level"`
	Files    []string `help:"More folders for --deep to read raw: temporary files, logs, the database server's own files." placeholder:"DIR"`
}

// verifyReport is what a look found, as --json prints it.
type verifyReport struct {
	Clean    bool          `json:"clean"`
	Faults   []proof.Fault `json:"faults"`
	LookedAt proof.Tally   `json:"looked_at"`
}

// Run lists what is wrong with a store: status 1 if anything is, 2 if it could not look.
func (c *VerifyCmd) Run(ctx context.Context, out io.Writer) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	now := musa.At(time.Now())
	doc, err := c.bounds(ctx, s, now)
	if err != nil {
		return err
	}
	o := proof.Options{Now: now, Level: proof.Whole, EraseWithin: doc.EraseWithin(), PurgeWithin: doc.PurgeWithin(),
		ReceiptsFor: doc.ReceiptsFor(), PaymentsFor: doc.PaymentsFor(),
		Tables: verifyTables(), Keyset: s.keyset, Checks: s.checks(), Progress: verifyProgress(os.Stderr)}
	o.Categories = musa.Categories()
	o.MailsFor, o.SentMailsFor = doc.MailsFor()
	switch {
	case c.Quick:
		o.Level = proof.Quick
	case c.Deep:
		o.Level, o.Roots = proof.Deep, append(c.Files, c.Data)
	}
	settings := Settings{Data: c.Data, DB: c.DB, Blobs: c.Blobs, S3Key: c.S3Key, S3Secret: c.S3Secret}
	dialer, err := settings.dialer()
	if err != nil {
		return err
	}
	// Opening a folder makes it: what is not there must be said instead.
	if c.Blobs == "" {
		if err := verifyThere(filepath.Join(c.Data, "blobs"), "blobs", "The folder of the blobs"); err != nil {
			return err
		}
	}
	if s.Blobs, err = settings.store(ctx, dialer); err != nil {
		return err
	}
	report := verifyReport{Faults: []proof.Fault{}}
	report.LookedAt, err = s.Store(ctx, o, func(f proof.Fault) {
		report.Faults = append(report.Faults, f)
		if !c.JSON {
			verifyPrint(out, f)
		}
	})
	if err != nil {
		return fmt.Errorf("the look is not complete: %w", err)
	}
	report.Clean = len(report.Faults) == 0
	return verifyEnd(out, report, c.JSON)
}

func verifyPrint(out io.Writer, f proof.Fault) {
	fmt.Fprintf(out, "%-18s %s", f.Kind, f.Where)
	if f.ID != "" {
		fmt.Fprintf(out, " %s", f.ID)
	}
	fmt.Fprintf(out, ": %s", f.Words)
	if f.Since > 0 {
		fmt.Fprintf(out, " (since %s)", f.Since.Time().Format(time.RFC3339))
	}
	fmt.Fprintln(out)
}

// verifyEnd sums up, and fails when anything was found.
func verifyEnd(out io.Writer, r verifyReport, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	} else {
		var counts []string
		for _, what := range slices.Sorted(maps.Keys(r.LookedAt)) {
			if !strings.HasPrefix(what, "columns of ") {
				counts = append(counts, fmt.Sprintf("%d %s", r.LookedAt[what], what))
			}
		}
		said := "clean"
		if !r.Clean {
			said = fmt.Sprintf("%d faults", len(r.Faults))
		}
		fmt.Fprintf(out, "%s; looked at %s\n", said, strings.Join(counts, ", "))
	}
	if !r.Clean {
		return failure(1)
	}
	return nil
}

// verifyProgress tells a terminal how far the look is; into a pipe it says nothing.
func verifyProgress(to *os.File) func(string, int64) {
	info, err := to.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var last time.Time
	return func(what string, n int64) {
		if now := time.Now(); now.Sub(last) > 200*time.Millisecond {
			last = now
			fmt.Fprintf(to, "\r\x1b[K%d %s\r", n, what)
		}
	}
}

func verifyTables() map[string][]string {
	tables := map[string][]string{}
	for _, t := range db.Tables() {
		tables[t.Name] = slices.Collect(maps.Keys(t.Columns))
	}
	return tables
}

// verifyStore is a store opened for looking only.
type verifyStore struct {
	*proof.Inspector
	keyset, verifier string
}

// Close ends the connections.
func (s *verifyStore) Close() error { return s.SQL.Close() }

func (c *verifySource) open(ctx context.Context) (*verifyStore, error) {
	s := &verifyStore{verifier: c.Verifier}
	if c.Verifier == "" {
		keys, err := seal.Load(c.Keys)
		if err != nil {
			return nil, err
		}
		if s.keyset, s.verifier, err = verifyKey(keys); err != nil {
			return nil, err
		}
	}
	var pool *sql.DB
	var err error
	dialect := proof.SQLite
	if path, ok := strings.CutPrefix(c.DB, "sqlite:"); c.DB == "" || ok {
		if c.DB == "" {
			path = filepath.Join(c.Data, "musa.db")
		}
		pool, err = verifySQLite(strings.TrimPrefix(path, "//"))
	} else {
		dialect = proof.PostgreSQL
		pool, err = verifyPostgres(c.DB)
	}
	if err != nil {
		return nil, err
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(&musa.Problem{Kind: musa.ErrUnavailable, Code: "database_unreachable", Field: "db",
			Public: "The database cannot be read. Check that it is there and that this user may read it.", Cause: err}, pool.Close())
	}
	s.Inspector = proof.New(proof.Config{SQL: pool, Dialect: dialect})
	return s, nil
}

// verifyKey gives the keyset's public name, and the public key of what it signs.
func verifyKey(keys *seal.Keyset) (id, verifier string, err error) {
	verifier, err = audit.VerifierKey("musa/"+keys.ID(), keys.Signer().Public().(ed25519.PublicKey))
	return keys.ID(), verifier, err
}

func verifyThere(path, field, what string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &musa.Problem{Kind: musa.ErrNotFound, Code: "store_missing", Field: field,
			Public: fmt.Sprintf("%s %s is not there, so there is nothing to look at. Name another folder with --data.", what, path)}
	}
	return err
}

// verifyConnector opens SQLite connections that can only read and spill nothing to disk.
type verifyConnector struct {
	dsn string
	drv *sqlite3.SQLiteDriver
}

func (c verifyConnector) Connect(context.Context) (driver.Conn, error) { return c.drv.Open(c.dsn) }
func (c verifyConnector) Driver() driver.Driver                        { return c.drv }

func verifySQLite(path string) (*sql.DB, error) {
	if err := verifyThere(path, "data", "The database"); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("resolve database path: %w", err)
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: abs}).String()
	return sql.OpenDB(verifyConnector{name + "?mode=ro&_query_only=true&_busy_timeout=5000", &sqlite3.SQLiteDriver{
		ConnectHook: func(c *sqlite3.SQLiteConn) error {
			_, err := c.Exec("PRAGMA temp_store = MEMORY", nil)
			return err
		}}}), nil
}

func verifyPostgres(address string) (*sql.DB, error) {
	settings := Settings{DB: address}
	dialer, err := settings.dialer()
	if err != nil {
		return nil, err
	}
	conf, err := pgx.ParseConfig(address)
	if err != nil {
		// The cause is dropped: it repeats the URL, which may hold a password.
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "database_url", Field: "db",
			Public: "The setting db is no valid PostgreSQL URL. Write postgres://USER:PASSWORD@HOST:PORT/NAME."}
	}
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conf.RuntimeParams["default_transaction_read_only"] = "on"
	conf.DialFunc = dialer.For("database")
	return stdlib.OpenDB(*conf), nil
}
