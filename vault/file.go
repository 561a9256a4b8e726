package vault

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/seal"
)

// Filing is a sealed record to be made of something that a person said, outside of a picture:
// a name, a message, a request.
type Filing struct {
	By       musa.Actor
	Purpose  musa.Purpose
	Category musa.Category
	Asset    musa.AssetID // that it is about; may be empty
	Content  any          // becomes JSON, and sealed
}

// File seals a record of the actor's own and gives it its end, in the caller's transaction.
// The policy's refusal is returned as it is.
func (v *Vault) File(ctx context.Context, tx db.Tx, f Filing) (db.Record, error) {
	list := []db.Record{{ID: musa.NewRecordID(tx.Now.Time()), Owner: f.By.Subject, Category: f.Category, Asset: f.Asset, State: musa.AssetActive}}
	if err := BelongRecords(ctx, tx, v.Versions(), list); err != nil {
		return db.Record{}, err
	}
	r := list[0]
	item := RecordItem(r)
	item.New = true
	if err := v.Policy().Decide(policy.Ask(tx.Now, f.By, f.Purpose, item)).Err(); err != nil {
		return db.Record{}, err
	}
	secret, err := v.SealRecord(ctx, tx, r, f.Content)
	if err != nil {
		return db.Record{}, err
	}
	return r, tx.InsertRecord(ctx, r, secret)
}

// Read opens a record of the actor's own into out. musa.ErrNotFound for what is another's or
// has no key any more, musa.ErrGone for what is due.
func (v *Vault) Read(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, id musa.RecordID, out any) (db.Record, error) {
	o, locked, grant, err := v.reading(ctx, tx, by, purpose, id)
	if err != nil {
		return db.Record{}, err
	}
	return o.Record, v.OpenRecord(grant, locked, out)
}

// Rewrite puts other content in the place of a record's, under its key. Its end stays.
func (v *Vault) Rewrite(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, id musa.RecordID, content any) error {
	_, locked, grant, err := v.reading(ctx, tx, by, purpose, id)
	if err != nil {
		return err
	}
	sealed, err := v.Reseal(grant, locked, content)
	if err != nil {
		return err
	}
	return tx.ReplaceSealed(ctx, string(id), sealed)
}

func (v *Vault) reading(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, id musa.RecordID) (o db.RecordOpening, l Locked, g policy.Grant, err error) {
	if o, err = tx.RecordOpening(ctx, id); err != nil {
		return o, l, g, err
	}
	g = v.Policy().Decide(policy.Ask(tx.Now, by, purpose, RecordItem(o.Record)))
	if err = g.Err(); err != nil {
		return o, l, g, err
	}
	if o.State != musa.AssetActive {
		return o, l, g, fmt.Errorf("record %s: %w", id, musa.ErrGone)
	}
	l, err = LockedRecord(o)
	return o, l, g, err
}

// SealOwn seals what belongs to an owner and is no record: what a login or a voucher holds.
// It is stored with tx.InsertSecret and goes with its row or its owner's key.
func (v *Vault) SealOwn(ctx context.Context, tx db.Tx, owner musa.SubjectID, id string, content any) error {
	s, err := v.sealItem(ctx, tx, owner, id, seal.NewKey(), content)
	if err != nil {
		return err
	}
	return tx.InsertSecret(ctx, s)
}

// OpenOwn opens what SealOwn sealed for the actor into out.
func (v *Vault) OpenOwn(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, c musa.Category, id string, out any) error {
	item := policy.Item{ID: id, Owner: by.Subject, Category: c, Tier: by.Tier}
	grant := v.Policy().Decide(policy.Ask(tx.Now, by, purpose, item))
	if err := grant.Err(); err != nil {
		return err
	}
	secret, err := tx.Secret(ctx, id)
	if err != nil {
		return err
	}
	wrapped, err := tx.SubjectKey(ctx, by.Subject)
	if err != nil {
		return err
	}
	return v.OpenRecord(grant, Locked{ID: id, Owner: secret.Subject, Class: c, Secret: secret, Subject: wrapped}, out)
}
