package db

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/note"

	"musa"
	"musa/audit"
)

// AuditSegment is how many events lie at most between two heads that are kept for good; a
// segment ends with its day (UTC), too. Events are removed in whole segments.
const AuditSegment = 4096

// AuditEvent is one thing that was done. Seq, Prev and Hash are empty until the
// sequencer has chained it.
//
// Category: audit.
type AuditEvent struct {
	bun.BaseModel `bun:"table:audit_events"`

	ID      musa.AuditID `bun:",pk"`
	At      musa.Millis
	Action  string
	Role    musa.Role
	Subject musa.SubjectID
	Object  string
	Sealed  []byte
	Seq     int64 `bun:",nullzero"`
	Prev    []byte
	Hash    []byte
}

var auditTable = Table{Name: "audit_events", Category: musa.CategoryAudit,
	Columns: columns(musa.CategoryAudit, "id", "at", "action", "role", "subject", "object", "sealed", "seq", "prev", "hash"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Keep}, {"object", "subjects", Keep}}}

// AuditHead is a signed end of the chain.
//
// Category: audit.
type AuditHead struct {
	bun.BaseModel `bun:"table:audit_heads"`

	Seq  int64 `bun:",pk"`
	Hash []byte
	At   musa.Millis
	Note string
}

var headTable = Table{Name: "audit_heads", Category: musa.CategoryAudit,
	Columns: columns(musa.CategoryAudit, "seq", "hash", "at", "note")}

// AppendAudit records what was done, in the transaction that does it. It is chained
// later: a lock on the chain's end would make every transaction wait for every other.
func (tx Tx) AppendAudit(ctx context.Context, e AuditEvent) error {
	if e.ID == "" {
		e.ID = musa.NewAuditID(tx.Now.Time())
	}
	e.At, e.Seq, e.Sealed, e.Prev, e.Hash = tx.Now, 0, filled(e.Sealed), []byte{}, []byte{}
	return wrapf(tx.insert(ctx, &e), "append audit event %s", e.ID)
}

// SequenceAudit chains up to limit events that are not, and signs the new end. One
// node at a time may do it: call it under a lease. It returns how many it chained.
func (tx Tx) SequenceAudit(ctx context.Context, limit int, signer note.Signer) (int, error) {
	last, err := tx.AuditHead(ctx)
	if err != nil {
		return 0, err
	}
	// A batch ends where its segment does, so that each segment has a head at its end.
	limit = min(limit, AuditSegment-int(last.Seq%AuditSegment))
	var list []AuditEvent
	err = tx.get(ctx, &list, "SELECT * FROM audit_events WHERE seq IS NULL ORDER BY id LIMIT ? ?", limit, tx.locked(forUpdate))
	if err != nil || len(list) == 0 {
		return 0, wrapf(err, "loose audit events")
	}
	head := audit.Head{Seq: last.Seq, At: tx.Now}
	copy(head.Hash[:], last.Hash)
	for i := range list {
		e := &list[i]
		head.Seq++
		e.Seq, e.Prev = head.Seq, append([]byte(nil), head.Hash[:]...)
		chained, err := e.event()
		if err != nil {
			return 0, err
		}
		head.Hash = audit.Chain(head.Hash, chained)
		e.Hash = append([]byte(nil), head.Hash[:]...)
	}
	_, err = tx.bun.NewInsert().Model(&list).On("CONFLICT (id) DO UPDATE").
		Set("seq = EXCLUDED.seq, prev = EXCLUDED.prev, hash = EXCLUDED.hash").Exec(ctx)
	if err != nil {
		return 0, wrapf(missing(err), "chain audit events")
	}
	signed, err := head.Sign(signer)
	if err != nil {
		return 0, err
	}
	// Of one segment the last head is enough.
	if last.Seq%AuditSegment != 0 && sameDay(last.At, tx.Now) {
		if _, err := tx.exec(ctx, "DELETE FROM audit_heads WHERE seq = ?", last.Seq); err != nil {
			return 0, wrapf(err, "replace audit head %d", last.Seq)
		}
	}
	err = tx.insert(ctx, &AuditHead{Seq: head.Seq, Hash: head.Hash[:], At: head.At, Note: string(signed)})
	return len(list), wrapf(err, "insert audit head %d", head.Seq)
}

// event is the row as package audit sees it.
func (e AuditEvent) event() (audit.Event, error) {
	out := audit.Event{ID: e.ID, At: e.At, Action: e.Action, Role: e.Role, Subject: e.Subject, Object: e.Object, Sealed: e.Sealed, Seq: e.Seq}
	if len(e.Prev) != len(out.Prev) && len(e.Prev) != 0 || len(e.Hash) != len(out.Hash) && len(e.Hash) != 0 {
		return out, &audit.Fault{Seq: e.Seq, What: "holds no hash"}
	}
	copy(out.Prev[:], e.Prev)
	copy(out.Hash[:], e.Hash)
	return out, nil
}

// AuditHead is the latest head, zero before the first.
func (tx Tx) AuditHead(ctx context.Context) (AuditHead, error) {
	var list []AuditHead
	err := tx.get(ctx, &list, "SELECT * FROM audit_heads ORDER BY seq DESC LIMIT 1")
	if err != nil || len(list) == 0 {
		return AuditHead{}, wrapf(err, "audit head")
	}
	return list[0], nil
}

func sameDay(a, b musa.Millis) bool {
	const day = 24 * time.Hour
	return a.Time().Truncate(day).Equal(b.Time().Truncate(day))
}

// AuditHeadBefore is the head that the segment which ends with seq follows, zero for the
// first segment.
func (tx Tx) AuditHeadBefore(ctx context.Context, seq int64) (AuditHead, error) {
	var list []AuditHead
	err := tx.get(ctx, &list, "SELECT * FROM audit_heads WHERE seq < ? ORDER BY seq DESC LIMIT 1", seq)
	if err != nil || len(list) == 0 {
		return AuditHead{}, wrapf(err, "audit head before %d", seq)
	}
	return list[0], nil
}

// AuditHeads lists the heads that were kept, by seq.
func (tx Tx) AuditHeads(ctx context.Context, after int64, limit int) ([]AuditHead, error) {
	var list []AuditHead
	err := tx.get(ctx, &list, "SELECT * FROM audit_heads WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
	return list, wrapf(err, "audit heads")
}

// AuditPage lists chained events after a seq, as the verifier takes them.
func (tx Tx) AuditPage(ctx context.Context, after int64, limit int) ([]audit.Event, error) {
	var list []AuditEvent
	err := tx.get(ctx, &list, "SELECT * FROM audit_events WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
	if err != nil {
		return nil, wrapf(err, "audit events after %d", after)
	}
	events := make([]audit.Event, len(list))
	for i, e := range list {
		if events[i], err = e.event(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// LooseAudit counts the events that wait for the sequencer, and tells since when.
func (tx Tx) LooseAudit(ctx context.Context) (n int, oldest musa.Millis, err error) {
	err = tx.bun.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MIN(at), 0) FROM audit_events WHERE seq IS NULL").Scan(&n, &oldest)
	return n, oldest, wrapf(err, "loose audit events")
}

// DropAuditSegment removes the oldest segment, if all of it happened before an instant;
// its signed head stays. It returns how many events went. The newest segment is never
// removed, since the chain goes on from it: where all of the log is that old, an event is
// added that begins the next.
func (tx Tx) DropAuditSegment(ctx context.Context, before musa.Millis) (int, error) {
	var first, end, last, newest int64
	var loose int
	err := tx.bun.QueryRowContext(ctx, `SELECT (SELECT COALESCE(MIN(seq), 0) FROM audit_events WHERE seq IS NOT NULL),
		(SELECT COALESCE(MAX(seq), 0) FROM audit_heads), (SELECT COUNT(*) FROM (SELECT 1 FROM audit_events WHERE seq IS NULL LIMIT 1) AS l)`).
		Scan(&first, &last, &loose)
	if err != nil || first == 0 || last == 0 {
		return 0, wrapf(err, "first audit event")
	}
	err = tx.bun.QueryRowContext(ctx, `SELECT e.seq, (SELECT MAX(at) FROM audit_events WHERE seq <= e.seq)
		FROM (SELECT MIN(seq) AS seq FROM audit_heads WHERE seq >= ?) AS e`, first).Scan(&end, &newest)
	if err != nil || newest >= int64(before) {
		return 0, wrapf(err, "audit segment from %d", first)
	}
	if end == last {
		if loose > 0 {
			return 0, nil
		}
		return 0, tx.AppendAudit(ctx, AuditEvent{Action: "audit_segment_closed", Role: musa.RoleSystem})
	}
	n, err := tx.exec(ctx, "DELETE FROM audit_events WHERE seq <= ?", end)
	return n, wrapf(err, "drop audit segment to %d", end)
}

// AuditEvents walks all chained events after a seq, a page per Read, as audit.Verify
// takes them.
func (d *DB) AuditEvents(ctx context.Context, after int64) iter.Seq2[audit.Event, error] {
	return func(yield func(audit.Event, error) bool) {
		for {
			var page []audit.Event
			err := d.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
				page, err = tx.AuditPage(ctx, after, 512)
				return err
			})
			if err != nil {
				yield(audit.Event{}, fmt.Errorf("audit events: %w", err))
				return
			}
			if len(page) == 0 {
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				after = e.Seq
			}
		}
	}
}
