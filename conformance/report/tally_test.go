package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"musa/conformance"
)

func event(action, test string) string {
	return `{"Action":"` + action + `","Package":"musa/conformance","Test":"` + test + `"}` + "\n"
}

func verdict(t *testing.T, results, id string) conformance.Verdict {
	t.Helper()
	verdicts, err := conformance.Tally(strings.NewReader(results))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(verdicts, func(v conformance.Verdict) bool { return v.ID == id })
	if i < 0 {
		t.Fatalf("no verdict on %s", id)
	}
	return verdicts[i]
}

func TestCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	all, err := conformance.Promises()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 161 {
		t.Errorf("the catalogue has %d promises, want 161", len(all))
	}
	for _, p := range all {
		if p.Preset == "" || p.Area == "" || p.Words == "" || p.Seen == "" {
			t.Errorf("promise %s lacks a preset, an area, its words or what must be seen", p.ID)
		}
	}
}

func TestTallyJudgesByExactName(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, results string
		want          conformance.State
	}{
		{"no test", event("pass", "TestElse"), conformance.StateNotYet},
		{"exact id passed", event("run", "TestX/E-02") + event("pass", "TestX/E-02"), conformance.StateKept},
		{"only a deeper subtest passed", event("pass", "TestX/deep/E-02"), conformance.StateNotYet},
		{"on each store", event("pass", "TestX/sqlite+files/E-02") + event("pass", "TestX/postgres+s3/E-02"), conformance.StateKept},
		{"on one store only", event("pass", "TestX/sqlite+files/E-02") + event("fail", "TestX/postgres+s3/E-02"), conformance.StateBroken},
		{"a longer id is another", event("pass", "TestX/E-20"), conformance.StateNotYet},
		{"a numbered name is no claim", event("pass", "TestX/E-02#01"), conformance.StateNotYet},
		{"failed", event("fail", "TestX/E-02"), conformance.StateBroken},
		{"skipped", event("skip", "TestX/E-02"), conformance.StateBroken},
		{"began and never ended", event("run", "TestX/E-02"), conformance.StateBroken},
		{"failed under one test, passed under another", event("fail", "TestX/E-02") + event("pass", "TestY/E-02"), conformance.StateBroken},
		{"a part passed", event("pass", "TestX/E-02/part:png_in"), conformance.StatePart},
		{"a part failed beside the whole", event("pass", "TestX/E-02") + event("fail", "TestX/E-02/part:png_in"), conformance.StateBroken},
		{"whole and part passed", event("pass", "TestX/E-02") + event("pass", "TestX/E-02/part:png_in"), conformance.StateKept},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := verdict(t, c.results, "E-02").State; got != c.want {
				t.Errorf("state %q, want %q", got, c.want)
			}
		})
	}
}

func TestTallyNamesParts(t *testing.T) {
	t.Parallel()
	v := verdict(t, event("pass", "TestX/E-02/part:png_in")+event("pass", "TestX/E-02/part:jpeg_in"), "E-02")
	if want := []string{"jpeg in", "png in"}; !slices.Equal(v.Parts, want) {
		t.Errorf("parts %q, want %q", v.Parts, want)
	}
}

func TestTallyRefusesWhatItCannotTrust(t *testing.T) {
	t.Parallel()
	for name, results := range map[string]string{
		"unknown id":    event("pass", "TestX/Z-99"),
		"no test event": "ok  \tmusa/conformance\t0.1s\n",
		"does not build": `{"ImportPath":"musa/conformance","Action":"build-output","Output":"x"}
{"ImportPath":"musa/conformance","Action":"build-fail"}
`,
	} {
		if _, err := conformance.Tally(strings.NewReader(results)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReportsSayWhatIsKept(t *testing.T) {
	t.Parallel()
	verdicts, err := conformance.Tally(strings.NewReader(event("pass", "TestX/E-02") + event("pass", "TestX/C-18/part:one_second_before")))
	if err != nil {
		t.Fatal(err)
	}
	var plain, page strings.Builder
	if err := conformance.Plain(&plain, verdicts); err != nil {
		t.Fatal(err)
	}
	if err := conformance.Markdown(&page, verdicts); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"E-02  kept", "seen: one second before", "161 promises: 1 kept, 1 in part, 159 not yet, 0 broken."} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("plain report lacks %q", want)
		}
	}
	if strings.Contains("\n"+plain.String(), "\nE-03") {
		t.Error("the plain report lists a promise that no test bears")
	}
	for _, want := range []string{"| E-02 | create |", "in part: one second before |", "| E-03 |"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("doc/promises.md lacks %q", want)
		}
	}
}

// The names that Kept and Part give their subtests are what Tally looks for. These tests
// stand beside the command, so that its own run of the conformance tests never sees them.
func TestClaimsBearTheirNames(t *testing.T) {
	t.Parallel()
	var kept, part string
	conformance.Kept(t, "E-02", func(t *testing.T) { kept = t.Name() })
	conformance.Part(t, "E-02", "still there", func(t *testing.T) { part = t.Name() })
	if got := verdict(t, event("pass", kept), "E-02").State; got != conformance.StateKept {
		t.Errorf("Kept ran %q, which the tally calls %q", kept, got)
	}
	if got := verdict(t, event("pass", part), "E-02").State; got != conformance.StatePart {
		t.Errorf("Part ran %q, which the tally calls %q", part, got)
	}
}

// What bears a promise with a browser is run by the report, which goes by the name.
func TestBrowserTestsThatBearPromisesAreRun(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "e2e", "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no browser tests: %v", err)
	}
	bearing := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte(`"musa/conformance"`)) {
			continue
		}
		bearing++
		for _, test := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllSubmatch(text, -1) {
			if !bytes.HasPrefix(test[1], []byte("TestPromise")) {
				t.Errorf("%s: %s stands beside promises, and the report does not run it: begin its name with TestPromise", name, test[1])
			}
		}
	}
	if bearing == 0 {
		t.Error("no browser test bears a promise")
	}
}
