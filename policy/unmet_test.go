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
	want := []string{"moderation", "regions", "disclosures.authority", "categories.safe.keys", "security.audits", "organisation.may_enforce"}
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

// A treatment is named at a category that does not get it, a switch that nobody has, a record that
// no switch reaches: each would be read on the privacy page, and each is left out of it.
func TestUnkeptTreatments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, new, path string }{
		{"{is: user.behavior}", "{is: user.behavior, strip_metadata: true}", "categories.interaction.strip_metadata"},
		{"{is: user.behavior}", "{is: user.behavior, mark: algorithmicallyEnhanced}", "categories.interaction.mark"},
		{"{is: user.behavior}", "{is: user.behavior, min_group: 5}", "categories.interaction.min_group"},
		{"{is: user.behavior}", "{is: user.behavior, forbid_fields: [name]}", "categories.interaction.forbid_fields"},
		{"  history:        {is: user.content.private}", "  history:        {is: user.content.private, never_export: true}", "categories.history.never_export"},
		{"off_switch: {interaction_log:", "off_switch: {everything: [feedback], interaction_log:", "off_switch.everything"},
		{"[interaction, history, prompt]}", "[interaction, history, output]}", "off_switch.interaction_log"},
	} {
		text := strings.Replace(shape(t), c.old, c.new, 1)
		d := parse(t, text)
		if faults := d.Lint(); text == shape(t) || len(faults) > 0 {
			t.Fatalf("%s: the shape is not as this test thinks: %v", c.path, faults)
		}
		var paths []string
		for _, u := range d.Unkept() {
			paths = append(paths, u.Path)
		}
		if !slices.Contains(paths, c.path) {
			t.Errorf("%s is not named among %q", c.path, paths)
		}
		for _, s := range policy.Without(d.Render(), paths) {
			for _, line := range s.Sentences {
				if line.Path == c.path {
					t.Errorf("%s is promised all the same: %s", c.path, line.Text)
				}
			}
		}
	}
}
