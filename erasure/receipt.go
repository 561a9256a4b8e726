package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/seal"
)

// sequenceBatch is how many receipts or audit events one transaction puts in order.
const (
	sequenceBatch  = 500
	sequencerLease = 10 * time.Second
)

// leaseName is the lease of whoever sequences the logs.
const leaseName = "sequencer"

// Sequence puts new receipts into the transparency log and new audit events into the
// chain. One node does it at a time.
func (e *Eraser) Sequence(ctx context.Context) error {
	// A lease that is renewed is a commit, which an idle server spares its disk.
	var waiting bool
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		waiting, err = tx.Unsequenced(ctx)
		return err
	})
	if err != nil || !waiting {
		return err
	}
	for {
		var receipts, events int
		err := e.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			mine, err := tx.TakeLease(ctx, leaseName, e.Node, sequencerLease)
			if err != nil || !mine {
				return err
			}
			if receipts, err = tx.SequenceReceipts(ctx, sequenceBatch, e.signer); err != nil {
				return err
			}
			events, err = tx.SequenceAudit(ctx, sequenceBatch, e.signer)
			return err
		})
		if err != nil {
			return fmt.Errorf("sequence logs: %w", err)
		}
		if receipts < sequenceBatch && events < sequenceBatch {
			return nil
		}
	}
}

// Receipt gives a receipt to its owner.
func (e *Eraser) Receipt(ctx context.Context, by musa.Actor, id musa.ReceiptID) (Issued, error) {
	var (
		row     db.Receipt
		subject []byte
	)
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if row, err = tx.Receipt(ctx, id); err != nil {
			return err
		}
		if row.Subject != by.Subject {
			return musa.ErrNotFound
		}
		subject, err = tx.SubjectKey(ctx, by.Subject)
		return err
	})
	if err != nil {
		return Issued{}, fmt.Errorf("receipt %s: %w", id, err)
	}
	key, err := e.Vault.ReceiptKey(by.Subject, subject, id)
	if err != nil {
		return Issued{}, err
	}
	return e.issue(ctx, row, key)
}

// ReceiptByCapability gives a receipt to whoever holds its capability, also after its owner
// is erased. A wrong capability is ErrNotFound.
func (e *Eraser) ReceiptByCapability(ctx context.Context, id musa.ReceiptID, key seal.Key) (Issued, error) {
	var row db.Receipt
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		row, err = tx.Receipt(ctx, id)
		return err
	})
	if err != nil {
		return Issued{}, fmt.Errorf("receipt %s: %w", id, err)
	}
	return e.issue(ctx, row, key)
}

// Issued is a receipt as its holder gets it.
type Issued struct {
	audit.Receipt
	Capability seal.Key // opens this receipt again, without an account
	Verifier   string   // the log's public key, as `musa receipt verify` takes it
	Logged     bool     // false for the second or so before the log has taken it
}

func (e *Eraser) issue(ctx context.Context, row db.Receipt, key seal.Key) (Issued, error) {
	plain, err := key.OpenRecord(string(row.ID), row.Sealed)
	if err != nil {
		return Issued{}, fmt.Errorf("open receipt %s: %w", row.ID, musa.ErrNotFound)
	}
	var o opening
	if err := json.Unmarshal(plain, &o); err != nil {
		return Issued{}, fmt.Errorf("decode receipt %s: %w", row.ID, err)
	}
	out := Issued{Receipt: audit.Receipt{ID: row.ID, Statement: o.Statement, Salt: o.Salt}, Capability: key, Verifier: e.verifier}
	err = e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		r, checkpoint, proof, err := tx.ProveReceipt(ctx, row.ID)
		if err != nil {
			return err
		}
		out.Index, out.Size, out.Proof, out.Checkpoint, out.Logged = r.Position, checkpoint.Size, proof, checkpoint.Note, true
		return nil
	})
	if err != nil && !errors.Is(err, musa.ErrUnavailable) {
		return Issued{}, fmt.Errorf("prove receipt %s: %w", row.ID, err)
	}
	return out, nil
}
