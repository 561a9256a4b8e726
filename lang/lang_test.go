package lang_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"musa/lang"
)

func TestMatchChoosesTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ explicit, accept, want string }{
		{"", "", "en"},
		{"", "de-CH,de;q=0.9,en;q=0.8", "de"},
		{"", "fr-FR,fr;q=0.9,de;q=0.5,en;q=0.1", "de"},
		{"", "zh-CN", "en"},
		{"", "en;q=0.2,de;q=0.9", "de"},
		{"", ";;;%%", "en"},
		{"de", "en-GB", "de"},
		{"xx-not-a-language", "de", "de"},
	} {
		if got := lang.Match(c.explicit, c.accept).Tag(); got != c.want {
			t.Errorf("Match(%q, %q) = %s, want %s", c.explicit, c.accept, got, c.want)
		}
	}
}

var variable = regexp.MustCompile(`\{\w+\}`)

// A key that one language lacks would show as itself on somebody's page; a variable that
// one language lacks would hide a fact.
func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	all := lang.All()
	english := all[0]
	for _, other := range all[1:] {
		if !slices.Equal(english.Keys(), other.Keys()) {
			t.Errorf("%s and %s differ in keys: %v", english.Tag(), other.Tag(), difference(english.Keys(), other.Keys()))
		}
		for _, key := range english.Keys() {
			want, _ := english.Message(key)
			got, _ := other.Message(key)
			if got["other"] == "" {
				t.Errorf("%s: %s is empty", other.Tag(), key)
			}
			if a, b := variablesOf(want["other"]), variablesOf(got["other"]); !slices.Equal(a, b) {
				t.Errorf("%s: %s has variables %v, English has %v", other.Tag(), key, b, a)
			}
			if _, counts := want["one"]; counts && got["one"] == "" {
				t.Errorf("%s: %s counts in English and has no form for one", other.Tag(), key)
			}
		}
	}
}

func TestPluralFormsFollowTheNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag  string
		n    int
		want string
	}{
		{"en", 1, "1 hour"}, {"en", 24, "24 hours"}, {"en", 0, "0 hours"},
		{"de", 1, "1 Stunde"}, {"de", 48, "48 Stunden"},
	} {
		if got := lang.Match(c.tag, "").T("span.h", lang.Vars{"n": c.n}); got != c.want {
			t.Errorf("%s, %d: %q, want %q", c.tag, c.n, got, c.want)
		}
	}
}

func TestUnknownKeyComesBackAsItself(t *testing.T) {
	t.Parallel()
	if got := lang.Match("", "").T("no.such.key", nil); got != "no.such.key" {
		t.Errorf("got %q", got)
	}
}

// The island stands inside a script element: nothing in it may close that element.
func TestIslandCarriesOnlyWhatIsAskedAndIsSafeInHTML(t *testing.T) {
	t.Parallel()
	raw, err := lang.Match("de", "").Island("js.", "step.")
	if err != nil {
		t.Fatal(err)
	}
	var island struct {
		Lang  string
		Words map[string]lang.Message
	}
	if err := json.Unmarshal(raw, &island); err != nil {
		t.Fatal(err)
	}
	if island.Lang != "de" || island.Words["js.download"]["other"] != "Herunterladen" || island.Words["js.pictures"]["one"] == "" {
		t.Errorf("island lacks its language or words: %.200s", raw)
	}
	for key := range island.Words {
		if !strings.HasPrefix(key, "js.") && !strings.HasPrefix(key, "step.") {
			t.Errorf("island has %s", key)
		}
	}
	if strings.ContainsAny(string(raw), "<>") {
		t.Error("island has characters that markup uses")
	}
}

func variablesOf(text string) []string {
	found := variable.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func difference(a, b []string) []string {
	var only []string
	for _, key := range append(slices.Clone(a), b...) {
		if slices.Contains(a, key) != slices.Contains(b, key) {
			only = append(only, key)
		}
	}
	return only
}
