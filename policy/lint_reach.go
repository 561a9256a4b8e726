package policy

import (
	"fmt"
	"slices"
	"strings"

	"musa"
)

// ownEvents are events that come to one kind of data alone.
var ownEvents = map[string]musa.Category{
	fromSent: musa.CategoryMail, fromTransaction: musa.CategoryPayment, fromHoldOpened: musa.CategoryEvidence,
}

func lintOwnEvents(l *linter) {
	for i, r := range l.d.Retention {
		path := item("retention", i)
		only, own := ownEvents[r.From]
		for _, c := range r.For {
			if own && c != string(only) {
				l.fault(path+".from", fmt.Sprintf("`%s` comes to `%s` alone: for `%s` it never comes", r.From, only, c), "begin at another event, such as created")
			}
		}
		if r.Restricted.On() && r.From != fromClosed {
			l.fault(path+".restricted", "restricted from its making on: nobody could ever use it", "begin at `account_closed`, or take `restricted` out")
		}
		if r.Release != "" {
			l.declared(path+".release", Words{r.Release}, "roles.instance", l.d.Roles.Instance.Names())
		}
	}
}

// lintReach looks at what leaves the house.
func lintReach(l *linter) {
	for _, e := range l.d.Processors {
		path, p := "processors."+e.Name, e.Value
		if p.From == "browser" && len(p.Cookies) == 0 && !l.consented(p.For) {
			l.fault(path+".from", "is loaded in people's browsers without a consent", "serve a purpose that names a consent, or send from the server")
		}
		for i, name := range p.Gets {
			c, _ := l.d.Categories.Get(name)
			if c.NeverExport.On() || c.Keys == "holder_only" {
				l.fault(item(path+".gets", i), fmt.Sprintf("`%s` never leaves the house", name), "take it out")
			}
		}
	}
	if s := l.d.Controller.Site; s != "" && !strings.HasPrefix(s, "https://") {
		l.fault("controller.site", "not a safe address", "write one that begins with https://")
	}
	if l.d.Terms.Accept != "" && l.d.Terms.Version == "" {
		l.fault("terms", "accepted in no version", "name the terms' version under `version`")
	}
	moderate, ok := l.d.Purposes.Get("moderate")
	for i, c := range l.d.Moderation.LooksAt {
		if ok && l.d.Categories.Has(c) && !moderate.Uses.Has(c) {
			l.fault(item("moderation.looks_at", i), fmt.Sprintf("purpose `moderate` does not use `%s`, so it could not be opened", c), "add it to that purpose's `uses`, or take it out here")
		}
	}
}

// lintHeld looks at holds, receipts and consents that could not do what they are for.
func lintHeld(l *linter) {
	h := l.d.Holds
	evidence, ok := l.d.Categories.Get(string(musa.CategoryEvidence))
	if ok && !evidence.Collected.Off() && h.Role == "" {
		l.fault("categories.evidence", "held, and nobody may place or release a hold", "say under `holds` which role may, or write `collected: false`")
	}
	if may, ok := l.d.Roles.Instance.Get(h.Role); ok && !may.Has(string(musa.PurposeHold)) {
		l.fault("holds.role", fmt.Sprintf("role `%s` may not open what it holds", h.Role), "add the purpose hold to it under roles.instance")
	}
	if len(l.d.Lifecycle.Receipt.Per) == 0 {
		l.fault("lifecycle.receipt", "an erasure that nobody can check", "write `receipt: {per: [subject, batch]}`")
	}
	for _, e := range l.d.Consents {
		chain, at := Words{e.Name}, e.Value.Requires
		for at != "" && !chain.Has(at) {
			next, _ := l.d.Consents.Get(at)
			chain, at = append(chain, at), next.Requires
		}
		if len(chain) > 1 && at == e.Name {
			l.fault("consents."+e.Name+".requires", "requires itself in the end: "+strings.Join(chain, ", "), "let one of them stand alone")
		}
	}
	for _, e := range l.d.Rights {
		for _, s := range []struct {
			name string
			span Span
		}{{"undo", e.Value.Undo}, {"grace", e.Value.Grace}, {"extend", e.Value.Extend}} {
			if s.span.Indefinite() {
				l.fault("rights."+e.Name+"."+s.name, "never over: the right would come to nothing", "name a time")
			}
		}
	}
	if r, ok := l.d.Rights.Get("objection"); ok {
		for i, name := range r.Purposes {
			p, declared := l.d.Purposes.Get(name)
			if declared && !slices.ContainsFunc(p.Basis.All(), mayObject) {
				l.fault(item("rights.objection.purposes", i), fmt.Sprintf("`%s` rests on no interest: an objection would change nothing", name), "take it out; what rests on consent is withdrawn")
			}
		}
	}
}

func mayObject(basis string) bool { return basis == "legitimate_interest" || basis == "public_task" }
