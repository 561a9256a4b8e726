package vault

import (
	"context"
	"fmt"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// SetEnd writes the end that the policy's versions give into an asset's row. A new asset
// gets the version in force as its own; an ordered erasure still wins.
func SetEnd(v *policy.Versions, now musa.Millis, a *db.Asset) {
	if a.PolicyVersion == "" {
		a.PolicyVersion = v.InForce(now).Ref()
	}
	end := v.End(AssetItem(*a))
	a.Due, a.Rule = end.At, end.Path
	a.Ends, a.Reason = soonest(a.Due, a.Ordered)
}

// SetRecordEnd does the same for a sealed record.
func SetRecordEnd(v *policy.Versions, now musa.Millis, r *db.Record) {
	if r.PolicyVersion == "" {
		r.PolicyVersion = v.InForce(now).Ref()
	}
	end := v.End(RecordItem(*r))
	r.Due, r.Rule = end.At, end.Path
	r.Ends, r.Reason = soonest(r.Due, r.Ordered)
}

func soonest(due, ordered musa.Millis) (musa.Millis, musa.EndReason) {
	if ordered > 0 && (due == 0 || ordered < due) {
		return ordered, musa.EndOrdered
	}
	return due, musa.EndPolicy
}

// owner reads, in the transaction that makes something of an owner's, what it takes over
// from the owner's row. The row stays locked until the commit: a change of choice or tier
// comes wholly before, or finds the new item and has it follow.
func owner(ctx context.Context, tx db.Tx, id musa.SubjectID, made ...musa.Category) (db.Subject, error) {
	s, err := tx.Subject(ctx, id)
	switch {
	case err != nil || s.State == musa.SubjectActive:
	case s.State == musa.SubjectSuspended:
		// What they say about themselves and ask for stays possible; policy age.reported.
		for _, c := range made {
			if !aboutThem(c) {
				err = musa.AccountSuspended
			}
		}
	default:
		err = &musa.Problem{Kind: musa.ErrGone, Code: "account_closed", Public: "This account is closed. Nothing new is made in it."}
	}
	if err != nil {
		return db.Subject{}, fmt.Errorf("owner %s: %w", id, err)
	}
	return s, nil
}

// aboutThem says that a record is no picture's: what a suspended account may still say.
func aboutThem(c musa.Category) bool {
	switch c {
	case musa.CategorySupport, musa.CategoryCase, musa.CategoryAccount, musa.CategoryDevice, musa.CategoryPreference:
		return true
	}
	return false
}

// Belong gives a new asset its owner's tier and choice and its end, in the transaction that
// inserts it. A tier that was lost bears on what was there then, not on what comes after.
// musa.ErrGone when the owner's account is closed.
func Belong(ctx context.Context, tx db.Tx, v *policy.Versions, a *db.Asset) error {
	s, err := owner(ctx, tx, a.Owner, a.Category)
	if err != nil {
		return err
	}
	a.Created, a.Tier, a.Choice, a.PolicyVersion = tx.Now, s.Tier, s.Choice, ""
	SetEnd(v, tx.Now, a)
	return nil
}

// BelongRecords does the same for sealed records of one owner.
func BelongRecords(ctx context.Context, tx db.Tx, v *policy.Versions, records []db.Record) error {
	made := make([]musa.Category, len(records))
	for i, r := range records {
		made[i] = r.Category
	}
	s, err := owner(ctx, tx, records[0].Owner, made...)
	if err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		r.Created, r.Tier, r.Choice, r.PolicyVersion = tx.Now, s.Tier, s.Choice, ""
		SetRecordEnd(v, tx.Now, r)
	}
	return nil
}

// Reckon writes the ends that the policy's versions give into the rows of one page, which
// the caller's transaction has locked.
func Reckon(ctx context.Context, tx db.Tx, v *policy.Versions, assets []db.Asset, records []db.Record) error {
	for i := range assets {
		SetEnd(v, tx.Now, &assets[i])
	}
	for i := range records {
		SetRecordEnd(v, tx.Now, &records[i])
	}
	if err := tx.SetAssetEnds(ctx, assets); err != nil {
		return err
	}
	return tx.SetRecordEnds(ctx, records)
}

// AssetItem is the policy's view of an asset.
func AssetItem(a db.Asset) policy.Item {
	ended := a.JobEnded
	if a.Uses > 0 {
		ended = 0 // the last job that used it has not ended yet
	}
	return policy.Item{ID: string(a.ID), Owner: a.Owner, Category: a.Category, Tier: a.Tier, Created: a.Created,
		JobEnded: ended, Saved: a.Saved, InUse: a.Uses > 0, Choice: time.Duration(a.Choice) * time.Millisecond,
		Former: a.Former, Grace: a.Grace, Closed: a.Closed, Version: a.PolicyVersion, Stored: a.Ends, Commercial: a.Commercial,
		Picked: time.Duration(a.Picked) * time.Millisecond}
}

// RecordItem is the policy's view of a sealed record.
func RecordItem(r db.Record) policy.Item {
	return policy.Item{ID: string(r.ID), Owner: r.Owner, Category: r.Category, Tier: r.Tier, Created: r.Created,
		Choice: time.Duration(r.Choice) * time.Millisecond,
		Former: r.Former, Grace: r.Grace, Closed: r.Closed, Version: r.PolicyVersion, Stored: r.Ends}
}

// LockedRecord is a record as the database opened it; musa.ErrNotFound once a key that it
// needs is destroyed.
func LockedRecord(o db.RecordOpening) (Locked, error) {
	if len(o.Secret.Wrapped) == 0 || len(o.SubjectKey) == 0 {
		return Locked{}, fmt.Errorf("keys of record %s: %w", o.ID, musa.ErrNotFound)
	}
	return Locked{ID: string(o.ID), Owner: o.Owner, Class: o.Category, Secret: o.Secret, Subject: o.SubjectKey}, nil
}
