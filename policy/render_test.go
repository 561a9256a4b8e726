package policy_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"musa"
	"musa/policies"
	"musa/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

func text(sections []policy.Section) string {
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "# %s\n", s.Heading)
		for _, x := range s.Sentences {
			fmt.Fprintf(&b, "%s  <%s>\n", x.Text, x.Path)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	studio, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*policy.Document{"studio": studio, "shape": parse(t, shape(t))} {
		got, file := text(d.Render()), "testdata/"+name+".privacy.golden"
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s has changed; look at it and run with -update:\n%s", file, got)
		}
	}
}

func TestEverySentenceStandsInTheDocument(t *testing.T) {
	t.Parallel()
	docs := map[string]*policy.Document{"shape": parse(t, shape(t))}
	for _, name := range policies.Names() {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		docs[name] = d
	}
	for name, d := range docs {
		for _, section := range d.Render() {
			for _, s := range section.Sentences {
				if d.Line(s.Path) == 0 {
					t.Errorf("%s: %q cites %s, which does not stand there", name, s.Text, s.Path)
				}
				if strings.Contains(s.Text, "  ") || strings.Contains(s.Text, "%!") || !strings.HasSuffix(s.Text, ".") {
					t.Errorf("%s: not a sentence: %q", name, s.Text)
				}
			}
		}
	}
}

// The page speaks of every kind of data that is collected, and promises none of what is not.
func TestRenderTellsCollectedFromUncollected(t *testing.T) {
	t.Parallel()
	src := strings.Replace(shape(t), "{is: user.payment,", "{is: user.payment, collected: false,", 1)
	page := text(parse(t, src).Render())
	if !strings.Contains(page, "This service collects no records of credits and payments.") || strings.Contains(page, "payments have to be kept") {
		t.Error("the page is unclear about payments that are not collected")
	}
	if page = text(parse(t, shape(t)).Render()); strings.Contains(page, "collects no") {
		t.Error("the page denies what it collects")
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	d := parse(t, shape(t))
	cases := []struct {
		category musa.Category
		tier     musa.Tier
		paths    string
		says     string
	}{
		{musa.CategoryOutput, musa.TierGuest, "retention[3]", "go 12 hours after they were made"},
		{musa.CategoryOriginal, musa.TierMember, "retention[0] retention[1] retention[2] retention[4] retention", "at once when the last job that used them has ended, unless you save them"},
		{musa.CategorySafe, musa.TierGuest, "retention", "cannot have any"},
		{musa.CategoryUsageTotal, musa.TierPaid, "retention[23]", "lead to nobody"},
	}
	for _, c := range cases {
		got, err := d.Explain(c.category, c.tier)
		if err != nil {
			t.Fatal(err)
		}
		var paths, said []string
		for _, s := range got {
			paths, said = append(paths, s.Path), append(said, s.Text)
		}
		if strings.Join(paths, " ") != c.paths || !strings.Contains(strings.Join(said, " "), c.says) {
			t.Errorf("%s, %s: %q %q", c.category, c.tier, paths, said)
		}
	}
	for _, c := range []struct {
		category musa.Category
		tier     musa.Tier
	}{{"diary", musa.TierGuest}, {musa.CategoryOutput, "gold"}} {
		if _, err := d.Explain(c.category, c.tier); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("%v gives %v", c, err)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	older := parse(t, shape(t))
	if got := policy.Diff(older, parse(t, "# the same\n"+shape(t))); len(got) != 0 {
		t.Errorf("a comment is a change: %v", got)
	}
	cases := []struct {
		name, old, new string
		want           policy.Change
	}{
		{"longer", "tier: guest, from: created, keep: 12h}\n  - {for: [output, prompt, history, share], tier: member",
			"tier: guest, from: created, keep: 36h}\n  - {for: [output, prompt, history, share], tier: member",
			policy.Change{Heading: "What is kept, and for how long", Path: "retention[3]",
				Before: "For guests, the pictures that are made for you, the words that you write for a picture, the settings and histories of your jobs and the share links go 12 hours after they were made.",
				After:  "For guests, the pictures that are made for you, the words that you write for a picture, the settings and histories of your jobs and the share links go 36 hours after they were made."}},
		{"gone", "  till:    {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/till.md}\n", "",
			policy.Change{Heading: "Who is sent what", Path: "processors.till", Before: "Till (US) is sent the records of credits and payments, to account for what you use and buy."}},
		{"new", "minimum: {default: 16,", "minimum: {default: 16, IE: 16,",
			policy.Change{Heading: "Age", Path: "age.minimum.IE", After: "In the country IE that is 16."}},
		{"not on the page", "storage: 100MB", "storage: 50MB",
			policy.Change{Heading: policy.InDocument, Path: "tiers.guest",
				Before: "guest: {account: false, storage: 100MB}", After: "guest: {account: false, storage: 50MB}"}},
		{"beside a change on the page", "agreement: doc/till.md", "agreement: doc/new.md",
			policy.Change{Heading: policy.InDocument, Path: "processors.till",
				Before: "till: {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/till.md}",
				After:  "till: {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/new.md}"}},
	}
	for _, c := range cases {
		got := policy.Diff(older, parse(t, strings.Replace(shape(t), c.old, c.new, 1)))
		if !slices.Contains(got, c.want) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
