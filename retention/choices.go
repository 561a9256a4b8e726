package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
)

// choices ends consents whose time is over, those about what is gone and those that were given
// to something else than the policy asks for since, and forgets what was superseded for as long
// as the policy keeps such proof.
func (k *Keeper) choices(ctx context.Context) error {
	errs := []error{k.drain(ctx, k.expired), k.drain(ctx, k.lost), k.reconsent(ctx), k.drain(ctx, k.cases)}
	for _, tier := range append(k.Policy().Tiers.Names(), "") {
		errs = append(errs, k.drain(ctx, func(ctx context.Context, tx db.Tx) (int, error) { return k.superseded(ctx, tx, musa.Tier(tier)) }))
	}
	return errors.Join(errs...)
}

func (k *Keeper) book() *consent.Book {
	return consent.New(consent.Config{DB: k.DB, Policy: k.Policy, Versions: k.Versions})
}

// expired takes consents whose time is over out of what their people allow.
func (k *Keeper) expired(ctx context.Context, tx db.Tx) (int, error) {
	list, err := tx.ExpiredChoices(ctx, batch)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		if err := k.book().Lapse(ctx, tx, c); err != nil {
			return 0, err
		}
	}
	return len(list), k.standings(ctx, tx, list)
}

// lost ends what was said about single pictures that are not there any more.
func (k *Keeper) lost(ctx context.Context, tx db.Tx) (int, error) {
	list, err := tx.LostChoices(ctx, batch)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		if err := tx.EndChoice(ctx, c.ID, tx.Now); err != nil {
			return 0, err
		}
	}
	return len(list), k.standings(ctx, tx, list)
}

// standings reckons anew what people allow.
func (k *Keeper) standings(ctx context.Context, tx db.Tx, list []db.Choice) error {
	var people []musa.SubjectID
	for _, c := range list {
		people = append(people, c.Subject)
	}
	slices.Sort(people)
	for _, id := range slices.Compact(people) {
		// Who is erased has no standing any more, and may have no row.
		if err := k.book().Settle(ctx, tx, id); err != nil && !errors.Is(err, musa.ErrNotFound) {
			return err
		}
	}
	return nil
}

// reconsent ends, once under each version that comes into force, the consents that were given
// to something else than it asks for. Policy changes.reconsent.
func (k *Keeper) reconsent(ctx context.Context) error {
	doc := k.Policy()
	if k.reconsented == doc.Ref() {
		return nil
	}
	var after musa.ChoiceID
	for ctx.Err() == nil {
		var page []db.Choice
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if page, err = tx.ChoicesUnder(ctx, doc.Ref(), after, batch); err != nil {
				return err
			}
			for _, c := range page {
				if !k.unasked(doc, c) {
					continue
				}
				no := db.Choice{Subject: c.Subject, Name: c.Name, Item: c.Item, Via: consent.ViaChanged, PolicyVersion: doc.Ref()}
				if err := tx.Choose(ctx, no); err != nil {
					return err
				}
			}
			return k.standings(ctx, tx, page)
		})
		if err != nil {
			return fmt.Errorf("consents under earlier versions: %w", err)
		}
		if len(page) < batch {
			k.reconsented = doc.Ref()
			return nil
		}
		after = page[len(page)-1].ID
	}
	return nil
}

// unasked says whether a consent was given to something else than the document asks for. One
// under a version that nobody has is.
func (k *Keeper) unasked(doc *policy.Document, c db.Choice) bool {
	if c.Name == consent.NamePolicy || c.Name == consent.NameTerms || c.Name == consent.NameLog || !doc.Changes.Reconsent.Has("consent") {
		return false
	}
	then, ok := k.Versions().Of(c.PolicyVersion)
	return !ok || !policy.SameConsent(then, doc, c.Name)
}

// superseded forgets choices of one tier whose end has come; of owners that nobody knows any
// more, when the longest of all tiers has.
func (k *Keeper) superseded(ctx context.Context, tx db.Tx, tier musa.Tier) (int, error) {
	tiers := []string{string(tier)}
	if tier == "" {
		tiers = slices.DeleteFunc(k.Policy().Tiers.Names(), func(name string) bool { return name == string(musa.TierGuest) }) // theirs go with them
	}
	var before musa.Millis
	for i, name := range tiers {
		at, ok := k.before(tx.Now, func(since musa.Millis) policy.Item {
			return policy.Item{Category: musa.CategoryPreference, Tier: musa.Tier(name), Created: since, Closed: since}
		})
		if !ok {
			return 0, nil
		}
		if i == 0 || at < before {
			before = at
		}
	}
	return tx.DropChoices(ctx, tier, before, batch)
}

// cases forgets requests about rights when their time is over.
func (k *Keeper) cases(ctx context.Context, tx db.Tx) (int, error) {
	before, ok := k.before(tx.Now, logged(musa.CategoryCase))
	if !ok {
		return 0, nil
	}
	return tx.DropCases(ctx, before, batch)
}
