package retention

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

const (
	// staleHold is how long a hold may be opening: as long, the asset's key is kept for it.
	staleHold = 10 * time.Minute
	// maxReason is the longest reason or note of a hold, in bytes.
	maxReason = 2000
	// historyLimit bounds the history that is shown with one hold.
	historyLimit = 1000
)

// HoldOrder asks for a hold on one asset.
type HoldOrder struct {
	Asset  musa.AssetID
	Reason string      // why; sealed with the copy
	Ends   musa.Millis // before the policy's end; 0 for that
	Untold bool        // the law forbids to tell the owner
}

// Hold is a hold as those see it who may act on it.
type Hold struct {
	db.Hold
}

// HoldQuery says which holds are listed; a zero field leaves nothing out.
type HoldQuery struct {
	State  musa.HoldState
	Review musa.Millis // held and to be looked at again before this instant
	After  musa.HoldID // the last of the page before
	Limit  int         // at most 500; 0 for 100
}

// sealedHold is what lies sealed with a held copy.
type sealedHold struct {
	Reason   string        `json:"reason"`
	Category musa.Category `json:"category"`
	Info     studio.Info   `json:"info"`
}

// OpenHold keeps a copy of an asset under a key of its own, whatever becomes of the asset:
// its owner's policy goes on as if there were none. Refused where the document provides for
// no holds, to other roles than the one it names, and once the asset is due (ErrGone).
//
// The row comes first: from its commit on no transaction destroys the asset's key, for as
// long as staleHold. Policy holds.
func (k *Keeper) OpenHold(ctx context.Context, by musa.Actor, o HoldOrder) (Hold, error) {
	if err := k.checkOrder(by, o); err != nil {
		return Hold{}, err
	}
	custody, err := k.Custody(ctx)
	if err != nil {
		return Hold{}, err
	}
	c := copying{by: by, order: o, hold: db.Hold{ID: musa.NewHoldID(k.Clock()), Asset: o.Asset, OpenedBy: by.Subject, Untold: o.Untold}}
	c.copy = db.Asset{ID: musa.NewAssetID(k.Clock()), Owner: custody, Author: custody, Category: musa.CategoryEvidence, State: musa.AssetActive}
	if err := k.announce(ctx, &c); err != nil {
		return Hold{}, fmt.Errorf("open hold on %s: %w", o.Asset, err)
	}
	ctx, stop := context.WithTimeout(ctx, staleHold)
	defer stop()
	if err := k.take(ctx, &c); err != nil {
		// A sweep may have dropped it before: then there is nothing left to drop.
		drop := k.DB.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { return tx.DropHold(ctx, c.hold.ID) })
		if errors.Is(drop, musa.ErrNotFound) {
			drop = nil
		}
		return Hold{}, errors.Join(fmt.Errorf("open hold on %s: %w", o.Asset, err), drop)
	}
	return Hold{c.hold}, nil
}

// copying is a hold on its way.
type copying struct {
	by    musa.Actor
	order HoldOrder
	hold  db.Hold
	copy  db.Asset
	from  vault.Original
	class musa.Category
	grant policy.Grant // to make the copy
}

func (k *Keeper) checkOrder(by musa.Actor, o HoldOrder) error {
	if err := k.custodian(by); err != nil {
		return err
	}
	if err := checkWords("reason", o.Reason); err != nil {
		return err
	}
	if o.Ends != 0 && o.Ends <= musa.At(k.Clock()) {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "ends_past", Field: "ends", Public: "The end of a hold must lie in the future. Leave it out for the policy's own."}
	}
	if o.Untold && k.Policy().Holds.TellSubject == "always" {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "hold_untold", Field: "untold",
			Public: "This studio's policy tells people always when something of theirs is held (holds.tell_subject). Open the hold without keeping it from them."}
	}
	return nil
}

func checkWords(field, words string) error {
	if strings.TrimSpace(words) == "" || len(words) > maxReason {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: field + "_needed", Field: field,
			Public: fmt.Sprintf("Say in one to %d bytes why: it is kept sealed, for those who review.", maxReason)}
	}
	return nil
}

// custodian refuses whoever does not act in the role that the document names for holds.
func (k *Keeper) custodian(by musa.Actor) error {
	switch role := k.Policy().Holds.Role; {
	case role == "":
		return &musa.Problem{Kind: musa.ErrRefused, Code: "holds_unknown",
			Public: "This studio's policy provides for no holds: nothing outlives its end. To hold something, publish a version with a section `holds`."}
	case by.Role != musa.Role(role) || by.Subject == "":
		return &musa.Problem{Kind: musa.ErrRefused, Code: "holds_role", Public: fmt.Sprintf("Only the role %s may do this (holds.role).", role)}
	}
	return nil
}

// Custody is the owner of what the studio itself has to keep sealed, made with the first hold or
// incident. The schema knows only one.
func (k *Keeper) Custody(ctx context.Context) (musa.SubjectID, error) {
	find := func() (id musa.SubjectID, err error) {
		err = k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			id, err = tx.Custody(ctx)
			return err
		})
		return id, err
	}
	id, err := find()
	if !errors.Is(err, musa.ErrNotFound) {
		return id, err
	}
	id = musa.NewSubjectID(k.Clock())
	wrapped, err := k.Vault.NewSubject(id)
	if err != nil {
		return "", fmt.Errorf("key for the custody: %w", err)
	}
	err = k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return tx.InsertSubject(ctx, db.Subject{ID: id, Kind: musa.SubjectCustody, State: musa.SubjectActive, Created: tx.Now,
			LastSeen: tx.Now, PolicyVersion: k.Policy().Ref()}, wrapped)
	})
	if errors.Is(err, musa.ErrConflict) { // another node was first
		return find()
	}
	return id, err
}

// announce commits the opening hold, if the asset's end has not come.
func (k *Keeper) announce(ctx context.Context, c *copying) error {
	return k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		// Locked, so that whoever erases at this very moment comes before or after.
		a, err := tx.Asset(ctx, c.order.Asset)
		if err != nil {
			return err
		}
		if a.State != musa.AssetActive {
			return &musa.Problem{Kind: musa.ErrGone, Code: "hold_too_late",
				Public: "This picture reached its end before the hold: its key is destroyed, and nothing is left to hold."}
		}
		if a.Category == musa.CategoryEvidence {
			return &musa.Problem{Kind: musa.ErrRefused, Code: "held_already", Field: "asset", Public: "This is a held copy itself. Review its hold instead."}
		}
		doc := k.Policy()
		owner := musa.Actor{Subject: a.Owner, Tier: a.Tier, Role: musa.RoleSystem}
		c.from.Grant = doc.Decide(policy.Facts{Now: tx.Now, Actor: owner, Purpose: musa.PurposeHold, Item: vault.AssetItem(a)})
		if err := c.from.Grant.Err(); err != nil {
			return err
		}
		copied := vault.AssetItem(c.copy)
		copied.New, copied.Created = true, tx.Now
		c.grant = doc.Decide(policy.Facts{Now: tx.Now, Actor: c.by, Purpose: musa.PurposeHold, Item: copied})
		if err := c.grant.Err(); err != nil {
			return err
		}
		o, err := tx.AssetWithSecret(ctx, a.ID)
		if err != nil {
			return err
		}
		c.from.Locked, c.class, c.hold.Owner = vault.LockedAsset(o), a.Category, a.Owner
		if c.from.Blobs, err = tx.BlobsOf(ctx, a.ID); err != nil {
			return err
		}
		return tx.InsertHold(ctx, c.hold)
	})
}

// take makes the copy, and commits it with the hold that now stands.
func (k *Keeper) take(ctx context.Context, c *copying) error {
	sealed := sealedHold{Reason: c.order.Reason, Category: c.class}
	if err := k.Vault.CopiedRecord(c.from, &sealed.Info); err != nil {
		return err
	}
	draft, err := k.Vault.Copy(ctx, c.from, c.grant, c.copy)
	if err != nil {
		return err
	}
	c.copy.Bytes = draft.Size()
	err = k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		h, err := tx.HoldByID(ctx, c.hold.ID)
		if err != nil {
			return err
		}
		a := c.copy
		a.Created, a.Ordered = tx.Now, c.order.Ends
		vault.SetEnd(k.Versions(), tx.Now, &a)
		secret, err := draft.Keep(ctx, tx, sealed)
		if err != nil {
			return err
		}
		if err := tx.InsertAsset(ctx, a, secret); err != nil {
			return err
		}
		h.State, h.Evidence, h.Ends = musa.HoldHeld, a.ID, a.Ends
		h.Review = k.review(tx.Now, h.Ends)
		if err := tx.SaveHold(ctx, h, musa.HoldOpening); err != nil {
			return err
		}
		c.hold = h
		return k.Vault.Log(ctx, tx, vault.Entry{Action: "hold_opened", Role: c.by.Role, Owner: a.Owner, Object: string(h.ID), By: c.by.Subject})
	})
	if err != nil {
		return errors.Join(err, draft.Drop(context.WithoutCancel(ctx)))
	}
	return nil
}

// review is when a hold is to be looked at again: after the time that the rule of evidence
// says, and never after its end.
func (k *Keeper) review(now, ends musa.Millis) musa.Millis {
	at := ends
	for _, r := range k.Policy().Retention {
		if r.For.Has(string(musa.CategoryEvidence)) && r.Review.Said() {
			at = min(at, r.Review.After(now))
		}
	}
	return at
}

// sweepHolds drops what crashes left of holds on their way, notes which copies reached their
// end, and forgets what was released long ago.
func (k *Keeper) sweepHolds(ctx context.Context) error {
	return errors.Join(k.dropStale(ctx, musa.At(k.Clock()).Add(-staleHold)), k.drain(ctx, k.endHolds), k.drain(ctx, k.oldHolds))
}

func (k *Keeper) endHolds(ctx context.Context, tx db.Tx) (int, error) { return tx.EndHolds(ctx, batch) }

func (k *Keeper) oldHolds(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropHolds(ctx, tx.Now.Add(-db.TombstoneLife), batch)
}

// dropStale lets go what began to open before an instant. Its reason went with the process
// that took it, so it cannot be resumed: whoever ordered it got no answer and orders again.
func (k *Keeper) dropStale(ctx context.Context, before musa.Millis) error {
	return k.drain(ctx, func(ctx context.Context, tx db.Tx) (int, error) {
		stale, err := tx.StaleHolds(ctx, before, batch)
		for _, h := range stale {
			if err := tx.DropHold(ctx, h.ID); err != nil {
				return 0, err
			}
			if err := tx.AppendAudit(ctx, db.AuditEvent{Action: "hold_dropped", Role: musa.RoleSystem, Object: string(h.ID)}); err != nil {
				return 0, err
			}
		}
		return len(stale), err
	})
}
