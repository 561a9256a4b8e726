package erasure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/db"
)

// Codes of why bytes are still there, for the cleanup queue.
const (
	CauseStays  = "still_there"   // removed, and an independent look found it
	CauseTarget = "backup_target" // its copy in the backup target could not be removed
	CauseStore  = "storage_failing"
)

const (
	// leaseRemove is the lease of the node that removes bytes: two would count each failure twice.
	leaseRemove    = "remove"
	leaseRemoveFor = 20 * time.Second
)

// Remove takes the bytes of up to limit blobs whose assets are erased, those first whose
// asset was erased first, and says how many went. One that cannot be removed now stays
// doomed, is entered with its cause and tried again; its error is returned after the others
// were tried. It does nothing while another node is at it.
func (e *Eraser) Remove(ctx context.Context, limit int) (int, error) {
	var doomed []db.Blob
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if doomed, err = tx.ErasedBlobs(ctx, limit); err != nil || len(doomed) == limit {
			return err
		}
		strays, err := tx.StrayBlobs(ctx, limit-len(doomed))
		doomed = append(doomed, strays...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list doomed blobs: %w", err)
	}
	if len(doomed) == 0 {
		return 0, nil
	}
	mine := false
	err = e.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		mine, err = tx.TakeLease(ctx, leaseRemove, e.Node, leaseRemoveFor)
		return err
	})
	if err != nil || !mine {
		return 0, err
	}
	gone, stay := e.remove(ctx, doomed)
	var errs []error
	causes := map[musa.AssetID]string{}
	for _, b := range doomed {
		if err := stay[b.Name]; err != nil {
			errs = append(errs, fmt.Errorf("remove a blob of %s: %w", b.Asset, err))
			causes[b.Asset] = cause(err)
		}
	}
	if err := e.forget(ctx, gone, causes); err != nil {
		errs = append(errs, fmt.Errorf("forget %d blobs: %w", len(gone), err))
	}
	return len(gone), errors.Join(errs...)
}

// forget drops the rows of blobs that are gone and enters why others are not.
func (e *Eraser) forget(ctx context.Context, gone []string, causes map[musa.AssetID]string) error {
	err := inChores(ctx, e.DB, gone, func(ctx context.Context, tx db.Tx, some []string) error { return tx.DropBlob(ctx, some...) })
	if err != nil {
		return err
	}
	return e.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.EndRemovals(ctx); err != nil {
			return err
		}
		if err := tx.DropLease(ctx, leaseRemove, e.Node); err != nil {
			return err
		}
		return tx.FailRemoval(ctx, causes)
	})
}

var (
	errStays  = fmt.Errorf("it was removed and is still there: %w", musa.ErrUnavailable)
	errTarget = errors.New("its copy in the backup target stays")
)

// remove removes what it can. It returns the names of which nothing is left by an
// independent look, and why the others stay.
func (e *Eraser) remove(ctx context.Context, doomed []db.Blob) (gone []string, stay map[string]error) {
	names := make([]string, len(doomed))
	for i, b := range doomed {
		names[i] = b.Name
	}
	stay = e.Blobs.RemoveAll(ctx, names)
	tried := without(names, stay)
	there, failed := e.Proof.AbsentAll(ctx, tried)
	for _, name := range there {
		stay[name] = errStays
	}
	for name, err := range failed {
		stay[name] = err
	}
	gone = without(tried, stay)
	if e.Forget != nil && len(gone) > 0 {
		// A restore that finds no bytes has to find in the journal why.
		err := e.Journal(ctx)
		if err == nil {
			err = e.Forget(ctx, gone)
		}
		if err != nil {
			for _, name := range gone {
				stay[name] = fmt.Errorf("%w: %w", errTarget, err)
			}
			return nil, stay
		}
	}
	return gone, stay
}

func without(names []string, stay map[string]error) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		if _, stays := stay[name]; !stays {
			out = append(out, name)
		}
	}
	return out
}

// cause is a code that says why, without a path or an address.
func cause(err error) string {
	var p *musa.Problem
	switch {
	case errors.Is(err, errStays):
		return CauseStays
	case errors.Is(err, errTarget):
		return CauseTarget
	case errors.As(err, &p):
		return p.Code
	}
	return CauseStore
}
