package policy

import (
	"fmt"
	"slices"
	"time"

	"musa"
)

func lintLifecycle(l *linter) {
	c := l.d.Lifecycle
	if c.Hide.Within.Duration() != 0 {
		l.fault("lifecycle.hide.within", "what is due could still be opened", "write `hide: {within: 0s}`")
	}
	for _, s := range []struct {
		path string
		step Step
		how  string
	}{{"lifecycle.erase", c.Erase, "key_destroyed"}, {"lifecycle.purge", c.Purge, "bytes_removed"}} {
		if !s.step.Within.Said() || s.step.Within.Indefinite() {
			l.fault(s.path, "no bound that can be checked", "say how soon under `within`, such as 60s")
		}
		if s.step.How != s.how {
			l.fault(s.path, "not what the program does", fmt.Sprintf("write `how: %s`", s.how))
		}
	}
	if c.Purge.Within.Duration() < c.Erase.Within.Duration() {
		l.fault("lifecycle.purge.within", "bytes would go before their key", "give it at least the time of erase")
	}
	l.backup(c.Backup)
}

func (l *linter) backup(b Backup) {
	const path = "lifecycle.backup"
	if !b.Every.Said() {
		return
	}
	if !b.Within.Said() || b.Within.Indefinite() {
		l.fault(path, "erased items never leave the backups", "say under `within` when the last copy is gone, such as 14d")
	}
	if b.Keys != "apart" {
		l.fault(path, "keys would lie beside what they open", "write `keys: apart`")
	}
	if !b.ReplayErasuresOnRestore.On() {
		l.fault(path, "a restore would bring erased items back", "write `replay_erasures_on_restore: true`")
	}
	if !b.Rehearse.Said() {
		l.fault(path, "a backup that nobody tries", "say how often one is restored under `rehearse`, such as 7d")
	}
	l.declared(path+".leaves_out", b.LeavesOut, "categories", l.d.Categories.Names())
	for i, c := range b.LeavesOut {
		if l.d.Categories.Has(c) && !slices.Contains(leavable, musa.Category(c)) {
			l.fault(item(path+".leaves_out", i), fmt.Sprintf("without `%s` no restore is whole, so copies hold it", c),
				"take it out: only what people make and write can be left out, such as scratch")
		}
	}
}

// leavable are the categories that a copy can do without: nothing else in a store hangs on them.
var leavable = []musa.Category{musa.CategoryOriginal, musa.CategoryOutput, musa.CategoryScratch, musa.CategoryPrompt, musa.CategoryLibraryPrompt,
	musa.CategoryConversation, musa.CategoryHistory, musa.CategoryInteraction, musa.CategoryFeedback}

// gdprRights are those that the GDPR gives everybody whose data is held.
var gdprRights = []string{"access", "rectification", "erasure", "restriction", "portability", "objection", "withdraw"}

const month = 30 * 24 * time.Hour

func lintRights(l *linter) {
	for _, name := range gdprRights {
		if l.underGDPR() && !l.d.Rights.Has(name) {
			l.fault("rights", fmt.Sprintf("`%s` is missing", name), "add it: the GDPR gives it to everybody")
		}
	}
	for _, e := range l.d.Rights {
		path, r := "rights."+e.Name, e.Value
		switch {
		case !r.Within.Said() || r.Within.Indefinite():
			l.fault(path, "a right without a deadline", "say how soon under `within`, such as 1mo")
		case l.underGDPR() && r.Gdpr != "" && r.Within.Duration() > month+24*time.Hour:
			l.fault(path+".within", "later than the GDPR allows", "write at most 1mo (art. 12(3))")
		}
		if l.underGDPR() && r.Extend.Duration() > 2*month+48*time.Hour {
			l.fault(path+".extend", "longer than the GDPR allows", "write at most 2mo (art. 12(3))")
		}
		if r.Gdpr == "" && r.Ccpa == "" {
			l.fault(path, "no law gives it", "name the article under `gdpr` or the section under `ccpa`")
		}
		if r.Ccpa != "" && !l.d.Regimes.Has("ccpa") {
			l.fault(path+".ccpa", "`ccpa` is not declared under regimes", "declare it there, or take it out here")
		}
		for _, other := range r.Elsewhere {
			below := path + ".elsewhere." + other.Name
			if !l.d.Regimes.Has(other.Name) {
				l.fault(below, fmt.Sprintf("`%s` is not declared under regimes", other.Name), "declare it there, or take it out here")
			}
			if !other.Value.Within.Said() {
				l.fault(below, "a right without a deadline", "say how soon under `within`, such as 45d")
			}
		}
	}
}

// maxUndo bounds how long an ordered erasure may wait: an undo is for a slip of the hand.
const maxUndo = time.Hour

func lintRightsUse(l *linter) {
	purposes := l.d.Purposes.Names()
	for _, e := range l.d.Rights {
		path := "rights." + e.Name
		l.declared(path+".keeps", e.Value.Keeps, "purposes", purposes)
		l.declared(path+".purposes", e.Value.Purposes, "purposes", purposes)
		if e.Value.Undo.Duration() > maxUndo {
			l.fault(path+".undo", "an order that waits longer than an hour is no order", "write a shorter time, such as 10s, and use `grace` for second thoughts")
		}
	}
	objection, ok := l.d.Rights.Get("objection")
	for _, e := range l.d.Purposes {
		interest := slices.Contains(e.Value.Basis.All(), "legitimate_interest") && e.Value.Consent == ""
		if ok && interest && !objection.Purposes.Has(e.Name) {
			l.fault("rights.objection", fmt.Sprintf("nobody could object to `%s`", e.Name), "add it to `purposes` (GDPR art. 21)")
		}
	}
	for _, e := range l.d.OffSwitch {
		l.declared("off_switch."+e.Name, e.Value, "categories", l.d.Categories.Names())
	}
}
