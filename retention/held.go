package retention

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

// HoldStep is one line of a hold's history.
type HoldStep struct {
	At     musa.Millis
	Action string // "hold_opened", "hold_reviewed", "opened_for_hold" …
	By     musa.SubjectID
	Words  string // the note of a review, the reason of an opening
}

// HoldCase is a hold with what is sealed with it, and its history.
type HoldCase struct {
	Hold
	Reason   string
	Category musa.Category // of what was copied
	Info     studio.Info
	History  []HoldStep
}

// Holds lists holds by id, the oldest first.
func (k *Keeper) Holds(ctx context.Context, by musa.Actor, q HoldQuery) ([]Hold, error) {
	if err := k.custodian(by); err != nil {
		return nil, err
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	var list []Hold
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Holds(ctx, db.HoldFilter{State: q.State, Review: q.Review, After: q.After, Limit: min(q.Limit, 500)})
		list = make([]Hold, len(rows))
		for i, h := range rows {
			list[i] = Hold{h}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return list, nil
}

// HoldsOn lists what is or was held of a person, as far as they may know.
func (k *Keeper) HoldsOn(ctx context.Context, by musa.Actor) ([]Hold, error) {
	var list []Hold
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.HoldsOn(ctx, by.Subject)
		list = make([]Hold, len(rows))
		for i, h := range rows {
			h.OpenedBy, h.ReleaseBy, h.ReleasedBy, h.Evidence = "", "", "", "" // who works here is not told
			list[i] = Hold{h}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("holds on %s: %w", by.Subject, err)
	}
	return list, nil
}

// HoldCase shows one hold with its reason. Reading it is entered as a use of the copy.
func (k *Keeper) HoldCase(ctx context.Context, by musa.Actor, id musa.HoldID) (HoldCase, error) {
	it, err := k.held(ctx, by, id, "read the case")
	if err != nil {
		return HoldCase{}, fmt.Errorf("hold %s: %w", id, err)
	}
	c := HoldCase{Hold: Hold{it.hold}, Reason: it.sealed.Reason, Category: it.sealed.Category, Info: it.sealed.Info}
	err = k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		entries, err := k.Vault.Entries(ctx, tx, it.locked.Owner, historyLimit, string(id), string(it.hold.Evidence))
		c.History = make([]HoldStep, len(entries))
		for i, e := range entries {
			c.History[i] = HoldStep{At: e.At, Action: e.Action, By: e.By, Words: e.Words}
		}
		return err
	})
	if err != nil {
		return HoldCase{}, fmt.Errorf("history of hold %s: %w", id, err)
	}
	return c, nil
}

// HeldContent opens a held picture, for a reason that is entered before it opens. Close it.
func (k *Keeper) HeldContent(ctx context.Context, by musa.Actor, id musa.HoldID, reason string) (studio.Content, error) {
	if err := checkWords("reason", reason); err != nil {
		return studio.Content{}, err
	}
	it, err := k.held(ctx, by, id, reason)
	if err != nil {
		return studio.Content{}, fmt.Errorf("open what hold %s keeps: %w", id, err)
	}
	for _, b := range it.blobs {
		if b.Role == musa.BlobFull && b.State == musa.BlobLive {
			c, err := it.use.Open(ctx, it.locked, b)
			return studio.Content{Content: c, Info: it.sealed.Info}, err
		}
	}
	return studio.Content{}, fmt.Errorf("hold %s has no content: %w", id, musa.ErrNotFound)
}

// heldItem is what a hold keeps, entered and opened.
type heldItem struct {
	hold   db.Hold
	locked vault.Locked
	blobs  []db.Blob
	use    vault.Use
	sealed sealedHold
}

func (k *Keeper) held(ctx context.Context, by musa.Actor, id musa.HoldID, why string) (heldItem, error) {
	var it heldItem
	if err := k.custodian(by); err != nil {
		return it, err
	}
	var grant policy.Grant
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if it.hold, err = tx.HoldByID(ctx, id); err != nil {
			return err
		}
		if err := standing(it.hold); err != nil {
			return err
		}
		o, err := tx.AssetWithSecret(ctx, it.hold.Evidence)
		if err != nil {
			return err
		}
		grant = k.Policy().Decide(policy.Facts{Now: tx.Now, Actor: by, Purpose: musa.PurposeHold, Item: vault.AssetItem(o.Asset)})
		if err := grant.Err(); err != nil {
			return err
		}
		it.locked = vault.LockedAsset(o)
		it.blobs, err = tx.BlobsOf(ctx, o.Asset.ID)
		return err
	})
	if err != nil {
		return it, err
	}
	if it.use, err = k.Vault.Enter(ctx, by, grant, why); err != nil {
		return it, err
	}
	return it, it.use.OpenRecord(it.locked, &it.sealed)
}

// standing refuses what is not held: on its way, or released.
func standing(h db.Hold) error {
	switch h.State {
	case musa.HoldHeld:
		return nil
	case musa.HoldReleased:
		return &musa.Problem{Kind: musa.ErrGone, Code: "hold_released", Public: "This hold was released or reached its end, and its copy was erased."}
	}
	return &musa.Problem{Kind: musa.ErrConflict, Code: "hold_opening", Public: "This hold is still being opened. Try again in a moment."}
}

// ReviewHold notes that a hold was looked at and is still needed, and sets the next review.
func (k *Keeper) ReviewHold(ctx context.Context, by musa.Actor, id musa.HoldID, note string) (Hold, error) {
	if err := checkWords("note", note); err != nil {
		return Hold{}, err
	}
	return k.change(ctx, by, id, func(ctx context.Context, tx db.Tx, h *db.Hold) (vault.Entry, error) {
		h.Review = k.review(tx.Now, h.Ends)
		return vault.Entry{Action: "hold_reviewed", Words: note}, nil
	})
}

// ReleaseHold lets a hold go by two persons: the first asks, the second releases, and the
// copy is erased like anything that is due. The same person twice is refused.
func (k *Keeper) ReleaseHold(ctx context.Context, by musa.Actor, id musa.HoldID) (Hold, error) {
	var gone []string
	h, err := k.change(ctx, by, id, func(ctx context.Context, tx db.Tx, h *db.Hold) (vault.Entry, error) {
		gone = nil
		switch h.ReleaseBy {
		case "":
			h.ReleaseBy, h.ReleaseAsked = by.Subject, tx.Now
			return vault.Entry{Action: "hold_release_asked"}, nil
		case by.Subject:
			return vault.Entry{}, &musa.Problem{Kind: musa.ErrRefused, Code: "hold_two_persons",
				Public: "You asked for this release: it takes two persons. Let somebody else in the same role release it (holds.release)."}
		}
		a, err := tx.Asset(ctx, h.Evidence)
		if err != nil {
			return vault.Entry{}, err
		}
		a.Ordered = tx.Now
		vault.SetEnd(k.Versions(), tx.Now, &a)
		if err := tx.SaveAsset(ctx, a); err != nil {
			return vault.Entry{}, err
		}
		if gone, err = k.Eraser.Assets(ctx, tx, []musa.AssetID{a.ID}); err != nil {
			return vault.Entry{}, err
		}
		h.State, h.ReleasedBy, h.Released = musa.HoldReleased, by.Subject, tx.Now
		return vault.Entry{Action: "hold_released"}, nil
	})
	if err != nil || len(gone) == 0 {
		return h, err
	}
	return h, k.Eraser.Drop(gone)
}

// change carries out one step of a hold that stands, with its entry in the audit log.
func (k *Keeper) change(ctx context.Context, by musa.Actor, id musa.HoldID,
	step func(context.Context, db.Tx, *db.Hold) (vault.Entry, error)) (Hold, error) {
	if err := k.custodian(by); err != nil {
		return Hold{}, err
	}
	var h db.Hold
	err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if h, err = tx.HoldByID(ctx, id); err != nil {
			return err
		}
		if err := standing(h); err != nil {
			return err
		}
		e, err := step(ctx, tx, &h)
		if err != nil {
			return err
		}
		if e.Owner, err = tx.Custody(ctx); err != nil {
			return err
		}
		e.Role, e.Object, e.By = by.Role, string(id), by.Subject
		return errors.Join(tx.SaveHold(ctx, h, musa.HoldHeld), k.Vault.Log(ctx, tx, e))
	})
	if err != nil {
		return Hold{}, fmt.Errorf("change hold %s: %w", id, err)
	}
	return Hold{h}, nil
}
