package policy

import "strings"

func renderPartners(p *page) {
	p.section("Who is sent what")
	if len(p.d.Processors) == 0 {
		p.say("processors", "Nobody is sent your data: no partner, no advertiser, no provider of models. The server refuses to connect to any.")
	}
	for _, e := range p.d.Processors {
		path, x := "processors."+e.Name, e.Value
		p.say(path, "%s (%s) is sent %s, %s.", capital(e.Name), x.Country, namings(x.Gets), purposesWords(x.For))
		if x.Safeguard != "" {
			p.say(path+".safeguard", "What leaves for %s is covered by %s.", x.Country, safeguardWords[x.Safeguard])
		}
		if x.Trains == "never" {
			p.say(path+".trains", "%s may not train on it.", capital(e.Name))
		}
	}
	if len(p.d.Infrastructure) > 0 {
		p.say("infrastructure", "What the service itself runs on, its operator chooses: %s.", list(words(p.d.Infrastructure, infrastructureWords)))
	}
	for _, e := range p.d.Disclosures {
		p.say("disclosures."+e.Name, "%s may be handed out on a lawful request (%s), only if %d persons of different roles approve, and each time is registered.",
			capital(namings(e.Value.Uses)), e.Name, len(e.Value.Approve))
	}
	for _, s := range []struct{ path, word, verb string }{{"sale.sells", p.d.Sale.Sells, "sold"}, {"sale.shares", p.d.Sale.Shares, "shared for advertising"}} {
		switch s.word {
		case "never":
			p.say(s.path, "Your data is never %s.", s.verb)
		case "with_opt_out":
			p.say(s.path, "Your data may be %s unless you opt out.", s.verb)
		}
	}
	if t := p.d.Sale.BusinessTransfer; t.Notice.Said() {
		p.say("sale.business_transfer", "Should the service change hands, you hear of it %s before, and can take your data out or have it erased.", t.Notice.Words())
	}
	if r := p.d.Regions; len(r.Choices) > 0 {
		p.say("regions", "For %s there is a choice of region (%s) for %s.", tierWords(r.ForTiers), list(r.Choices.Names()), namings(r.Covers))
	}
}

func renderRights(p *page) {
	p.section("Your rights")
	for _, e := range p.d.Rights {
		path, r := "rights."+e.Name, e.Value
		law := "GDPR art. " + r.Gdpr
		if r.Gdpr == "" {
			law = "CCPA " + r.Ccpa
		}
		p.say(path, "You may %s (%s), %s.", rightWords[e.Name], law, deadline(r))
		if r.SelfService.On() {
			p.say(path+".self_service", "For that you need nobody: it is in the studio.")
		}
		if r.Undo.Said() && r.Undo.Duration() > 0 {
			p.say(path+".undo", "What you delete can be taken back for %s; after that nobody can.", r.Undo.Words())
		}
		if len(r.Keeps) > 0 {
			p.say(path+".keeps", "What is kept all the same is kept %s.", purposesWords(r.Keeps))
		}
		for _, x := range r.Elsewhere {
			p.say(path+".elsewhere."+x.Name, "Where the %s holds: within %s.", strings.ToUpper(x.Name), x.Value.Within.Words())
		}
	}
	if p.d.underGDPR() {
		p.say("regimes.gdpr", "You may also complain to the data protection authority of the country where you live.")
	}
}

func deadline(r Right) string {
	switch {
	case r.Within.Duration() == 0:
		return "and it takes effect at once"
	case r.Extend.Said():
		return "answered within " + r.Within.Words() + ", or " + r.Extend.Words() + " more where it is hard and you are told why"
	}
	return "answered within " + r.Within.Words()
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
}

func renderModeration(p *page) {
	m := p.d.Moderation
	p.section("What is looked at")
	if len(m.LooksAt) == 0 {
		return
	}
	p.say("moderation.looks_at", "A screener looks at %s.", namings(m.LooksAt))
	for _, e := range m.Classes {
		p.say("moderation.classes."+e.Name, "What it takes for %s is %s.", e.Name, doWords[e.Value.Do])
	}
	p.say("moderation.unavailable", "While it cannot look, nothing is made.")
	p.say("moderation.appeal", "You can appeal within %s; a person decides.", m.Appeal.Within.Words())
}

func renderSecurity(p *page) {
	p.section("How it is protected")
	for i, c := range p.d.Security.Claims {
		p.say(item("security.claims", i), "%s", claimWords[c])
	}
	if a := p.d.Security.Audits.Every; a.Said() {
		p.say("security.audits", "The audit runs by itself every %s.", each(a))
	}
	if t := p.d.Security.Incident.TellAuthority; t.Said() {
		p.say("security.incident", "After an incident the authority is told within %s.", t.Words())
	}
	if p.d.Security.Caveat != "" {
		p.say("security.caveat", "No transmission and no storage is perfectly secure, this one neither.")
	}
}

func renderCookies(p *page) {
	p.section("Cookies and consents")
	for _, e := range p.d.Consents {
		path, c := "consents."+e.Name, e.Value
		about := strings.ReplaceAll(e.Name, "_", " ")
		switch c.Mode.Default {
		case "notice_only":
			p.say(path, "Strictly necessary cookies: %s. Without them the studio does not know its own visitor.", list(c.Cookies))
			continue
		case "opt_in":
			p.say(path, "For %s you are asked first, and can say no.", about)
		case "opt_out":
			p.say(path, "For %s you can say no at any time.", about)
		}
		for _, v := range c.Mode.Where {
			p.say(path+".mode", "Where the %s holds, you %s.", strings.ToUpper(v.Name), modeWords[v.Value])
		}
		if len(c.Cookies) > 0 {
			p.say(path+".cookies", "Its cookies: %s.", list(c.Cookies))
		}
		if c.Gpc == "refuse" {
			p.say(path+".gpc", "A browser that sends Global Privacy Control has said no to it.")
		}
	}
	for _, e := range p.d.Mails {
		if e.Value.Consent != "" {
			p.say("mails."+e.Name, "Mails of the kind “%s” come only if you asked for them.", e.Name)
		}
	}
}

func renderPeople(p *page) {
	a := p.d.Age
	p.section("Age")
	if a.Minimum.Default == "" {
		return
	}
	p.say("age.minimum", "The service is not for people under %s.", a.Minimum.Default)
	for _, e := range a.Minimum.Where {
		p.say("age.minimum."+e.Name, "In the country %s that is %s.", e.Name, e.Value)
	}
	if a.Reported.Erase.Said() {
		p.say("age.reported", "A reported child's data goes within %s.", a.Reported.Erase.Words())
	}
}

func renderChanges(p *page) {
	c := p.d.Changes
	p.section("When this changes")
	if c.Material.Lead.Said() {
		p.say("changes.material", "A change that matters is announced %s before it holds, by %s.", c.Material.Lead.Words(), list(words(c.Material.Notify, notifyWords)))
	}
	if c.LongerRetention == "new_records_only" {
		p.say("changes.longer_retention", "A new version never lengthens the life of what is there already.")
	}
	switch c.Accept {
	case "by_use":
		p.say("changes.accept", "Going on using the service means accepting it.")
	case "by_click":
		p.say("changes.accept", "You are asked to accept it.")
	}
	p.say("controller.contact", "Questions about this page: %s.", p.d.Controller.Contact)
}
