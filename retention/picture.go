package retention

import (
	"context"
	"fmt"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

// Use is what a person means to do with a picture.
type Use int

// The uses. A commercial one changes nothing but what it may be trained on with: that takes a
// consent of its own. Promise C-36.
const (
	UseAsBefore Use = iota
	UseOwn
	UseCommercial
)

// Wish is what a person says of one picture; what is left out stays as it is.
type Wish struct {
	Use     Use
	Answers map[string]consent.Answer // to consents that are given for single pictures
	Keep    *time.Duration            // one of Picks; 0 to follow what they chose for everything
}

// Pick is a time that a picture can be kept for by itself, and when it would go then.
type Pick struct {
	Keep policy.Span
	Ends musa.Millis
}

// Picks lists what the policy offers for one picture, without what would end it at once: that is
// what erasing is for. Chosen is the one that was picked for it; zero where it follows what its
// owner chose for everything. Promise E-27.
func (k *Keeper) Picks(ctx context.Context, by musa.Actor, id musa.AssetID) (list []Pick, chosen time.Duration, err error) {
	err = k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err == nil {
			err = studio.Present(by, a)
		}
		if err != nil {
			return err
		}
		chosen = time.Duration(a.Picked) * time.Millisecond
		list, err = k.picks(ctx, tx, a)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("picks for %s: %w", id, err)
	}
	return list, chosen, nil
}

func (k *Keeper) picks(ctx context.Context, tx db.Tx, a db.Asset) (list []Pick, err error) {
	s, err := tx.Subject(ctx, a.Owner)
	if err != nil {
		return nil, err
	}
	if s.Kind == musa.SubjectWorkspace {
		w, err := tx.Workspace(ctx, s.ID)
		if err != nil || w.Keep > 0 { // enforced: nobody chooses
			return nil, err
		}
	}
	v := k.Versions()
	for _, o := range offers(k.Policy(), s) {
		i := vault.AssetItem(a)
		if i.Picked = 0; !o.covers(v, i) {
			continue
		}
		for _, c := range o.Choices {
			i.Picked = c.Duration()
			if at := v.End(i).At; at == 0 || at > tx.Now {
				list = append(list, Pick{c, at})
			}
		}
	}
	return list, nil
}

// Govern does what a person says of one picture, all of it or nothing: how it is used, what it may
// be used for, and how long it stays. ErrNotFound for another's, ErrGone after its end.
func (k *Keeper) Govern(ctx context.Context, by musa.Actor, id musa.AssetID, w Wish) error {
	err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err == nil {
			err = studio.Present(by, a)
		}
		if err != nil {
			return err
		}
		if err := k.Policy().Decide(policy.Ask(tx.Now, by, musa.PurposeAnswerRights, vault.AssetItem(a))).Err(); err != nil {
			return err
		}
		if w.Use != UseAsBefore {
			a.Commercial = w.Use == UseCommercial
		}
		if w.Keep != nil {
			if err := k.pick(ctx, tx, by, &a, *w.Keep); err != nil {
				return err
			}
		}
		if err := tx.SaveAsset(ctx, a); err != nil {
			return err
		}
		return k.book().Answer(ctx, tx, by, id, w.Answers, consent.ViaSettings)
	})
	if err != nil {
		return fmt.Errorf("govern %s: %w", id, err)
	}
	return nil
}

// pick has one picture stay as long as its owner says, within what the policy offers them.
func (k *Keeper) pick(ctx context.Context, tx db.Tx, by musa.Actor, a *db.Asset, keep time.Duration) error {
	if err := by.May(musa.ActGovern); err != nil {
		return err
	}
	list, err := k.picks(ctx, tx, *a)
	if err != nil {
		return err
	}
	offered := keep == 0
	var names []string
	for _, p := range list {
		offered = offered || p.Keep.Duration() == keep
		names = append(names, p.Keep.Words())
	}
	switch {
	case len(list) == 0:
		return &musa.Problem{Kind: musa.ErrRefused, Code: "choice_none", Field: "keep",
			Public: "The privacy policy alone says how long this picture stays; there is nothing to choose for it."}
	case !offered:
		return &musa.Problem{Kind: musa.ErrRefused, Code: "choice_not_offered", Field: "keep",
			Public: "The privacy policy does not offer this time for this picture. It offers: " + words(names) + "."}
	}
	a.Picked = keep.Milliseconds()
	vault.SetEnd(k.Versions(), tx.Now, a)
	if a.Ends > 0 && a.Ends <= tx.Now {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "choice_ends_it", Field: "keep",
			Public: "That would end this picture at once. Choose a longer time, or erase it."}
	}
	return nil
}
