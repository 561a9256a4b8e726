package policy

import (
	"fmt"
	"slices"

	"musa"
)

// Facts is all that a decision rests on. Now comes from the caller's clock; what stands
// below Item is the owner's, whoever acts.
type Facts struct {
	Now     musa.Millis
	Actor   musa.Actor
	Purpose musa.Purpose
	Item    Item

	// Consents are those given and valid now, by name; one that was given for a single
	// item is its name, a colon and the item's id, and a no to a single item has a minus
	// before that.
	Consents   []string
	Objections []musa.Purpose // upheld; a no to what people may only opt out of is one, too
	Restricted bool           // the owner had the use restricted (GDPR art. 18)
	Region     string         // a country ("DE") or its part ("US-CA"); empty: the strictest law holds
}

// Ask makes the facts of a decision about what is the actor's own, with what the owner said
// about its use.
func Ask(now musa.Millis, by musa.Actor, purpose musa.Purpose, i Item) Facts {
	s := by.Standing
	return Facts{Now: now, Actor: by, Purpose: purpose, Item: i,
		Consents: s.Consents, Objections: s.Objections, Restricted: s.Restricted, Region: s.Region}
}

// Reason says why a Grant refuses.
type Reason uint8

// The reasons, in the order in which Decide looks.
const (
	ReasonUnset      Reason = iota // the zero Grant: nobody decided
	ReasonNone                     // not refused
	ReasonPurpose                  // the purpose is not declared, or does not use the category
	ReasonForeign                  // the item is another's
	ReasonRole                     // the role may not act for this purpose
	ReasonRestricted               // the owner, or the rule that still keeps it, restricted its use
	ReasonObjected                 // the owner objected to the purpose
	ReasonConsent                  // the purpose rests on a consent that the facts do not show
	ReasonUnmade                   // the document says that nothing of the category is collected
	ReasonEndless                  // no rule of the document ends the item in this tier
	ReasonDue                      // the item's life is over
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
	others   bool // somebody opens what is another's
}

// Decide answers "may this actor open this item for this purpose, now?". It allocates
// nothing and takes well under a microsecond. An item is due from its end on, which is the
// earlier of the stored one and the one that this document gives.
func (d *Document) Decide(f Facts) Grant {
	c := &d.compiled
	g := Grant{purpose: f.Purpose, owner: f.Item.Owner, category: f.Item.Category, id: f.Item.ID}
	table := c.category(f.Item.Category)
	purpose, ok := c.purposes[f.Purpose]
	if !ok || purpose.uses&table.bit == 0 {
		return g.refuse(ReasonPurpose, "purposes")
	}
	if reason := c.actor(&f); reason != ReasonNone {
		return g.refuse(reason, purpose.path)
	}
	if len(table.read) > 0 && staff(f.Actor.Role) && !slices.Contains(table.read, f.Actor.Role) {
		return g.refuse(ReasonRole, purpose.path)
	}
	if reason := c.standing(&f, purpose); reason != ReasonNone {
		return g.refuse(reason, purpose.path)
	}
	if f.Item.New && !table.made {
		return g.refuse(ReasonUnmade, "categories")
	}
	rules := table.clauses(f.Item.Tier)
	if len(rules) == 0 {
		return g.refuse(ReasonEndless, "retention")
	}
	g.path, g.others = purpose.path, staff(f.Actor.Role)
	return guard(g, table, &f)
}

// guard is the read guard: it sets how long the grant is good for, and refuses what is due.
func guard(g Grant, t *categoryTable, f *Facts) Grant {
	at, by := t.end(&f.Item)
	ends := by
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
	if ends != nil && ends.restricted && !staysOpen(f.Purpose) {
		return g.refuse(ReasonRestricted, ends.path)
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
	case musa.PurposeGenerate, musa.PurposeSecure, musa.PurposeProve, musa.PurposeAnswerRights, musa.PurposeHold,
		musa.PurposeTrain, musa.PurposeNotify, musa.PurposeMarket, "moderate", "book_keep", "improve", "analyze", "personal":
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
			if f.Purpose == musa.PurposeHold && f.Item.Category != musa.CategoryEvidence {
				return ReasonRole // the program copies what is to be held; people see the copy
			}
			return ReasonNone
		}
		if !own {
			return ReasonForeign
		}
		return ReasonRole
	}
	return ReasonNone
}

// staff are those who act in a role of the instance: for others, never for themselves.
func staff(r musa.Role) bool { return r != musa.RoleSubject && r != musa.RoleSystem }

// Accounted says that the use has to be entered before the item is opened, so that the person
// whose it is can be told: somebody else opens it. What the program does for its owner is
// not listed.
func (g Grant) Accounted() bool { return g.Allowed() && g.others }

// Allowed says whether the item may be opened.
func (g Grant) Allowed() bool { return g.reason == ReasonNone }

// Reason says why not; ReasonNone where it may.
func (g Grant) Reason() Reason { return g.reason }

// Purpose is what the item may be opened for.
func (g Grant) Purpose() musa.Purpose { return g.purpose }

// Item names what may be opened, and whose it is.
func (g Grant) Item() (owner musa.SubjectID, id string) { return g.owner, g.id }

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
	path := g.path
	if g.reason == ReasonPurpose {
		path += "." + string(g.purpose) // the line that is missing, or lacks the category
	}
	w := english.refusals[g.reason]
	return &musa.Problem{Kind: musa.ErrRefused, Code: w.code, Public: fmt.Sprintf(w.public, path)}
}
