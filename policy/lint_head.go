package policy

import (
	"fmt"
	"strings"
	"time"

	"musa"
)

func lintHead(l *linter) {
	d := l.d
	if !policyName.MatchString(d.Policy) {
		l.fault("policy", "no name", "write a name of small letters, digits and dashes")
	}
	if !versionName.MatchString(d.Version) {
		l.fault("version", "no version that sorts by date", "write a day and a count, such as 2026-11-22.1")
	}
	if _, err := time.Parse(time.DateOnly, d.Effective); err != nil {
		l.fault("effective", "not a day", "write the day from which it holds, such as 2026-12-22")
	} else if versionName.MatchString(d.Version) && d.Effective < d.Version[:len(time.DateOnly)] {
		l.fault("effective", "earlier than the version itself", "a version cannot hold before it is written: name a later day")
	}
	l.said("controller.name", d.Controller.Name, "say who answers for the data (GDPR art. 13)")
	if !mailOrPage.MatchString(d.Controller.Contact) {
		l.fault("controller.contact", "nobody can be reached there", "write an e-mail address or an https page")
	}
	if !countryName.MatchString(d.Controller.Country) {
		l.fault("controller.country", "not a country", "write its two capital letters, such as DE")
	}
	for i, e := range d.Regimes {
		if i == 64 {
			l.fault("regimes", "more than 64 laws", "name those that differ, no more")
		}
		path := "regimes." + e.Name
		if len(e.Value.Where) == 0 {
			l.fault(path, "holds nowhere", "name the countries or regions under `where`")
		}
		for i, w := range e.Value.Where {
			if !placeName.MatchString(w) {
				l.fault(item(path+".where", i), fmt.Sprintf("`%s` is not a place", w), "write EEA, a country such as GB or a region such as US-CA")
			}
		}
	}
}

func lintTiers(l *linter) {
	if len(l.d.Tiers) == 0 {
		l.fault("tiers", "no tier", "declare at least one of guest, member and paid")
	}
	for _, e := range l.d.Tiers {
		path := "tiers." + e.Name
		switch musa.Tier(e.Name) {
		case musa.TierGuest, musa.TierMember, musa.TierPaid:
		default:
			l.fault(path, "not a tier that the program knows", "write guest, member or paid")
		}
		if e.Value.Account == "" {
			l.fault(path, "does not say whether it needs an account", "write `account: true` or `account: false`")
		}
		if e.Value.Account.Off() && len(e.Value.When) > 0 {
			l.fault(path+".when", "a tier without an account cannot pay", "take `when` out, or write `account: true`")
		}
	}
}

func lintRoles(l *linter) {
	for _, e := range l.d.Roles.Instance {
		path := "roles.instance." + e.Name
		l.declared(path, e.Value, "purposes", l.d.Purposes.Names())
		if e.Name != string(musa.RoleOperator) {
			continue
		}
		for i, p := range e.Value {
			if l.opensContent(p) {
				l.fault(item(path, i), "lets the operator open people's content", "an operator runs the machine and opens nobody's content: give the purpose to another role")
			}
		}
	}
}

func (l *linter) opensContent(purpose string) bool {
	p, _ := l.d.Purposes.Get(purpose)
	for _, use := range p.Uses {
		c, _ := l.d.Categories.Get(use)
		for _, is := range c.Is {
			if strings.HasPrefix(is, "user.content") {
				return true
			}
		}
	}
	return false
}
