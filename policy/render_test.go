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
	if !strings.Contains(page, "This service collects no records of credits and payments.") || strings.Contains(page, "payments have to be kept by law") {
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
		{musa.CategoryOutput, musa.TierGuest, "retention[3]", "are erased 12 hours after they were made"},
		{musa.CategoryOriginal, musa.TierMember, "retention[0] retention[1] retention[2] retention[4] retention", "as soon as the last job that used them has ended, unless they were saved"},
		{musa.CategorySafe, musa.TierGuest, "retention", "cannot have any"},
		{musa.CategoryUsageTotal, musa.TierPaid, "retention[23]", "lead to nobody"},
	}
	for _, c := range cases {
		got, err := d.ExplainIn("en", c.category, c.tier)
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
		if _, err := d.ExplainIn("en", c.category, c.tier); !errors.Is(err, musa.ErrInvalid) {
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
	const guests = "For guests, the pictures that are made for you, the words that you write for a picture, the settings and histories of your jobs and the share links"
	cases := []struct {
		name, old, new, heading string
		want                    policy.Change
	}{
		{"shorter", "tier: guest, from: created, keep: 12h}\n  - {for: [output, prompt, history, share], tier: member",
			"tier: guest, from: created, keep: 6h}\n  - {for: [output, prompt, history, share], tier: member",
			"What is kept, and for how long", policy.Change{Kind: policy.Changed, Path: "retention[3]", Of: guests,
				Was: "erased 12 hours after they were made", Is: "erased 6 hours after they were made",
				Text: "For guests, the pictures that are made for you, the words that you write for a picture, the settings and histories of your jobs and the share links: were erased 12 hours after they were made, are erased 6 hours after they were made."}},
		{"another choice", "choices: [3d, 14d]", "choices: [3d, 9d]",
			"What is kept, and for how long", policy.Change{Kind: policy.Changed, Path: "retention[5]", Of: strings.Replace(guests, "guests", "paying members", 1),
				Was:  "erased 3 days after they were made (you, your workspace or a project may choose 3 days or 14 days; shortened 24 hours after notice when the membership ends)",
				Is:   "erased 3 days after they were made (you, your workspace or a project may choose 3 days or 9 days; shortened 24 hours after notice when the membership ends)",
				Text: "For paying members, the pictures that are made for you, the words that you write for a picture, the settings and histories of your jobs and the share links: were erased 3 days after they were made (you, your workspace or a project may choose 3 days or 14 days; shortened 24 hours after notice when the membership ends), are erased 3 days after they were made (you, your workspace or a project may choose 3 days or 9 days; shortened 24 hours after notice when the membership ends)."}},
		{"no longer held", "interaction:    {is: user.behavior}", "interaction:    {is: user.behavior, collected: false}",
			"What is kept, and for how long", policy.Change{Kind: policy.Removed, Path: "retention[14]", Of: "The records of clicks and views",
				Was:  "erased 60 days after they were made",
				Text: "The records of clicks and views: were erased 60 days after they were made, and are no longer kept at all."}},
		{"gone", "  till:    {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/till.md}\n", "",
			"Who is sent what", policy.Change{Kind: policy.Removed, Path: "processors.till",
				Was:  "Till, in the United States, is sent the records of credits and payments, to account for what you use and buy.",
				Text: "No longer: Till, in the United States, is sent the records of credits and payments, to account for what you use and buy."}},
		{"new", "minimum: {default: 16,", "minimum: {default: 16, IE: 15,",
			"Age", policy.Change{Kind: policy.Added, Path: "age.minimum.IE", Is: "In Ireland the age is 15.", Text: "New: In Ireland the age is 15."}},
		{"told later", "tell_authority: 72h", "tell_authority: 48h",
			"How it is protected", policy.Change{Kind: policy.Changed, Path: "security.incident",
				Was:  "After a breach of your data the authority is told within 72 hours.",
				Is:   "After a breach of your data the authority is told within 48 hours.",
				Text: "Was: After a breach of your data the authority is told within 72 hours. Is: After a breach of your data the authority is told within 48 hours."}},
		{"what it speaks of", "undo: 15s", "undo: 20s",
			"Your rights", policy.Change{Kind: policy.Changed, Path: "rights.erasure.undo", Of: "Erasure",
				Was:  "What you delete can be taken back for 15 seconds; after that nobody can.",
				Is:   "What you delete can be taken back for 20 seconds; after that nobody can.",
				Text: "Erasure: Was: What you delete can be taken back for 15 seconds; after that nobody can. Is: What you delete can be taken back for 20 seconds; after that nobody can."}},
		{"not on the page", "agreement: doc/till.md", "agreement: doc/new.md",
			policy.InDocument, policy.Change{Kind: policy.Changed, Path: "processors.till",
				Was:  "till: {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/till.md}",
				Is:   "till: {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/new.md}",
				Text: "Was: till: {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/till.md} Is: till: {hosts: [api.till.example], for: [bill], gets: [payment], country: US, safeguard: scc, agreement: doc/new.md}"}},
	}
	for _, c := range cases {
		if strings.Count(shape(t), c.old) != 1 {
			t.Fatalf("%q does not stand once in the shape", c.old)
		}
		got := policy.Diff(older, parse(t, strings.Replace(shape(t), c.old, c.new, 1)))
		i := slices.IndexFunc(got, func(d policy.Differences) bool { return d.Heading == c.heading })
		if i < 0 || !slices.Contains(got[i].Changes, c.want) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// A rule that only moved, or that was written as two, says the same of everybody.
func TestDiffSeesNoChangeInAMovedRule(t *testing.T) {
	t.Parallel()
	const rule = "  - {for: [device], from: created, keep: 60d}\n"
	moved := strings.Replace(strings.Replace(shape(t), rule, "", 1), "retention:\n", "retention:\n"+rule, 1)
	for _, d := range policy.Diff(parse(t, shape(t)), parse(t, moved)) {
		if d.Heading == "What is kept, and for how long" {
			t.Errorf("%+v", d.Changes)
		}
	}
}

// Whatever differs between two presets is told, with a line that stands in one of them.
func TestDiffOfPresets(t *testing.T) {
	t.Parallel()
	var all []*policy.Document
	for _, name := range policies.Names() {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	for _, older := range all {
		for _, newer := range all {
			got := policy.Diff(older, newer)
			if (len(got) == 0) != (older.Hash() == newer.Hash()) {
				t.Errorf("%s to %s: %d sections", older.Policy, newer.Policy, len(got))
			}
			for _, d := range got {
				for _, x := range d.Changes {
					if older.Line(x.Path)+newer.Line(x.Path) == 0 || (x.Was == "" && x.Is == "") || x.Was == x.Is || x.Text == "" {
						t.Errorf("%s to %s: %+v", older.Policy, newer.Policy, x)
					}
				}
			}
		}
	}
}

// "Made into totals" is said of what the program makes totals of, and of nothing else.
func TestRenderSaysTotalsOfWhatIsCounted(t *testing.T) {
	t.Parallel()
	says := func(category string) string {
		const old = "- {for: [interaction], from: created, keep: 60d"
		text := strings.Replace(shape(t), old, strings.Replace(old, "interaction", category, 1), 1)
		for _, s := range parse(t, text).Render() {
			for _, line := range s.Sentences {
				if line.Path == "retention[14]" {
					return line.Text
				}
			}
		}
		return ""
	}
	for category, totals := range map[string]bool{"interaction": false, "generation_log": true, "device": false, "output": false} {
		if got := says(category); got == "" || strings.Contains(got, "totals") != totals {
			t.Errorf("%s: %q", category, got)
		}
	}
}
