package api_test

import (
	"net/http"
	"strings"
	"testing"

	"musa/api"
	"musa/musatest"
	"musa/policies"
)

// What is said about accepting is what is done: a policy that wants a click, for its terms or for its
// changes, refuses making before one, and says so.
func TestWhatIsSaidAboutAcceptingIsWhatIsDone(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc.YAML())
	for _, line := range []string{"terms:", "changes:"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			before, after, found := strings.Cut(text, "\n"+line)
			at := strings.Index(after, "accept: by_use")
			if !found || at < 0 || strings.Contains(after[:at], "\nchanges:") {
				t.Fatal("the preset no longer says `accept: by_use` there")
			}
			s := musatest.New(t, musatest.Rig{Policy: before + "\n" + line + strings.Replace(after, "accept: by_use", "accept: by_click", 1)})
			g := s.Guest()
			var is api.Agreement
			g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/acceptance", nil), &is)
			p := g.Problem(http.StatusForbidden, g.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance"}))
			if is.Accept != "by_click" || p.Code != "accept_first" {
				t.Errorf("it says %q and refuses as %q", is.Accept, p.Code)
			}
		})
	}
}
