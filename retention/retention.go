// Package retention finds what has reached its end and has it erased.
//
// It promises that what is due is found within a second of its due time on a node that
// runs, that every step can be repeated after a crash, and that several nodes never do the
// same work twice. Whether something is due for a reader does not wait for it: each open
// asks the policy itself.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
	"musa/erasure"
	"musa/policy"
	"musa/queue"
	"musa/vault"
)

const (
	// stepEvery bounds how late something due is found.
	stepEvery = 500 * time.Millisecond
	// batch is how many keys one transaction destroys.
	batch = 200
	// staleWrite is how old an unfinished write must be before it counts as left by a crash.
	staleWrite = 10 * time.Minute
	// sweepEvery is how often scratch and tombstones are looked for.
	sweepEvery = 15 * time.Second
	// listEvery is how often the whole store is listed for unfinished writes.
	listEvery = time.Hour
)

// Config is what a Keeper leans on. All fields are needed.
type Config struct {
	DB     *db.DB
	Vault  *vault.Vault
	Blobs  blob.Store
	Eraser *erasure.Eraser
	Queue  *queue.Queue
	Policy func() *policy.Document
	Clock  musa.Clock
	Log    *slog.Logger
}

// Keeper keeps the policy's times.
type Keeper struct {
	Config
	wake   chan struct{}
	listed time.Time // when the store was last listed; only Sweep, which runs alone, uses it
}

// New makes a keeper.
func New(c Config) *Keeper { return &Keeper{Config: c, wake: make(chan struct{}, 1)} }

// Run erases what is due until ctx ends. Keys are destroyed beside the removal of bytes
// and the sweeps: a store that is slow to remove or to list must not keep keys alive.
func (k *Keeper) Run(ctx context.Context) error {
	if err := k.Queue.Listen(ctx, k.hear); err != nil {
		return fmt.Errorf("listen for notices: %w", err)
	}
	var wait sync.WaitGroup
	for _, l := range []loop{
		{"erase", stepEvery, k.wake, k.erase},
		{"purge", stepEvery, nil, k.purge},
		{"sequence", stepEvery, nil, k.Eraser.Sequence},
		{"sweep", sweepEvery, nil, k.Sweep},
		{"reckon", listEvery, nil, k.Reckon},
	} {
		wait.Go(func() { k.repeat(ctx, l) })
	}
	wait.Wait()
	return nil
}

// loop is a step that is repeated, at the latest every so often.
type loop struct {
	name  string
	every time.Duration
	wake  <-chan struct{} // sooner; nil for never
	step  func(context.Context) error
}

func (k *Keeper) repeat(ctx context.Context, l loop) {
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	for {
		if err := l.step(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("retention", "step", l.name, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.wake:
		}
	}
}

func (k *Keeper) hear(n queue.Notice) {
	switch n.Kind {
	case queue.NoticeDrop:
		k.Vault.Shut(n.IDs)
	case queue.NoticeMissed:
		// One of them may have been the word that a key is destroyed.
		k.Vault.ShutAll()
		k.rouse()
	case queue.NoticeDue:
		k.rouse()
	}
}

func (k *Keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Step erases all that is due now, removes the bytes, scrubs the database and confirms. A
// part that fails does not keep the others from running.
func (k *Keeper) Step(ctx context.Context) error {
	return errors.Join(k.erase(ctx), k.purge(ctx), k.Eraser.Sequence(ctx))
}

// erase destroys keys batch by batch until nothing is due.
func (k *Keeper) erase(ctx context.Context) error {
	var errs []error
	for ctx.Err() == nil {
		var ids []string
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			ids, err = k.eraseBatch(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("erase what is due: %w", err)
		}
		if err := k.Eraser.Drop(ids); err != nil {
			errs = append(errs, err) // the keys are destroyed all the same
		}
		if len(ids) < batch {
			break
		}
	}
	return errors.Join(errs...)
}

func (k *Keeper) eraseBatch(ctx context.Context, tx db.Tx) ([]string, error) {
	assets, err := tx.DueAssets(ctx, tx.Now, batch)
	if err != nil {
		return nil, err
	}
	var ids []string
	if len(assets) > 0 {
		due := make([]musa.AssetID, 0, len(assets))
		for _, a := range assets {
			due = append(due, a.ID)
			ids = append(ids, string(a.ID))
		}
		if err := k.Eraser.Assets(ctx, tx, due); err != nil {
			return nil, err
		}
	}
	records, err := tx.DueRecords(ctx, tx.Now, batch)
	if err != nil || len(records) == 0 {
		return ids, err
	}
	var due []musa.RecordID
	for _, r := range records {
		due = append(due, r.ID)
		ids = append(ids, string(r.ID))
	}
	return ids, k.Eraser.Records(ctx, tx, due)
}

// purge removes bytes, makes destroyed keys unrecoverable and confirms what is clean.
func (k *Keeper) purge(ctx context.Context) error {
	var errs []error
	for ctx.Err() == nil {
		n, err := k.Eraser.Remove(ctx, batch)
		if err != nil {
			errs = append(errs, err)
			break
		}
		if n < batch {
			break
		}
	}
	if err := k.Eraser.Scrub(ctx); err != nil {
		return errors.Join(append(errs, fmt.Errorf("scrub: %w", err))...)
	}
	for ctx.Err() == nil {
		n, err := k.Eraser.Confirm(ctx, batch)
		if err != nil {
			errs = append(errs, err)
			break
		}
		if n == 0 {
			break
		}
	}
	return errors.Join(errs...)
}

// Sweep removes what crashes left: blobs whose write never finished, with or without a
// row, and tombstones that are too old. Promise E-16.
func (k *Keeper) Sweep(ctx context.Context) error {
	errs := []error{k.scratch(ctx), k.rows(ctx)}
	if now := k.Clock(); now.Sub(k.listed) >= listEvery {
		k.listed = now
		errs = append(errs, k.orphans(ctx, now.Add(-staleWrite)))
	}
	return errors.Join(errs...)
}
