package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"musa/policy"
)

func TestWithoutLeavesOutWhatStandsBelow(t *testing.T) {
	t.Parallel()
	at := func(paths ...string) (s policy.Section) {
		s.Heading = "h"
		for _, p := range paths {
			s.Sentences = append(s.Sentences, policy.Sentence{Text: p, Path: p})
		}
		return s
	}
	all := []policy.Section{at("security.claims[1]", "security.claims[10]", "security.caveat"), at("lifecycle.backup", "lifecycle.backup.every")}
	got := policy.Without(all, []string{"security.claims[1]", "lifecycle.backup"})
	if want := []policy.Section{at("security.claims[10]", "security.caveat")}; !reflect.DeepEqual(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	if got := policy.Without(all, nil); !reflect.DeepEqual(got, all) {
		t.Errorf("nothing was to be left out, left are %v", got)
	}
}

// What the language can say and the program does not do is named, line by line, and promised to
// nobody.
func TestUnkept(t *testing.T) {
	t.Parallel()
	var got []string
	for _, u := range parse(t, shape(t)).Unkept() {
		got = append(got, u.Path)
		if u.Words == "" {
			t.Errorf("%s has no words", u.Path)
		}
	}
	want := []string{"moderation", "regions", "disclosures.authority", "categories.safe.keys"}
	if !slices.Equal(got, want) {
		t.Errorf("named are %q, want %q", got, want)
	}
	for _, s := range policy.Without(parse(t, shape(t)).Render(), got) {
		for _, line := range s.Sentences {
			if top, _, _ := strings.Cut(line.Path, "."); top == "moderation" || top == "regions" || top == "disclosures" {
				t.Errorf("%s is promised all the same: %s", line.Path, line.Text)
			}
		}
	}
}
