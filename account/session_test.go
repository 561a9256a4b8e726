package account_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"musa/musatest"
	"musa/policies"
)

// A session lasts as long as the policy lets a guest's credentials, not as long as a
// setting; being used moves its end, also where that is seconds away.
func TestASessionEndsByThePolicy(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if old := "survey, preference], tier: [guest], from: last_seen, keep: 30d"; !strings.Contains(string(doc.YAML()), old) {
		t.Fatalf("the preset no longer says %q", old)
	}
	s := musatest.New(t, musatest.Rig{Policy: strings.Replace(string(doc.YAML()), "keep: 30d", "keep: 60s", 1)})
	g := s.Guest()
	ask := func() int { return g.Do(http.MethodGet, "/api/me", nil).Status }
	for range 4 {
		s.Clock.Turn(59 * time.Second)
		if got := ask(); got != http.StatusOK {
			t.Fatalf("a second before its end the session answers %d", got)
		}
	}
	s.Clock.Turn(60 * time.Second)
	if got := ask(); got != http.StatusUnauthorized {
		t.Errorf("at its end the session answers %d, want 401", got)
	}
}
