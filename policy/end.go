package policy

import (
	"fmt"
	"time"

	"musa"
)

// Item is what is known of one thing that is held. Instants are 0 where the event has
// not come.
type Item struct {
	ID       string
	Owner    musa.SubjectID
	Category musa.Category
	Tier     musa.Tier // of the owner
	Created  musa.Millis
	JobEnded musa.Millis // the end of the last job that used it
	LastSeen musa.Millis // of the owner
	Sent     musa.Millis // when it was sent
	Closed   musa.Millis // when the owner's account was closed, or the item superseded
	Saved    bool        // its owner asked to keep it
	InUse    bool        // a job that has not ended uses it
	Choice   time.Duration
	Picked   time.Duration // chosen for this item alone; where a rule does not offer it, Choice counts
	Former   musa.Tier     // the tier that its owner lost, while that still counts; empty for none
	Grace    musa.Millis   // before which that loss shortens nothing
	Version  string        // the Ref that it was made under; Versions reads it, one Document does not
	Stored   musa.Millis   // the end that was stored with it; 0 for none
	New      bool          // about to be made

	Commercial bool // its owner means to use it commercially
}

// End is when an item's life is over, and which rule says so.
type End struct {
	At      musa.Millis // 0: nothing that is known yet ends it
	Path    string      // "retention[3]"; empty where no rule decided
	Version string      // the Ref of the version whose rule it is
	Words   string      // one sentence for people
}

// End computes the end of an item: the earliest of all rules that apply to it, where a
// person's choice counts only inside a rule that offers it, and a legal minimum beats a
// maximum. Rules wait for their event, and one that starts at the end of a job waits until
// no job uses the item. Item.Stored plays no part; Decide honours it.
func (d *Document) End(i Item) End {
	at, by := d.compiled.end(&i)
	if by == nil {
		return End{Words: d.endlessWords(i)}
	}
	return End{At: at, Path: by.path, Version: d.Ref(), Words: by.endWords(i, at)}
}

// Fate says in words which rule ends the item, for somebody who decides beforehand: an
// instant that hangs on what has not happened yet is not named.
func (d *Document) Fate(i Item) string {
	_, by := d.compiled.end(&i)
	if by == nil {
		return d.endlessWords(i)
	}
	return fmt.Sprintf("%s %s (%s).", by.goes(), by.after(i), by.path)
}

// clauses is the rules of an item's tier; a tier that the document does not know has those
// for everybody.
func (t *categoryTable) clauses(tier musa.Tier) []clause {
	for i := range t.byTier {
		if t.byTier[i].tier == tier {
			return t.byTier[i].rules
		}
	}
	return t.any
}

func (c *compiled) end(i *Item) (musa.Millis, *clause) {
	t := c.category(i.Category)
	return t.end(i)
}

// end honours a tier that was lost: until the grace that was announced is over, nothing ends
// sooner than it would have in the former tier, and nothing ends later than in that.
func (t *categoryTable) end(i *Item) (musa.Millis, *clause) {
	at, by := earliest(t.clauses(i.Tier), i)
	if i.Former == "" || i.Former == i.Tier {
		return at, by
	}
	was, former := earliest(t.clauses(i.Former), i)
	switch {
	case former == nil:
		return at, by
	case by == nil || was <= at:
		return was, former
	case at < i.Grace:
		return min(was, i.Grace), by
	}
	return at, by
}

func earliest(rules []clause, i *Item) (musa.Millis, *clause) {
	var soonest, floor musa.Millis
	var first, legal *clause
	for n := range rules {
		r := &rules[n]
		at := r.end(i)
		switch {
		case at == 0:
		case r.minimum:
			if at > floor {
				floor, legal = at, r
			}
		case first == nil || at < soonest:
			soonest, first = at, r
		}
	}
	if legal != nil && (first == nil || floor > soonest) {
		return floor, legal
	}
	return soonest, first
}

// end is 0 where the rule does not apply, or its event has not come.
func (r *clause) end(i *Item) musa.Millis {
	state := i.state()
	if r.unless&state != 0 || r.when&^state != 0 {
		return 0
	}
	begin := i.event(r.from)
	if begin == 0 {
		return 0
	}
	return r.span(i).After(begin)
}

// span is the person's choice where the rule offers it, else the rule's own.
func (r *clause) span(i *Item) Span {
	for _, picked := range [...]time.Duration{i.Picked, i.Choice} {
		for n := range r.choices {
			if picked > 0 && r.choices[n].picked == picked {
				return r.choices[n].keep
			}
		}
	}
	return r.keep
}

func (i *Item) state() condition {
	var c condition
	if i.Saved {
		c |= isSaved
	}
	if i.InUse {
		c |= isInUse
	}
	return c
}

// The events that a rule can start from.
const (
	fromCreated     = "created"
	fromJobEnded    = "job_ended"
	fromClosed      = "account_closed"
	fromLastSeen    = "last_seen"
	fromSuperseded  = "superseded_or_closed"
	fromSent        = "sent"
	fromTransaction = "transaction"
	fromHoldOpened  = "hold_opened"
)

// event is the instant of an event; a transaction's and a hold's record is made by the
// event itself.
func (i *Item) event(from string) musa.Millis {
	switch from {
	case fromCreated, fromTransaction, fromHoldOpened:
		return i.Created
	case fromJobEnded:
		if i.InUse {
			return 0
		}
		return i.JobEnded
	case fromLastSeen:
		return i.LastSeen
	case fromClosed, fromSuperseded:
		return i.Closed
	case fromSent:
		return i.Sent
	}
	return 0
}

// Undo is how long a person may take back an erasure that they ordered; 0 where the
// document grants nothing.
func (d *Document) Undo() time.Duration {
	r, _ := d.Rights.Get("erasure")
	return r.Undo.Duration()
}

// EraseWithin is how soon after its end an item's key must be destroyed.
func (d *Document) EraseWithin() time.Duration { return d.Lifecycle.Erase.Within.Duration() }

// ReceiptsFor is how long receipts are kept at least once they were logged: as long as the
// audit log. 0 is for ever.
func (d *Document) ReceiptsFor() time.Duration {
	const from = musa.Millis(1) // the shortest months and years come first
	end := d.End(Item{Category: musa.CategoryAudit, Tier: musa.TierGuest, Created: from}).At
	if end == 0 {
		return 0
	}
	return time.Duration(end-from)*time.Millisecond - leap
}

// PaymentsFor is how long a payment is kept at most, whatever its owner's tier. 0 is for ever, or
// as long as its owner is there.
func (d *Document) PaymentsFor() time.Duration {
	return d.longest(Item{Category: musa.CategoryPayment, Created: 1})
}

// MailsFor is how long a mail is kept at most: from when it was made, and from when it was sent. 0 is
// for ever.
func (d *Document) MailsFor() (made, sent time.Duration) {
	return d.longest(Item{Category: musa.CategoryMail, Created: 1}), d.longest(Item{Category: musa.CategoryMail, Sent: 1})
}

// longest is how long such an item stays in the tier where it stays longest, from the instant 1 that it
// names. 0 is for ever, or as long as its owner is there.
func (d *Document) longest(i Item) time.Duration {
	const from = musa.Millis(1)
	var most musa.Millis
	for _, tier := range d.Tiers.Names() {
		i.Tier = musa.Tier(tier)
		// None here in a tier hangs on another event: kept for ever nothing personal may be (lint).
		most = max(most, d.End(i).At)
	}
	if most == 0 {
		return 0
	}
	return time.Duration(most-from)*time.Millisecond + leap
}

// leap is by how much the same months and years can differ in length.
const leap = 3 * 24 * time.Hour

// PurgeWithin is how soon after its end an item's bytes must be gone.
func (d *Document) PurgeWithin() time.Duration { return d.Lifecycle.Purge.Within.Duration() }
