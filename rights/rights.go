// Package rights carries out what people may ask for about their own data. So far that is
// the erasure of single pictures, with a short while to think again.
//
// A picture is hidden from the moment its owner orders it away; its key is destroyed when
// the policy's time to undo has passed. GDPR art. 17.
package rights

import (
	"context"
	"fmt"
	"log/slog"

	"musa"
	"musa/db"
	"musa/erasure"
	"musa/policy"
	"musa/queue"
	"musa/studio"
	"musa/vault"
)

// Config is what Rights leans on. All fields are needed.
type Config struct {
	DB     *db.DB
	Vault  *vault.Vault
	Eraser *erasure.Eraser
	Studio *studio.Studio
	Queue  *queue.Queue
	Policy func() *policy.Document
	Log    *slog.Logger
}

// Rights answers people's requests about their data.
type Rights struct{ Config }

// New makes Rights.
func New(c Config) *Rights { return &Rights{c} }

// Erase orders a picture's erasure and returns until when that can be undone. Ordering it
// twice is no error and changes nothing.
func (r *Rights) Erase(ctx context.Context, by musa.Actor, id musa.AssetID) (undo musa.Millis, err error) {
	err = r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err != nil {
			return err
		}
		if a.Owner != by.Subject {
			return musa.ErrNotFound
		}
		if undo = a.Ordered; undo > 0 {
			return nil
		}
		facts := policy.Facts{Now: tx.Now, Actor: by, Purpose: musa.PurposeAnswerRights, Item: studio.AssetItem(a)}
		if err := r.Policy().Decide(facts).Err(); err != nil {
			return err
		}
		if a.State != musa.AssetActive {
			return musa.ErrGone
		}
		if a.Uses > 0 {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "in_use",
				Public: "A job is working on this picture. Cancel the job first, then delete the picture."}
		}
		undo = tx.Now.Add(r.Policy().Undo())
		a.Ordered = undo
		studio.SetEnd(r.Policy(), &a)
		if err := tx.SaveAsset(ctx, a); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "erasure_ordered", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return 0, fmt.Errorf("erase %s: %w", id, err)
	}
	// Hidden at once: readers on every node are cut, though the key lives until undo ends.
	r.Vault.Shut([]string{string(id)})
	if err := r.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDrop, IDs: []string{string(id)}}); err != nil {
		r.Log.Warn("broadcast notice", "kind", queue.NoticeDrop, "err", err)
	}
	return undo, nil
}

// Undo takes an ordered erasure back, as long as its time to undo lasts; ErrGone after.
func (r *Rights) Undo(ctx context.Context, by musa.Actor, id musa.AssetID) error {
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err != nil {
			return err
		}
		if a.Owner != by.Subject {
			return musa.ErrNotFound
		}
		if a.State != musa.AssetActive || (a.Ordered > 0 && tx.Now >= a.Ordered) {
			return &musa.Problem{Kind: musa.ErrGone, Code: "undo_over", Public: "It is too late to undo: this picture is erased."}
		}
		if a.Ordered == 0 {
			return nil
		}
		a.Ordered = 0
		studio.SetEnd(r.Policy(), &a)
		if err := tx.SaveAsset(ctx, a); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "erasure_undone", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return fmt.Errorf("undo erasure of %s: %w", id, err)
	}
	return nil
}
