package notice_test

import (
	"net/http"
	"strings"
	"testing"

	"musa"
	"musa/musatest"
	"musa/policies"
	"musa/rights"
)

// Somebody who tried to make something while they were suspended has not accepted anything by that:
// once they are let back, the click is asked for as before.
func TestATryWhileSuspendedAcceptsNothing(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(doc.YAML()), "accept: by_use", "accept: by_click", 2)
	s := musatest.New(t, musatest.Rig{Policy: text})
	staff := musa.Actor{Subject: "su_desk", Role: musa.RoleSupport}
	g := s.Guest()
	plan := func() string {
		ans := g.Do(http.MethodPost, "/api/plans", musatest.Order{"kind": "enhance", "inputs": []string{"as_00000000000000000000000000"}})
		return g.Problem(ans.Status, ans).Code
	}
	if code := plan(); code != "accept_first" {
		t.Fatalf("before a click it is refused as %s", code)
	}
	d := rights.Decision{Subject: g.Subject(), Reason: "a report"}
	if _, err := s.Rights.Suspend(t.Context(), staff, d); err != nil {
		t.Fatal(err)
	}
	plan() // refused for what it asks, and no acceptance of anything
	if err := s.Rights.Restore(t.Context(), staff, d); err != nil {
		t.Fatal(err)
	}
	if code := plan(); code != "accept_first" {
		t.Errorf("restored, it is refused as %s", code)
	}
}
