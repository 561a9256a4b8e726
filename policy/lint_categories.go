package policy

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"musa"
)

func lintCategories(l *linter) {
	var known []string
	for _, c := range musa.Categories() {
		known = append(known, string(c))
		if !l.d.Categories.Has(string(c)) {
			l.fault("categories", fmt.Sprintf("`%s` is not defined", c),
				fmt.Sprintf("add `%s: {is: […]}`, a purpose that uses it and a rule that ends it", c))
		}
	}
	for _, e := range l.d.Categories {
		path := "categories." + e.Name
		if !slices.Contains(known, e.Name) {
			l.fault(path, "not a category that the program holds", "take it out; the program's list is fixed")
		}
		if len(e.Value.Is) == 0 {
			l.fault(path, "does not say what it is", "name it in fideslang's words, such as `is: [user.content.private]`")
		}
		for i, is := range e.Value.Is {
			user := strings.HasPrefix(is, "user.")
			if !user && !strings.HasPrefix(is, "system.") {
				l.fault(item(path+".is", i), "not a word of the taxonomy", "write one that begins with user. or system.")
			}
			if user && e.Value.Personal.Off() {
				l.fault(path+".personal", "says that it is not personal, and that it is about a user", "take `personal: false` out, or the word that begins with user.")
			}
		}
	}
}

func lintTreatment(l *linter) {
	for _, e := range l.d.Categories {
		path, c := "categories."+e.Name, e.Value
		l.declared(path+".readers", c.Readers, "roles.instance", l.d.Roles.Instance.Names())
		if n, err := strconv.ParseFloat(c.Noise.Epsilon, 64); c.Noise.Epsilon != "" && (err != nil || !(n > 0) || math.IsInf(n, 0)) {
			l.fault(path+".noise.epsilon", "not a budget", "write a number above 0, such as 1.0")
		}
		switch musa.Category(e.Name) {
		case musa.CategoryCredential:
			if !c.NeverExport.On() {
				l.fault(path, "credentials could be exported", "write `never_export: true`")
			}
		case musa.CategoryPayment:
			if !c.ForbidFields.Has("pan") || !c.ForbidFields.Has("cvv") {
				l.fault(path, "card numbers are not forbidden", "write `forbid_fields: [pan, cvv]`")
			}
		case musa.CategoryEvidence:
			if !c.HoldOnly.On() {
				l.fault(path, "evidence could be held without a hold", "write `hold_only: true`")
			}
		case musa.CategoryUsageTotal:
			if !c.Collected.Off() && c.MinGroup.Value() < 2 {
				l.fault(path, "a total of one person is that person's", "write the smallest group that is shown, such as `min_group: 20`")
			}
		}
	}
}

// The purposes that the program itself asks for; without one of them it could not do what
// the rest of the document promises.
var needed = []musa.Purpose{
	musa.PurposeGenerate, musa.PurposeDeliver, musa.PurposeAnswerRights, musa.PurposeSecure, musa.PurposeProve,
}

var bases = []string{
	"contract", "consent", "legal_obligation", "legitimate_interest", "vital_interest", "public_task", "none_anonymous",
}

func lintPurposes(l *linter) {
	for _, p := range needed {
		if !l.d.Purposes.Has(string(p)) {
			l.fault("purposes", fmt.Sprintf("`%s` is not declared", p), "declare it: the program opens data for it")
		}
	}
	for _, e := range l.d.Purposes {
		path, p := "purposes."+e.Name, e.Value
		l.said(path+".basis", p.Basis.Default, "say on which basis of GDPR art. 6 it rests: "+either(bases))
		l.regimes(path+".basis", p.Basis)
		if len(p.Uses) == 0 {
			l.fault(path, "uses nothing", "name the categories under `uses`, or take the purpose out")
		}
		l.declared(path+".uses", p.Uses, "categories", l.d.Categories.Names())
		rests := p.Basis.All()
		if slices.Contains(rests, "consent") && p.Consent == "" {
			l.fault(path, "rests on a consent that it does not name", "name one of consents under `consent`")
		}
		if slices.Contains(rests, "legitimate_interest") && p.Assessment == "" && p.Consent == "" {
			l.fault(path, "claims an interest that nobody has weighed", "name the balancing test under `assessment`")
		}
		if p.Consent != "" && !l.d.Consents.Has(p.Consent) {
			l.fault(path+".consent", fmt.Sprintf("`%s` is not declared under consents", p.Consent), "declare it there, or take it out here")
		}
		if e.Name == "moderate" && !p.HumanReview.On() {
			l.fault(path, "a machine would decide alone", "write `human_review: true` (GDPR art. 22)")
		}
	}
}

func lintPurposeUse(l *linter) {
	used := make(map[string]bool)
	for _, e := range l.d.Purposes {
		path := "purposes." + e.Name
		for i, c := range e.Value.Uses {
			used[c] = true
			if slices.Contains(e.Value.Basis.All(), "none_anonymous") && l.d.Categories.Has(c) && l.personal(c) {
				l.fault(item(path+".uses", i), "personal, under a basis for what is not", "name a basis of GDPR art. 6, or use totals only")
			}
			line, _ := l.d.Categories.Get(c)
			if line.HoldOnly.On() && e.Name != "hold" && e.Name != "disclose" {
				l.fault(item(path+".uses", i), "held for a hold only", "leave it to the purposes hold and disclose")
			}
		}
	}
	for _, name := range l.d.Categories.Names() {
		if !used[name] {
			l.fault("categories."+name, "no purpose uses it", "add it to a purpose's `uses`: what serves nothing may not be held")
		}
	}
	answer, ok := l.d.Purposes.Get(string(musa.PurposeAnswerRights))
	for _, c := range []musa.Category{musa.CategoryOriginal, musa.CategoryOutput, musa.CategoryPrompt, musa.CategoryHistory} {
		if ok && !answer.Uses.Has(string(c)) {
			l.fault("purposes.answer_rights.uses", fmt.Sprintf("`%s` could not be shown to the person whose it is", c), "add it (GDPR art. 15)")
		}
	}
}

// regimes finds a value that differs under a law that the document does not know.
func (l *linter) regimes(path string, v Varied) {
	for _, e := range v.Where {
		if !l.d.Regimes.Has(e.Name) {
			l.fault(path+"."+e.Name, fmt.Sprintf("`%s` is not declared under regimes", e.Name), "declare it there, or take it out here")
		}
	}
}
