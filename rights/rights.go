// Package rights carries out what people may ask for about their own data: the erasure of
// single pictures, of what was said for a job, and of the whole account; and the export.
//
// A picture is hidden from the moment its owner orders it away; its key is destroyed when
// the policy's time to undo has passed. A closed account is hidden, too, and goes when the
// policy's grace is over. GDPR art. 17. It does not erase itself: erasure does.
package rights

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"musa"
	"musa/account"
	"musa/consent"
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
	// Accounts correct what they say of their owners, for a request that staff answer.
	Accounts *account.Accounts
	// Consents hold what people allowed; requests bear on the same standing.
	Consents *consent.Book
	Policy   func() *policy.Document // in force now
	// Versions are all that were taken up.
	Versions func() *policy.Versions
	Log      *slog.Logger
}

// Rights answers people's requests about their data.
type Rights struct{ Config }

// New makes Rights.
func New(c Config) *Rights { return &Rights{c} }

// Reach is how far the erasure of a picture goes.
type Reach int

// The reaches: the picture alone, or what was made from it, too.
const (
	Alone Reach = iota
	Derived
)

// Erase orders a picture's erasure, with what was made from it where the reach says so, and
// returns until when that can be undone, each by itself. Ordering it twice is no error and
// changes nothing.
func (r *Rights) Erase(ctx context.Context, by musa.Actor, id musa.AssetID, reach Reach) (undo musa.Millis, err error) {
	if err := by.May(musa.ActErase); err != nil {
		return 0, err
	}
	var hidden []string
	err = r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err != nil {
			return err
		}
		if undo, err = r.order(ctx, tx, by, a); err != nil {
			return err
		}
		hidden = []string{string(id)}
		if reach == Alone {
			return nil
		}
		made, err := r.derived(ctx, tx, by, id)
		if err != nil {
			return err
		}
		for _, a := range made {
			if _, err := r.order(ctx, tx, by, a); err != nil {
				return err
			}
			hidden = append(hidden, string(a.ID))
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("erase %s: %w", id, err)
	}
	// Hidden at once: readers on every node are cut, though the key lives until undo ends.
	if err := r.Eraser.Drop(hidden); err != nil {
		r.Log.Warn("broadcast notice", "kind", queue.NoticeDrop, "err", err)
	}
	return undo, nil
}

// order orders one picture of the person's away and says until when that can be undone.
func (r *Rights) order(ctx context.Context, tx db.Tx, by musa.Actor, a db.Asset) (undo musa.Millis, err error) {
	if a.Owner != by.Subject {
		return 0, musa.ErrNotFound
	}
	if a.Ordered > 0 {
		return a.Ordered, nil
	}
	facts := policy.Ask(tx.Now, by, musa.PurposeAnswerRights, vault.AssetItem(a))
	if err := r.Policy().Decide(facts).Err(); err != nil {
		return 0, err
	}
	if a.State != musa.AssetActive {
		return 0, musa.ErrGone
	}
	if a.Uses > 0 {
		return 0, &musa.Problem{Kind: musa.ErrConflict, Code: "in_use",
			Public: "A job is working on this picture. Cancel the job first, then delete the picture."}
	}
	a.Ordered = tx.Now.Add(r.Policy().Undo())
	vault.SetEnd(r.Versions(), tx.Now, &a)
	if err := tx.SaveAsset(ctx, a); err != nil {
		return 0, err
	}
	return a.Ordered, tx.AppendAudit(ctx, db.AuditEvent{Action: "erasure_ordered", Role: by.Role, Subject: by.Subject, Object: string(a.ID)})
}

// derived finds what the person still has that was made from a picture, directly or by way
// of other pictures, also of such that are gone.
func (r *Rights) derived(ctx context.Context, tx db.Tx, by musa.Actor, from musa.AssetID) ([]db.Asset, error) {
	var out []db.Asset
	seen, next := map[musa.AssetID]bool{from: true}, []musa.AssetID{from}
	for len(next) > 0 {
		of := next[0]
		next = next[1:]
		made, err := tx.DerivedOf(ctx, of)
		if err != nil {
			return nil, err
		}
		for _, id := range made {
			if seen[id] {
				continue
			}
			seen[id] = true
			next = append(next, id)
			a, err := tx.Asset(ctx, id)
			if errors.Is(err, musa.ErrNotFound) {
				continue // its tombstone's time is over, too
			}
			if err != nil {
				return nil, err
			}
			gone := a.State != musa.AssetActive || a.Ends > 0 && a.Ends <= tx.Now
			if a.Owner == by.Subject && !gone {
				out = append(out, a)
			}
		}
	}
	return out, nil
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
		vault.SetEnd(r.Versions(), tx.Now, &a)
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
