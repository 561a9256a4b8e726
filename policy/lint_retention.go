package policy

import (
	"fmt"
	"slices"

	"musa"
)

var events = []string{
	fromCreated, fromJobEnded, fromClosed, fromLastSeen, fromSuperseded, fromSent, fromTransaction, fromHoldOpened,
}

func lintRules(l *linter) {
	for i, r := range l.d.Retention {
		path := item("retention", i)
		if len(r.For) == 0 {
			l.fault(path, "for nothing", "name the categories under `for`")
		}
		l.declared(path+".for", r.For, "categories", l.d.Categories.Names())
		l.declared(path+".tier", r.Tier, "tiers", l.d.Tiers.Names())
		for _, w := range r.When {
			if r.Unless.Has(w) {
				l.fault(path, fmt.Sprintf("asks for `%s` and forbids it: it never applies", w), "keep `when` or `unless`")
			}
		}
		if r.SameAs != "" {
			l.sameAs(path, r)
			continue
		}
		switch {
		case !r.Keep.Said():
			l.fault(path, "no duration", "say how long under `keep`, such as `keep: 24h`")
		case r.Keep.Indefinite():
			l.indefinite(path, r)
		case r.From == "":
			l.fault(path, "a duration that begins nowhere", "say under `from` when it begins: "+either(events))
		}
	}
}

func (l *linter) indefinite(path string, r Rule) {
	for _, c := range r.For {
		if l.personal(c) {
			l.fault(path+".keep", fmt.Sprintf("`%s` is personal and would never end", c), "name a time; only what is not personal may be kept without end")
		}
	}
}

func (l *linter) sameAs(path string, r Rule) {
	if r.Keep.Said() || r.From != "" {
		l.fault(path, "takes another's time and names its own", "keep `same_as`, or `from` and `keep`")
	}
	if r.For.Has(r.SameAs) || !l.d.Categories.Has(r.SameAs) {
		l.fault(path+".same_as", "not another category", "name the category whose time it takes")
		return
	}
	for _, other := range l.d.Retention {
		if other.For.Has(r.SameAs) && other.SameAs == "" {
			return
		}
	}
	l.fault(path+".same_as", fmt.Sprintf("`%s` has no time of its own", r.SameAs), "name a category with a `keep`")
}

// jobs is what a job makes or uses; for all else "job_ended" never comes.
var jobs = []string{
	string(musa.CategoryOriginal), string(musa.CategoryOutput), string(musa.CategoryPrompt), string(musa.CategoryHistory), string(musa.CategoryScratch),
}

func lintRuleEvents(l *linter) {
	for i, r := range l.d.Retention {
		path := item("retention", i)
		for _, c := range r.For {
			switch {
			case r.From == fromJobEnded && !slices.Contains(jobs, c):
				l.fault(path+".from", fmt.Sprintf("no job ever uses `%s`: the event never comes", c), "begin at another event")
			case r.From == fromJobEnded && c != string(musa.CategoryScratch), r.From == fromSent:
				// Scratch is made inside a job, and every job ends.
				if !l.fallsBack(c, r) {
					l.fault(path+".from", fmt.Sprintf("`%s` would stay for ever where the event never comes", c), "add a rule that begins at `created`")
				}
			}
		}
		if r.From != fromClosed {
			continue
		}
		for _, name := range l.tiersOf(r) {
			if t, _ := l.d.Tiers.Get(name); t.Account.Off() {
				l.fault(path+".from", fmt.Sprintf("tier `%s` has no account to close: the event never comes", name), "name the tiers with an account under `tier`, and another event for the others")
			}
		}
	}
}

func (l *linter) tiersOf(r Rule) []string {
	if len(r.Tier) > 0 {
		return r.Tier
	}
	return l.d.Tiers.Names()
}

// fallsBack says whether in every tier that the rule reaches another one begins at the
// item's own making.
func (l *linter) fallsBack(category string, r Rule) bool {
	for _, tier := range l.tiersOf(r) {
		found := false
		for _, other := range l.d.Retention {
			reaches := len(other.Tier) == 0 || other.Tier.Has(tier)
			found = found || (other.For.Has(category) && reaches && other.From == fromCreated)
		}
		if !found {
			return false
		}
	}
	return true
}

func lintRuleChoices(l *linter) {
	for i, r := range l.d.Retention {
		path := item("retention", i)
		if len(r.Choices) == 0 {
			if len(r.SetBy) > 0 {
				l.fault(path+".set_by", "there is nothing to choose", "list the times under `choices`")
			}
			continue
		}
		if !slices.Contains(r.Choices, r.Keep) {
			l.fault(path+".choices", "the default is not among them", "add the time under `keep` to `choices`")
		}
		if len(r.SetBy) == 0 {
			l.fault(path+".choices", "nobody may choose", "say who under `set_by`: subject, workspace or project")
		}
		for n, c := range r.Choices {
			if c.Indefinite() {
				l.fault(item(path+".choices", n), "a choice without end", "name a time")
			}
			if slices.Contains(r.Choices[:n], c) {
				l.fault(item(path+".choices", n), "offered twice", "keep one")
			}
		}
	}
}

func lintRuleManner(l *linter) {
	for i, r := range l.d.Retention {
		path := item("retention", i)
		if r.Minimum.On() && r.Law == "" {
			l.fault(path, "a legal minimum without a law", "name the law under `law`")
		}
		if r.Then != "" && (!l.d.Categories.Has(r.Into) || l.personal(r.Into)) {
			l.fault(path, "made anonymous into nothing that is", "name a category with `personal: false` under `into`")
		}
		if r.OnTierLoss.Shorten.On() && !r.OnTierLoss.Notice.Said() {
			l.fault(path+".on_tier_loss", "shortens without a word", "say how long before under `notice`, such as 24h")
		}
		if r.From == fromHoldOpened && !r.Review.Said() {
			l.fault(path, "a hold that nobody looks at again", "say how often under `review`, such as 90d")
		}
		for n, other := range l.d.Retention[:i] {
			if c, same := rival(r, other); same {
				l.fault(path, fmt.Sprintf("ends `%s` under the same conditions as retention[%d]: the longer never decides", c, n), "keep one of them")
			}
		}
	}
}

// rival finds a category that two rules end from the same event, in one tier and under the
// same conditions.
func rival(a, b Rule) (string, bool) {
	alike := a.From == b.From && a.From != "" && a.SameAs == "" && b.SameAs == "" && a.Minimum == b.Minimum &&
		conditionOf(a.When) == conditionOf(b.When) && conditionOf(a.Unless) == conditionOf(b.Unless)
	if !alike || (len(a.Tier) > 0 && len(b.Tier) > 0 && !slices.ContainsFunc(a.Tier, b.Tier.Has)) {
		return "", false
	}
	for _, c := range a.For {
		if b.For.Has(c) {
			return c, true
		}
	}
	return "", false
}

// lintCoverage finds what no rule would ever end: a whole category, a tier, or what is
// saved. A tier that has no rule for a category cannot hold it, which suits guests and what
// needs an account, and nothing else.
func lintCoverage(l *linter) {
	for _, name := range l.d.Categories.Names() {
		var covered, bare []string
		accounts := 0
		for _, tier := range l.d.Tiers {
			if l.ends(name, tier.Name) {
				covered = append(covered, tier.Name)
				if tier.Value.Account.On() {
					accounts++
				}
				continue
			}
			if len(l.d.clauses(name, tier.Name)) > 0 {
				l.fault("categories."+name, fmt.Sprintf("in tier `%s` some of it never ends", tier.Name), "add a rule for what the conditions of its rules leave out, such as what is saved")
				covered = append(covered, tier.Name)
				continue
			}
			if tier.Value.Account.On() || slices.Contains(jobs, name) {
				bare = append(bare, tier.Name)
			}
		}
		if len(covered) == 0 {
			l.fault("categories."+name, "no rule ends it", "add one under retention, such as `{for: [ … ], from: created, keep: 24h}`")
			continue
		}
		for _, tier := range bare {
			if accounts > 0 || slices.Contains(jobs, name) {
				l.fault("categories."+name, fmt.Sprintf("no rule ends it in tier `%s`", tier), "add the tier to a rule under retention")
			}
		}
	}
}

// ends says whether a rule applies to the category in every state that can last: an item
// is saved or not for long, and in use only while a job runs.
func (l *linter) ends(category, tier string) bool {
	rules := l.d.clauses(category, tier)
	for _, state := range []condition{0, isSaved} {
		if !slices.ContainsFunc(rules, func(c clause) bool { return c.unless&state == 0 && c.when&^state == 0 }) {
			return false
		}
	}
	return true
}
