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
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"musa"
	"musa/audit"
	"musa/blob"
	"musa/db"
	"musa/policy"
	"musa/proof"
	"musa/queue"
	"musa/seal"
	"musa/vault"
)

// Config is what an Eraser leans on. All fields but the last two are needed.
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
	Policy     func() *policy.Document // in force now: what the law keeps of an account

	// Journal carries what was erased into the backup target's journal; nothing is confirmed
	// before. Nil without a target: then nothing is noted for it either.
	Journal func(ctx context.Context) error
	// Forget removes copies of removed blobs from the backup target, before their rows are
	// dropped. Nil without a target.
	Forget func(ctx context.Context, names []string) error
}

// Eraser erases. It is safe for concurrent use.
type Eraser struct {
	Config
	signer   note.Signer
	verifier string
	mu       sync.Mutex
	clean    map[string]struct{} // ids whose destroyed keys this node knows to be scrubbed; guarded by mu
	doubted  map[string]struct{} // ids that were to be confirmed and are not in clean; guarded by mu
	aside    map[string]struct{} // ids that could not be confirmed, until the others were tried; guarded by mu
	strolled db.Mark             // up to where erased assets were looked at for bare ones; guarded by mu
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
	return &Eraser{Config: c, signer: signer, verifier: verifier,
		clean: map[string]struct{}{}, doubted: map[string]struct{}{}, aside: map[string]struct{}{}}, nil
}

// Assets destroys the keys of assets within the caller's transaction, and names those that it
// did: not such as were erased before or are being copied for a hold. Call Drop after the
// commit.
func (e *Eraser) Assets(ctx context.Context, tx db.Tx, ids []musa.AssetID) ([]string, error) {
	list := make([]db.Erasure[musa.AssetID], len(ids))
	for i, id := range ids {
		list[i] = db.Erasure[musa.AssetID]{Item: id, Receipt: musa.NewReceiptID(tx.Now.Time())}
	}
	erased, err := tx.EraseAssets(ctx, list...)
	if err != nil {
		return nil, fmt.Errorf("erase %d assets: %w", len(ids), err)
	}
	gone := make([]string, len(erased))
	for i, a := range erased {
		gone[i] = string(a)
	}
	// What its person thought of a picture goes with it. Promise C-08.
	said, err := tx.FeedbackOn(ctx, erased)
	if err == nil && len(said) > 0 {
		err = e.Records(ctx, tx, said)
	}
	if err != nil {
		return nil, fmt.Errorf("erase feedback on %d assets: %w", len(erased), err)
	}
	return gone, e.note(ctx, tx, gone...)
}

// Records destroys the keys of sealed records within the caller's transaction. Call Drop
// after the commit.
func (e *Eraser) Records(ctx context.Context, tx db.Tx, ids []musa.RecordID) error {
	list := make([]db.Erasure[musa.RecordID], len(ids))
	for i, id := range ids {
		list[i] = db.Erasure[musa.RecordID]{Item: id}
	}
	erased, err := tx.EraseRecords(ctx, list...)
	if err != nil {
		return fmt.Errorf("erase %d records: %w", len(ids), err)
	}
	gone := make([]string, len(erased))
	for i, id := range erased {
		gone[i] = string(id)
	}
	return e.note(ctx, tx, gone...)
}

const (
	// chore is how many rows housekeeping changes at a time where there is one writer: people's
	// writes wait meanwhile.
	chore = 100
	// choreMost is how many it changes in one transaction while nobody waits, and choreOther at
	// a time where nobody does.
	choreMost, choreOther = 1000, 500
)

// inChores does something to all of a list, a chore at a time.
func inChores[T any](ctx context.Context, d *db.DB, list []T, do func(ctx context.Context, tx db.Tx, some []T) error) error {
	size := chore
	if d.Dialect() == db.PostgreSQL {
		size = choreOther
	}
	for len(list) > 0 {
		var rest []T
		err := d.Chore(ctx, func(ctx context.Context, tx db.Tx) error {
			rest = list
			for n := 0; len(rest) > 0 && n < choreMost && !(n > 0 && tx.Awaited()); n += size {
				some := rest[:min(size, len(rest))]
				if err := do(ctx, tx, some); err != nil {
					return err
				}
				rest = rest[len(some):]
			}
			return nil
		})
		if err != nil {
			return err
		}
		list = rest
	}
	return nil
}

// noticeIDs is how many ids fit into one notice with room to spare.
const noticeIDs = 5000

// Drop cuts what still reads the items, on every node.
func (e *Eraser) Drop(ids []string) error {
	e.Vault.Shut(ids)
	for some := range slices.Chunk(ids, noticeIDs) {
		if err := e.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDrop, IDs: some}); err != nil {
			return fmt.Errorf("broadcast %d destroyed keys: %w", len(ids), err)
		}
	}
	return nil
}
