package retention

import (
	"context"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// rows ends what is kept as rows without a seal, each by its category's rule: guests who
// stayed away, sessions, job records, the audit log and receipts. Promise P-17.
func (k *Keeper) rows(ctx context.Context) error {
	var errs []error
	for _, f := range []func(context.Context, db.Tx) (int, error){k.guests, k.sessions, k.jobRecords, k.auditLog, k.receipts, k.subjects} {
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

// before is the moment at which something of the category must have happened to be at its
// end now; false when the policy ends nothing by that event.
func (k *Keeper) before(now musa.Millis, i policy.Item) (musa.Millis, bool) {
	end := k.Policy().End(i)
	if end.At == 0 {
		return 0, false
	}
	return now.Add(now.Time().Sub(end.At.Time())), true
}

// guests erases guests whom nobody has seen for as long as the policy says, with all that
// is theirs.
func (k *Keeper) guests(ctx context.Context, tx db.Tx) (int, error) {
	seen, ok := k.before(tx.Now, policy.Item{Category: musa.CategoryAccount, Tier: musa.TierGuest, Created: tx.Now, LastSeen: tx.Now})
	if !ok {
		return 0, nil
	}
	idle, err := tx.IdleSubjects(ctx, musa.SubjectGuest, seen, batch)
	if err != nil {
		return 0, err
	}
	for _, s := range idle {
		if err := k.Eraser.Subject(ctx, tx, s.ID); err != nil {
			return 0, err
		}
	}
	return len(idle), nil
}

func (k *Keeper) sessions(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropExpiredSessions(ctx, batch)
}

func (k *Keeper) jobRecords(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, policy.Item{Category: musa.CategoryGenerationLog, Tier: musa.TierGuest, Created: tx.Now})
	if !ok {
		return 0, nil
	}
	return tx.DropJobs(ctx, before, batch)
}

func (k *Keeper) auditLog(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, policy.Item{Category: musa.CategoryAudit, Tier: musa.TierGuest, Created: tx.Now})
	if !ok {
		return 0, nil
	}
	return tx.DropAuditSegment(ctx, before)
}

func (k *Keeper) receipts(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, policy.Item{Category: musa.CategoryAudit, Tier: musa.TierGuest, Created: tx.Now})
	if !ok {
		return 0, nil
	}
	return tx.DropReceipts(ctx, before, batch)
}

func (k *Keeper) subjects(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropSubjects(ctx, tx.Now.Add(-tombstone), batch)
}

// tombstone is how long the owner of something erased is told that it was.
const tombstone = 30 * 24 * time.Hour
