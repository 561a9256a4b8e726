// Package retention finds what has reached its end and has it erased.
//
// It promises that what is due is found within a second of its due time on a node that
// runs, that every step can be repeated after a crash, and that several nodes do not do the same
// work twice while each is quick enough for its lease. Whether something is due for a reader does not wait for it: each open
// asks the policy itself.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

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
	// batch is how many rows of other kinds one transaction takes.
	batch = 200
	// keyBatch is how many keys of a kind are destroyed at a time. With SQLite's one writer,
	// everybody else waits as long.
	keyBatch       = 500
	keyBatchSQLite = 100
	// keyMost is how many one transaction destroys there while nobody waits: its commit costs
	// as much as some hundred keys.
	keyMost = 1000
	// keyHands is how many such transactions run at once where the database bears it.
	keyHands = 3
	// keysFirst bounds how long what is erased waits for its removal while keys are due.
	keysFirst = time.Minute
	// byteBatch is how many blobs are removed at a time.
	byteBatch = 1000
	// tidyEvery is how often what removals left bare is confirmed while they go on.
	tidyEvery = 5 * time.Second
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
	Policy func() *policy.Document // in force now
	// Versions are all that were taken up.
	Versions func() *policy.Versions
	Clock    musa.Clock
	Log      *slog.Logger
}

// Keeper keeps the policy's times.
type Keeper struct {
	Config
	wake    chan struct{}
	figures figures
	behind  behind
	// removing says that bytes are being removed; tidied is when a tidying began last, for its
	// loop alone.
	removing atomic.Bool
	tidied   time.Time
	listed   time.Time // when the store was last listed; only Sweep, which runs alone, uses it
	// reconsented is the version whose consents were last looked at; only Sweep uses it.
	reconsented string
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
		{"remove", stepEvery, nil, k.remove},
		{"tidy", stepEvery, nil, k.tidyInTurn},
		{"sequence", stepEvery, nil, k.Eraser.Sequence},
		{"sweep", sweepEvery, nil, k.Sweep},
		{"reckon", reckonEvery, nil, k.Reckon},
		{"catch up", patience, nil, k.CatchUp},
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
	errs := []error{k.accounts(ctx)}
	defer k.behind.end()
	hands, limit, most := 1, keyBatchSQLite, keyMost // SQLite has one writer
	if k.DB.Dialect() == db.PostgreSQL {
		hands, limit, most = keyHands, keyBatch, keyBatch
	}
	var group errgroup.Group
	for range hands {
		group.Go(func() error { return k.eraseDue(ctx, limit, most) })
	}
	return errors.Join(append(errs, group.Wait())...)
}

// eraseDue destroys up to limit keys at a time, and up to most in a transaction.
func (k *Keeper) eraseDue(ctx context.Context, limit, most int) error {
	var errs []error
	for ctx.Err() == nil {
		var ids []string
		var more bool
		err := k.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) error {
			ids, more = nil, true
			for more && len(ids) < most && !(len(ids) > 0 && tx.Awaited()) {
				some, err := k.eraseBatch(ctx, tx, limit)
				if err != nil {
					return err
				}
				ids, more = append(ids, some...), len(some) >= limit
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("erase what is due: %w", err)
		}
		if err := k.Eraser.Drop(ids); err != nil {
			errs = append(errs, err) // the keys are destroyed all the same
		}
		if !more {
			break
		}
		k.behind.begin()
	}
	return errors.Join(errs...)
}

func (k *Keeper) eraseBatch(ctx context.Context, tx db.Tx, limit int) (ids []string, err error) {
	due, err := tx.DueAssets(ctx, tx.Now, limit)
	if err != nil {
		return nil, err
	}
	if len(due) > 0 {
		if ids, err = k.Eraser.Assets(ctx, tx, due); err != nil {
			return nil, err
		}
	}
	past, err := tx.DueRecords(ctx, tx.Now, limit)
	if err != nil || len(past) == 0 {
		return ids, err
	}
	for _, r := range past {
		ids = append(ids, string(r))
	}
	return ids, k.Eraser.Records(ctx, tx, past)
}

// behind says that more keys are due than one transaction destroys.
type behind struct {
	mu    sync.Mutex    // guards ended
	ended chan struct{} // closed when it is over; nil when it is not so
}

func (b *behind) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended == nil {
		b.ended = make(chan struct{})
	}
}

func (b *behind) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended != nil {
		close(b.ended)
		b.ended = nil
	}
}

// wait returns when it is over, or patience is.
func (b *behind) wait(ctx context.Context, patience *time.Timer) {
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if ended == nil {
		return
	}
	select {
	case <-ended:
	case <-patience.C:
		patience.Reset(0) // it stays over
	case <-ctx.Done():
	}
}

// purge removes bytes, makes destroyed keys unrecoverable and confirms what is clean.
func (k *Keeper) purge(ctx context.Context) error {
	return errors.Join(k.remove(ctx), k.tidy(ctx))
}

// remove removes the bytes of what is erased, batch by batch.
func (k *Keeper) remove(ctx context.Context) error {
	patience := time.NewTimer(keysFirst)
	defer patience.Stop()
	k.removing.Store(true)
	defer k.removing.Store(false)
	for ctx.Err() == nil {
		k.behind.wait(ctx, patience)
		n, err := k.Eraser.Remove(ctx, byteBatch)
		if err != nil || n < byteBatch {
			return err
		}
	}
	return nil
}

// tidyInTurn tidies, beside the removal of many bytes no more often than needed.
func (k *Keeper) tidyInTurn(ctx context.Context) error {
	now := k.Clock()
	if past := now.Sub(k.tidied); k.removing.Load() && past >= 0 && past < tidyEvery {
		return nil
	}
	k.tidied = now
	return k.tidy(ctx)
}

// tidy scrubs what was erased, also while the backup target is away, and confirms what is
// bare once the target's journal has it.
func (k *Keeper) tidy(ctx context.Context) error {
	if err := k.Eraser.Scrub(ctx); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	if k.Eraser.Journal != nil {
		if err := k.Eraser.Journal(ctx); err != nil {
			return fmt.Errorf("journal of erasures: %w", err)
		}
	}
	// What cannot be confirmed does not keep others from it.
	return errors.Join(k.confirm(ctx, k.Eraser.Confirm), k.confirm(ctx, k.Eraser.Depart))
}

// confirm repeats a step of confirmation until it finds none.
func (k *Keeper) confirm(ctx context.Context, some func(context.Context, int) (int, error)) error {
	for ctx.Err() == nil {
		if n, err := some(ctx, byteBatch); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// Sweep removes what crashes left: blobs whose write never finished, with or without a
// row, and tombstones that are too old. Promise E-16.
func (k *Keeper) Sweep(ctx context.Context) error {
	errs := []error{k.scratch(ctx), k.rows(ctx), k.sweepHolds(ctx)}
	if now := k.Clock(); now.Sub(k.listed) >= listEvery {
		k.listed = now
		errs = append(errs, k.orphans(ctx, now.Add(-staleWrite)))
	}
	return errors.Join(errs...)
}
