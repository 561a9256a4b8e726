package erasure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"musa"
	"musa/db"
)

const (
	// leasePurge is the lease of the node that scrubs and confirms: two would only do the
	// same work twice.
	leasePurge    = "purge"
	leasePurgeFor = 60 * time.Second
	// scrubBatch bounds how many ids of a kind one scrub looks at. So many name every
	// partition, so that none is missed beyond them.
	scrubBatch = 100_000
	// late is how long before a scrub began something may bear as its moment of erasure that
	// committed only after: by a slow transaction, or a clock that is behind.
	late = time.Minute
)

// Scrub makes destroyed keys unrecoverable from the database's own files, whichever node
// destroyed them and whether that one still lives. What could not be scrubbed now is so
// next time: a reader may stand in the way, or another node be at it.
func (e *Eraser) Scrub(ctx context.Context) error {
	began := musa.At(e.Clock())
	if e.rests(began) {
		return nil
	}
	destroyed, strays, err := e.destroyed(ctx, began)
	if err != nil {
		return err
	}
	soiled := e.soiled(destroyed)
	for _, s := range strays {
		soiled = append(soiled, s.Item)
	}
	if len(soiled) == 0 {
		return nil
	}
	mine := false
	err = e.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		mine, err = tx.TakeLease(ctx, leasePurge, e.Node, leasePurgeFor)
		return err
	})
	if err != nil || !mine {
		return err
	}
	clean, err := e.DB.Scrub(ctx, soiled)
	if errors.Is(err, db.ErrForeign) {
		// The rows are rewritten; the rest is the server's own log, whose keeping time the
		// privacy page states as the bound. Waiting would not shorten it.
		clean, err = true, nil
	}
	if err != nil || !clean {
		// Another node may not be hindered: it need not wait until this lease is over.
		return errors.Join(err, e.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropLease(ctx, leasePurge, e.Node) }))
	}
	e.sure(began, destroyed)
	return e.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropStrays(ctx, strays...) })
}

// rests says that the last scrub was too short a time ago. One that lies ahead was before the
// clock was set back.
func (e *Eraser) rests(now musa.Millis) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.scrubbed <= now && now.Time().Sub(e.scrubbed.Time()) < e.ScrubEvery
}

// destroyed lists what a scrub has to be sure of. A node that never scrubbed looks at
// everything whose tombstone still stands: its predecessor may have died over it. What has no
// tombstone is in the list of strays until then.
func (e *Eraser) destroyed(ctx context.Context, began musa.Millis) (ids []string, strays []db.Stray, err error) {
	e.mu.Lock()
	since := min(e.scrubbed, began).Add(-late)
	doubted := slices.Collect(maps.Keys(e.doubted))
	e.mu.Unlock()
	err = e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if ids, err = tx.Destroyed(ctx, since, scrubBatch); err != nil {
			return err
		}
		strays, err = tx.Strays(ctx, scrubBatch)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list destroyed keys: %w", err)
	}
	return append(ids, doubted...), strays, nil
}

// soiled leaves out what is known to be scrubbed.
func (e *Eraser) soiled(destroyed []string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, id := range destroyed {
		if _, ok := e.clean[id]; !ok {
			out = append(out, id)
		}
	}
	return out
}

// sure keeps what a clean scrub was sure of: these ids, and not a moment. What another
// node erased meanwhile may bear an earlier one.
func (e *Eraser) sure(began musa.Millis, destroyed []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scrubbed, e.clean, e.doubted = began, make(map[string]struct{}, len(destroyed)), map[string]struct{}{}
	for _, id := range destroyed {
		e.clean[id] = struct{}{}
	}
}

// isClean says that an erased item's key is known to be scrubbed. The next scrub looks at what
// is not: of more than scrubBatch it may have been told of others only.
func (e *Eraser) isClean(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.clean[id]
	if !ok && len(e.doubted) < scrubBatch {
		e.doubted[id] = struct{}{}
	}
	return ok
}
