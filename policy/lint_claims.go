package policy

import (
	"fmt"
	"slices"
	"strconv"
)

func lintAge(l *linter) {
	a := l.d.Age
	if a.Minimum.Default == "" {
		l.fault("age", "no minimum age", "say it under `minimum`, such as `{default: 16, US: 13}`")
		return
	}
	for _, v := range a.Minimum.All() {
		if n, err := strconv.Atoi(v); err != nil || n < 13 || n > 21 {
			l.fault("age.minimum", "not an age from which people may decide alone", "write whole years from 13 to 21")
		}
	}
	for _, e := range a.Minimum.Where {
		if !placeName.MatchString(e.Name) {
			l.fault("age.minimum."+e.Name, "not a place", "write a country such as GB")
		}
	}
	if a.Reported.Suspend.Said() && !a.Reported.Erase.Said() {
		l.fault("age.reported", "a reported child's data would stay", "say how soon it goes under `erase`, such as 72h")
	}
}

func lintSale(l *linter) {
	s := l.d.Sale
	for _, w := range []struct{ path, word string }{{"sale.sells", s.Sells}, {"sale.shares", s.Shares}} {
		l.said(w.path, w.word, "write `never`, or `with_opt_out`")
		if w.word != "" && w.word != "never" && !l.d.Rights.Has("opt_out_sale") {
			l.fault(w.path, "nobody could opt out", "add `opt_out_sale` to rights, or write `never`")
		}
	}
	if len(s.BusinessTransfer.Offer) > 0 && !s.BusinessTransfer.Notice.Said() {
		l.fault("sale.business_transfer", "people would hear of it too late", "say how long before under `notice`, such as 30d")
	}
}

// claims are those that the program has a self-test for.
var claims = []string{"encrypted_at_rest", "per_subject_keys", "argon2id_passwords", "audit_log", "backups", "roles"}

func lintSecurity(l *linter) {
	s := l.d.Security
	for i, c := range s.Claims {
		path := item("security.claims", i)
		if !slices.Contains(claims, c) {
			l.fault(path, fmt.Sprintf("`%s` is a claim without a self-test", c), "claim only what the program can test: "+either(claims))
			continue
		}
		if missing := l.unfounded(c); missing != "" {
			l.fault(path, fmt.Sprintf("`%s` rests on nothing in this document", c), "add "+missing+", or take the claim out")
		}
	}
	if s.Caveat != "none_is_perfect" {
		l.fault("security.caveat", "claims without saying that none is perfect", "write `caveat: none_is_perfect`")
	}
	if s.Audits.Every.Indefinite() {
		l.fault("security.audits.every", "an audit that never comes", "name a time, such as 90d")
	}
	if t := s.Incident.TellAuthority; t.Said() && l.underGDPR() && t.Duration().Hours() > 72 {
		l.fault("security.incident.tell_authority", "later than the GDPR allows", "write at most 72h (art. 33)")
	}
}

// unfounded names what a claim needs elsewhere in the document and does not find.
func (l *linter) unfounded(claim string) string {
	switch {
	case claim == "backups" && !l.d.Lifecycle.Backup.Every.Said():
		return "lifecycle.backup"
	case claim == "roles" && len(l.d.Roles.Instance) == 0:
		return "roles.instance"
	}
	return ""
}

func lintChanges(l *linter) {
	c := l.d.Changes
	if c.LongerRetention != "new_records_only" {
		l.fault("changes.longer_retention", "a new version could lengthen what people were promised", "write `longer_retention: new_records_only`")
	}
	if len(c.Material.Notify) == 0 {
		l.fault("changes.material", "nobody hears of a change", "say where under `notify`: page, banner, email")
	}
	if !c.Material.Lead.Said() {
		l.fault("changes.material", "a change without warning", "say how long before under `lead`, such as 30d, or `lead: 0s` where it holds from its posting on")
	}
}
