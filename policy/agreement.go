package policy

// Agreement is the data processing agreement of GDPR art. 28(3) that an organisation which
// uses the service concludes with whoever runs it: the organisation is the controller of what
// its members bring, and the service is its processor. All of it comes from the document.
func (d *Document) Agreement() []Section { return d.AgreementIn("en") }

// AgreementIn is Agreement in another language; English for one that the page does not speak.
func (d *Document) AgreementIn(tag string) []Section {
	p := &page{d: d, t: tongues[tag]}
	p.section("1. Parties")
	p.say("controller.name", "This agreement is concluded between the organisation that uses the service (“the customer”, the controller) and %s, established in %s (“the processor”).", d.Controller.Name, p.t.countryWords(d.Controller.Country))
	p.say("controller.contact", "Notices to the processor go to %s.", d.Controller.Contact)
	p.section("2. Subject matter, duration, nature and purpose")
	p.say("version", "The processor processes personal data on behalf of the customer under version %s of the policy “%s”, for as long as the customer uses the service.", d.Version, d.Policy)
	customer := d.onBehalf()
	for _, e := range customer {
		p.say("purposes."+e.Name, "%s: %s.", p.t.purposeTitle(e.Name), p.t.they().names(d.held(e.Value.Uses)))
	}
	p.say("purposes", "The data is processed for no other purpose on behalf of the customer: the server refuses what the policy does not name.")
	p.section("3. Data subjects and categories of data")
	for _, e := range d.Categories {
		if !e.Value.Collected.Off() && !e.Value.Personal.Off() && usedBy(customer, e.Name) {
			p.say("categories."+e.Name, "%s (%s).", capital(p.t.they().name(e.Name)), p.t.list(e.Value.Is))
		}
	}
	p.say("tiers", "Data subjects are the people who use the service for the customer, and the people whom their content shows or names.")
	p.section("4. Instructions and confidentiality (art. 28(3)(a) and (b))")
	p.say("purposes", "The processor processes the data only on documented instructions: this agreement, and what the customer's members order in the service. It tells the customer if it thinks that an instruction infringes the law.")
	p.confidence()
	p.section("5. Security (art. 28(3)(c), art. 32)")
	p.measures()
	p.section("6. Sub-processors (art. 28(2) and (4))")
	p.subprocessors()
	p.section("7. Assistance with the rights of data subjects (art. 28(3)(e))")
	p.assistance()
	p.section("8. Assistance with security and breaches (art. 28(3)(f))")
	if t := d.Security.Incident.TellAuthority; t.Said() {
		p.say("security.incident", "The processor notifies the customer of a personal data breach without undue delay, so that the customer can notify the authority within %s.", p.t.within(t))
	} else {
		p.say("controller.contact", "The processor notifies the customer of a personal data breach without undue delay; questions go to %s.", d.Controller.Contact)
	}
	p.section("9. Erasure and return (art. 28(3)(g))")
	if _, ok := d.Rights.Get("portability"); ok {
		p.say("rights.portability", "Before the end the customer's members can take their data with them in a common format.")
	}
	p.limits()
	p.section("10. Proof and audit (art. 28(3)(h))")
	p.audit()
	p.section("11. Changes")
	p.amendments()
	return p.t.headed(p.said())
}

// onBehalf is the purposes that serve the customer: the others the service pursues as a
// controller of its own.
func (d *Document) onBehalf() Table[PurposeLine] {
	var out Table[PurposeLine]
	for _, e := range d.Purposes {
		if e.Value.Basis.Default == "contract" && len(d.held(e.Value.Uses)) > 0 {
			out = append(out, e)
		}
	}
	return out
}

func usedBy(purposes Table[PurposeLine], category string) bool {
	for _, e := range purposes {
		if e.Value.Uses.Has(category) {
			return true
		}
	}
	return false
}

func (p *page) confidence() {
	for _, e := range p.d.Roles.Instance {
		path := "roles.instance." + e.Name
		if len(e.Value) == 0 {
			p.say(path, "None of the data is opened by %s.", p.t.roleWords(e.Name))
			continue
		}
		p.say(path, "%s may open data only for %s; they are bound to confidentiality, and each use is recorded.", capital(p.t.roleWords(e.Name)), p.t.titles(e.Value))
	}
}

func (p *page) subprocessors() {
	if len(p.d.Processors) == 0 {
		p.say("processors", "The processor engages no other processor.")
	}
	for _, e := range p.d.Processors {
		path, x := "processors."+e.Name, e.Value
		p.say(path, "%s, in %s, receives %s for %s.", capital(e.Name), p.t.countryWords(x.Country), p.t.they().names(p.d.held(x.Gets)), p.t.titles(x.For))
		p.say(path+".agreement", "It is bound by %s to the same obligations.", x.Agreement)
		if x.Safeguard != "" {
			p.say(path+".safeguard", "The transfer rests on %s.", p.t.said(x.Safeguard, safeguardWords))
		}
		if x.Trains == "never" {
			p.say(path+".trains", "It may not train models on the data.")
		}
	}
	if lead := p.d.Changes.Material.Lead; lead.Said() && lead.Duration() > 0 {
		p.say("changes.material", "A new sub-processor is announced %s before it is engaged, so that the customer can object.", p.t.span(lead))
	}
	if w := p.d.Organisation.MayEnforce; w.Has("processors") {
		p.say("organisation.may_enforce", "The customer may limit which of them its members' data reaches.")
	}
}

func (p *page) assistance() {
	for _, e := range p.d.Rights {
		if e.Value.Gdpr == "" {
			continue
		}
		path, title, at, soon := "rights."+e.Name, p.t.said(e.Name, rightTitles), p.t.article(e.Value.Gdpr), p.t.deadlineWords(e.Value)
		if e.Value.SelfService.On() {
			p.say(path, "%s (art. %s): people do it themselves in the service, and else the processor answers %s.", title, at, soon)
		} else {
			p.say(path, "%s (art. %s): the processor answers %s.", title, at, soon)
		}
	}
}

func (p *page) audit() {
	if r := p.d.Lifecycle.Receipt; len(r.Per) > 0 {
		p.say("lifecycle.receipt", "Each erasure gives a receipt from a public log, which anybody can check without trusting the processor.")
	}
	if a := p.d.Security.Audits.Every; a.Said() {
		p.say("security.audits", "The processor audits the service %s and shows the customer the result.", p.t.each(a))
	}
	p.say("controller.contact", "The processor gives the customer, or an auditor that the customer names, all that is needed to show that it keeps this agreement; requests go to %s.", p.d.Controller.Contact)
}

func (p *page) amendments() {
	if m := p.d.Changes.Material; m.Lead.Duration() > 0 {
		p.say("changes.material", "The processor announces a change of the policy %s before it takes effect, %s.", p.t.span(m.Lead), p.t.list(p.t.words(m.Notify, notifyWords)))
	} else {
		p.say("changes.material", "The processor announces a change of the policy %s on the day on which it takes effect.", p.t.list(p.t.words(m.Notify, notifyWords)))
	}
	if p.d.Changes.LongerRetention == "new_records_only" {
		p.say("changes.longer_retention", "No change lengthens the time for which data that exists already is kept.")
	}
}
