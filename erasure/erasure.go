// Package erasure ends the life of data everywhere: first its key, then its bytes, then the
// proof that neither is left, and last the receipt.
//
// It promises that a key is destroyed in the transaction that finds the item due, that the
// bytes go in any number of steps which a crash may interrupt anywhere, that an item counts
// as purged only after an independent look found nothing, and that its owner then holds a
// receipt. It does not decide what is due; retention and rights order it.
package erasure

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"musa"
	"musa/audit"
	"musa/blob"
	"musa/db"
	"musa/proof"
	"musa/queue"
	"musa/seal"
	"musa/vault"
)

// Config is what an Eraser leans on. All fields are needed.
type Config struct {
	DB    *db.DB
	Vault *vault.Vault
	Blobs blob.Store
	Keys  *seal.Keyset
	Queue *queue.Queue
	Proof *proof.Inspector
	Clock musa.Clock
	Log   *slog.Logger
	Node  string
	// ScrubEvery bounds how often the database's files are rewritten after erasures.
	ScrubEvery time.Duration
}

// Eraser erases. It is safe for concurrent use.
type Eraser struct {
	Config
	signer   note.Signer
	verifier string
	mu       sync.Mutex
	clean    map[string]struct{} // ids whose destroyed keys this node knows to be scrubbed; guarded by mu
	scrubbed musa.Millis         // when this node's last clean scrub began; guarded by mu
}

// New makes an eraser. The log is named after the keyset that signs it.
func New(c Config) (*Eraser, error) {
	name := "musa/" + c.Keys.ID()
	signer, err := audit.NewSigner(name, c.Keys.Signer())
	if err != nil {
		return nil, err
	}
	verifier, err := audit.VerifierKey(name, c.Keys.Signer().Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &Eraser{Config: c, signer: signer, verifier: verifier, clean: map[string]struct{}{}}, nil
}

// Assets destroys the keys of assets within the caller's transaction. Call Drop after the
// commit.
func (e *Eraser) Assets(ctx context.Context, tx db.Tx, ids []musa.AssetID) error {
	list := make([]db.Erasure[musa.AssetID], len(ids))
	for i, id := range ids {
		list[i] = db.Erasure[musa.AssetID]{Item: id, Receipt: musa.NewReceiptID(tx.Now.Time())}
	}
	if _, err := tx.EraseAssets(ctx, list...); err != nil {
		return fmt.Errorf("erase %d assets: %w", len(ids), err)
	}
	return nil
}

// Records destroys the keys of sealed records within the caller's transaction. Call Drop
// after the commit.
func (e *Eraser) Records(ctx context.Context, tx db.Tx, ids []musa.RecordID) error {
	list := make([]db.Erasure[musa.RecordID], len(ids))
	for i, id := range ids {
		list[i] = db.Erasure[musa.RecordID]{Item: id}
	}
	if _, err := tx.EraseRecords(ctx, list...); err != nil {
		return fmt.Errorf("erase %d records: %w", len(ids), err)
	}
	return nil
}

// Drop cuts what still reads the items, on every node.
func (e *Eraser) Drop(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	e.Vault.Shut(ids)
	if err := e.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDrop, IDs: ids}); err != nil {
		return fmt.Errorf("broadcast %d destroyed keys: %w", len(ids), err)
	}
	return nil
}

// Remove takes the bytes of up to limit blobs whose assets are erased, and says how many
// went. One that cannot be removed now stays doomed and is tried again; its error is
// returned after the others were tried.
func (e *Eraser) Remove(ctx context.Context, limit int) (int, error) {
	var doomed []db.Blob
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		doomed, err = tx.DoomedBlobs(ctx, limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list doomed blobs: %w", err)
	}
	gone, err := e.removeAll(ctx, doomed)
	errs := []error{err}
	if len(gone) > 0 {
		err := e.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropBlob(ctx, gone...) })
		if err != nil {
			errs = append(errs, fmt.Errorf("forget %d blobs: %w", len(gone), err))
		}
	}
	return len(gone), errors.Join(errs...)
}

// removers is how many blobs are removed at once: each waits for a disk or a network.
const removers = 8

// removeAll removes what it can, and returns the names of which nothing is left by an
// independent look.
func (e *Eraser) removeAll(ctx context.Context, doomed []db.Blob) (gone []string, err error) {
	var (
		mu    sync.Mutex // guards gone and errs
		errs  []error
		group errgroup.Group
	)
	group.SetLimit(removers)
	for _, b := range doomed {
		group.Go(func() error {
			err := e.remove(ctx, b)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
			} else {
				gone = append(gone, b.Name)
			}
			return nil // one that stays must not keep the others
		})
	}
	_ = group.Wait() // always nil: the errors were gathered
	return gone, errors.Join(errs...)
}

func (e *Eraser) remove(ctx context.Context, b db.Blob) error {
	if err := e.Blobs.Remove(ctx, b.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a blob of %s: %w", b.Asset, err)
	}
	absent, err := e.Proof.Absent(ctx, b.Name)
	if err != nil {
		return fmt.Errorf("look for bytes of %s: %w", b.Asset, err)
	}
	if !absent {
		return fmt.Errorf("a blob of %s was removed and is still there: %w", b.Asset, musa.ErrUnavailable)
	}
	return nil
}
