package policy

import "strings"

func renderPartners(p *page) {
	p.section("Who is sent what")
	if len(p.d.Processors) == 0 {
		p.say("processors", "Nobody is sent your data: no partner, no advertiser, no provider of models. The server refuses to connect to any.")
	}
	for _, e := range p.d.Processors {
		path, x := "processors."+e.Name, e.Value
		p.say(path, "%s, in %s, is sent %s, %s.", capital(e.Name), p.t.countryWords(x.Country), p.t.namings(p.d.held(x.Gets)), p.t.purposesWords(x.For))
		if x.Safeguard != "" {
			p.say(path+".safeguard", "What leaves for %s is covered by %s.", p.t.countryWords(x.Country), p.t.said(x.Safeguard, safeguardWords))
		}
		if x.Trains == "never" {
			p.say(path+".trains", "%s may not train models on it.", capital(e.Name))
		}
	}
	if len(p.d.Infrastructure) > 0 {
		p.say("infrastructure", "What the service itself runs on, its operator chooses: %s.", p.t.list(p.t.words(p.d.Infrastructure, infrastructureWords)))
	}
	for _, e := range p.d.Disclosures {
		p.say("disclosures."+e.Name, "%s may be handed to %s, but only if %d persons of different roles (%s) approve, and each time is entered in a register.",
			capital(p.t.namings(p.d.held(e.Value.Uses))), p.t.plain(e.Name, grounds), len(e.Value.Approve), p.t.list(e.Value.Approve))
	}
	p.sale()
	if r := p.d.Regions; len(r.Choices) > 0 {
		p.say("regions.choices", "%s may choose the region in which %s lie: %s.", capital(p.t.tierWords(r.ForTiers)), p.t.namings(r.Covers), p.t.alternatives(upper(r.Choices.Names())))
		p.say("regions.default", "Where nobody chooses, that is %s.", strings.ToUpper(r.Default))
	}
}

func (p *page) sale() {
	for _, s := range []struct{ path, word, verb string }{{"sale.sells", p.d.Sale.Sells, p.t.of("sold")}, {"sale.shares", p.d.Sale.Shares, p.t.of("shared for advertising")}} {
		switch s.word {
		case "never":
			p.say(s.path, "Your data is never %s.", s.verb)
		case "with_opt_out":
			p.say(s.path, "Your data may be %s unless you opt out.", s.verb)
		}
	}
	t := p.d.Sale.BusinessTransfer
	if !t.Notice.Said() {
		return
	}
	p.say("sale.business_transfer", "Should the service change hands, you are told %s before.", p.t.span(t.Notice))
	if len(t.Offer) > 0 {
		p.say("sale.business_transfer.offer", "Until then you can %s.", p.t.alternatives(p.t.words(t.Offer, offerWords)))
	}
}

func renderRights(p *page) {
	p.section("Your rights")
	for _, e := range p.d.Rights {
		p.right("rights."+e.Name, e.Name, e.Value)
	}
	if p.d.underGDPR() {
		p.say("regimes.gdpr", "You may also complain to the data protection authority of the country where you live.")
	}
}

func (p *page) right(path, name string, r Right) {
	law := p.t.f("GDPR art. %s", p.t.article(r.Gdpr))
	if r.Gdpr == "" {
		law = "CCPA § " + r.Ccpa
	}
	p.say(path, "You may %s (%s).", p.t.of(rightWords[name]), law)
	if len(r.Purposes) > 0 {
		p.say(path+".purposes", "That is for what is done %s.", p.t.purposesWords(r.Purposes))
	}
	if r.SelfService.On() {
		p.say(path+".self_service", "You can do so yourself in the studio, at any time.")
	}
	if len(r.Unit) > 0 {
		p.say(path+".unit", "It goes for %s.", p.t.alternatives(p.t.words(r.Unit, unitWordsOf)))
	}
	if r.Undo.Duration() > 0 {
		p.say(path+".undo", "What you delete can be taken back for %s; after that nobody can.", p.t.span(r.Undo))
	}
	if r.Grace.Duration() > 0 {
		p.say(path+".grace", "An account that you close can be opened again for %s; then it is erased.", p.t.span(r.Grace))
	}
	if len(r.Keeps) > 0 {
		p.say(path+".keeps", "Something is kept all the same only where it has to be: %s.", p.t.purposesWords(r.Keeps))
	}
	if r.Within.Duration() == 0 {
		p.say(path+".within", "It takes effect at once.")
	} else {
		p.say(path+".within", "A request is answered %s.", p.t.deadlineWords(r))
	}
	if r.Signal != "" {
		p.say(path+".signal", "A browser that sends the signal %s has done so already.", r.Signal)
	}
	for _, x := range r.Elsewhere {
		p.say(path+".elsewhere."+x.Name, "Where the %s holds (§ %s), it is answered %s.", strings.ToUpper(x.Name), x.Value.Section,
			p.t.deadlineWords(Right{Within: x.Value.Within, Extend: x.Value.Extend}))
	}
}

func (t tongue) deadlineWords(r Right) string {
	switch {
	case r.Within.Duration() == 0:
		return t.of("at once")
	case r.Extend.Said():
		return t.f("within %s, or, where that is not possible, within %s more, with the reasons", t.within(r.Within), t.within(r.Extend))
	}
	return t.f("within %s", t.within(r.Within))
}

// article writes a paragraph as lawyers do: 7.3 is 7(3).
func (t tongue) article(a string) string {
	number, paragraph, ok := strings.Cut(a, ".")
	if !ok {
		return a
	}
	return t.f("%s(%s)", number, paragraph)
}

func (d *Document) underGDPR() bool { return d.Regimes.Has("gdpr") }

func renderOwnership(p *page) {
	p.section("Whose the pictures are")
	o := p.d.Ownership
	if o.Inputs == "subject" {
		p.say("ownership.inputs", "What you bring stays yours.")
	}
	if o.Outputs == "subject" {
		p.say("ownership.outputs", "What is made for you is yours.")
	}
	if o.ServiceClaims == "none" {
		p.say("ownership.service_claims", "The service claims no right in either.")
	}
	t := p.d.Terms
	p.section("The terms of use")
	if t.AnswersForContent == "subject" {
		p.say("terms.answers_for_content", "You answer for what you bring and have made.")
	}
	switch t.Accept {
	case "by_use":
		p.say("terms.accept", "The terms of use, version %s, are accepted by using the service.", t.Version)
	case "by_click":
		p.say("terms.accept", "You are asked to accept the terms of use, version %s.", t.Version)
	}
	if len(t.Record) > 0 {
		p.say("terms.record", "Which version was accepted when is recorded for %s.", p.t.list(p.t.words(t.Record, accepterNames)))
	}
}

func renderModeration(p *page) {
	m := p.d.Moderation
	p.section("What is looked at")
	if len(m.LooksAt) == 0 {
		return
	}
	p.say("moderation.looks_at", "A screener looks at %s.", p.t.namings(p.d.held(m.LooksAt)))
	for _, e := range m.Classes {
		kept := ""
		if e.Value.Keep != "" {
			kept = p.t.of(", and a sealed copy is held as evidence")
		}
		p.say("moderation.classes."+e.Name, "%s is %s%s.", capital(p.t.of(classWords[e.Name])), p.t.of(doWords[e.Value.Do]), kept)
	}
	p.say("moderation.unavailable", "While it cannot look, nothing is made.")
	p.say("moderation.appeal", "You can appeal within %s; a person decides.", p.t.within(m.Appeal.Within))
}

func renderSecurity(p *page) {
	p.section("How it is protected")
	for i, c := range p.d.Security.Claims {
		p.put(item("security.claims", i), p.t.of(claimWords[c]))
	}
	if a := p.d.Security.Audits.Every; a.Said() {
		p.say("security.audits", "All of that is audited %s.", p.t.each(a))
	}
	if t := p.d.Security.Incident.TellAuthority; t.Said() {
		p.say("security.incident", "After a breach of your data the authority is told within %s.", p.t.within(t))
	}
	if p.d.Security.Caveat != "" {
		p.say("security.caveat", "No transmission and no storage is perfectly secure, this one neither.")
	}
}

func renderPeople(p *page) {
	a := p.d.Age
	p.section("Age")
	if a.Minimum.Default != "" {
		p.say("age.minimum", "The service is not for people under %s.", a.Minimum.Default)
		for _, e := range a.Minimum.Where {
			p.say("age.minimum."+e.Name, "In %s the age is %s.", p.t.countryWords(e.Name), e.Value)
		}
		switch a.Below {
		case "refuse":
			p.say("age.below", "Whoever is younger is turned away.")
		case "refuse_and_forget":
			p.say("age.below", "Whoever is younger is turned away, and nothing of what they entered is kept.")
		}
		if s := a.Reported.Suspend; s.Said() {
			p.say("age.reported.suspend", "An account that is reported to be a child's is suspended %s.", p.t.soon(s))
		}
		if s := a.Reported.Erase; s.Said() {
			p.say("age.reported.erase", "What a reported child's account holds is erased within %s.", p.t.within(s))
		}
	}
	p.section("Organisations")
	if o := p.d.Organisation; len(o.MayEnforce) > 0 {
		p.say("organisation.may_enforce", "An organisation may settle for its members %s.", p.t.list(p.t.words(o.MayEnforce, enforceWords)))
	}
	if p.d.Organisation.Agreement == "generated" {
		p.say("organisation.agreement", "It can download an agreement on the processing of its data, which is made from this policy.")
	}
}

func (t tongue) soon(s Span) string {
	if s.Duration() == 0 {
		return t.of("at once")
	}
	return t.f("within %s", t.within(s))
}

func renderChanges(p *page) {
	p.section("When this changes")
	p.changes()
	p.say("controller.contact", "You can ask about this page at %s.", p.d.Controller.Contact)
}

func (p *page) changes() {
	c := p.d.Changes
	if c.Material.Lead.Duration() > 0 {
		p.say("changes.material", "A change that matters is announced %s before it holds, %s.", p.t.span(c.Material.Lead), p.t.list(p.t.words(c.Material.Notify, notifyWords)))
	} else if c.Material.Lead.Said() {
		p.say("changes.material", "A change is announced %s, and holds from the day on which it is posted.", p.t.list(p.t.words(c.Material.Notify, notifyWords)))
	}
	if c.LongerRetention == "new_records_only" {
		p.say("changes.longer_retention", "A new version never lengthens the life of what is there already.")
	}
	if c.Reconsent.Has("consent") {
		p.say("changes.reconsent", "Where it bears on something that you agreed to, you are asked again.")
	}
	switch c.Accept {
	case "by_use":
		p.say("changes.accept", "Whoever goes on using the service accepts it.")
	case "by_click":
		p.say("changes.accept", "You are asked to accept it.")
	}
}
