package erasure

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"musa"
	"musa/audit"
	"musa/db"
)

// opening is what a receipt's sealed column holds.
type opening struct {
	Salt      []byte          `json:"salt"`
	Statement audit.Statement `json:"statement"`
}

// Confirm turns erased assets whose bytes are gone and whose keys were scrubbed into purged
// ones: proof looks for remains by its own means, and only what it finds clean gets its
// receipt. It says how many were confirmed.
func (e *Eraser) Confirm(ctx context.Context, limit int) (int, error) {
	var bare []db.Asset
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		bare, err = tx.BareAssets(ctx, limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list erased assets: %w", err)
	}
	var (
		clean []musa.AssetID
		errs  []error
	)
	for _, a := range bare {
		if !e.isClean(a.ID) {
			continue
		}
		remains, err := e.Proof.Item(ctx, string(a.ID))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("look for remains of %s: %w", a.ID, err))
		case len(remains) > 0:
			errs = append(errs, fmt.Errorf("asset %s was erased but its %s remains", a.ID, remains[0].Kind))
		default:
			clean = append(clean, a.ID)
		}
	}
	if len(clean) > 0 {
		if err := e.purge(ctx, clean); err != nil {
			return 0, errors.Join(append(errs, err)...)
		}
	}
	return len(clean), errors.Join(errs...)
}

// purge writes the tombstones and their receipts in one transaction.
func (e *Eraser) purge(ctx context.Context, ids []musa.AssetID) error {
	batch := musa.NewBatchID(e.Clock())
	err := e.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		assets, err := tx.PurgeAssets(ctx, ids...)
		if err != nil {
			return err
		}
		var receipts []db.Receipt
		for _, a := range assets {
			if a.Receipt == "" {
				continue // its owner went with it
			}
			subject, err := tx.SubjectKey(ctx, a.Owner)
			if err != nil {
				return err
			}
			r := db.Receipt{ID: a.Receipt, Subject: a.Owner, Batch: batch, Item: string(a.ID), Created: tx.Now}
			if r.Sealed, r.Leaf, err = e.statement(a, subject); err != nil {
				return err
			}
			receipts = append(receipts, r)
		}
		if err := tx.InsertReceipts(ctx, receipts...); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "assets_purged", Role: musa.RoleSystem, Object: string(batch)})
	})
	if err != nil {
		return fmt.Errorf("purge %d assets: %w", len(ids), err)
	}
	return nil
}

// statement words a receipt and seals it under its capability. Only the salted hash of it
// goes into the log, so that a leaf tells nobody anything.
func (e *Eraser) statement(a db.Asset, subject []byte) (sealed, leaf []byte, err error) {
	st := audit.Statement{What: "erased", Item: string(a.ID), Category: a.Category, Ordered: a.Ordered, Erased: a.Erased,
		Purged: a.Purged, PolicyVersion: a.PolicyVersion, Rule: a.Rule}
	key, err := e.Vault.ReceiptKey(a.Owner, subject, a.Receipt)
	if err != nil {
		return nil, nil, err
	}
	defer key.Zero()
	var salt audit.Salt
	rand.Read(salt[:])
	plain, err := json.Marshal(opening{Salt: salt[:], Statement: st})
	if err != nil {
		return nil, nil, fmt.Errorf("encode receipt %s: %w", a.Receipt, err)
	}
	if sealed, err = key.SealRecord(string(a.Receipt), plain); err != nil {
		return nil, nil, fmt.Errorf("seal receipt %s: %w", a.Receipt, err)
	}
	hash := audit.Leaf(salt, st.Bytes())
	return sealed, hash[:], nil
}
