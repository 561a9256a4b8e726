package retention_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
)

// lives is the studio preset as another version, in which a guest's results live for a time.
func lives(t *testing.T, version, keep string) *policy.Document {
	t.Helper()
	was, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(strings.Replace(string(was.YAML()), was.Version, version, 1), "keep: 24h", "keep: "+keep, 1)
	doc, err := policies.Parse("./other.yaml", func(string) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Under a version that keeps for a shorter time the key goes at the new end, not at the
// stored one.
func TestAShorterVersionErasesSooner(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	out := g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	s.Step()
	s.Keeper.Policy = func() *policy.Document { return lives(t, "2099-01-01.1", "2h") }
	if err := s.Keeper.Reckon(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Clock.Turn(2*time.Hour - time.Second)
	s.Step()
	if got := g.Asset(out.ID).State; got != "active" {
		t.Fatalf("a second before the new end it is %q", got)
	}
	s.Clock.Turn(time.Second)
	s.Step()
	if got := g.Asset(out.ID).State; got != "purged" {
		t.Errorf("at the new end it is %q", got)
	}
}

// A version that keeps for longer lengthens nothing that exists, neither by reckoning nor
// when the picture is touched.
func TestALongerVersionLengthensNothing(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	s.Keeper.Policy = func() *policy.Document { return lives(t, "2099-01-01.1", "90h") }
	s.Studio.Policy = s.Keeper.Policy
	if err := s.Keeper.Reckon(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.Want(http.StatusOK, g.Do(http.MethodPatch, "/api/assets/"+a.ID, map[string]bool{"saved": true}), nil)
	if got := g.Asset(a.ID).Ends; got == nil || !got.Equal(*a.Ends) {
		t.Errorf("its end moved from %v to %v", a.Ends, got)
	}
}
