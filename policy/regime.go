package policy

import (
	"slices"
	"strings"

	"musa"
)

// regimeTable says which laws hold where: one bit for each line of `regimes`, of which a
// document has a handful; past the 64th none would ever hold, and Lint refuses them.
type regimeTable map[string]uint64

func (d *Document) compileRegimes() regimeTable {
	t := make(regimeTable)
	for i, e := range d.Regimes {
		for _, place := range e.Value.Where {
			if place != "EEA" {
				t[place] |= 1 << i
				continue
			}
			for _, country := range eea {
				t[country] |= 1 << i
			}
		}
	}
	return t
}

// in is the laws that hold in a region: those of the place itself and, for a part of a
// country ("US-CA"), those of the country.
func (t regimeTable) in(region string) uint64 {
	country, _, _ := strings.Cut(region, "-")
	return t[region] | t[country]
}

// footing is what a purpose rests on under one law.
type footing struct {
	consent  bool // runs only with the consents that it needs
	interest bool // stops after an objection
}

func (a footing) and(b footing) footing {
	return footing{consent: a.consent || b.consent, interest: a.interest || b.interest}
}

// footingTable is what a purpose rests on: usually, under the laws that differ, and where
// nobody knows which law holds, which is the strictest of all.
type footingTable struct {
	usual   footing
	unknown footing
	under   []lawful
}

type lawful struct {
	regime uint64
	footing
}

func (d *Document) footings(p PurposeLine) footingTable {
	t := footingTable{usual: d.footing(p, "default")}
	for i, e := range d.Regimes {
		if f := d.footing(p, e.Name); f != t.usual {
			t.under = append(t.under, lawful{1 << i, f})
		}
	}
	t.unknown = t.usual
	c, _ := d.Consents.Get(p.Consent)
	for _, name := range append(p.Basis.Where.Names(), c.Mode.Where.Names()...) {
		t.unknown = t.unknown.and(d.footing(p, name))
	}
	return t
}

// footing needs the consent that a purpose names where the law makes it the basis, and
// where people are asked first; where they may only say no, that no is an objection.
func (d *Document) footing(p PurposeLine, regime string) footing {
	basis := p.Basis.In(regime)
	c, named := d.Consents.Get(p.Consent)
	mode := c.Mode.In(regime)
	return footing{
		consent:  basis == "consent" || (named && mode == "opt_in"),
		interest: basis == "legitimate_interest" || basis == "public_task" || (named && mode == "opt_out"),
	}
}

func (t *footingTable) in(regimes regimeTable, region string) footing {
	if region == "" {
		return t.unknown
	}
	if len(t.under) == 0 {
		return t.usual
	}
	laws, f, found := regimes.in(region), footing{}, false
	for i := range t.under {
		if laws&t.under[i].regime != 0 {
			f, found = f.and(t.under[i].footing), true
		}
	}
	if !found {
		return t.usual
	}
	return f
}

// demand is one consent that a purpose cannot do without.
type demand struct {
	name    string
	subject bool // given once for all that is the person's
	asset   bool // given for one item
	only    bool // asked for commercial items alone, whatever the purpose rests on
}

// demands is the consent that a purpose names and all that this one requires in turn.
func (d *Document) demands(consent string) []demand {
	var out []demand
	for consent != "" && !slices.ContainsFunc(out, func(x demand) bool { return x.name == consent }) {
		c, _ := d.Consents.Get(consent)
		out = append(out, c.demand(consent))
		consent = c.Requires
	}
	for _, e := range d.Consents {
		named := func(x demand) bool { return x.name == e.Value.Requires }
		if e.Value.When == whenCommercial && slices.ContainsFunc(out, named) {
			out = append(out, e.Value.demand(e.Name))
		}
	}
	return out
}

// whenCommercial is the occasion of a consent that is asked for commercial items.
const whenCommercial = "asset.commercial"

func (c Consent) demand(name string) demand {
	return demand{name, len(c.Scope) == 0 || c.Scope.Has("subject"), c.Scope.Has("asset"), c.When == whenCommercial}
}

// declined looks for a no to the consent that was given for one item: a minus, its name, a
// colon and the id.
func (x *demand) declined(given []string, id string) bool {
	if !x.asset || id == "" {
		return false
	}
	for _, g := range given {
		if len(g) == len(x.name)+len(id)+2 && g[0] == '-' && g[1:1+len(x.name)] == x.name && g[2+len(x.name):] == id {
			return true
		}
	}
	return false
}

// met looks for the consent among those given: by its name, or by its name, a colon and the
// id of the item.
func (x *demand) met(given []string, id string) bool {
	for _, g := range given {
		name, one, single := strings.Cut(g, ":")
		switch {
		case name != x.name:
		case single && x.asset && id != "" && one == id, !single && x.subject:
			return true
		}
	}
	return false
}

// Purposes that stay open while the use of something is restricted, be it because the document
// keeps it so or its owner asked for it: their own requests, the proof of what was done, and a
// legal hold (GDPR art. 18(2)).
func staysOpen(p musa.Purpose) bool {
	switch p {
	case musa.PurposeAnswerRights, musa.PurposeAttend, musa.PurposeProve, musa.PurposeHold:
		return true
	}
	return false
}

// freezes says whether a restriction that a person asked for stops a purpose. Besides what
// staysOpen, they are let in, told of what becomes of their data and heard: all of that they begin
// themselves, or the law wants it told (GDPR art. 18(2) and (3)), and without it they could not
// lift the restriction.
func freezes(p musa.Purpose) bool {
	switch p {
	case musa.PurposeSignIn, musa.PurposeNotify, musa.PurposeHelp:
		return false
	}
	return !staysOpen(p)
}

// standing says whether the owner's consents, objections and restrictions let a purpose run.
func (c *compiled) standing(f *Facts, p *purposeTable) Reason {
	if f.Restricted && freezes(f.Purpose) {
		return ReasonRestricted
	}
	on := p.footings.in(c.regimes, f.Region)
	if on.interest && slices.Contains(f.Objections, f.Purpose) {
		return ReasonObjected
	}
	for i := range p.demands {
		x := &p.demands[i]
		if x.only && !f.Item.Commercial {
			continue
		}
		if x.declined(f.Consents, f.Item.ID) {
			return ReasonObjected // a no to one item, under every law
		}
		if (on.consent || x.only) && !x.met(f.Consents, f.Item.ID) {
			return ReasonConsent
		}
	}
	if on.consent && len(p.demands) == 0 {
		return ReasonConsent // a basis without a consent to ask for: nobody can have given it
	}
	return ReasonNone
}
