package studio

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/vault"
)

// view joins a row with its opened record and says how it stands now.
func (s *Studio) view(a db.Asset, info Info, sources []musa.AssetID) Asset {
	now := musa.At(s.Clock())
	v := Asset{Asset: a, Info: info, Made: info.Made, Sources: sources, Words: s.Versions().End(vault.AssetItem(a)).Words}
	switch {
	case a.Ordered > 0:
		v.Hidden, v.Why = true, musa.EndOrdered
		if a.State == musa.AssetActive && now < a.Ordered {
			v.Undo = a.Ordered
		}
	case a.State != musa.AssetActive, a.Ends > 0 && now >= a.Ends:
		v.Hidden, v.Why = true, musa.EndPolicy
	}
	return v
}

// Asset shows one picture to its owner. One that is gone is shown as a tombstone, without
// an error; a foreign one is ErrNotFound.
func (s *Studio) Asset(ctx context.Context, by musa.Actor, id musa.AssetID) (Asset, error) {
	var v Asset
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err != nil {
			return err
		}
		if a.Owner != by.Subject {
			return musa.ErrNotFound
		}
		v, err = s.show(ctx, tx, by, a)
		return err
	})
	if err != nil {
		return Asset{}, fmt.Errorf("asset %s: %w", id, err)
	}
	return v, nil
}

// Assets lists what a person has, newest first, tombstones included. After is the last id
// of the page before, or empty.
func (s *Studio) Assets(ctx context.Context, by musa.Actor, after musa.AssetID, limit int) ([]Asset, error) {
	return s.AssetsFor(ctx, by, musa.PurposeDeliver, after, limit)
}

// AssetsFor is Assets for another purpose of the person's own: what they ask for as a right
// stays open to them when its use is restricted.
func (s *Studio) AssetsFor(ctx context.Context, by musa.Actor, purpose musa.Purpose, after musa.AssetID, limit int) ([]Asset, error) {
	var out []Asset
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		out = nil
		rows, err := tx.AssetsOf(ctx, by.Subject, after, limit)
		if err != nil {
			return err
		}
		for _, a := range rows {
			v, err := s.showFor(ctx, tx, by, purpose, a)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("assets of %s: %w", by.Subject, err)
	}
	return out, nil
}

// show opens an asset's record where the policy grants it, and leaves a tombstone where
// it does not.
func (s *Studio) show(ctx context.Context, tx db.Tx, by musa.Actor, a db.Asset) (Asset, error) {
	return s.showFor(ctx, tx, by, musa.PurposeDeliver, a)
}

func (s *Studio) showFor(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, a db.Asset) (Asset, error) {
	sources, err := tx.SourcesOf(ctx, a.ID)
	if err != nil {
		return Asset{}, err
	}
	grant := s.Policy().Decide(facts(by, purpose, a, tx.Now))
	if a.State != musa.AssetActive || a.Ordered > 0 || errors.Is(grant.Err(), musa.ErrGone) {
		v := s.view(a, Info{}, sources)
		if !v.Hidden { // the policy in force ends it before the stored end
			v.Hidden, v.Why = true, musa.EndPolicy
		}
		return v, nil
	}
	if err := grant.Err(); err != nil {
		return Asset{}, err
	}
	o, err := tx.AssetWithSecret(ctx, a.ID)
	if err != nil {
		return Asset{}, err
	}
	var info Info
	if err := s.Vault.OpenRecord(grant, vault.LockedAsset(o), &info); err != nil {
		return Asset{}, err
	}
	return s.view(a, info, sources), nil
}

// Keep changes whether a person wants an original saved. Where the policy gives a saved
// one a longer life it starts at once; giving it up can end it at once, too.
func (s *Studio) Keep(ctx context.Context, by musa.Actor, id musa.AssetID, wish Wish) (Asset, error) {
	var v Asset
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err != nil {
			return err
		}
		if err := Present(by, a); err != nil {
			return err
		}
		if err := s.Policy().Decide(facts(by, musa.PurposeDeliver, a, tx.Now)).Err(); err != nil {
			return err
		}
		a.Saved = wish == WishSave
		vault.SetEnd(s.Versions(), tx.Now, &a)
		if err := tx.SaveAsset(ctx, a); err != nil {
			return err
		}
		v, err = s.show(ctx, tx, by, a)
		return err
	})
	if err != nil {
		return Asset{}, fmt.Errorf("keep %s: %w", id, err)
	}
	return v, nil
}

// Wish is what a person wants of an original.
type Wish int

// The wishes: let the policy's rule for originals run, or keep it like a result.
const (
	WishLet Wish = iota
	WishSave
)
