package rights

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
)

// Log is how a person's interaction log stands, and what is kept all the same. Promise W-21.
type Log struct {
	Off   bool
	Since musa.Millis     // when it was switched off; 0 while it is on
	Stops []musa.Category // what the switch stops, by the policy
	Kept  []Kept
}

// Kept is a kind of data that stays whatever the switch says, with its end in words.
type Kept struct {
	Category musa.Category
	Words    string
}

// Logging tells how the switch stands.
func (r *Rights) Logging(ctx context.Context, by musa.Actor, tag string) (Log, error) {
	out := r.logOf(by, tag)
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, by.Subject)
		out.Off, out.Since = s.Unlogged > 0, s.Unlogged
		return err
	})
	if err != nil {
		return Log{}, fmt.Errorf("log of %s: %w", by.Subject, err)
	}
	return out, nil
}

func (r *Rights) logOf(by musa.Actor, tag string) Log {
	doc := r.Policy()
	var out Log
	out.Stops = append(out.Stops, unlogged(doc)...)
	for _, e := range doc.Categories {
		c := musa.Category(e.Name)
		if slices.Contains(out.Stops, c) || e.Value.Collected.Off() || e.Value.HoldOnly.On() || e.Value.Personal.Off() {
			continue
		}
		out.Kept = append(out.Kept, Kept{Category: c, Words: ruled(doc, tag, c, by.Tier)})
	}
	return out
}

// ruled says when a kind of data ends; a kind that no rule names says nothing.
func ruled(doc *policy.Document, tag string, c musa.Category, tier musa.Tier) string {
	sentences, err := doc.ExplainIn(tag, c, tier)
	if err != nil {
		return ""
	}
	var words []string
	for _, s := range sentences {
		words = append(words, s.Text)
	}
	return strings.Join(words, " ")
}

// unlogged is what the policy's switch stops.
func unlogged(doc *policy.Document) (out []musa.Category) {
	words, _ := doc.OffSwitch.Get(consent.NameLog)
	for _, w := range words {
		out = append(out, musa.Category(w))
	}
	return out
}

// logPage is how many pictures lose the words of their making in one transaction.
const logPage = 100

// SwitchLog switches a person's interaction log. Off: what was said for jobs that have ended
// goes now, and for those under way in the transaction that ends them. On: what was gone stays
// gone. Switching it off again goes over everything once more.
func (r *Rights) SwitchLog(ctx context.Context, by musa.Actor, on consent.Answer, tag string) (Log, error) {
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := r.Consents.Log(ctx, tx, by, on, consent.ViaSettings); err != nil {
			return err
		}
		if on == consent.Yes {
			return nil
		}
		return tx.OrderLogsOf(ctx, by.Subject, unlogged(r.Policy()))
	})
	if err != nil {
		return Log{}, fmt.Errorf("switch log of %s: %w", by.Subject, err)
	}
	if on == consent.No {
		if err := r.forgetAll(ctx, by); err != nil {
			return Log{}, fmt.Errorf("forget words of %s: %w", by.Subject, err)
		}
		r.spread(nil, nil)
	}
	return r.Logging(ctx, by, tag)
}

// forgetAll takes what was understood of prompts out of all results.
func (r *Rights) forgetAll(ctx context.Context, by musa.Actor) error {
	var after musa.AssetID
	for {
		var page []db.Asset
		err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if page, err = tx.AssetsOf(ctx, by.Subject, after, logPage); err != nil {
				return err
			}
			for _, a := range page {
				if a.Job == "" {
					continue
				}
				if err := r.forgetWordsOf(ctx, tx, by, a); err != nil && !errors.Is(err, musa.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil || len(page) < logPage {
			return err
		}
		after = page[len(page)-1].ID
	}
}
