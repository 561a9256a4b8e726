package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrForeign says that the database's files are not ours to clean: the rows are
// rewritten, but how long the server keeps its log is its operator's doing. What is
// deleted then remains in that log for as long; say so where people read it.
var ErrForeign = errors.New("the database server keeps its log by rules of its own")

// Scrub makes deleted keys unrecoverable from the database's files. dirty are the ids
// of the items and subjects whose keys were deleted; none, or an empty one among them, is for
// "anything". It says
// false when it could not finish now, as while a reader is open: try again later, and
// call nothing purged until then. ErrForeign says that trying again will not help.
func (d *DB) Scrub(ctx context.Context, dirty []string) (clean bool, err error) {
	if d.dialect == SQLite {
		return d.scrubSQLite(ctx)
	}
	return d.scrubPostgres(ctx, dirty)
}

const (
	// scrubWait is how long Scrub lets transactions end that might still see what was
	// deleted.
	scrubWait = 250 * time.Millisecond

	// scrubLock is how long Scrub queues for a partition. Everybody else queues behind.
	scrubLock = "100ms"

	// scrubAll is from how many ids on all partitions are taken as dirty.
	scrubAll = 256
)

// scrubPostgres rewrites the partitions that lost a key, then moves on to a new log
// file and has the server drop the former ones.
func (d *DB) scrubPostgres(ctx context.Context, dirty []string) (bool, error) {
	conn, err := d.writer.DB.Conn(ctx)
	if err != nil {
		return false, problem(fmt.Errorf("scrub: %w", err))
	}
	defer conn.Close()
	partitions, err := d.dirtyPartitions(ctx, dirty)
	if err != nil {
		return false, err
	}
	if ok, err := unseen(ctx, conn); !ok || err != nil {
		return false, problem(err)
	}
	if ok, err := rewrite(ctx, conn, partitions); !ok || err != nil {
		return false, problem(err)
	}
	return dropLog(ctx, conn)
}

// dirtyPartitions finds where the keys of these ids lay. One whose files are empty never held
// any since it was rewritten last.
func (d *DB) dirtyPartitions(ctx context.Context, dirty []string) ([]string, error) {
	var items, subjects []string
	for _, id := range dirty {
		if strings.HasPrefix(id, "su_") {
			subjects = append(subjects, id)
		} else {
			items = append(items, id)
		}
	}
	all := len(dirty) == 0 || len(dirty) > scrubAll || slices.Contains(dirty, "")
	var names []string
	for _, t := range []struct {
		table string
		parts int
		ids   []string
	}{{"secrets", 64, items}, {"subject_keys", 16, subjects}} {
		if !all && len(t.ids) == 0 {
			continue
		}
		var some []string
		query, args := `SELECT c.relname FROM generate_series(0, ?1 - 1) AS r JOIN pg_class AS c ON c.oid = CAST(?0 || '_p' || r AS regclass)
			WHERE (pg_relation_size(c.oid) > 0 OR (c.reltoastrelid <> 0 AND pg_relation_size(c.reltoastrelid) > 0))`, []any{t.table, t.parts}
		if !all {
			query += ` AND EXISTS (SELECT 1 FROM (VALUES ?2) AS v WHERE satisfies_hash_partition(CAST(?0 AS regclass), ?1, r, CAST(v.column1 AS text)))`
			ids := make(rows, len(t.ids))
			for i, id := range t.ids {
				ids[i] = []any{id}
			}
			args = append(args, ids)
		}
		if err := d.reader.NewRaw(query+" ORDER BY 1", args...).Scan(ctx, &some); err != nil {
			return nil, problem(fmt.Errorf("partitions of %s: %w", t.table, err))
		}
		names = append(names, some...)
	}
	return names, nil
}

// unseen waits a little until no transaction is left that began before this call:
// VACUUM FULL copies what such a one might still read. A writer in another database of the
// server counts, too: its id bounds the snapshot that VACUUM FULL itself works under.
func unseen(ctx context.Context, conn *sql.Conn) (bool, error) {
	var mark string
	if err := conn.QueryRowContext(ctx, "SELECT CAST(CAST(pg_current_xact_id() AS xid) AS text)").Scan(&mark); err != nil {
		return false, fmt.Errorf("scrub: %w", err)
	}
	query := strings.ReplaceAll(`SELECT
		(SELECT COUNT(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (age(backend_xid) > age(CAST('MARK' AS xid))
			OR (datname = current_database() AND age(backend_xmin) > age(CAST('MARK' AS xid)))))
		+ (SELECT COUNT(*) FROM pg_replication_slots WHERE age(xmin) > age(CAST('MARK' AS xid)))
		+ (SELECT COUNT(*) FROM pg_prepared_xacts WHERE age(transaction) > age(CAST('MARK' AS xid)))`, "MARK", mark)
	deadline := time.NewTimer(scrubWait)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var older int
		if err := conn.QueryRowContext(ctx, query).Scan(&older); err != nil {
			return false, fmt.Errorf("scrub: %w", err)
		}
		if older == 0 {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-deadline.C:
			return false, nil
		case <-tick.C:
		}
	}
}

// rewrite copies what is left of each partition to a new file.
func rewrite(ctx context.Context, conn *sql.Conn, partitions []string) (ok bool, err error) {
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = '"+scrubLock+"'"); err != nil {
		return false, fmt.Errorf("scrub: %w", err)
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), "RESET lock_timeout")
		if err == nil && e != nil {
			ok, err = false, fmt.Errorf("scrub: %w", e)
		}
	}()
	for _, p := range partitions {
		if _, err := conn.ExecContext(ctx, "VACUUM (FULL) "+p); isTransient(err) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("scrub %s: %w", p, err)
		}
	}
	return true, nil
}

// dropLog leaves the server's current log file and checks that no older one stayed.
// A recycled file would be an old one under a new name.
func dropLog(ctx context.Context, conn *sql.Conn) (bool, error) {
	var last, recycle string
	err := conn.QueryRowContext(ctx, "SELECT pg_walfile_name(pg_switch_wal()), current_setting('wal_recycle')").Scan(&last, &recycle)
	if isDenied(err) {
		return false, fmt.Errorf("%w: pg_switch_wal is not allowed", ErrForeign)
	}
	if err != nil {
		return false, problem(fmt.Errorf("scrub: switch log: %w", err))
	}
	if recycle != "off" {
		return false, fmt.Errorf("%w: its setting wal_recycle is not off", ErrForeign)
	}
	if _, err := conn.ExecContext(ctx, "CHECKPOINT"); isDenied(err) {
		return false, fmt.Errorf("%w: CHECKPOINT is not allowed", ErrForeign)
	} else if err != nil {
		return false, problem(fmt.Errorf("scrub: %w", err))
	}
	var kept int
	err = conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND substr(name, 9) <= substr('"+last+"', 9)").Scan(&kept)
	if isDenied(err) {
		return false, fmt.Errorf("%w: its log directory is not ours to list", ErrForeign)
	}
	if err != nil {
		return false, problem(fmt.Errorf("scrub: list log: %w", err))
	}
	if kept > 0 {
		return false, fmt.Errorf("%w: %d old files stay for replicas, an archive or wal_keep_size", ErrForeign, kept)
	}
	return true, nil
}
