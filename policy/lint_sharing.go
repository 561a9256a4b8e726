package policy

import (
	"fmt"
	"slices"
)

func lintProcessors(l *linter) {
	if l.d.Processors == nil {
		l.fault("processors", "does not say who is sent data", "name them, or write `processors: {}` where nobody is")
	}
	owner := make(map[string]string)
	for _, e := range l.d.Processors {
		path, p := "processors."+e.Name, e.Value
		if len(p.Hosts) == 0 {
			l.fault(path, "no host", "name the hosts that it is reached at under `hosts`")
		}
		for i, h := range p.Hosts {
			if !hostName.MatchString(h) {
				l.fault(item(path+".hosts", i), "not a host name", "write the bare name: no scheme, port, path or star")
			}
			if first, double := owner[h]; double {
				l.fault(item(path+".hosts", i), fmt.Sprintf("stands under %s already", first), "a host belongs to one processor")
			}
			owner[h] = path
		}
		l.said(path+".agreement", p.Agreement, "name the signed agreement that binds it to confidence (GDPR art. 28)")
		if len(p.For) == 0 || len(p.Gets) == 0 {
			l.fault(path, "does not say what it gets and why", "name purposes under `for` and categories under `gets`")
		}
		l.declared(path+".for", p.For, "purposes", l.d.Purposes.Names())
		l.declared(path+".gets", p.Gets, "categories", l.d.Categories.Names())
		for i, c := range p.Gets {
			if l.d.Categories.Has(c) && !l.used(c, p.For) {
				l.fault(item(path+".gets", i), fmt.Sprintf("`%s` serves none of its purposes", c), "take it out, or name the purpose that uses it")
			}
		}
		if !p.For.Has("generate") {
			continue
		}
		if len(p.BoundTo) != 1 || p.BoundTo[0] != "generate" {
			l.fault(path, "an engine that is not bound to serving the request", "write `bound_to: [generate]`")
		}
		if p.Trains != "never" {
			l.fault(path, "an engine that may train on what it is sent", "write `trains: never`, and hold it to that")
		}
	}
}

func (l *linter) used(category string, purposes Words) bool {
	return slices.ContainsFunc(purposes, func(name string) bool {
		p, _ := l.d.Purposes.Get(name)
		return p.Uses.Has(category)
	})
}

// eea is the European Economic Area.
var eea = []string{
	"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS",
	"IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
}

func lintTransfers(l *linter) {
	gdpr, here := l.d.Regimes.Get("gdpr")
	for _, e := range l.d.Processors {
		path, p := "processors."+e.Name, e.Value
		if !countryName.MatchString(p.Country) {
			l.fault(path+".country", "not a country", "write its two capital letters, such as US")
			continue
		}
		inside := gdpr.Where.Has(p.Country) || (gdpr.Where.Has("EEA") && slices.Contains(eea, p.Country))
		if !here || inside {
			continue
		}
		switch {
		case p.Safeguard == "":
			l.fault(path, "data leaves the GDPR's reach without a safeguard", "name one under `safeguard`: "+either(gdpr.TransferNeeds))
		case !gdpr.TransferNeeds.Has(p.Safeguard):
			l.fault(path+".safeguard", "not a safeguard that regimes.gdpr accepts", "write "+either(gdpr.TransferNeeds))
		}
	}
	for _, e := range l.d.Processors {
		for i, cookie := range e.Value.Cookies {
			if !l.consented(e.Value.For) {
				l.fault(item("processors."+e.Name+".cookies", i), fmt.Sprintf("`%s` is a cookie without a consent", cookie), "serve a purpose that names a consent, or take the cookie out")
			}
		}
	}
}

func (l *linter) consented(purposes Words) bool {
	return slices.ContainsFunc(purposes, func(name string) bool {
		p, _ := l.d.Purposes.Get(name)
		return p.Consent != ""
	})
}

func lintModeration(l *linter) {
	m := l.d.Moderation
	if len(m.LooksAt) == 0 && len(m.Classes) == 0 {
		return
	}
	if !l.d.Purposes.Has("moderate") {
		l.fault("moderation", "looks at content without a purpose", "declare the purpose moderate")
	}
	l.declared("moderation.looks_at", m.LooksAt, "categories", l.d.Categories.Names())
	if m.Unavailable != "refuse" {
		l.fault("moderation.unavailable", "would let through what nobody looked at", "write `unavailable: refuse`")
	}
	for _, e := range m.Classes {
		path := "moderation.classes." + e.Name
		if e.Value.Do == "" {
			l.fault(path, "nothing follows from it", "write `do: block`, `do: hold` or `do: blur`")
		}
		if e.Value.Keep != "" && !l.d.Categories.Has(e.Value.Keep) {
			l.fault(path+".keep", "not a category", "write `keep: evidence`")
		}
	}
	if !m.Appeal.Within.Said() || m.Appeal.By != "person" {
		l.fault("moderation.appeal", "nobody could appeal to a person", "write `appeal: {within: 14d, by: person}` (GDPR art. 22)")
	}
}

// lintOfficials looks at those who may stop an end or see what is not theirs.
func lintOfficials(l *linter) {
	roles := l.d.Roles.Instance.Names()
	if h := l.d.Holds; h.Role != "" {
		l.declared("holds.role", Words{h.Role}, "roles.instance", roles)
		l.declared("holds.may_use", h.MayUse, "purposes", l.d.Purposes.Names())
		if h.Release != "two_persons" {
			l.fault("holds.release", "one person alone could let a hold go", "write `release: two_persons`")
		}
	}
	for _, e := range l.d.Disclosures {
		path, x := "disclosures."+e.Name, e.Value
		l.declared(path+".purpose", Words{x.Purpose}, "purposes", l.d.Purposes.Names())
		l.declared(path+".approve", x.Approve, "roles.instance", roles)
		if len(x.Approve) < 2 {
			l.fault(path, "one person alone could hand data out", "name two roles under `approve`")
		}
		if !x.Register.On() {
			l.fault(path, "handed out without a trace", "write `register: true`")
		}
		for i, c := range x.Uses {
			if !l.used(c, Words{x.Purpose}) {
				l.fault(item(path+".uses", i), fmt.Sprintf("purpose `%s` does not use `%s`", x.Purpose, c), "add it to that purpose, or take it out here")
			}
		}
	}
}

func lintPlaces(l *linter) {
	r := l.d.Regions
	if len(r.Choices) > 0 && !r.Choices.Has(r.Default) {
		l.fault("regions.default", "not one of the choices", "name one of "+either(r.Choices.Names()))
	}
	for _, e := range r.Choices {
		if len(e.Value.Countries) == 0 {
			l.fault("regions.choices."+e.Name, "lies nowhere", "name its countries")
		}
	}
	l.declared("regions.for_tiers", r.ForTiers, "tiers", l.d.Tiers.Names())
	l.declared("regions.covers", r.Covers, "categories", l.d.Categories.Names())
}
