package vault_test

import (
	"errors"
	"testing"

	"musa"
	"musa/policies"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

// What is another's opens only after its use was entered, and not at all where it cannot be.
func TestNothingOfAnothersOpensUnentered(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	doc := moderated(t)
	by := musa.Actor{Subject: "su_00000000000000000000000000", Role: musa.RoleModerator}
	grant := doc.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: by, Purpose: "moderate", Item: vault.AssetItem(s.opening.Asset)})
	if !grant.Accounted() {
		t.Fatalf("a moderator's grant is not accounted: %v", grant.Err())
	}
	v, locked := s.Eraser.Vault, vault.LockedAsset(s.opening)
	var info studio.Info
	opens := func() (errs [2]error) {
		errs[0] = v.OpenRecord(grant, locked, &info)
		c, err := v.Open(t.Context(), grant, locked, s.blob)
		if errs[1] = err; err == nil {
			c.Close()
		}
		return errs
	}
	for _, err := range opens() {
		if !errors.Is(err, vault.ErrUnaccounted) {
			t.Errorf("unentered it is answered with %v", err)
		}
	}
	uses := func() int {
		list, err := s.Accounts.Uses(t.Context(), musa.Actor{Subject: s.opening.Asset.Owner}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := uses(); n != 0 {
		t.Errorf("%d uses of what nobody opened", n)
	}
	use, err := v.Enter(t.Context(), by, grant, "a report")
	if err != nil {
		t.Fatal(err)
	}
	if n := uses(); n != 1 {
		t.Errorf("%d uses after one was entered", n)
	}
	if err := use.OpenRecord(locked, &info); err != nil || info.Name == "" {
		t.Errorf("entered it does not open: %v", err)
	}
	if _, err := v.Enter(t.Context(), by, policy.Grant{}, "no grant"); !errors.Is(err, vault.ErrNoGrant) {
		t.Errorf("without a grant a use is entered: %v", err)
	}
	if err := (vault.Use{}).OpenRecord(locked, &info); !errors.Is(err, vault.ErrNoGrant) {
		t.Errorf("the zero use opens: %v", err)
	}
	own := s.OwnSQL()
	defer own.Close()
	if _, err := own.Exec("DROP TABLE audit_events"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Enter(t.Context(), by, grant, "unwritten"); err == nil {
		t.Error("a use that could not be written may open")
	}
}

// moderated is the studio preset with people who look at reported originals.
func moderated(t *testing.T) *policy.Document {
	t.Helper()
	const text = `extends: studio
policy: moderated
version: 2026-11-22.1
effective: 2026-11-22
roles: {instance: {operator: [], moderator: [moderate], compliance: [hold]}}
purposes:
  moderate: {basis: legitimate_interest, uses: [original], human_review: true, assessment: doc/assessments/moderate.md}
`
	doc, err := policies.Parse("./moderated.yaml", func(string) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
