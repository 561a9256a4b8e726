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

// rows ends what is kept as rows without a seal, each by its category's rule: who stayed
// away, sessions, job records, the audit log and receipts. Promise P-17.
func (k *Keeper) rows(ctx context.Context) error {
	errs := []error{k.residue(ctx), k.payments(ctx), k.choices(ctx)}
	for _, tier := range k.Policy().Tiers.Names() {
		errs = append(errs, k.away(ctx, musa.Tier(tier)))
	}
	errs = append(errs, k.heirs(ctx)) // of those who went just now, too
	for _, f := range []func(context.Context, db.Tx) (int, error){k.sessions, k.apiKeys, k.jobRecords, k.auditLog, k.receipts, k.mails, k.vouchers, k.limits, k.tombstones, k.subjects, k.incidents} {
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
		err := k.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) (err error) {
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
// Each moment is judged by the version that was in force then and those after it: a later
// one does not lengthen what exists.
//
// What began on a day that its last month lacks (29 February, a year later) ends by that
// reckoning before some of the day before does. It goes together with the last of that.
func (k *Keeper) before(now musa.Millis, kept func(since musa.Millis) policy.Item) (musa.Millis, bool) {
	v := k.Versions()
	lives := func(since musa.Millis) bool {
		i := kept(since)
		i.Version = v.InForce(since).Ref()
		end := v.End(i).At
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

func lastSeen(tier musa.Tier) func(musa.Millis) policy.Item {
	return func(since musa.Millis) policy.Item {
		return policy.Item{Category: musa.CategoryAccount, Tier: tier, Created: since, LastSeen: since}
	}
}

// away erases guests, and where the policy says so people of other tiers, whom nobody has
// seen for as long as it says, with all that is theirs: each in a transaction of their own, so
// that others' writes come in between.
func (k *Keeper) away(ctx context.Context, tier musa.Tier) error {
	var errs []error
	for ctx.Err() == nil {
		before, ok := k.before(musa.At(k.Clock()), lastSeen(tier))
		if !ok {
			break
		}
		var idle []db.Subject
		err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			idle, err = tx.IdleSubjects(ctx, tier, before-1, batch)
			return err
		})
		if err != nil {
			return fmt.Errorf("list who stayed away: %w", err)
		}
		went := 0
		for _, s := range idle {
			gone, err := k.leave(ctx, s.ID, before)
			if err == nil {
				err = k.Eraser.Drop(gone)
			}
			if err != nil && !errors.Is(err, db.ErrHeld) {
				errs = append(errs, fmt.Errorf("erase %s, who stayed away: %w", s.ID, err))
			}
			if len(gone) > 0 {
				went++
			}
		}
		if went < batch {
			break
		}
	}
	return errors.Join(errs...)
}

// leave erases one who stayed away, unless they came back meanwhile, and names what went with
// them.
func (k *Keeper) leave(ctx context.Context, id musa.SubjectID, before musa.Millis) (gone []string, err error) {
	err = k.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) error {
		gone = nil
		s, err := tx.Subject(ctx, id)
		if err != nil || s.LastSeen >= before || (s.State != musa.SubjectActive && s.State != musa.SubjectSuspended) {
			return err
		}
		if gone, err = k.Eraser.Subject(ctx, tx, s.ID); err != nil {
			return err
		}
		kept := policy.Item{Category: musa.CategoryPreference, Tier: s.Tier, LastSeen: s.LastSeen, Closed: tx.Now}
		if end := k.Versions().End(kept).At; end > 0 && end <= tx.Now {
			return tx.DropChoicesOf(ctx, s.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

func (k *Keeper) sessions(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropExpiredSessions(ctx, batch)
}

func (k *Keeper) apiKeys(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropExpiredAPIKeys(ctx, batch)
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

// mails end by when they were made, and by when they were sent, whichever comes first.
func (k *Keeper) mails(ctx context.Context, tx db.Tx) (int, error) {
	made, old := k.before(tx.Now, logged(musa.CategoryMail))
	sent, done := k.before(tx.Now, func(since musa.Millis) policy.Item {
		return policy.Item{Category: musa.CategoryMail, Tier: musa.TierGuest, Sent: since}
	})
	if !old && !done {
		return 0, nil
	}
	return tx.DropMails(ctx, made, sent, batch)
}

func (k *Keeper) tombstones(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropTombstones(ctx, tx.Now.Add(-db.TombstoneLife), batch)
}

func (k *Keeper) subjects(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropSubjects(ctx, tx.Now.Add(-db.TombstoneLife), batch)
}

// incidents forgets incidents whose record the policy ended, with whom they concerned.
func (k *Keeper) incidents(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropIncidents(ctx, batch)
}
