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
	Closed   musa.Millis // when the owner's account was closed, or the item superseded
	Saved    bool        // its owner asked to keep it
	InUse    bool        // a job that has not ended uses it
	Choice   time.Duration
	Stored   musa.Millis // the end that was stored with it; 0 for none
	New      bool        // about to be made
}

// End is when an item's life is over, and which rule says so.
type End struct {
	At    musa.Millis // 0: nothing that is known yet ends it
	Path  string      // "retention[3]"; empty where no rule decided
	Words string      // one sentence for people
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
	return End{At: at, Path: by.path, Words: by.endWords(i, at)}
}

// Fate says in words which rule ends the item, for somebody who decides beforehand: an
// instant that hangs on what has not happened yet is not named.
func (d *Document) Fate(i Item) string {
	_, by := d.compiled.end(&i)
	if by == nil {
		return d.endlessWords(i)
	}
	return fmt.Sprintf("It goes %s (%s).", by.after(i), by.path)
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
	t := c.categories[i.Category]
	return earliest(t.clauses(i.Tier), i)
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
	return r.span(i.Choice).After(begin)
}

// span is the person's choice where the rule offers it, else the rule's own.
func (r *clause) span(picked time.Duration) Span {
	if picked > 0 {
		for _, c := range r.choices {
			if c.picked == picked {
				return c.keep
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

// PurgeWithin is how soon after its end an item's bytes must be gone.
func (d *Document) PurgeWithin() time.Duration { return d.Lifecycle.Purge.Within.Duration() }
