package policy

import (
	"fmt"
	"slices"

	"musa"
)

// Facts is all that a decision rests on. Now comes from the caller's clock.
type Facts struct {
	Now     musa.Millis
	Actor   musa.Actor
	Purpose musa.Purpose
	Item    Item
}

// Reason says why a Grant refuses.
type Reason uint8

// The reasons, in the order in which Decide looks.
const (
	ReasonUnset   Reason = iota // the zero Grant: nobody decided
	ReasonNone                  // not refused
	ReasonPurpose               // the purpose is not declared, or does not use the category
	ReasonConsent               // the purpose rests on a consent that the facts do not show
	ReasonForeign               // the item is another's
	ReasonRole                  // the role may not act for this purpose
	ReasonUnmade                // the document says that nothing of the category is collected
	ReasonEndless               // no rule of the document ends the item in this tier
	ReasonDue                   // the item's life is over
)

// Grant is the answer to one question, for one item and purpose. Only Decide makes one
// that opens anything: the zero Grant refuses everything.
type Grant struct {
	reason   Reason
	purpose  musa.Purpose
	owner    musa.SubjectID
	category musa.Category
	id       string
	path     string
	until    musa.Millis
}

// Decide answers "may this actor open this item for this purpose, now?". It allocates
// nothing and takes well under a microsecond. An item is due from its end on, which is the
// earlier of the stored one and the one that this document gives.
func (d *Document) Decide(f Facts) Grant {
	c := &d.compiled
	g := Grant{purpose: f.Purpose, owner: f.Item.Owner, category: f.Item.Category, id: f.Item.ID}
	table := c.categories[f.Item.Category]
	purpose, ok := c.purposes[f.Purpose]
	if !ok || purpose.uses&table.bit == 0 {
		return g.refuse(ReasonPurpose, "purposes")
	}
	if purpose.consent {
		return g.refuse(ReasonConsent, purpose.path)
	}
	if reason := c.actor(&f); reason != ReasonNone {
		return g.refuse(reason, purpose.path)
	}
	if f.Item.New && !table.made {
		return g.refuse(ReasonUnmade, "categories")
	}
	rules := table.clauses(f.Item.Tier)
	if len(rules) == 0 {
		return g.refuse(ReasonEndless, "retention")
	}
	g.path = purpose.path
	return guard(g, rules, &f)
}

// guard is the read guard: it sets how long the grant is good for, and refuses what is due.
func guard(g Grant, rules []clause, f *Facts) Grant {
	at, by := earliest(rules, &f.Item)
	if by != nil {
		g.until = at
	}
	if stored := f.Item.Stored; stored > 0 && (by == nil || stored < at) {
		g.until, by = stored, nil
	}
	if g.until > 0 && f.Now >= g.until && !f.Item.New {
		path := "retention"
		if by != nil {
			path = by.path
		}
		return g.refuse(ReasonDue, path)
	}
	g.reason = ReasonNone
	return g
}

func (g Grant) refuse(r Reason, path string) Grant {
	g.reason, g.path = r, path
	return g
}

// Purposes that nobody has for data of their own: they are how staff look at others'.
func staffOnly(p musa.Purpose) bool {
	switch p {
	case "moderate", "hold", "disclose":
		return true
	}
	return false
}

// Purposes that the program itself pursues, on behalf of the owner that the actor names.
// It never delivers, shares or signs in: those hand data to somebody who has to be there.
func systemMay(p musa.Purpose) bool {
	switch p {
	case musa.PurposeGenerate, musa.PurposeSecure, musa.PurposeProve, musa.PurposeAnswerRights,
		"notify", "moderate", "book_keep", "improve", "analyze", "personal":
		return true
	}
	return false
}

func (c *compiled) actor(f *Facts) Reason {
	own := f.Actor.Subject == f.Item.Owner
	switch f.Actor.Role {
	case musa.RoleSubject:
		if !own || f.Actor.Subject == "" {
			return ReasonForeign
		}
		if staffOnly(f.Purpose) {
			return ReasonRole
		}
	case musa.RoleSystem:
		if !own {
			return ReasonForeign
		}
		if !systemMay(f.Purpose) {
			return ReasonRole
		}
	default:
		// A role sees others' things only for the purposes that the document lists for
		// it; to all else it is a stranger.
		if slices.Contains(c.staff[f.Actor.Role], f.Purpose) {
			return ReasonNone
		}
		if !own {
			return ReasonForeign
		}
		return ReasonRole
	}
	return ReasonNone
}

// Allowed says whether the item may be opened.
func (g Grant) Allowed() bool { return g.reason == ReasonNone }

// Reason says why not; ReasonNone where it may.
func (g Grant) Reason() Reason { return g.reason }

// Purpose is what the item may be opened for.
func (g Grant) Purpose() musa.Purpose { return g.purpose }

// Until is when the grant ends, because the item does; 0 where nothing known ends it.
// It is also set on a refusal for ReasonDue.
func (g Grant) Until() musa.Millis { return g.until }

// Path is the line of the document that decided.
func (g Grant) Path() string { return g.path }

// Covers says whether the grant opens this very item. The time is not checked again:
// a grant is used at once or compared with Until.
func (g Grant) Covers(owner musa.SubjectID, c musa.Category, id string) bool {
	return g.Allowed() && g.owner == owner && g.category == c && g.id == id
}

// Err is nil for a grant, else a *musa.Problem: ErrNotFound for what is another's, ErrGone
// for what was its owner's, ErrRefused for the rest. Words name the document's line.
func (g Grant) Err() error {
	switch g.reason {
	case ReasonNone:
		return nil
	case ReasonForeign:
		return &musa.Problem{Kind: musa.ErrNotFound, Code: "not_found", Public: english.notFound}
	case ReasonDue:
		return &musa.Problem{Kind: musa.ErrGone, Code: "due",
			Public: fmt.Sprintf(english.due, instant(g.until), g.path)}
	}
	w := english.refusals[g.reason]
	return &musa.Problem{Kind: musa.ErrRefused, Code: w.code, Public: fmt.Sprintf(w.public, g.path)}
}
