package policy

import "slices"

// The titles of the documents that are handed over, in English; TitleIn has them in other languages.
const (
	RecordTitle    = "Record of processing activities"
	AgreementTitle = "Data processing agreement"
)

// TitleIn is such a title in another language; English for one that the page does not speak.
func TitleIn(tag, title string) string { return tongues[tag].of(title) }

// Record is the record of processing activities that GDPR art. 30 asks a controller for:
// each purpose with its people, data, recipients, transfers and time limits, and the measures
// that protect all of them. It names every category that is collected and no other.
func (d *Document) Record() []Section { return d.RecordIn("en") }

// RecordIn is Record in another language; English for one that the page does not speak.
func (d *Document) RecordIn(tag string) []Section {
	p := &page{d: d, t: tongues[tag]}
	p.section("Controller (art. 30(1)(a))")
	p.party()
	p.section("Purposes (art. 30(1)(b))")
	for _, e := range d.Purposes {
		if held := d.held(e.Value.Uses); len(held) > 0 {
			p.activity(e.Name, e.Value, held)
		}
	}
	p.section("Data subjects and categories of personal data (art. 30(1)(c))")
	for _, e := range d.Tiers {
		p.say("tiers."+e.Name, "Data subjects: %s, %s.", p.t.tierWords(Words{e.Name}), p.t.accountWords(e.Value))
	}
	for _, e := range d.Categories {
		if !e.Value.Collected.Off() {
			p.inventory(e.Name, e.Value)
		}
	}
	p.section("Recipients (art. 30(1)(d))")
	p.recipients()
	p.section("Transfers to third countries (art. 30(1)(e))")
	p.transfers()
	p.section("Time limits for erasure (art. 30(1)(f))")
	p.limits()
	p.section("Technical and organisational measures (art. 30(1)(g), art. 32)")
	p.measures()
	return p.t.headed(p.said())
}

// party is who the controller is.
func (p *page) party() {
	c := p.d.Controller
	p.say("controller.name", "Controller: %s, established in %s.", c.Name, p.t.countryWords(c.Country))
	p.say("controller.contact", "Contact for data protection: %s.", c.Contact)
	if c.Site != "" {
		p.say("controller.site", "Website: %s.", c.Site)
	}
	p.say("version", "Policy “%s”, version %s.", p.d.Policy, p.d.Version)
	p.say("effective", "In force from %s.", p.d.Effective)
}

func (p *page) activity(name string, line PurposeLine, held Words) {
	path := "purposes." + name
	p.say(path+".basis", "%s: %s.", p.t.purposeTitle(name), p.t.said(line.Basis.Default, basisClauses))
	for _, v := range line.Basis.Where {
		p.say(path+".basis."+v.Name, "Under the %s: %s.", p.t.law(v.Name), p.t.said(v.Value, basisClauses))
	}
	p.say(path+".uses", "It covers %s.", p.t.they().names(held))
	if line.Assessment != "" {
		p.say(path+".assessment", "The interests are weighed in %s.", line.Assessment)
	}
	if line.HumanReview.On() {
		p.say(path+".human_review", "A person reviews the decisions.")
	}
}

func (p *page) inventory(name string, line CategoryLine) {
	path := "categories." + name
	kind := p.t.of("personal data")
	if line.Personal.Off() {
		kind = p.t.of("not personal")
	}
	p.say(path, "%s (%s): %s.", capital(p.t.they().name(name)), name, kind)
	p.say(path+".is", "In the words of the fideslang taxonomy: %s.", p.t.list(line.Is))
	if len(line.Fields.Required)+len(line.Fields.Optional) > 0 {
		p.say(path+".fields", "Fields: %s.", p.t.fieldWords(line.Fields))
	}
	if len(line.ForbidFields) > 0 {
		p.say(path+".forbid_fields", "Never stored: %s.", p.t.list(p.t.words(line.ForbidFields, fieldNames)))
	}
	if len(line.Readers) > 0 {
		p.say(path+".readers", "Read only by: %s.", p.t.list(p.t.words(line.Readers, roleNames)))
	}
}

func (p *page) recipients() {
	if len(p.d.Processors) == 0 {
		p.say("processors", "No processor receives personal data; the server refuses every connection that the policy does not name.")
	}
	for _, e := range p.d.Processors {
		p.say("processors."+e.Name, "%s, a processor in %s, receives %s for %s.",
			capital(e.Name), p.t.countryWords(e.Value.Country), p.t.they().names(p.d.held(e.Value.Gets)), p.t.titles(e.Value.For))
	}
	for _, e := range p.d.Disclosures {
		p.say("disclosures."+e.Name, "%s may receive %s for %s.",
			capital(p.t.plain(e.Name, grounds)), p.t.they().names(p.d.held(e.Value.Uses)), p.t.titles(Words{e.Value.Purpose}))
	}
	for _, e := range p.d.Roles.Instance {
		if len(e.Value) > 0 {
			p.say("roles.instance."+e.Name, "Within the controller, %s may open data for %s.", p.t.roleWords(e.Name), p.t.titles(e.Value))
		}
	}
}

func (p *page) transfers() {
	found := false
	for _, e := range p.d.Processors {
		if e.Value.Safeguard == "" {
			continue
		}
		found = true
		p.say("processors."+e.Name+".safeguard", "%s, to %s, on the basis of %s.", capital(e.Name), p.t.countryWords(e.Value.Country), p.t.said(e.Value.Safeguard, safeguardWords))
	}
	if !found {
		p.say("processors", "None.")
	}
}

func (p *page) limits() {
	for i, r := range p.d.Retention {
		held := p.d.held(r.For)
		if len(held) == 0 {
			continue
		}
		they := p.t.they()
		said := p.t.f("%s: %s.", they.names(held), r.manner(they, held))
		if len(r.Tier) > 0 {
			said = p.t.f("%s of %s: %s.", they.names(held), p.t.tierWords(r.Tier), r.manner(they, held))
		}
		p.put(item("retention", i), capital(said))
	}
	p.ends()
}

// measures is what the program does and the claims that it can test.
func (p *page) measures() {
	for i, c := range p.d.Security.Claims {
		p.put(item("security.claims", i), p.t.of(claimWords[c]))
	}
	if !slices.Contains(p.d.Security.Claims, "roles") {
		for _, e := range p.d.Roles.Instance {
			if len(e.Value) == 0 {
				p.say("roles.instance."+e.Name, "No data is opened by %s.", p.t.roleWords(e.Name))
			}
		}
	}
	if p.d.Holds.Role != "" {
		p.say("holds.role", "Only %s may place a legal hold.", p.t.roleWords(p.d.Holds.Role))
		p.say("holds.release", "Two persons have to agree before a hold is released.")
	}
	if a := p.d.Security.Audits.Every; a.Said() {
		p.say("security.audits", "The measures are audited %s.", p.t.each(a))
	}
	if t := p.d.Security.Incident.TellAuthority; t.Said() {
		p.say("security.incident", "A personal data breach is notified to the supervisory authority within %s of becoming known (art. 33).", p.t.within(t))
	}
}

func (t tongue) fieldWords(f Fields) string {
	all := t.words(f.Required, recordFields)
	for _, o := range t.words(f.Optional, recordFields) {
		all = append(all, t.f("%s (optional)", o))
	}
	return t.list(all)
}
