package erasure

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/seal"
)

// opening is what a receipt's sealed column holds.
type opening struct {
	Salt      []byte          `json:"salt"`
	Statement audit.Statement `json:"statement"`
}

// Confirm turns erased assets whose bytes are gone and whose keys were scrubbed into purged
// ones: proof looks for remains by its own means, and only what it finds clean gets its
// receipt. It says how many were confirmed: at most limit, and without an error none only if
// there are none among the oldest, nor among the next that it has not looked at for the longest.
// Such as it cannot confirm are told of in the error, and the others come before them next time.
func (e *Eraser) Confirm(ctx context.Context, limit int) (int, error) {
	ids, err := e.bare(ctx, limit)
	if err != nil {
		return 0, fmt.Errorf("list erased assets: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	left, err := e.Proof.Items(ctx, ids...)
	if err != nil {
		return 0, fmt.Errorf("look for remains of %d assets: %w", len(ids), err)
	}
	var errs []error
	clean := make([]musa.AssetID, 0, len(ids))
	for _, id := range ids {
		if remains := left[id]; len(remains) > 0 {
			errs = append(errs, fmt.Errorf("asset %s was erased but its %s remains", id, remains[0].Kind))
			e.setAside(id)
			continue
		}
		clean = append(clean, musa.AssetID(id))
	}
	unworded := map[musa.AssetID]error{}
	err = inChores(ctx, e.DB, clean, func(ctx context.Context, tx db.Tx, some []musa.AssetID) error {
		return e.purge(ctx, tx, some, unworded)
	})
	if err != nil {
		return 0, errors.Join(append(errs, fmt.Errorf("purge %d assets: %w", len(clean), err))...)
	}
	for id := range unworded {
		e.setAside(string(id))
	}
	if len(unworded) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(unworded)))
		errs = append(errs, fmt.Errorf("the receipts of %d erased assets cannot be written, the first that of %s: %w", len(unworded), first, unworded[first]))
	}
	return len(clean) - len(unworded), errors.Join(errs...)
}

// setAside has others tried before an asset that could not be confirmed.
func (e *Eraser) setAside(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.aside[id] = struct{}{}
}

func (e *Eraser) isAside(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.aside[id]
	return ok
}

// takeUp has those tried again that were set aside, and says whether there are any.
func (e *Eraser) takeUp() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	some := len(e.aside) > 0
	clear(e.aside)
	return some
}

// strolls is how many pages are looked at for bare assets that are not among the oldest.
const strolls = 10

// bare finds erased assets to confirm. Bytes go in the order of erasure, so that those
// without lie in front. Behind such as cannot be removed or confirmed, the others are met page by
// page, from call to call. Then those that could not be confirmed have another try.
func (e *Eraser) bare(ctx context.Context, limit int) (ids []string, err error) {
	ids, err = e.bareNow(ctx, limit)
	if err != nil || len(ids) > 0 || e.walking() || !e.takeUp() {
		return ids, err
	}
	return e.bareNow(ctx, limit)
}

// walking says that behind the oldest erased assets there are some that were not looked at.
func (e *Eraser) walking() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.strolled != (db.Mark{})
}

func (e *Eraser) bareNow(ctx context.Context, limit int) (ids []string, err error) {
	look := func(after db.Mark) (last db.Mark, err error) {
		var list []musa.AssetID
		err = e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			list, last, err = tx.BareAfter(ctx, after, limit)
			return err
		})
		for _, id := range list {
			if e.isClean(string(id)) && !e.isAside(string(id)) {
				ids = append(ids, string(id))
			}
		}
		return last, err
	}
	front, err := look(db.Mark{})
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	at := e.walkOn(front)
	for n := 0; n < strolls && len(ids) == 0 && at != (db.Mark{}); n++ {
		if at, err = look(at); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	e.strolled = at
	e.mu.Unlock()
	return ids, nil
}

// walkOn is where to look on behind the oldest; zero when there are none behind them.
func (e *Eraser) walkOn(front db.Mark) db.Mark {
	e.mu.Lock()
	defer e.mu.Unlock()
	if front == (db.Mark{}) || e.strolled == (db.Mark{}) {
		return front
	}
	return e.strolled
}

// purge writes the tombstones and their receipts. It notes those whose receipt cannot be written,
// because their owner's key does not open, and leaves them unconfirmed.
func (e *Eraser) purge(ctx context.Context, tx db.Tx, ids []musa.AssetID, unworded map[musa.AssetID]error) error {
	batch := musa.NewBatchID(tx.Now.Time())
	assets, err := tx.PurgeAssets(ctx, ids...)
	if err != nil {
		return err
	}
	var owners []musa.SubjectID
	for _, a := range assets {
		if a.Receipt != "" { // else its owner went with it
			owners = append(owners, a.Owner)
		}
	}
	slices.Sort(owners)
	keys, err := tx.SubjectKeysOf(ctx, slices.Compact(owners)...)
	if err != nil {
		return err
	}
	receipts := make([]db.Receipt, 0, len(assets))
	var left []musa.AssetID
	for _, a := range assets {
		subject, ok := keys[a.Owner]
		if a.Receipt == "" || !ok {
			continue
		}
		r := db.Receipt{ID: a.Receipt, Subject: a.Owner, Batch: batch, Item: string(a.ID), Created: tx.Now}
		if r.Sealed, r.Leaf, err = e.statement(a, subject); err != nil {
			unworded[a.ID], left = err, append(left, a.ID)
			continue
		}
		receipts = append(receipts, r)
	}
	if err := tx.UnpurgeAssets(ctx, left...); err != nil {
		return err
	}
	if len(left) == len(assets) {
		return nil
	}
	if err := e.enter(ctx, tx, receipts); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: "assets_purged", Role: musa.RoleSystem, Object: string(batch)})
}

// enter puts receipts into the log at once where this node may, which spares writing each
// twice. Else they wait for whoever sequences.
func (e *Eraser) enter(ctx context.Context, tx db.Tx, receipts []db.Receipt) error {
	if len(receipts) == 0 {
		return nil
	}
	mine, err := tx.TakeLease(ctx, leaseName, e.Node, sequencerLease)
	if err != nil {
		return err
	}
	if !mine {
		return tx.InsertReceipts(ctx, receipts...)
	}
	return tx.LogReceipts(ctx, e.signer, receipts...)
}

// Depart lets the receipts of erased owners into the log: when all of their bytes are gone,
// their key was scrubbed, and proof finds nothing of them. It says how many.
func (e *Eraser) Depart(ctx context.Context, limit int) (int, error) {
	var ids []musa.SubjectID
	err := e.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		ids, err = tx.Departed(ctx, limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list erased owners: %w", err)
	}
	var (
		clean []musa.SubjectID
		errs  []error
	)
	for _, id := range ids {
		if !e.isClean(string(id)) {
			continue
		}
		remains, err := e.Proof.Subject(ctx, string(id))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("look for remains of %s: %w", id, err))
		case len(remains) > 0:
			errs = append(errs, fmt.Errorf("owner %s was erased but a %s remains", id, remains[0].Kind))
		default:
			clean = append(clean, id)
		}
	}
	if len(clean) > 0 {
		if err := e.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) error { return tx.ReleaseReceipts(ctx, clean...) }); err != nil {
			return 0, errors.Join(append(errs, err)...)
		}
	}
	return len(clean), errors.Join(errs...)
}

// statement words an asset's receipt.
func (e *Eraser) statement(a db.Asset, subject []byte) (sealed, leaf []byte, err error) {
	key, err := e.Vault.ReceiptKey(a.Owner, subject, a.Receipt)
	if err != nil {
		return nil, nil, err
	}
	defer key.Zero()
	return sealStatement(key, a.Receipt, audit.Statement{What: audit.WhatErased, Item: string(a.ID), Category: a.Category, Ordered: a.Ordered,
		Erased: a.Erased, Purged: a.Purged, PolicyVersion: a.PolicyVersion, Rule: a.Rule})
}

// sealStatement closes a statement under its receipt's capability. Only the salted hash of
// it goes into the log, so that a leaf tells nobody anything.
func sealStatement(key seal.Key, id musa.ReceiptID, st audit.Statement) (sealed, leaf []byte, err error) {
	var salt audit.Salt
	rand.Read(salt[:])
	plain, err := json.Marshal(opening{Salt: salt[:], Statement: st})
	if err != nil {
		return nil, nil, fmt.Errorf("encode receipt %s: %w", id, err)
	}
	if sealed, err = key.SealRecord(string(id), plain); err != nil {
		return nil, nil, fmt.Errorf("seal receipt %s: %w", id, err)
	}
	hash := audit.Leaf(salt, st.Bytes())
	return sealed, hash[:], nil
}
