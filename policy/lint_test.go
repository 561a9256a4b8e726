package policy_test

import (
	"strings"
	"testing"

	"musa/policy"
)

// A fault of a document: what is turned in the shape, which is without fault, and what
// Lint then says about which line.
type turned struct {
	name     string
	old, new string // in the text
	line     string // the beginning of the line at fault; empty: the line that was turned
	path     string
	reason   string
	more     int // faults that follow from the same change
}

func TestLint(t *testing.T) {
	t.Parallel()
	src := shape(t)
	var all []turned
	for _, group := range [][]turned{lintHead, lintCategories, lintPurposes, lintConsents, lintRetention, lintEnds, lintLifecycle, lintSharing, lintClaims, lintReach, lintTimes} {
		all = append(all, group...)
	}
	seen := make(map[string]bool)
	for _, c := range all {
		if seen[c.name] {
			t.Fatalf("two cases are called %q", c.name)
		}
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(src, c.old) != 1 {
				t.Fatalf("%q stands %d times in the shape", c.old, strings.Count(src, c.old))
			}
			text := strings.Replace(src, c.old, c.new, 1)
			line := lineOf(text, c)
			faults := parse(t, text).Lint()
			found := false
			for _, f := range faults {
				if f.Path == c.path && strings.Contains(f.Reason, c.reason) {
					found = true
					if f.Line != line || f.Column == 0 || f.Remedy == "" || f.File != "test.yaml" {
						t.Errorf("%v\nwant line %d, a column and a remedy", f, line)
					}
				}
			}
			if !found || len(faults) != 1+c.more {
				t.Errorf("faults:\n%v\nwant %s: %s and %d more", faults, c.path, c.reason, c.more)
			}
		})
	}
	if len(all) < 50 {
		t.Errorf("%d faults are tried, want 50", len(all))
	}
}

func lineOf(text string, c turned) int {
	if c.line == "" {
		first := strings.Index(text, c.new)
		return 1 + strings.Count(text[:first], "\n")
	}
	for i, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), c.line) {
			return i + 1
		}
	}
	return -1
}

func TestLintOfNothingIsNotEmpty(t *testing.T) {
	t.Parallel()
	faults := parse(t, "policy: a\n").Lint()
	if len(faults) < 30 {
		t.Errorf("only %d faults", len(faults))
	}
	var empty policy.Document
	if len(empty.Lint()) == 0 {
		t.Error("a document that nobody wrote has no fault")
	}
}

func TestLintWantsAnOptOutFromSale(t *testing.T) {
	t.Parallel()
	text := strings.Replace(shape(t), "shares: never", "shares: with_opt_out", 1)
	if faults := parse(t, text).Lint(); len(faults) != 0 {
		t.Errorf("with an opt-out:\n%v", faults)
	}
	faults := parse(t, strings.Replace(text, "  opt_out_sale:", "  human_review_too:", 1)).Lint()
	for _, f := range faults {
		if f.Path == "sale.shares" && strings.Contains(f.Reason, "nobody could opt out") {
			return
		}
	}
	t.Errorf("without an opt-out:\n%v", faults)
}

func TestLintWantsToKnowWhoIsSentData(t *testing.T) {
	t.Parallel()
	before, after, _ := strings.Cut(shape(t), "processors:\n")
	_, after, _ = strings.Cut(after, "infrastructure:")
	for _, c := range []struct {
		written string
		faults  int
	}{{"processors: {}\n", 0}, {"", 1}} {
		if faults := parse(t, before+c.written+"infrastructure:"+after).Lint(); len(faults) != c.faults {
			t.Errorf("with %q: %v", c.written, faults)
		}
	}
}
