package house_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/house"
	"musa/musatest"
	"musa/policies"
	"musa/policy"
)

// version is the studio preset as another version of it.
func version(t *testing.T, name string, words ...string) *policy.Document {
	t.Helper()
	was, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(was.YAML()), "version: "+was.Version, "version: "+name, 1)
	for i := 0; i < len(words); i += 2 {
		text = strings.Replace(text, words[i], words[i+1], 1)
	}
	doc, err := policies.Parse("./other.yaml", func(string) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func onStores(t *testing.T, test func(t *testing.T, s *musatest.Studio)) {
	t.Helper()
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			test(t, musatest.New(t, musatest.Rig{Stores: stores}))
		})
	}
}

// A server takes up within a second what was published over the same store from elsewhere.
func TestAServerFollowsWhatOthersPublish(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		go func() { _ = s.Follow(t.Context()) }()
		doc := version(t, "2026-11-22.101")
		if err := house.Publish(t.Context(), s.DB, doc); err != nil {
			t.Fatal(err)
		}
		late := time.After(time.Second)
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for s.InForce().Ref() != doc.Ref() {
			select {
			case <-late:
				t.Fatal("after a second it is not in force")
			case <-look.C:
			}
		}
	})
}

// A start takes up the version that it is given where the store took up another last, and a
// command beside a server brings none.
func TestAStartTakesItsPolicyUp(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		next := s.House.Config
		next.Policy, next.Beside = version(t, "2026-11-22.101"), true
		beside, err := house.New(t.Context(), next)
		if err != nil || beside.InForce().Ref() != s.InForce().Ref() {
			t.Fatalf("beside a server %v is in force: %v", beside, err)
		}
		next.Beside = false
		started, err := house.New(t.Context(), next)
		if err != nil || started.InForce().Ref() != next.Policy.Ref() || len(started.Versions().List()) != 2 {
			t.Fatalf("not taken up: %v", err)
		}
		again, err := house.New(t.Context(), next)
		if err != nil || len(again.Versions().List()) != 2 {
			t.Errorf("the same policy was taken up twice: %v", err)
		}
	})
}

// A published version never changes: other words are refused, another form of the same is
// not.
func TestAVersionIsPublishedOnce(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		if err := s.House.Publish(t.Context(), version(t, "2026-11-22.101")); err != nil {
			t.Fatal(err)
		}
		var p *musa.Problem
		other := version(t, "2026-11-22.101", "keep: 24h", "keep: 23h")
		if err := s.House.Publish(t.Context(), other); !errors.As(err, &p) || p.Code != "policy_changed" {
			t.Errorf("other words under the same version: %v", err)
		}
		own := s.OwnSQL()
		defer own.Close()
		newline, sum := "char(10)", "x'00'"
		if s.Stores == musatest.Scaled {
			newline, sum = "chr(10)", `'\x00'`
		}
		if _, err := own.Exec("UPDATE policy_versions SET document = '# as an earlier release wrote it' || " + newline + " || document, sha256 = " + sum); err != nil {
			t.Fatal(err)
		}
		if err := s.House.Publish(t.Context(), version(t, "2026-11-22.101")); err != nil {
			t.Errorf("the same words in another form: %v", err)
		}
	})
}

// A text that another release published keeps no server from starting: it lacks a category,
// and says what this release does not know.
func TestAStoredVersionOfAnotherRelease(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		own := s.OwnSQL()
		defer own.Close()
		var text string
		if err := own.QueryRow("SELECT document FROM policy_versions").Scan(&text); err != nil {
			t.Fatal(err)
		}
		var kept []string
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "  history:") {
				kept = append(kept, strings.ReplaceAll(line, "history, ", ""))
			}
		}
		text = "weather: {sun: sometimes}\n" + strings.Join(kept, "")
		if _, err := own.Exec("UPDATE policy_versions SET document = '" + strings.ReplaceAll(text, "'", "''") + "'"); err != nil {
			t.Fatal(err)
		}
		next := s.House.Config
		next.Policy = version(t, "2026-11-22.101")
		h, err := house.New(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		if first := h.Versions().List()[0].Doc; len(first.Lack()) != 1 || first.Lack()[0] != musa.CategoryHistory {
			t.Errorf("the stored version lacks %v", first.Lack())
		}
		taken, err := house.Taken(t.Context(), s.DB, nil)
		if err != nil || len(taken.Left) != 1 || taken.Left[0].Path != "weather" {
			t.Errorf("left out: %+v, %v", taken.Left, err)
		}
	})
}
