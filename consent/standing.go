package consent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"musa"
	"musa/db"
	"musa/policy"
)

// The outcomes of requests that bear on what may be done.
const (
	OutcomeUpheld     = "upheld"     // an objection
	OutcomeRestricted = "restricted" // a restriction, until it is lifted
)

// refused marks in a standing a No for one item: `-training:as_…`. It outweighs a Yes for
// everything.
const refused = "-"

// Settle reckons a person's standing anew from what they chose and what was decided about
// their requests, and stores it, in the caller's transaction.
func (b *Book) Settle(ctx context.Context, tx db.Tx, id musa.SubjectID) error {
	st, ends, err := b.reckon(ctx, tx, id)
	if err != nil {
		return err
	}
	return tx.SetStanding(ctx, id, st, ends)
}

// Standing is what follows from a person's choices and cases under the policy in force. The
// row of the subject holds it, too: this is where it comes from.
func (b *Book) Standing(ctx context.Context, tx db.Tx, id musa.SubjectID) (musa.Standing, error) {
	st, _, err := b.reckon(ctx, tx, id)
	return st, err
}

// reckon is a standing with the ends of those consents that run out.
func (b *Book) reckon(ctx context.Context, tx db.Tx, id musa.SubjectID) (musa.Standing, map[string]musa.Millis, error) {
	s, err := tx.Subject(ctx, id)
	if err != nil {
		return musa.Standing{}, nil, err
	}
	words, err := tx.LastWords(ctx, id)
	if err != nil {
		return musa.Standing{}, nil, err
	}
	decided, err := tx.CasesInEffect(ctx, id, OutcomeUpheld, OutcomeRestricted)
	if err != nil {
		return musa.Standing{}, nil, err
	}
	st, ends := derive(b.Policy(), words, tx.Now)
	st.Region = s.Region
	if s.Kind == musa.SubjectWorkspace {
		w, err := tx.Workspace(ctx, id)
		if err != nil {
			return musa.Standing{}, nil, err
		}
		if w.NoTraining > 0 { // enforced: whatever was agreed to
			st.Objections = object(st.Objections, musa.PurposeTrain)
		}
	}
	for _, c := range decided {
		if c.Outcome == OutcomeRestricted {
			st.Restricted = true
			continue
		}
		st.Objections = object(st.Objections, c.Purpose)
	}
	return st, ends, nil
}

func derive(doc *policy.Document, words []db.Choice, now musa.Millis) (st musa.Standing, ends map[string]musa.Millis) {
	ends = map[string]musa.Millis{}
	for _, w := range words {
		if w.Name == NameLog {
			st.Unlogged = !w.Given
			continue
		}
		line, ok := doc.Consents.Get(w.Name)
		switch {
		case !ok || line.Mode.Default == "notice_only":
		case valid(w, now):
			st.Consents = append(st.Consents, entry(w))
			ends[entry(w)] = w.Expires
		case w.Given: // its time is over
		case w.Item != "":
			st.Consents = append(st.Consents, refused+entry(w))
		case slices.Contains(line.Mode.All(), "opt_out"):
			st.Objections = object(st.Objections, purposes(doc, w.Name)...)
		}
	}
	return st, ends
}

func entry(c db.Choice) string {
	if c.Item == "" {
		return c.Name
	}
	return c.Name + ":" + string(c.Item)
}

// purposes are those that a consent feeds.
func purposes(doc *policy.Document, consent string) (out []musa.Purpose) {
	for _, e := range doc.Purposes {
		if e.Value.Consent == consent {
			out = append(out, musa.Purpose(e.Name))
		}
	}
	return out
}

func object(list []musa.Purpose, more ...musa.Purpose) []musa.Purpose {
	for _, p := range more {
		if p != "" && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// Signal is a standing as it counts in a request that bears Global Privacy Control (Sec-GPC: 1):
// every consent that the policy lets the signal refuse is refused, and what people may only
// opt out of is objected to. What is stored stays: an explicit Yes counts again where the
// signal is not sent, and State tells the person so.
func Signal(doc *policy.Document, st musa.Standing) musa.Standing {
	out := st
	out.Consents, out.Objections = nil, slices.Clone(st.Objections)
	for _, c := range st.Consents {
		name, _, _ := strings.Cut(strings.TrimPrefix(c, refused), ":")
		if line, ok := doc.Consents.Get(name); !ok || line.Gpc != "refuse" || strings.HasPrefix(c, refused) {
			out.Consents = append(out.Consents, c)
		}
	}
	for _, e := range doc.Consents {
		if e.Value.Gpc == "refuse" && slices.Contains(e.Value.Mode.All(), "opt_out") {
			out.Objections = object(out.Objections, purposes(doc, e.Name)...)
		}
	}
	return out
}

// Hear is Signal for a person who is known. Where the policy would do something until they say
// no, and they never said anything, the signal is that no, and is entered as one: work that is
// done for them later obeys it, too (11 CCR § 7025(c)). An explicit choice is left alone.
func (b *Book) Hear(ctx context.Context, by musa.Actor) (musa.Actor, error) {
	doc := b.Policy()
	var unsaid []string
	for _, e := range doc.Consents {
		if e.Value.Gpc != "refuse" || !slices.Contains(e.Value.Mode.All(), "opt_out") || slices.Contains(by.Standing.Consents, e.Name) {
			continue
		}
		if Asks(doc, e.Name) != nil {
			continue // it is said about one picture at a time: Signal refuses it in this request
		}
		feeds := purposes(doc, e.Name)
		if len(feeds) > 0 && !slices.Contains(by.Standing.Objections, feeds[0]) {
			unsaid = append(unsaid, e.Name)
		}
	}
	if len(unsaid) > 0 && by.Person == "" {
		err := b.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			words, err := tx.LastWords(ctx, by.Subject)
			if err != nil {
				return err
			}
			for _, name := range unsaid {
				if slices.ContainsFunc(words, func(w db.Choice) bool { return w.Name == name && w.Item == "" }) {
					continue
				}
				if err := b.Give(ctx, tx, by, name, "", No, ViaSignal); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return by, fmt.Errorf("enter the signal of %s: %w", by.Subject, err)
		}
	}
	by.Standing = Signal(doc, by.Standing)
	return by, nil
}

// Repeat says a No again in a store that was restored from a copy made before. Where the copy
// knows it already it changes nothing.
func (b *Book) Repeat(ctx context.Context, tx db.Tx, act db.Act) error {
	words, err := tx.LastWords(ctx, act.Subject)
	if err != nil {
		return err
	}
	c := db.Choice{Subject: act.Subject, Name: act.What, Item: musa.AssetID(act.Item), Via: ViaItself, PolicyVersion: b.Policy().Ref()}
	if !slices.ContainsFunc(words, func(w db.Choice) bool { return w.Name == c.Name && w.Item == c.Item && w.Given }) && c.Name != NameLog {
		return nil
	}
	if err := tx.Choose(ctx, c); err != nil {
		return err
	}
	return b.Settle(ctx, tx, act.Subject)
}
