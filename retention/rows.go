package retention

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// rows ends what is kept as rows without a seal, each by its category's rule: guests who
// stayed away, sessions, job records, the audit log and receipts. Promise P-17.
func (k *Keeper) rows(ctx context.Context) error {
	errs := []error{k.guests(ctx)}
	for _, f := range []func(context.Context, db.Tx) (int, error){k.sessions, k.jobRecords, k.auditLog, k.receipts, k.tombstones, k.subjects} {
		if err := k.drain(ctx, f); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// drain repeats a step that takes a batch per transaction until nothing is left.
func (k *Keeper) drain(ctx context.Context, f func(context.Context, db.Tx) (int, error)) error {
	for ctx.Err() == nil {
		var n int
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			n, err = f(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("end old rows: %w", err)
		}
		if n < batch {
			return nil
		}
	}
	return nil
}

// before is the moment such that whatever began before it is at its end now; false when
// nothing is. Months and years differ in length, so the way back is searched by the
// policy's own reckoning, not subtracted.
//
// What began on a day that its last month lacks (29 February, a year later) ends by that
// reckoning before some of the day before does. It goes together with the last of that.
func (k *Keeper) before(now musa.Millis, kept func(since musa.Millis) policy.Item) (musa.Millis, bool) {
	doc := k.Policy()
	lives := func(since musa.Millis) bool {
		end := doc.End(kept(since)).At
		return end == 0 || end > now
	}
	const day, shorter = 24 * time.Hour, 3 // days that a month can lack
	first := sort.Search(int(now), func(i int) bool {
		since := musa.Millis(i) + 1
		if lives(since) {
			return true
		}
		eve := musa.At(since.Time().Truncate(day)) - 1
		for n := range shorter {
			if e := eve.Add(-time.Duration(n) * day); e > 0 && lives(e) {
				return true
			}
		}
		return false
	})
	return musa.Millis(first) + 1, first > 0
}

// logged is a line of a category that is kept without a seal.
func logged(c musa.Category) func(musa.Millis) policy.Item {
	return func(since musa.Millis) policy.Item {
		return policy.Item{Category: c, Tier: musa.TierGuest, Created: since}
	}
}

func lastSeen(since musa.Millis) policy.Item {
	return policy.Item{Category: musa.CategoryAccount, Tier: musa.TierGuest, Created: since, LastSeen: since}
}

// guests erases guests whom nobody has seen for as long as the policy says, with all that
// is theirs.
func (k *Keeper) guests(ctx context.Context) error {
	for ctx.Err() == nil {
		var gone []string
		var n int
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			gone, n, err = k.idle(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("erase idle guests: %w", err)
		}
		if err := k.Eraser.Drop(gone); err != nil || n < batch {
			return err
		}
	}
	return nil
}

// idle erases a batch of idle guests and names what went with them.
func (k *Keeper) idle(ctx context.Context, tx db.Tx) (gone []string, n int, err error) {
	before, ok := k.before(tx.Now, lastSeen)
	if !ok {
		return nil, 0, nil
	}
	idle, err := tx.IdleSubjects(ctx, musa.SubjectGuest, before-1, batch)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range idle {
		ids, err := k.Eraser.Subject(ctx, tx, s.ID)
		if err != nil {
			return nil, 0, err
		}
		gone = append(gone, ids...)
	}
	return gone, len(idle), nil
}

func (k *Keeper) sessions(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropExpiredSessions(ctx, batch)
}

func (k *Keeper) jobRecords(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, logged(musa.CategoryGenerationLog))
	if !ok {
		return 0, nil
	}
	return tx.DropJobs(ctx, before, batch)
}

func (k *Keeper) auditLog(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, logged(musa.CategoryAudit))
	if !ok {
		return 0, nil
	}
	return tx.DropAuditSegment(ctx, before)
}

func (k *Keeper) receipts(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, logged(musa.CategoryAudit))
	if !ok {
		return 0, nil
	}
	return tx.DropReceipts(ctx, before, batch)
}

func (k *Keeper) tombstones(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropTombstones(ctx, tx.Now.Add(-db.TombstoneLife), batch)
}

func (k *Keeper) subjects(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropSubjects(ctx, tx.Now.Add(-db.TombstoneLife), batch)
}
