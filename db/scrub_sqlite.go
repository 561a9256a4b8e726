package db

import (
	"context"
	"fmt"
)

// scrubSQLite empties the write-ahead log. It must not wait: it holds the only writer,
// and an open reader may stay for a second.
func (d *DB) scrubSQLite(ctx context.Context) (clean bool, err error) {
	if err := d.reclaimSQLite(ctx); err != nil {
		return false, err
	}
	// What can be moved without the writer is moved before: others write meanwhile.
	if _, err := d.reader.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil && !isBusy(err) {
		return false, problem(fmt.Errorf("scrub: %w", err))
	}
	if err := d.gate.enterLast(ctx); err != nil {
		return false, err
	}
	defer d.gate.leave()
	conn, err := d.writer.DB.Conn(ctx)
	if err != nil {
		return false, problem(fmt.Errorf("scrub: %w", err))
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return false, problem(fmt.Errorf("scrub: %w", err))
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = 5000")
		if err == nil && e != nil {
			err = problem(fmt.Errorf("scrub: %w", e))
		}
	}()
	var busy, frames, moved int
	row := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := row.Scan(&busy, &frames, &moved); err != nil {
		if isBusy(err) {
			return false, nil
		}
		return false, problem(fmt.Errorf("scrub: %w", err))
	}
	return busy == 0, nil
}

// reclaimFrom is how many emptied rows of secrets are not worth a rewrite.
const reclaimFrom = 50_000

// reclaimSQLite rewrites secrets once most of its rows are emptied ones. The new rows
// are appended in order, which rebalances nothing, and the pages of the old table are
// overwritten as they are freed. It takes the writer for about a second per 100,000
// live secrets, once in as many erasures.
func (d *DB) reclaimSQLite(ctx context.Context) error {
	var last, live int64
	err := d.reader.QueryRowContext(ctx, "SELECT COALESCE(MAX(rowid), 0) FROM secrets").Scan(&last)
	if err != nil || last < d.reclaimAt.Load() {
		return wrapf(problem(err), "count secrets")
	}
	err = d.reader.QueryRowContext(ctx, "SELECT COUNT(*) FROM secrets WHERE length(wrapped) > 0").Scan(&live)
	if err != nil {
		return problem(fmt.Errorf("count live secrets: %w", err))
	}
	if last-live >= live+reclaimFrom {
		if err := d.Chore(ctx, rewriteSecrets); err != nil {
			return fmt.Errorf("rewrite secrets: %w", err)
		}
	}
	d.reclaimAt.Store(2*live + reclaimFrom)
	return nil
}

func rewriteSecrets(ctx context.Context, tx Tx) error {
	for _, statement := range []string{
		"CREATE TABLE secrets_new (id TEXT NOT NULL, subject TEXT NOT NULL, wrapped BLOB NOT NULL, sealed BLOB NOT NULL) STRICT",
		"INSERT INTO secrets_new SELECT id, subject, wrapped, sealed FROM secrets WHERE length(wrapped) > 0 ORDER BY rowid",
		"DROP TABLE secrets",
		"ALTER TABLE secrets_new RENAME TO secrets",
		"CREATE UNIQUE INDEX secrets_key ON secrets (id) WHERE length(wrapped) > 0",
		"CREATE INDEX secrets_subject ON secrets (subject) WHERE length(wrapped) > 0",
	} {
		if _, err := tx.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
