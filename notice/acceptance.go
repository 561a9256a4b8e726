package notice

import (
	"context"
	"crypto/hmac"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
)

// mostAccepted bounds what a node remembers of acceptances; more are looked up again.
const mostAccepted = 10_000

// The ways in which people accept a policy and its terms.
const (
	byClick = "by_click" // they are asked before they go on
	byUse   = "by_use"
)

// Asking is how a document has people accept it and the terms: by a click where it wants one for either.
func Asking(doc *policy.Document) string {
	if doc.Terms.Accept == byClick || doc.Changes.Accept == byClick {
		return byClick
	}
	return byUse
}

// Use notes that somebody uses the service, which accepts the policy and the terms in force, once
// for each version. Reading pages, exporting and erasing are no use: do not call it for them. With
// a policy that asks for a click it refuses until that came. Promises E-31, C-41, P-27, W-26.
func (n *Notices) Use(ctx context.Context, by musa.Actor) error {
	who := by.Author()
	doc := n.inForce()
	mark := doc.Ref() + " " + doc.Terms.Version
	if by.Closed > 0 || n.remembered(who) == mark {
		return nil
	}
	var clicked, inactive bool
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, who)
		if err != nil {
			return err
		}
		if s.State != musa.SubjectActive {
			inactive = true // the use itself is refused: nothing is accepted by it, now or once they are let back
			return nil
		}
		if Asking(doc) == byClick {
			clicked, err = n.has(ctx, tx, who, doc)
			return err
		}
		clicked = true
		if !recorded(doc, s) {
			return nil
		}
		return n.Book.Accept(ctx, tx, who, consent.ViaUse)
	})
	if err != nil {
		return fmt.Errorf("acceptance of %s: %w", who, err)
	}
	if inactive {
		return nil
	}
	if !clicked {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "accept_first",
			Public: "Read the privacy policy (/privacy) and the terms (/terms), and accept them first (POST /api/me/acceptance). Without that nothing is made here; what is yours you can export and erase all the same."}
	}
	n.remember(who, mark)
	return nil
}

// recorded says whether the policy has acceptances of such an owner recorded.
func recorded(doc *policy.Document, s db.Subject) bool {
	kind := "person"
	if s.Kind == musa.SubjectGuest {
		kind = "guest"
	}
	return doc.Terms.Record.Has(kind)
}

func (n *Notices) remembered(who musa.SubjectID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accepted[who]
}

func (n *Notices) remember(who musa.SubjectID, mark string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.accepted) >= mostAccepted {
		clear(n.accepted)
	}
	n.accepted[who] = mark
}

// has says whether somebody accepted the versions in force.
func (n *Notices) has(ctx context.Context, tx db.Tx, who musa.SubjectID, doc *policy.Document) (bool, error) {
	words, err := tx.LastWords(ctx, who)
	if err != nil {
		return false, err
	}
	said := func(name, version string) bool {
		return version == "" || slices.ContainsFunc(words, func(c db.Choice) bool { return c.Name == name && c.Given && c.PolicyVersion == version })
	}
	return said(consent.NamePolicy, doc.Ref()) && said(consent.NameTerms, doc.Terms.Version), nil
}

// Accept is somebody's own yes to the policy and the terms in force.
func (n *Notices) Accept(ctx context.Context, by musa.Actor) error {
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return n.Book.Accept(ctx, tx, by.Author(), consent.ViaSettings)
	})
	if err != nil {
		return fmt.Errorf("accept for %s: %w", by.Author(), err)
	}
	return nil
}

// Accepted is one version that somebody accepted.
type Accepted struct {
	Version string
	At      musa.Millis
	Via     string
}

// Acceptance is where somebody stands with the policy and the terms in force; zero for what they
// have not accepted.
func (n *Notices) Acceptance(ctx context.Context, by musa.Actor) (pol, terms Accepted, err error) {
	doc := n.inForce()
	err = n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		words, err := tx.LastWords(ctx, by.Author())
		if err != nil {
			return err
		}
		for _, c := range words {
			switch {
			case c.Name == consent.NamePolicy && c.PolicyVersion == doc.Ref():
				pol = Accepted{c.PolicyVersion, c.At, c.Via}
			case c.Name == consent.NameTerms && c.PolicyVersion == doc.Terms.Version:
				terms = Accepted{c.PolicyVersion, c.At, c.Via}
			}
		}
		return nil
	})
	if err != nil {
		return pol, terms, fmt.Errorf("acceptance of %s: %w", by.Author(), err)
	}
	return pol, terms, nil
}

// Banner is a change that takes more from people, as every page shows it.
type Banner struct {
	From, To  string // refs of the two versions
	Effective musa.Millis
	Pending   bool     // it is announced, and not in effect yet
	Why       []string // policy.Longer, policy.Recipients …
	Changes   []string // in the words of the page
}

// shown is how long after its effect a change is shown to somebody of whom nothing is known.
const shown = 30 * 24 * time.Hour

// Change is the latest change that matters and is announced, or came into effect within the last
// thirty days, in a language; false for none.
func (n *Notices) Change(tag string) (Banner, bool) {
	now := musa.At(n.Clock())
	list := n.Versions().List()
	for i := len(list) - 1; i > 0; i-- {
		a := list[i]
		if a.Effective.Add(shown) <= now {
			break
		}
		why := policy.Matters(list[i-1].Doc, a.Doc)
		if len(why) == 0 || !a.Doc.Changes.Material.Notify.Has("banner") {
			continue
		}
		return Banner{From: list[i-1].Doc.Ref(), To: a.Doc.Ref(), Effective: a.Effective, Pending: a.Effective > now,
			Why: why, Changes: matters(tag, list[i-1].Doc, a.Doc)}, true
	}
	return Banner{}, false
}

// Shown is Change for somebody who is known: it goes when they accepted a version since it took
// effect, and none is announced. A later version of words alone does not bring it back.
func (n *Notices) Shown(ctx context.Context, by musa.Actor, tag string) (Banner, bool, error) {
	b, ok := n.Change(tag)
	if !ok || b.Pending {
		return b, ok, nil
	}
	err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		words, err := tx.LastWords(ctx, by.Author())
		ok = !slices.ContainsFunc(words, func(c db.Choice) bool { return c.Name == consent.NamePolicy && c.Given && c.At >= b.Effective })
		return err
	})
	if err != nil {
		return Banner{}, false, fmt.Errorf("change for %s: %w", by.Author(), err)
	}
	return b, ok, nil
}

// sameSecret compares in a time that tells nothing.
func sameSecret(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
