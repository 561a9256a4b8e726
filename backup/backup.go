// Package backup copies a store into a target, and makes a store of such a copy again.
//
// It promises that whoever holds the target alone opens nothing; that what was erased since a
// copy was made does not come back by restoring it; and that within a minute of an erasure the
// target holds neither the bytes nor the key of what was erased, in any of its copies. A
// restored store is looked at whole before it counts.
//
// Four things lie in the target, each sealed under a key of its own that only the instance's
// keyset gives. Rows are copied anew each time, without keys. Blobs, sealed already, are copied
// once. Keys lie apart, in one copy: a part of it that lost a key is replaced, and its
// predecessor removed. The journal names what was erased; it only grows at its end, each entry
// holds the hash of the one before, and no erasure is confirmed before its entry is there.
// Nothing in it depends on the database or the blob store that it came from: a copy of SQLite
// and files becomes PostgreSQL and S3, and back.
//
// It does not open anybody's data, choose what is erased, or keep the keyset: who loses that
// file loses the copies, too.
package backup

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
	"musa/policy"
	"musa/seal"
)

// Config is what an Archive leans on. All fields are needed but those that say otherwise.
type Config struct {
	DB     *db.DB
	Blobs  blob.Store
	Target blob.Store
	Keys   *seal.Keyset
	Policy func() *policy.Document // in force now
	Clock  musa.Clock
	Log    *slog.Logger
	Node   string
	// Aside is for a target that no server keeps its journal in: what waits for the journal is
	// left to the server's own target.
	Aside bool
	// Scratch is a folder for rehearsals, and Folder opens a blob store in a folder of it.
	// Versions reads the versions of the policy that a store took up. Without these three
	// nothing is rehearsed.
	Scratch  string
	Folder   func(dir string) (blob.Store, error)
	Versions func(context.Context, *db.DB) (*policy.Versions, error)
	// Progress hears what is copied or restored and how far; it may be nil.
	Progress func(what string, n int64)
}

// Archive is a store's place in a backup target. It is safe for concurrent use.
type Archive struct {
	Config
	sealed vessel

	mu   sync.Mutex // guards head and entries to the journal
	head *link      // the journal's last entry as far as this node knows; nil before it looked

	copy  sync.Mutex // guards keys: one refresh at a time
	keys  keyCopy
	tried map[string]time.Time // when Step last began something that failed; Step runs alone

	pruned time.Time // when Step last looked for what is too old
}

// New makes an archive.
func New(c Config) *Archive {
	return &Archive{Config: c, sealed: newVessel(c.Target, c.Keys), tried: map[string]time.Time{}}
}

const (
	lease    = "backup"
	leaseFor = 40 * time.Second
	// beatEvery is how often the lease is renewed and the key copy looked at. C-18 gives a
	// minute from the erasure to the last trace in the target.
	beatEvery = 10 * time.Second
	// again is how long after a failure the next try comes.
	again = 10 * time.Minute
	// pruneEvery is how often the target is looked through for what is too old.
	pruneEvery = time.Hour
)

// Run keeps the schedule of the policy in force, and the key copy free of what was erased.
func (a *Archive) Run(ctx context.Context) error {
	// A rehearsal that was killed left a whole store, and perhaps another node rehearses next.
	if err := a.clearScratch(); err != nil {
		a.Log.Error("backup", "err", err)
	}
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		if err := a.Step(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("backup", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step does what is due now: takes erased keys out of the key copy, copies the store, removes
// what is too old, and rehearses. Another node may be at it; then it does nothing.
func (a *Archive) Step(ctx context.Context) error {
	mine, err := a.take(ctx)
	if err != nil || !mine {
		return err
	}
	err = a.beating(ctx, func(ctx context.Context) error {
		errs := []error{a.Journal(ctx), a.Refresh(ctx)}
		due, err := a.due(ctx)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		copying := due.copy && a.retry("copy")
		if copying || a.Clock().Sub(a.pruned) >= pruneEvery {
			// Before a copy is made, for its room; and also where none can be made.
			a.pruned = a.Clock()
			errs = append(errs, a.prune(ctx))
		}
		if copying {
			_, err := a.make(ctx)
			errs = append(errs, a.settle("copy", err))
			if due, err = a.due(ctx); err != nil {
				return errors.Join(append(errs, err)...)
			}
		}
		if due.rehearse && a.retry("rehearse") {
			errs = append(errs, a.settle("rehearse", a.rehearse(ctx)))
		}
		return errors.Join(errs...)
	})
	return errors.Join(err, a.drop(ctx))
}

func (a *Archive) retry(what string) bool {
	last, failed := a.tried[what]
	return !failed || a.Clock().Sub(last) >= again
}

func (a *Archive) settle(what string, err error) error {
	delete(a.tried, what)
	if err != nil {
		a.tried[what] = a.Clock()
	}
	return err
}

// due says what the schedule asks for at this moment.
func (a *Archive) due(ctx context.Context) (due struct{ copy, rehearse bool }, err error) {
	var list []db.Backup
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.Backups(ctx, 1000)
		return err
	})
	if err != nil {
		return due, fmt.Errorf("schedule of backups: %w", err)
	}
	var made, rehearsed musa.Millis
	for _, b := range list {
		rehearsed = max(rehearsed, b.Rehearsed)
		if b.Finished > 0 {
			made = max(made, b.Started)
		}
	}
	p, now := a.Policy().Lifecycle.Backup, musa.At(a.Clock())
	due.copy = p.Every.Said() && (made == 0 || made.Add(p.Every.Duration()) <= now)
	// A copy that nobody ever restored is a hope: the first is tried at once.
	due.rehearse = p.Rehearse.Said() && a.Folder != nil && made > 0 && (rehearsed == 0 || rehearsed.Add(p.Rehearse.Duration()) <= now)
	return due, nil
}

func (a *Archive) take(ctx context.Context) (mine bool, err error) {
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		mine, err = tx.TakeLease(ctx, lease, a.Node, leaseFor)
		return err
	})
	return mine, err
}

// drop gives the lease back, for a command that waits for its turn.
func (a *Archive) drop(ctx context.Context) error {
	return a.DB.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { return tx.DropLease(ctx, lease, a.Node) })
}

// beating does work that only one node may do, and beside it keeps the lease and the key copy
// in order. The work ends when the lease is lost.
func (a *Archive) beating(ctx context.Context, work func(context.Context) error) (err error) {
	ctx, stop := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			mine, err := a.take(ctx)
			if err == nil && !mine {
				stop(fmt.Errorf("another node took the lease of the backup: %w", musa.ErrConflict))
				return
			}
			if err := errors.Join(err, a.Refresh(ctx)); err != nil && ctx.Err() == nil {
				a.Log.Error("backup", "err", err)
			}
		}
	})
	defer wait.Wait()
	defer stop(nil)
	if err = work(ctx); err != nil && context.Cause(ctx) != ctx.Err() {
		err = errors.Join(context.Cause(ctx), err)
	}
	return err
}

// Make copies the store now. It is refused while another node copies or rehearses.
func (a *Archive) Make(ctx context.Context) (made Copy, err error) {
	mine, err := a.take(ctx)
	if err != nil {
		return made, err
	}
	if !mine {
		return made, &musa.Problem{Kind: musa.ErrConflict, Code: "backup_running",
			Public: "A backup or a rehearsal is running already. Wait until it has ended, then try again."}
	}
	err = a.beating(ctx, func(ctx context.Context) (err error) {
		made, err = a.make(ctx)
		return err
	})
	return made, errors.Join(err, a.drop(ctx))
}

func (a *Archive) passed(what string, n int64) {
	if a.Progress != nil {
		a.Progress(what, n)
	}
}
