package retention

import (
	"context"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
)

// Recover removes, at the start of a process that is alone with its store, everything that
// the last one was still writing. With several nodes the age of a write is the judge.
func (k *Keeper) Recover(ctx context.Context) error {
	now := k.Clock()
	// One step past now: a write begun in this very millisecond is of the last process, too.
	return errors.Join(k.dropStale(ctx, musa.At(now)+1), k.discard(ctx, musa.At(now)+1), k.orphans(ctx, now.Add(time.Millisecond)))
}

func (k *Keeper) scratch(ctx context.Context) error {
	return k.discard(ctx, musa.At(k.Clock()).Add(-staleWrite))
}

// sweepBatch is how many unfinished writes one sweep takes; the next takes more.
const sweepBatch = 10_000

// discard removes unfinished writes begun before the given moment.
func (k *Keeper) discard(ctx context.Context, before musa.Millis) error {
	var stale []db.Blob
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		stale, err = tx.BlobsWriting(ctx, before, sweepBatch)
		return err
	})
	if err != nil {
		return fmt.Errorf("list unfinished writes: %w", err)
	}
	var errs []error
	for _, b := range stale {
		if err := k.Vault.Discard(ctx, b.Name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// orphans removes what the store itself calls an unfinished write, once it is old.
func (k *Keeper) orphans(ctx context.Context, before time.Time) error {
	if _, err := blob.Sweep(ctx, k.Blobs, before); err != nil {
		return fmt.Errorf("sweep partial blobs: %w", err)
	}
	return nil
}
