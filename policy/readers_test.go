package policy_test

import (
	"strings"
	"testing"

	"musa"
	"musa/policy"
)

// Categories.readers names the roles that may read a category; another role that has a purpose
// which uses the category may not.
func TestDecideHoldsToReaders(t *testing.T) {
	t.Parallel()
	text := strings.Replace(shape(t), "moderator: [moderate]", "moderator: [moderate, secure]", 1)
	text = strings.Replace(text, "compliance: [hold, disclose]", "compliance: [hold, disclose, secure]", 1)
	d := parse(t, text)
	if faults := d.Lint(); len(faults) > 0 {
		t.Fatal(faults)
	}
	for role, want := range map[musa.Role]policy.Reason{musa.RoleCompliance: policy.ReasonNone, musa.RoleModerator: policy.ReasonRole} {
		for category, want := range map[musa.Category]policy.Reason{musa.CategoryGenerationLog: want, musa.CategorySecurityLog: policy.ReasonNone} {
			g := d.Decide(policy.Facts{Now: 10, Actor: musa.Actor{Subject: "su_staff", Role: role}, Purpose: musa.PurposeSecure,
				Item: policy.Item{ID: "x", Owner: "su_owner", Category: category, Tier: musa.TierMember, Created: 1}})
			if g.Reason() != want {
				t.Errorf("%s, %s: reason %d, want %d", role, category, g.Reason(), want)
			}
		}
	}
}
