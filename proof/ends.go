package proof

import (
	"context"
	"database/sql"
	"time"

	"musa"
)

// Kinds of fault about ends that have come.
const (
	FaultOverdue   = "overdue"          // active after its end
	FaultUnpurged  = "unpurged"         // erased, and not purged in time
	FaultWriting   = "stale_writing"    // a write that never ended
	FaultDoomed    = "stale_doomed"     // bytes to be removed, still there
	FaultTombstone = "old_tombstone"    // kept longer than its owner may ask
	FaultSession   = "expired_session"  // kept long after it expired
	FaultExpired   = "expired"          // what opens something, kept long after it expired
	FaultUnlapsed  = "choice_unlapsed"  // a last word long after its time was over
	FaultUnchained = "audit_waiting"    // events that nobody chains
	FaultUnlogged  = "receipts_waiting" // receipts that nobody logs
	FaultPending   = "receipt_pending"  // promised, and its owner's going is never confirmed
	FaultLingers   = "key_lingers"      // destroyed, and not known to have left the database's files
	FaultPayment   = "payment_overdue"  // an entry that should be carried by a sum
	FaultMail      = "mail_overdue"     // a mail, or that it was sent, kept longer than the policy says
	FaultSilent    = "job_silent"       // running, and nobody works on it
)

const (
	// staleWrite is from when on an unfinished write counts as left by a crash.
	staleWrite = 10 * time.Minute
	// tombstoneLife is how long an owner is told that something went, by DESIGN.
	tombstoneLife = 30 * 24 * time.Hour
	// housework is how late what harms nobody may be swept.
	housework = 24 * time.Hour
	// sequencing is how long an event or a receipt may wait for its place.
	sequencing = time.Minute
	// silence is how long a runner may not be heard of.
	silence = 10 * time.Minute
)

// listing is a look by an index of instants: what a row means, and how it is found. The
// query gives an instant and an id; $1, $2 are those before, $3 the page, $4 the bound.
type listing struct {
	kind, where, words, query string
	bound                     musa.Millis
}

func (r *round) list(ctx context.Context, lists ...listing) error {
	for _, l := range lists {
		err := r.walk(ctx, l.where+" past their time", l.query, []any{int64(0), ""}, func(rows *sql.Rows) ([]any, error) {
			var since int64
			var id string
			if err := rows.Scan(&since, &id); err != nil {
				return nil, err
			}
			r.report(Fault{Kind: l.kind, Where: l.where, ID: id, Since: musa.Millis(since), Words: l.words})
			return []any{since, id}, nil
		}, int64(l.bound))
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *round) late(ctx context.Context, _ func(Fault)) error {
	erase := r.ago(r.EraseWithin)
	return r.list(ctx,
		listing{FaultOverdue, "assets", "is readable by its row after its end: the key should be destroyed by now",
			// One that is copied for a hold keeps its key that long; a stale hold is named by itself.
			`SELECT ends, id FROM assets WHERE state = 'active' AND ends > 0 AND (ends, id) > ($1, $2) AND ends < $4
			AND NOT EXISTS (SELECT 1 FROM holds AS h WHERE h.asset = assets.id AND h.state = 'opening') ORDER BY ends, id LIMIT $3`, erase},
		listing{FaultOverdue, "records", "is readable by its row after its end: the key should be destroyed by now",
			`SELECT ends, id FROM records WHERE state = 'active' AND ends > 0 AND (ends, id) > ($1, $2) AND ends < $4 ORDER BY ends, id LIMIT $3`, erase},
		listing{FaultOverdue, "subjects", "is a closed account after its end: all of it should be erased by now",
			`SELECT ends, id FROM subjects WHERE state = 'closed' AND ends > 0 AND (ends, id) > ($1, $2) AND ends < $4
			AND NOT EXISTS (SELECT 1 FROM holds AS h WHERE h.owner = subjects.id AND h.state = 'opening') ORDER BY ends, id LIMIT $3`, erase},
		listing{FaultUnpurged, "assets", "its key is destroyed, and the removal of its bytes is not confirmed in time",
			`SELECT erased, id FROM assets WHERE state = 'erased' AND (erased, id) > ($1, $2) AND erased < $4 ORDER BY erased, id LIMIT $3`, r.ago(r.PurgeWithin)},
		listing{FaultLingers, "strays", "a key was destroyed, and nothing made sure that it left the database's files",
			`SELECT at, item FROM strays WHERE (at, item) > ($1, $2) AND at < $4 ORDER BY at, item LIMIT $3`, r.ago(r.PurgeWithin)})
}

// payments looks for entries older than the policy keeps any. What a job set aside stays as long
// as what it spent.
func (r *round) payments(ctx context.Context, _ func(Fault)) error {
	if r.PaymentsFor == 0 {
		return nil
	}
	return r.list(ctx, listing{FaultPayment, "ledger_entries", "is kept longer than the policy keeps any payment",
		`SELECT e.created, e.id FROM ledger_entries AS e WHERE e.kind <> 'carry' AND (e.created, e.id) > ($1, $2) AND e.created < $4
		AND NOT EXISTS (SELECT 1 FROM ledger_entries AS y WHERE y.job = e.job AND y.job <> '' AND y.created >= $4)
		ORDER BY e.created, e.id LIMIT $3`, r.ago(r.PaymentsFor + housework)})
}

// mails looks for those that are older than the policy keeps any.
func (r *round) mails(ctx context.Context, _ func(Fault)) error {
	for _, l := range []struct {
		since string
		keep  time.Duration
	}{{"created", r.MailsFor}, {"sent", r.SentMailsFor}} {
		if l.keep == 0 {
			continue
		}
		err := r.list(ctx, listing{FaultMail, "mails", "is kept longer than the policy keeps any mail",
			"SELECT " + l.since + ", id FROM mails WHERE " + l.since + " > 0 AND (" + l.since + ", id) > ($1, $2) AND " + l.since + " < $4 ORDER BY " + l.since + ", id LIMIT $3",
			r.ago(l.keep + housework)})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *round) unfinished(ctx context.Context, _ func(Fault)) error {
	return r.list(ctx,
		listing{FaultWriting, "blobs", "a write that began long ago and never ended: scratch of a crash",
			`SELECT created, name FROM blobs WHERE state = 'writing' AND (created, name) > ($1, $2) AND created < $4 ORDER BY created, name LIMIT $3`, r.ago(staleWrite + sequencing)}, // and until the next sweep
		// Bytes are doomed by their asset's erasure; unfinished ones by a mark, which has no moment.
		listing{FaultDoomed, "blobs", "bytes that should be removed by now still have their row",
			`SELECT d.since, d.name FROM (SELECT a.erased AS since, b.name FROM assets AS a JOIN blobs AS b ON b.asset = a.id WHERE a.state = 'erased' AND a.erased < $4
				UNION SELECT COALESCE(CASE WHEN a.erased > 0 THEN a.erased END, b.created), b.name
				FROM blobs AS b LEFT JOIN assets AS a ON a.id = b.asset WHERE b.state = 'doomed') AS d
			WHERE (d.since, d.name) > ($1, $2) AND d.since < $4 ORDER BY d.since, d.name LIMIT $3`, r.ago(r.PurgeWithin)})
}

func (r *round) tombstones(ctx context.Context, _ func(Fault)) error {
	old := r.ago(tombstoneLife + housework)
	return r.list(ctx,
		listing{FaultTombstone, "assets", "the row of something purged is kept longer than its owner may ask after it",
			`SELECT purged, id FROM assets WHERE state = 'purged' AND (purged, id) > ($1, $2) AND purged < $4 ORDER BY purged, id LIMIT $3`, old},
		listing{FaultTombstone, "records", "the row of something erased is kept longer than its owner may ask after it",
			`SELECT erased, id FROM records WHERE state = 'erased' AND (erased, id) > ($1, $2) AND erased < $4 ORDER BY erased, id LIMIT $3`, old},
		listing{FaultSession, "sessions", "a session is kept a day and more after it expired",
			`SELECT expires, id FROM sessions WHERE (expires, id) > ($1, $2) AND expires < $4 ORDER BY expires, id LIMIT $3`, r.ago(housework)},
		listing{FaultExpired, "vouchers", "a voucher is kept a day and more after it expired",
			`SELECT expires, id FROM vouchers WHERE (expires, id) > ($1, $2) AND expires < $4 ORDER BY expires, id LIMIT $3`, r.ago(housework)},
		listing{FaultExpired, "api_keys", "a key to the API is kept a day and more after it expired",
			`SELECT expires, id FROM api_keys WHERE (expires, id) > ($1, $2) AND expires < $4 ORDER BY expires, id LIMIT $3`, r.ago(housework)},
		listing{FaultUnlapsed, "choices", "counts as somebody's last word a day and more after its time was over",
			`SELECT expires, id FROM choices WHERE expires > 0 AND superseded = 0 AND (expires, id) > ($1, $2) AND expires < $4 ORDER BY expires, id LIMIT $3`, r.ago(housework)})
}

func (r *round) waiting(ctx context.Context, _ func(Fault)) error {
	return r.list(ctx,
		listing{FaultUnchained, "audit_events", "an event waits for its place in the chain",
			`SELECT at, id FROM audit_events WHERE seq IS NULL AND (at, id) > ($1, $2) AND at < $4 ORDER BY at, id LIMIT $3`, r.ago(sequencing)},
		listing{FaultUnlogged, "receipts", "a receipt waits for its place in the transparency log",
			`SELECT created, id FROM receipts WHERE position < 0 AND position = -1 AND (created, id) > ($1, $2) AND created < $4 ORDER BY created, id LIMIT $3`, r.ago(sequencing)},
		listing{FaultPending, "receipts", "a receipt was promised to an owner who is erased, and still says that they will be",
			`SELECT w.since, w.id FROM (SELECT COALESCE(s.closed, t.created) AS since, t.id FROM receipts AS t LEFT JOIN subjects AS s ON s.id = t.subject
				WHERE t.position < 0 AND t.position = -2 AND (s.id IS NULL OR s.state = 'erased')) AS w
			WHERE (w.since, w.id) > ($1, $2) AND w.since < $4 ORDER BY w.since, w.id LIMIT $3`, r.ago(housework)})
}

func (r *round) silent(ctx context.Context, _ func(Fault)) error {
	return r.list(ctx, listing{FaultSilent, "jobs", "is running by its row, and its runner was not heard of for long",
		`SELECT beat, id FROM jobs WHERE state = 'running' AND state IN ('queued', 'running') AND (beat, id) > ($1, $2) AND beat < $4
		ORDER BY beat, id LIMIT $3`, r.ago(silence)})
}
