package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Lint finds what contradicts itself, or promises what nobody can keep, in a document that
// Parse has read. No faults means that a server may start on it.
func (d *Document) Lint() Faults {
	l := &linter{d: d}
	for _, look := range []func(*linter){
		lintWords, lintHead, lintTiers, lintRoles,
		lintCategories, lintTreatment, lintPurposes, lintPurposeUse, lintConsents, lintConsentUse,
		lintRules, lintRuleEvents, lintRowEvents, lintOwnEvents, lintRuleChoices, lintRuleManner, lintCoverage,
		lintLifecycle, lintSpans, lintRights, lintRightsUse,
		lintProcessors, lintTransfers, lintModeration, lintOfficials, lintPlaces,
		lintReach, lintHeld, lintAge, lintSale, lintSecurity, lintChanges,
	} {
		look(l)
	}
	return l.faults.sorted()
}

type linter struct {
	d      *Document
	faults Faults
}

// fault points at a path, or at the nearest one above it that stands in the text.
func (l *linter) fault(path, reason, remedy string) {
	p, ok := l.d.at[path]
	for above := path; !ok && above != ""; p, ok = l.d.at[above] {
		above = above[:max(0, strings.LastIndexAny(above, ".["))]
	}
	if !ok {
		p = position{l.d.file, 1, 1}
	}
	l.faults = append(l.faults, Fault{File: p.file, Line: p.line, Column: p.column, Path: path, Reason: reason, Remedy: remedy})
}

// oneOf finds a word that the program does not know; an empty one is another look's matter.
func (l *linter) oneOf(path, word string, known ...string) {
	if word != "" && !slices.Contains(known, word) {
		l.fault(path, fmt.Sprintf("`%s` means nothing here", word), "write "+either(known))
	}
}

func (l *linter) allOf(path string, words Words, known ...string) {
	for i, w := range words {
		if !slices.Contains(known, w) {
			l.fault(item(path, i), fmt.Sprintf("`%s` means nothing here", w), "write "+either(known))
		}
	}
}

// declared finds words that another section should have a line for.
func (l *linter) declared(path string, words Words, section string, names []string) {
	for i, w := range words {
		if !slices.Contains(names, w) {
			l.fault(item(path, i), fmt.Sprintf("`%s` is not declared under %s", w, section), "declare it there, or take it out here")
		}
	}
}

// said finds a line that has to be there.
func (l *linter) said(path, word, remedy string) {
	if word == "" {
		l.fault(path, "missing", remedy)
	}
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func either(known []string) string {
	if len(known) == 0 {
		return "nothing"
	}
	if len(known) == 1 {
		return "`" + known[0] + "`"
	}
	last := len(known) - 1
	return strings.Join(known[:last], ", ") + " or " + known[last]
}

func (l *linter) personal(category string) bool {
	c, ok := l.d.Categories.Get(category)
	return !ok || !c.Personal.Off()
}

func (l *linter) underGDPR() bool { return l.d.underGDPR() }
