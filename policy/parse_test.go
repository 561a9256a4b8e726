package policy_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/policy"
)

func shape(t testing.TB) string {
	t.Helper()
	src, err := os.ReadFile("testdata/shape.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func TestParseReadsTheWholeShape(t *testing.T) {
	t.Parallel()
	d := parse(t, shape(t))
	if d.Undo() != 15*time.Second || d.EraseWithin() != 4*time.Second || d.PurgeWithin() != 50*time.Second {
		t.Errorf("undo %v, erase %v, purge %v", d.Undo(), d.EraseWithin(), d.PurgeWithin())
	}
	if faults := d.Lint(); len(faults) > 0 {
		t.Errorf("faults in a document without any:\n%v", faults)
	}
	guest, _ := d.Tiers.Get("guest")
	analyze, _ := d.Purposes.Get("analyze")
	access, _ := d.Rights.Get("access")
	ccpa, _ := access.Elsewhere.Get("ccpa")
	erasure, _ := d.Rights.Get("withdraw")
	for _, c := range []struct{ what, got, want string }{
		{"storage", guest.Storage.String(), "100MB"},
		{"basis here", analyze.Basis.In("gdpr"), "consent"},
		{"basis elsewhere", analyze.Basis.In("ccpa"), "legitimate_interest"},
		{"article", erasure.Gdpr, "7.3"},
		{"deadline elsewhere", ccpa.Within.String(), "45d"},
		{"age in GB", d.Age.Minimum.In("GB"), "13"},
		{"a later section", d.Changes.LongerRetention, "new_records_only"},
		{"one word as a list", strings.Join(d.Retention[0].Unless, ","), "saved"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	if guest.Storage.Bytes() != 100_000_000 {
		t.Errorf("storage %d", guest.Storage.Bytes())
	}
}

func TestYAMLComesBackTheSame(t *testing.T) {
	t.Parallel()
	for _, src := range []string{shape(t), base} {
		d := parse(t, src)
		back, err := policy.Parse("back", d.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, d.YAML())
		}
		if !bytes.Equal(d.YAML(), back.YAML()) || d.Hash() != back.Hash() {
			t.Errorf("changed:\n%s\n%s", d.YAML(), back.YAML())
		}
	}
	d, other := parse(t, base), parse(t, strings.Replace(base, "keep: 24h", "keep: 25h", 1))
	if d.Hash() == other.Hash() {
		t.Error("two documents have one hash")
	}
	// Nothing that was said may be missing from what is printed.
	_, said, _ := strings.Cut(shape(t), "\n")
	whole := string(parse(t, said).YAML())
	for _, word := range strings.FieldsFunc(said, func(r rune) bool { return strings.ContainsRune(" \n{}[],:\"", r) }) {
		if !strings.Contains(whole, word) {
			t.Errorf("%q is lost", word)
		}
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, src    string
		line, column int
		path, reason string
	}{
		{"nothing", "", 1, 1, "", "not one YAML document"},
		{"two documents", "policy: a\n---\npolicy: b\n", 1, 1, "", "not one YAML document"},
		{"a list", "- policy\n", 1, 1, "", "not a mapping"},
		{"a word", "policy\n", 1, 1, "", "not a mapping"},
		{"broken bracket", "policy: a\ntiers: {guest: {account: false}\n", 2, 8, "", "not YAML"},
		{"unknown section", "policy: a\nversions: 1\n", 2, 1, "versions", "unknown key"},
		{"unknown key deep down", "retention:\n  - {for: [a], form: created}\n", 2, 16, "retention[0].form", "unknown key"},
		{"double section", "policy: a\nversion: b\npolicy: c\n", 3, 1, "policy", "written twice"},
		{"double line", "tiers:\n  guest: {account: true}\n  guest: {account: false}\n", 3, 3, "tiers.guest", "written twice"},
		{"double key in a rule", "retention:\n  - {keep: 1s, keep: 2s}\n", 2, 16, "retention[0].keep", "written twice"},
		{"double word", "infrastructure: [blobs, blobs]\n", 1, 25, "infrastructure[1]", "written twice"},
		{"no unit", "retention: [{keep: 30}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"vague", "retention: [{keep: a while}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"negative", "retention: [{keep: -5h}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"fraction", "retention: [{keep: 1.5h}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"two units", "retention: [{keep: 1h30m}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"unit alone", "retention: [{keep: h}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"letters of units", "retention: [{keep: 1sd}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"more than a century", "retention: [{keep: 101y}]\n", 1, 20, "retention[0].keep", "longer than a century"},
		{"more digits than a number has", "retention: [{keep: 99999999999999999999s}]\n", 1, 20, "retention[0].keep", "not a duration"},
		{"vague choice", "retention:\n  - {choices: [1d, soon]}\n", 2, 20, "retention[0].choices[1]", "not a duration"},
		{"yes for true", "tiers: {guest: {account: yes}}\n", 1, 26, "tiers.guest.account", "neither true nor false"},
		{"size without unit", "tiers: {guest: {storage: 200}}\n", 1, 26, "tiers.guest.storage", "not a size"},
		{"size of nothing", "tiers: {guest: {storage: 0MB}}\n", 1, 26, "tiers.guest.storage", "not a size"},
		{"count in words", "categories: {usage_total: {min_group: twenty}}\n", 1, 39, "categories.usage_total.min_group", "not a whole number"},
		{"empty value", "policy:\nversion: a\n", 1, 8, "policy", "empty"},
		{"blank value", "policy: '  '\n", 1, 9, "policy", "empty"},
		{"null in a list", "infrastructure: [~]\n", 1, 18, "infrastructure[0]", "empty"},
		{"mapping for a word", "policy: {name: a}\n", 1, 9, "policy", "not one word"},
		{"list for a word", "policy: [a]\n", 1, 9, "policy", "not one word"},
		{"word for a mapping", "controller: us\n", 1, 13, "controller", "not a mapping"},
		{"word for a list", "retention: soon\n", 1, 12, "retention", "not a list"},
		{"no default", "age: {minimum: {US: 13}}\n", 1, 16, "age.minimum", "no default"},
		{"anchor", "policy: &a b\n", 1, 9, "policy", "anchors"},
		{"alias", "policy: &a b\nversion: *a\n", 2, 10, "version", "anchors"},
		{"tag", "policy: !!str b\n", 1, 9, "policy", "anchors"},
		{"merge", "tiers: {<<: {guest: {account: true}}}\n", 1, 9, "tiers", "not a plain key"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse("test.yaml", []byte(c.src))
			var faults policy.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("error %v", err)
			}
			for _, f := range faults {
				if f.File == "test.yaml" && f.Line == c.line && f.Column == c.column && f.Path == c.path &&
					strings.Contains(f.Reason, c.reason) && f.Remedy != "" {
					return
				}
			}
			t.Errorf("faults\n%v\nwant %d:%d: %s: %s", faults, c.line, c.column, c.path, c.reason)
		})
	}
}

func TestParseListsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse("x", []byte("tiers: {guest: {account: maybe}}\nplocy: a\nretention: [{keep: never}]\n"))
	var faults policy.Faults
	if !errors.As(err, &faults) || len(faults) != 3 {
		t.Fatalf("faults: %v", err)
	}
	for i, f := range faults {
		if f.Line != i+1 {
			t.Errorf("fault %d stands in line %d", i, f.Line)
		}
	}
}

func TestParseRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	if _, err := policy.Parse("x", bytes.Repeat([]byte("#\n"), 1<<20)); err == nil {
		t.Error("2 MiB were read")
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	at := func(y int, m time.Month, d, h int) musa.Millis {
		return musa.At(time.Date(y, m, d, h, 0, 0, 0, time.UTC))
	}
	cases := []struct {
		span        string
		begin, over musa.Millis
		words       string
	}{
		{"0s", at(2026, 5, 1, 0), at(2026, 5, 1, 0), "at once"},
		{"1s", 5, 1005, "1 second"},
		{"90m", at(2026, 5, 1, 0), at(2026, 5, 1, 1) + 1_800_000, "90 minutes"},
		{"2d", at(2026, 12, 31, 7), at(2027, 1, 2, 7), "2 days"},
		{"1mo", at(2026, 1, 31, 7), at(2026, 2, 28, 7), "1 month"},
		{"1mo", at(2028, 1, 31, 7), at(2028, 2, 29, 7), "1 month"},
		{"12mo", at(2028, 2, 29, 7) + 1, at(2029, 2, 28, 7) + 1, "12 months"},
		{"2mo", at(2026, 11, 30, 7), at(2027, 1, 30, 7), "2 months"},
		{"7y", at(2026, 11, 30, 7), at(2033, 11, 30, 7), "7 years"},
		{"indefinite", at(2026, 11, 30, 7), 0, "without end"},
	}
	for _, c := range cases {
		s, err := policy.ParseSpan(c.span)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.After(c.begin); got != c.over || s.Words() != c.words || s.String() != c.span {
			t.Errorf("%s from %d: %d, want %d (%s)", c.span, c.begin, got, c.over, s.Words())
		}
	}
	if _, err := policy.ParseSpan("soon"); !errors.Is(err, musa.ErrInvalid) || strings.Contains(err.Error(), "soon") {
		t.Errorf("a bad span gives %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte("retention: [{keep: 1h, for: a}, {same_as: a, for: b}]"))
	whole := parse(f, shape(f))
	f.Fuzz(func(t *testing.T, src []byte) {
		if over, err := policy.ParseOver(whole, "x", src); err == nil {
			over.Lint()
			over.Render()
		}
		d, err := policy.Parse("x", src)
		if err != nil {
			return
		}
		d.Lint()
		d.Render()
		back, err := policy.Parse("back", d.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, d.YAML())
		}
		if !bytes.Equal(d.YAML(), back.YAML()) {
			t.Errorf("changed:\n%s\n%s", d.YAML(), back.YAML())
		}
	})
}

func TestParseOver(t *testing.T) {
	t.Parallel()
	whole := parse(t, shape(t))
	before := string(whole.YAML())
	d, err := policy.ParseOver(whole, "own.yaml", []byte(`
extends: shape
policy: own
controller: {name: Own}
rights: {erasure: {undo: 2s}}
tiers: {guest: {storage: 7MB}}
consents: {}
processors: {}
retention:
  - {for: [original, output], from: created, keep: 3s}
`))
	if err != nil {
		t.Fatal(err)
	}
	if string(whole.YAML()) != before {
		t.Error("the base has changed")
	}
	erasure, _ := d.Rights.Get("erasure")
	guest, _ := d.Tiers.Get("guest")
	if d.Policy != "own" || d.Controller.Name != "Own" || d.Controller.Country != "AT" || d.Undo() != 2*time.Second ||
		erasure.Gdpr != "17" || guest.Storage.String() != "7MB" || !guest.Account.Off() || len(d.Rights) != len(whole.Rights) ||
		len(d.Consents) != 0 || len(d.Processors) != 0 || len(d.Retention) != 1 {
		t.Errorf("not the base with what differs:\n%s", d.YAML())
	}
	end := d.End(policy.Item{Category: musa.CategoryOutput, Tier: musa.TierPaid, Created: made})
	if end.At != made+3000 {
		t.Errorf("ends %d after", end.At-made)
	}
	if back, err := policy.Parse("back", d.YAML()); err != nil || back.Hash() != d.Hash() {
		t.Errorf("what it prints is not whole: %v", err)
	}
	if d.Line("retention[0]") != 10 || d.Line("retention[1]") != 0 {
		t.Errorf("rules stand in lines %d and %d", d.Line("retention[0]"), d.Line("retention[1]"))
	}
	files := make(map[string]bool)
	for _, f := range d.Lint() {
		files[f.File+" "+f.Path] = true
	}
	if !files["test.yaml categories.device"] || !files["test.yaml purposes.share.consent"] {
		t.Errorf("faults of what is inherited do not cite the base: %v", d.Lint())
	}
	if _, err := policy.Parse("own.yaml", []byte("extends: shape\n")); err == nil {
		t.Error("a document that extends another is taken for whole")
	}
}
