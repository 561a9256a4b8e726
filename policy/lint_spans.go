package policy

import (
	"fmt"
	"time"

	"musa"
)

// lintSpans looks at times that would be promised and never come. An indefinite one has no
// length that anything could wait for, so the program would take it for none at all.
func lintSpans(l *linter) {
	d := l.d
	type timed struct {
		path  string
		span  Span
		least time.Duration
	}
	const some = time.Second
	list := []timed{
		{"lifecycle.hide.within", d.Lifecycle.Hide.Within, 0},
		{"lifecycle.backup.every", d.Lifecycle.Backup.Every, some},
		{"lifecycle.backup.rehearse", d.Lifecycle.Backup.Rehearse, some},
		{"moderation.appeal.within", d.Moderation.Appeal.Within, 0},
		{"age.reported.suspend", d.Age.Reported.Suspend, 0},
		{"age.reported.erase", d.Age.Reported.Erase, 0},
		{"sale.business_transfer.notice", d.Sale.BusinessTransfer.Notice, 0},
		{"security.incident.tell_authority", d.Security.Incident.TellAuthority, 0},
		{"changes.material.lead", d.Changes.Material.Lead, 0},
	}
	for i, r := range d.Retention {
		list = append(list, timed{item("retention", i) + ".on_tier_loss.notice", r.OnTierLoss.Notice, 0}, timed{item("retention", i) + ".review", r.Review, some})
	}
	for _, e := range d.Rights {
		for _, other := range e.Value.Elsewhere {
			path := "rights." + e.Name + ".elsewhere." + other.Name
			list = append(list, timed{path + ".within", other.Value.Within, 0}, timed{path + ".extend", other.Value.Extend, 0})
		}
	}
	for _, e := range d.Consents {
		if !e.Value.Expires.Indefinite() { // said by another look
			list = append(list, timed{"consents." + e.Name + ".expires", e.Value.Expires, some})
		}
	}
	for _, t := range list {
		switch {
		case t.span.Indefinite():
			l.fault(t.path, "a time that never comes", "name one, such as 30d")
		case t.span.Said() && t.span.Duration() < t.least:
			l.fault(t.path, "over as soon as it begins: it would come again without pause", "name a time, such as 30d")
		}
	}
	if b := d.Lifecycle.Backup; b.Every.Said() && b.Within.Said() && !b.Within.Indefinite() && b.Within.Duration() < b.Every.Duration() {
		l.fault("lifecycle.backup.within", "each copy would go before the next is made: for a time there would be none", "give it at least the time of `every`")
	}
}

// alone are kept as rows without a seal, which the program ends by their age, whosever they are.
var alone = []musa.Category{musa.CategoryGenerationLog, musa.CategoryAudit, musa.CategoryMail, musa.CategoryCase}

// lintRowEvents looks at events that the program does not bring to what a rule is for.
func lintRowEvents(l *linter) {
	for i, r := range l.d.Retention {
		path := item("retention", i)
		for _, c := range r.For {
			if c == string(musa.CategoryCase) && r.From != fromCreated && r.From != "" {
				l.fault(path+".from", "a request is kept by its age, whatever becomes of the account: the event never comes to it", "write `{for: [case], from: created, keep: 3y}` as a rule of its own")
			}
			for _, a := range alone {
				if c == string(a) && len(r.Tier) > 0 && len(r.Tier) < len(l.d.Tiers) {
					l.fault(path+".tier", fmt.Sprintf("`%s` ends by its age, whosever it is", c), "take `tier` out: one time holds for all of it")
				}
			}
		}
		for _, name := range l.tiersOf(r) {
			if t, _ := l.d.Tiers.Get(name); r.From == fromSuperseded && t.Account.Off() {
				l.fault(path+".from", fmt.Sprintf("tier `%s` has no account to close: what nothing replaces would stay for ever", name),
					"name the tiers with an account under `tier`, and another event for the others")
			}
			if r.From == fromLastSeen {
				l.stayedAway(path, r, name)
			}
		}
	}
}

// stayedAway holds a rule that begins at the last visit to the account's: only an account is seen, and
// who stayed away goes with all that is theirs, no sooner. Credentials end by themselves.
func (l *linter) stayedAway(path string, r Rule, tier string) {
	if r.For.Has(string(musa.CategoryAccount)) || (len(r.For) == 1 && r.For.Has(string(musa.CategoryCredential))) {
		return
	}
	for _, other := range l.d.Retention {
		if other.From == fromLastSeen && other.For.Has(string(musa.CategoryAccount)) && (len(other.Tier) == 0 || other.Tier.Has(tier)) {
			if r.Keep.Duration() < other.Keep.Duration() {
				l.fault(path+".keep", fmt.Sprintf("who stays away from tier `%s` goes with the account, after %s, and this no sooner", tier, other.Keep),
					fmt.Sprintf("write `keep: %s`, or begin at another event, such as created", other.Keep))
			}
			return
		}
	}
	l.fault(path+".from", fmt.Sprintf("in tier `%s` no account ends with its last visit, so this never does", tier), "add `account` to the rule, or begin at another event, such as created")
}
