package house_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"musa"
	"musa/house"
	"musa/musatest"
	"musa/policies"
	"musa/policy"
)

// A page of another site may not act in the name of somebody who is signed in here.
func TestForeignPagesMayNotAct(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusCreated} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/guests", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", site)
		req.AddCookie(&http.Cookie{Name: "musa_session", Value: g.Token})
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a request from %s: %d, want %d", site, res.StatusCode, want)
		}
	}
}

// A node whose clock is off the database's is not ready: due times are judged by both.
func TestAClockThatIsOff(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Clock: musatest.RunningClock()})
	g := s.Guest()
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/readyz", nil), nil)
	s.Clock.Turn(600 * 1e6)
	g.Want(http.StatusServiceUnavailable, g.Do(http.MethodGet, "/readyz", nil), nil)
}

// Two presets count their versions each for itself: an operator may go from one to the
// other over the same store. The same version of one policy with other words is refused.
func TestPoliciesOverOneStore(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "studio"})
	reopen := func(doc *policy.Document) error {
		c := s.Config
		c.Policy = doc
		_, err := house.New(t.Context(), c)
		return err
	}
	other, err := policies.Load("enhancer", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := reopen(other); err != nil {
		t.Errorf("another preset over the same store: %v", err)
	}
	changed, err := policies.Parse("./changed.yaml", func(string) ([]byte, error) {
		return []byte(strings.Replace(string(s.Policy.YAML()), "keep: 24h", "keep: 23h", 1)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := reopen(changed); !errors.Is(err, musa.ErrConflict) {
		t.Errorf("a published version with other words: %v", err)
	}
}
