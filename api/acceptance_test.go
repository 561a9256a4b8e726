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
	text := string(doc.YAML())
	terms, changes, found := strings.Cut(text, "\nchanges:")
	if !found || !strings.Contains(terms, "accept: by_use") || !strings.Contains(changes, "accept: by_use") {
		t.Fatal("the preset no longer says `accept: by_use` for its terms and its changes")
	}
	changes = strings.Replace(changes, "accept: by_use", "accept: by_click", 1)
	s := musatest.New(t, musatest.Rig{Policy: terms + "\nchanges:" + changes})
	g := s.Guest()
	var is api.Agreement
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/acceptance", nil), &is)
	p := g.Problem(http.StatusForbidden, g.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance"}))
	if is.Accept != "by_click" || p.Code != "accept_first" {
		t.Errorf("it says %q and refuses as %q", is.Accept, p.Code)
	}
}
