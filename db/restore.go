package db

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"musa"
)

// restoring is the id of the row that marks a store whose restore has not ended.
const restoring = "restore"

func listed(ids []string) schema.QueryAppender { return bun.List(ids) }

// Restoring says that a restore into this database began and has not ended: half of what
// was there is no store to serve from.
func (tx Tx) Restoring(ctx context.Context) (bool, error) {
	var n int
	err := tx.get(ctx, &n, "SELECT COUNT(*) FROM instance WHERE id = ?", restoring)
	return n > 0, wrapf(err, "restoring")
}

// BeginRestore marks an empty database and says whether it was marked before. One that has
// been served from, or that holds anything else, is refused as a *musa.Problem.
func (d *DB) BeginRestore(ctx context.Context, keyset string) (again bool, err error) {
	err = d.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		if again, err = tx.Restoring(ctx); err != nil || again {
			return err
		}
		for _, table := range append(DumpTables(), append(KeyTables(), "instance")...) {
			var n int
			if err := tx.get(ctx, &n, "SELECT COUNT(*) FROM (SELECT 1 FROM ? LIMIT 1) AS one", bun.Ident(table)); err != nil {
				return err
			}
			if n > 0 {
				return &musa.Problem{Kind: musa.ErrConflict, Code: "restore_not_empty", Field: "db",
					Public: "The new database is not empty, and a restore never overwrites. Name an empty one with --data or --db."}
			}
		}
		return tx.insert(ctx, &Instance{ID: restoring, Keyset: keyset, Created: tx.Now})
	})
	if err == nil && again {
		err = d.wipe(ctx)
	}
	return again, wrapf(err, "begin restore")
}

// wipe takes back what a restore that was broken off had loaded.
func (d *DB) wipe(ctx context.Context) error {
	return d.Write(ctx, func(ctx context.Context, tx Tx) error {
		tables := append([]string{"leases"}, append(KeyTables(), DumpTables()...)...)
		for _, table := range tables {
			// Without a condition SQLite frees whole pages, which overwrites them.
			query := "DELETE FROM ?"
			if tx.dialect == PostgreSQL {
				query = "TRUNCATE ? CASCADE" // drops the files, with every key in them
			}
			if _, err := tx.exec(ctx, query, bun.Ident(table)); err != nil {
				return wrapf(err, "empty %s", table)
			}
		}
		_, err := tx.exec(ctx, "DELETE FROM instance WHERE id <> ?", restoring)
		return wrapf(err, "unbind")
	})
}

const openJob = "state IN ('queued', 'running')"

// mends make one state of rows that were read one after another. Sums follow from what is
// summed; what names something that is not there goes.
var mends = []string{
	"DELETE FROM blobs WHERE NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.id = blobs.asset AND a.state = 'active')",
	`DELETE FROM sources WHERE NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.id = sources.asset)
		OR NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.id = sources.source)`,
	"DELETE FROM job_inputs WHERE NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = job_inputs.job)",
	// Who was set aside after the dump's moment is so again by the journal.
	"UPDATE subjects SET state = 'active' WHERE state = 'suspended' AND NOT EXISTS (SELECT 1 FROM suspensions AS s WHERE s.subject = subjects.id)",
	"DELETE FROM suspensions WHERE EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = suspensions.subject AND s.state = 'active')",
	"DELETE FROM roles WHERE NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = roles.subject)",
	// The address of who came after the dump's moment would keep them from ever coming again.
	"DELETE FROM addresses WHERE NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = addresses.subject)",
	"DELETE FROM workspaces WHERE NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = workspaces.subject)",
	`DELETE FROM affected WHERE NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = affected.subject)
		OR NOT EXISTS (SELECT 1 FROM incidents AS i WHERE i.id = affected.incident)`,
	`INSERT INTO ledger_accounts (subject, balance, held) SELECT DISTINCT e.subject, 0, 0 FROM ledger_entries AS e
		WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts AS a WHERE a.subject = e.subject)`,
	`UPDATE ledger_accounts SET balance = (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries AS e WHERE e.subject = ledger_accounts.subject),
		held = (SELECT COALESCE(SUM(e.held), 0) FROM ledger_entries AS e WHERE e.subject = ledger_accounts.subject)`,
	`UPDATE jobs SET announced = 0, runner = '', beat = 0, done = 0, total = 0,
		held = (SELECT COALESCE(SUM(e.held), 0) FROM ledger_entries AS e WHERE e.job = jobs.id) WHERE ` + openJob,
	`UPDATE assets SET uses = (SELECT COUNT(DISTINCT i.job) FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job
			WHERE i.asset = assets.id AND j.` + openJob + `),
		bytes = (SELECT COALESCE(SUM(b.size), 0) FROM blobs AS b WHERE b.asset = assets.id) WHERE state = 'active'`,
}

// Mend makes what was loaded add up. Events of the audit log before the number from were
// removed while the dump was made.
func (d *DB) Mend(ctx context.Context, from int64) error {
	for _, query := range mends {
		err := d.Write(ctx, func(ctx context.Context, tx Tx) error {
			_, err := tx.exec(ctx, query)
			return err
		})
		if err != nil {
			return wrapf(err, "mend")
		}
	}
	return d.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.exec(ctx, "DELETE FROM audit_events WHERE seq < ?", from); err != nil {
			return wrapf(err, "mend audit log")
		}
		if tx.dialect != PostgreSQL {
			return nil
		}
		var last int64
		err := tx.get(ctx, &last, "SELECT setval(pg_get_serial_sequence('adoptions', 'seq'), GREATEST(1, (SELECT COALESCE(MAX(seq), 0) FROM adoptions)))")
		return wrapf(err, "mend adoptions")
	})
}

// FirstAudit is the number of the first event that the audit log holds, 0 for none.
func (tx Tx) FirstAudit(ctx context.Context) (first int64, err error) {
	err = tx.get(ctx, &first, "SELECT COALESCE(MIN(seq), 0) FROM audit_events WHERE seq IS NOT NULL")
	return first, wrapf(err, "first audit event")
}

// Unkeyed is what stands as active and has no key.
type Unkeyed struct {
	Subjects []musa.SubjectID
	Assets   []musa.AssetID
	Records  []musa.RecordID
}

// Len is how much that is.
func (u Unkeyed) Len() int { return len(u.Subjects) + len(u.Assets) + len(u.Records) }

// Unkeyed lists up to limit owners without a key, or when there are none, as many assets
// and records.
func (tx Tx) Unkeyed(ctx context.Context, limit int) (u Unkeyed, err error) {
	err = tx.get(ctx, &u.Subjects, `SELECT s.id FROM subjects AS s WHERE s.state <> 'erased' AND NOT EXISTS
		(SELECT 1 FROM subject_keys AS k WHERE k.subject = s.id AND length(k.wrapped) > 0) ORDER BY s.id LIMIT ?`, limit)
	if err != nil || len(u.Subjects) > 0 {
		return u, wrapf(err, "owners without a key")
	}
	const bare = ` AS i WHERE i.state = 'active' AND NOT EXISTS
		(SELECT 1 FROM secrets AS k WHERE k.id = i.id AND length(k.wrapped) > 0) ORDER BY i.id LIMIT ?`
	if err := tx.get(ctx, &u.Assets, "SELECT i.id FROM assets"+bare, limit); err != nil {
		return u, wrapf(err, "assets without a key")
	}
	err = tx.get(ctx, &u.Records, "SELECT i.id FROM records"+bare, limit)
	return u, wrapf(err, "records without a key")
}

// ForgoReceipt takes back the receipt that was promised to a closed owner: it can be made
// with their key only, and that is destroyed. Who got theirs before still holds it.
func (tx Tx) ForgoReceipt(ctx context.Context, id musa.SubjectID) error {
	_, err := tx.exec(ctx, "DELETE FROM receipts WHERE position = ? AND id = (SELECT receipt FROM subjects WHERE id = ?)", ReceiptPending, id)
	if err == nil {
		_, err = tx.exec(ctx, "UPDATE subjects SET receipt = '' WHERE id = ?", id)
	}
	return wrapf(err, "forgo receipt of %s", id)
}

// DropDoomed forgets all blobs that are to be removed, where nothing of them was stored.
func (tx Tx) DropDoomed(ctx context.Context) error {
	_, err := tx.exec(ctx, "DELETE FROM blobs WHERE state = 'doomed' OR asset IN (SELECT id FROM assets WHERE state = 'erased')")
	return wrapf(err, "drop doomed blobs")
}

// LiveBlobs pages through the blobs of active assets, by name.
func (tx Tx) LiveBlobs(ctx context.Context, after string, limit int) ([]Blob, error) {
	var list []Blob
	err := tx.get(ctx, &list, "SELECT * FROM blobs WHERE "+alive+" AND name > ? ORDER BY name LIMIT ?", after, limit)
	return list, wrapf(err, "live blobs")
}

// LiveAmong says which of some blobs are live.
func (tx Tx) LiveAmong(ctx context.Context, names []string) (map[string]bool, error) {
	return tx.among(ctx, "SELECT name FROM blobs WHERE "+alive+" AND name IN (?0)", names)
}

// FinishRestore makes the store one to serve from.
func (d *DB) FinishRestore(ctx context.Context) error {
	return d.Write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.exec(ctx, "DELETE FROM instance WHERE id = ?", restoring); err != nil {
			return wrapf(err, "finish restore")
		}
		// A server that starts now must not wait for leases of the restore.
		_, err := tx.exec(ctx, "DELETE FROM leases")
		return wrapf(err, "finish restore")
	})
}
