package retention

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
)

// accounts erases closed accounts whose end has come, each with its receipt. Promise E-19.
func (k *Keeper) accounts(ctx context.Context) error {
	var ended []db.Subject
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		ended, err = tx.EndedSubjects(ctx, batch)
		return err
	})
	if err != nil {
		return fmt.Errorf("list ended accounts: %w", err)
	}
	var errs []error
	for _, s := range ended {
		var gone []string
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			now, err := tx.Subject(ctx, s.ID)
			if err != nil || now.State != musa.SubjectClosed || now.Ends > tx.Now {
				gone = nil
				return err // reopened meanwhile, or another node was first
			}
			gone, err = k.Eraser.Subject(ctx, tx, s.ID)
			return err
		})
		if err == nil {
			err = k.Eraser.Drop(gone)
		}
		if err != nil && !errors.Is(err, db.ErrHeld) {
			errs = append(errs, fmt.Errorf("erase closed account %s: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

// residue leaves of closed accounts, once their closing cannot be undone, what their end is
// reckoned by and nothing else, and sees to it that everything in them is ordered away. It
// does so once with each. Promise C-22.
func (k *Keeper) residue(ctx context.Context) error {
	var after musa.SubjectID
	for ctx.Err() == nil {
		var closed []db.Subject
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if closed, err = tx.ClosingSubjects(ctx, after, batch); err != nil {
				return err
			}
			for _, s := range closed {
				until := s.Closed.Add(k.Versions().Grace(s.Closed))
				if tx.Now < until {
					continue
				}
				if err := tx.OrderItems(ctx, s, until); err != nil {
					return err
				}
				if err := tx.EndChoicesOf(ctx, s.ID, s.Closed); err != nil {
					return err
				}
				if err := tx.ReduceSubject(ctx, s.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reduce closed accounts: %w", err)
		}
		if len(closed) < batch {
			return nil
		}
		after = closed[batch-1].ID // only now: the transaction may have run twice
	}
	return nil
}

// payments folds what was entered longer ago than the policy keeps payments into one carried
// sum an account, so that it still adds up, and forgets accounts that lead to nobody and hold
// nothing else. Promises E-21, P-30.
func (k *Keeper) payments(ctx context.Context) error {
	detached := musa.Millis(0)
	for _, tier := range k.Policy().Tiers.Names() {
		before, ok := k.before(musa.At(k.Clock()), func(since musa.Millis) policy.Item {
			return policy.Item{Category: musa.CategoryPayment, Tier: musa.Tier(tier), Created: since}
		})
		if !ok {
			continue
		}
		if detached == 0 || before < detached {
			detached = before
		}
		if err := k.fold(ctx, musa.Tier(tier), before); err != nil {
			return err
		}
	}
	if detached == 0 {
		return nil
	}
	return k.fold(ctx, "", detached)
}

func (k *Keeper) fold(ctx context.Context, tier musa.Tier, before musa.Millis) error {
	return k.drain(ctx, func(ctx context.Context, tx db.Tx) (int, error) {
		owners, err := tx.OldEntries(ctx, tier, before, batch)
		if err != nil {
			return 0, err
		}
		for _, id := range owners {
			if err := tx.FoldEntries(ctx, id, before); err != nil {
				return 0, err
			}
		}
		return len(owners), nil
	})
}
