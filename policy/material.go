package policy

import (
	"slices"
	"time"

	"musa"
)

// Why a change matters to people.
const (
	Longer     = "longer"     // something is kept longer, or gone later
	Recipients = "recipients" // somebody else gets something, or sees it
	Purposes   = "purpose"    // something is used for what it was not
	Rights     = "rights"     // a right or a say is less than it was
)

// Matters says why a newer document takes more from people than the older did: kept longer,
// more recipients, a new purpose, fewer rights. Empty where only words changed, or all that
// changed is in people's favour.
func Matters(older, newer *Document) (why []string) {
	for _, c := range []struct {
		reason string
		is     func(older, newer *Document) bool
	}{{Longer, keptLonger}, {Recipients, moreRecipients}, {Purposes, newPurpose}, {Rights, fewerRights}} {
		if c.is(older, newer) {
			why = append(why, c.reason)
		}
	}
	return why
}

// keptLonger compares the ends of whatever may be held, with each set of events that may have
// come, and the bounds of the way from there to gone.
func keptLonger(older, newer *Document) bool {
	for _, c := range newer.held(newer.Categories.Names()) {
		for _, t := range newer.Tiers.Names() {
			if !older.Tiers.Has(t) || len(older.held(Words{c})) == 0 {
				continue // nothing was kept that could be kept longer; newPurpose looks at what is new
			}
			if endsLater(older, newer, musa.Category(c), musa.Tier(t)) {
				return true
			}
		}
	}
	was, is := older.Lifecycle, newer.Lifecycle
	return later(was.Hide.Within, is.Hide.Within) || later(was.Erase.Within, is.Erase.Within) ||
		later(was.Purge.Within, is.Purge.Within) || later(was.Backup.Within, is.Backup.Within)
}

// events are set one by one and together, since a rule waits for its own.
func endsLater(older, newer *Document, c musa.Category, t musa.Tier) bool {
	at := musa.At(time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC))
	for events := range 1 << 5 {
		for _, saved := range []bool{false, true} {
			i := Item{Category: c, Tier: t, Created: at, Saved: saved}
			for n, to := range []*musa.Millis{&i.JobEnded, &i.LastSeen, &i.Closed, &i.Sent} {
				if events&(1<<n) != 0 {
					*to = at
				}
			}
			i.InUse = events&(1<<4) != 0
			was, is := older.End(i).At, newer.End(i).At
			if was != 0 && (is == 0 || is > was) {
				return true
			}
		}
	}
	return false
}

// later says that a span is longer than it was; one that nobody spoke of has no bound.
func later(was, is Span) bool {
	switch {
	case !was.Said() || was.Indefinite():
		return false
	case !is.Said() || is.Indefinite():
		return true
	}
	return is.Duration() > was.Duration()
}

// more says that a list holds what it did not.
func more(was, is Words) bool {
	return slices.ContainsFunc(is, func(w string) bool { return !was.Has(w) })
}

func moreRecipients(older, newer *Document) bool {
	for _, e := range newer.Processors {
		was, ok := older.Processors.Get(e.Name)
		is := e.Value
		if !ok || more(was.Gets, is.Gets) || more(was.For, is.For) || more(was.Hosts, is.Hosts) || was.Country != is.Country || more(was.Cookies, is.Cookies) {
			return true
		}
	}
	for _, e := range newer.Disclosures {
		if was, ok := older.Disclosures.Get(e.Name); !ok || more(was.Uses, e.Value.Uses) {
			return true
		}
	}
	for _, e := range newer.Roles.Instance {
		if was, _ := older.Roles.Instance.Get(e.Name); more(was, e.Value) {
			return true
		}
	}
	for _, e := range newer.Categories {
		if was, _ := older.Categories.Get(e.Name); more(was.Readers, e.Value.Readers) {
			return true
		}
	}
	sold := func(was, is string) bool { return is == "with_opt_out" && was != is }
	return more(older.Infrastructure, newer.Infrastructure) || sold(older.Sale.Sells, newer.Sale.Sells) || sold(older.Sale.Shares, newer.Sale.Shares)
}

// newPurpose looks for a use of what is held that there was not, or on another basis.
func newPurpose(older, newer *Document) bool {
	for _, e := range newer.Purposes {
		was, ok := older.Purposes.Get(e.Name)
		if !ok || more(older.held(was.Uses), newer.held(e.Value.Uses)) {
			return true
		}
		if was.Basis.Default != e.Value.Basis.Default || !slices.Equal(was.Basis.All(), e.Value.Basis.All()) || was.Consent != e.Value.Consent {
			return true
		}
	}
	return false
}

func fewerRights(older, newer *Document) bool {
	for _, e := range older.Rights {
		is, ok := newer.Rights.Get(e.Name)
		if !ok || lessOf(e.Value, is) {
			return true
		}
	}
	for _, e := range older.Consents {
		is, ok := newer.Consents.Get(e.Name)
		if ok && (!slices.Equal(e.Value.Mode.All(), is.Mode.All()) && slices.Contains(e.Value.Mode.All(), "opt_in") || e.Value.Gpc == "refuse" && is.Gpc != "refuse") {
			return true
		}
	}
	for _, e := range older.OffSwitch {
		if is, _ := newer.OffSwitch.Get(e.Name); more(is, e.Value) {
			return true
		}
	}
	return false
}

// lessOf says that a right is slower, narrower or harder to use than it was.
func lessOf(was, is Right) bool {
	for _, e := range was.Elsewhere {
		there, ok := is.Elsewhere.Get(e.Name)
		if !ok || later(e.Value.Within, there.Within) || there.Extend.Duration() > e.Value.Extend.Duration() {
			return true
		}
	}
	return later(was.Within, is.Within) || is.Extend.Duration() > was.Extend.Duration() ||
		was.SelfService.On() && !is.SelfService.On() || more(is.Unit, was.Unit) || more(was.Keeps, is.Keeps) ||
		more(is.Purposes, was.Purposes) || is.Undo.Duration() < was.Undo.Duration() || was.Signal != "" && is.Signal == ""
}
