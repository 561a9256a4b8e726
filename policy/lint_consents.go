package policy

import (
	"fmt"
	"slices"
)

// strictlyNecessary are the cookies that the service does not work without; only these may
// be set on notice alone (ePrivacy directive, art. 5(3)).
var strictlyNecessary = []string{"musa_session", "musa_csrf", "musa_consent", "musa_signin"}

func lintConsents(l *linter) {
	owner := make(map[string]string)
	for _, e := range l.d.Consents {
		path, c := "consents."+e.Name, e.Value
		l.said(path+".mode", c.Mode.Default, "write notice_only, opt_in or opt_out")
		l.regimes(path+".mode", c.Mode)
		if l.underGDPR() && c.Mode.In("gdpr") == "opt_out" {
			l.fault(path+".mode", "opt-out where the GDPR needs opt-in", "write `mode: opt_in`, or `{default: opt_out, gdpr: opt_in}`")
		}
		if slices.Contains(c.Mode.All(), "opt_out") && c.Gpc != "refuse" {
			l.fault(path, "on by default, and deaf to Global Privacy Control", "write `gpc: refuse`")
		}
		if c.Expires.Indefinite() {
			l.fault(path+".expires", "a consent that never ends", "write a time after which it is asked again, such as 24mo")
		}
		for i, cookie := range c.Cookies {
			if first, double := owner[cookie]; double {
				l.fault(item(path+".cookies", i), fmt.Sprintf("`%s` stands under %s already", cookie, first), "a cookie has one consent: keep one line")
			}
			owner[cookie] = path
			if slices.Contains(c.Mode.All(), "notice_only") && !slices.Contains(strictlyNecessary, cookie) {
				l.fault(item(path+".cookies", i), fmt.Sprintf("`%s` is not strictly necessary, so notice is not enough", cookie), "move it under a consent with `mode: opt_in`")
			}
		}
	}
}

func lintConsentUse(l *linter) {
	asked := make(map[string]bool)
	for _, e := range l.d.Purposes {
		asked[e.Value.Consent] = e.Value.Consent != ""
		c, ok := l.d.Consents.Get(e.Value.Consent)
		if ok && slices.Contains(e.Value.Basis.All(), "consent") && c.Mode.Default == "notice_only" {
			l.fault("purposes."+e.Name+".consent", "rests on a consent that nobody is asked for", "give that consent `mode: opt_in`")
		}
	}
	for _, e := range l.d.Mails {
		asked[e.Value.Consent] = e.Value.Consent != ""
	}
	for _, e := range l.d.Consents {
		path, c := "consents."+e.Name, e.Value
		if c.Requires != "" && (c.Requires == e.Name || !l.d.Consents.Has(c.Requires)) {
			l.fault(path+".requires", "requires a consent that does not exist", "name another line of consents")
		}
		if !asked[e.Name] && !asked[c.Requires] && len(c.Cookies) == 0 {
			l.fault(path, "nothing uses this consent", "name it in a purpose, a mail or a cookie, or take it out: people are not asked for nothing")
		}
	}
	for _, e := range l.d.Mails {
		path := "mails." + e.Name
		switch {
		case e.Value.Consent == "" && !e.Value.Exempt.On():
			l.fault(path, "sent without a consent", "name a consent, or write `exempt: true` for what the service itself needs")
		case e.Value.Consent != "" && !l.d.Consents.Has(e.Value.Consent):
			l.fault(path+".consent", fmt.Sprintf("`%s` is not declared under consents", e.Value.Consent), "declare it there, or take it out here")
		}
	}
}
