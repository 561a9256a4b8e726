package consent_test

import (
	"slices"
	"strings"
	"testing"

	"musa"
	"musa/consent"
	"musa/policies"
	"musa/policy"
)

// What a page says is on is what a decision allows. Where the law has people say no, but the policy
// rests the purpose on their yes all the same, nothing is done before they said it.
func TestOnIsWhatIsAllowed(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("conversational", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc.YAML())
	const was, basis = "mode: opt_in, scope: [subject, asset], expires: 24mo", "train: {basis: consent,"
	if !strings.Contains(text, was) || !strings.Contains(text, basis) {
		t.Fatalf("the preset no longer says %q and %q", was, basis)
	}
	text = strings.Replace(text, was, "mode: {default: opt_in, ccpa: opt_out}, scope: [subject, asset], gpc: refuse", 1)
	for name, text := range map[string]string{
		"their yes":   text,
		"an interest": strings.Replace(text, basis, "train: {basis: {default: consent, ccpa: legitimate_interest}, assessment: doc/assessments/secure.md,", 1),
	} {
		doc, err := policies.Parse("./test.yaml", func(string) ([]byte, error) { return []byte(text), nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, region := range []string{"US-CA", "DE", "BR", ""} {
			for _, st := range []musa.Standing{{}, {Consents: []string{"training"}}, {Objections: []musa.Purpose{musa.PurposeTrain}}} {
				st.Region = region
				by := musa.Actor{Subject: "su_1", Tier: musa.TierMember, Role: musa.RoleSystem, Standing: st}
				item := policy.Item{ID: "as_1", Owner: "su_1", Category: musa.CategoryOutput, Tier: musa.TierMember, Created: 1}
				grant := doc.Decide(policy.Ask(1, by, musa.PurposeTrain, item))
				may := grant.Allowed()
				lines := consent.Asked(doc, st).Lines
				i := slices.IndexFunc(lines, func(l consent.Line) bool { return l.Name == "training" })
				if lines[i].On != may {
					t.Errorf("resting on %s, in %q with %+v: said to be on: %v, allowed: %v (%v)", name, region, st, lines[i].On, may, grant.Err())
				}
			}
		}
	}
}
