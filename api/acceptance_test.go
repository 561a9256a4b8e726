package api_test

import (
	"net/http"
	"strings"
	"testing"

	"musa/api"
	"musa/musatest"
	"musa/policies"
)

// What is said about accepting is what is done: a policy that wants a click for its changes refuses
// making before one, and says so.
func TestWhatIsSaidAboutAcceptingIsWhatIsDone(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	const was = "lead: 30d}, accept: by_use"
	if !strings.Contains(string(doc.YAML()), was) {
		t.Fatalf("the preset no longer says %q", was)
	}
	s := musatest.New(t, musatest.Rig{Policy: strings.Replace(string(doc.YAML()), was, "lead: 30d}, accept: by_click", 1)})
	g := s.Guest()
	var is api.Agreement
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/acceptance", nil), &is)
	p := g.Problem(http.StatusForbidden, g.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance"}))
	if is.Accept != "by_click" || p.Code != "accept_first" {
		t.Errorf("it says %q and refuses as %q", is.Accept, p.Code)
	}
}
