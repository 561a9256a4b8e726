package policy

import "strings"

func renderCookies(p *page) {
	p.section("Cookies and consents")
	for _, e := range p.d.Consents {
		p.consent("consents."+e.Name, e.Name, e.Value)
	}
	for _, e := range p.d.Mails {
		if e.Value.Consent != "" {
			p.say("mails."+e.Name, "Mails of the kind “%s” come only if you asked for them.", strings.ReplaceAll(e.Name, "_", " "))
		}
	}
}

func (p *page) consent(path, name string, c Consent) {
	switch c.Mode.Default {
	case "notice_only":
		without := ""
		if c.WhenOff == "no_sign_in" {
			without = p.t.of(" Without them the studio does not know you from one page to the next.")
		}
		p.say(path, "Strictly necessary cookies: %s.%s", p.t.list(c.Cookies), without)
		return
	case "opt_in":
		p.say(path, "You are asked first about %s, and you can say no.", p.t.consentWords(name))
	case "opt_out":
		p.say(path, "You can say no to %s at any time.", p.t.consentWords(name))
	}
	for _, v := range c.Mode.Where {
		p.say(path+".mode."+v.Name, "Where the %s holds, you %s.", p.t.law(v.Name), p.t.of(modeWords[v.Value]))
	}
	if c.Scope.Has("asset") && !c.Scope.Has("subject") {
		p.say(path+".scope", "You are asked for each picture by itself.")
	}
	if c.Requires != "" {
		p.say(path+".requires", "It counts only together with your yes to %s.", p.t.consentWords(c.Requires))
	}
	if c.Expires.Said() {
		p.say(path+".expires", "A yes holds for %s; then you are asked again.", p.t.span(c.Expires))
	}
	if len(c.Cookies) > 0 {
		p.say(path+".cookies", "Its cookies: %s.", p.t.list(c.Cookies))
	}
	if c.WhenOff == "quality_may_suffer" {
		p.say(path+".when_off", "If you say no, what you are shown may suit you less well.")
	}
	if c.Gpc == "refuse" {
		p.say(path+".gpc", "A browser that sends Global Privacy Control has said no already.")
	}
}
