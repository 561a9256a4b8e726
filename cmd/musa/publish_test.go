package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
)

// studioAs writes the studio preset as another version, with words replaced, and returns the
// file.
func studioAs(t *testing.T, version string, words ...string) string {
	t.Helper()
	was, err := policies.Load("studio", os.ReadFile)
	verifyMust(t, err)
	text := strings.NewReplacer(append([]string{"version: " + was.Version, "version: " + version}, words...)...).Replace(string(was.YAML()))
	file := filepath.Join(t.TempDir(), "policy.yaml")
	verifyMust(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// Beside a running server a version is looked at first, then published; both say what ends
// sooner, and only the second changes anything.
func TestPublishTellsWhatEndsSooner(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	out := g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	s.Step()
	file := studioAs(t, "2026-11-22.101", "tier: [guest], from: created, keep: 24h", "tier: [guest], from: created, keep: 2h")
	before := s.InForce().Ref()
	for _, args := range [][]string{{"--dry-run"}, nil} {
		var said, errs bytes.Buffer
		if code := run(append([]string{"policy", "publish", file, "--json", "--data", s.Dirs[0]}, args...), &said, &errs); code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		var p published
		verifyMust(t, json.Unmarshal(said.Bytes(), &p))
		if p.Version != "studio/2026-11-22.101" || p.Replaces != before || p.Now != 0 || p.Sooner != 3 || len(p.Moments) != 1 || len(p.Changes) == 0 {
			t.Errorf("with %v: %s", args, said.String())
		}
		s.Clock.Turn(time.Minute) // it stands, and the command's own runs
		verifyMust(t, s.TakeUp(t.Context()))
		if changed := s.InForce().Ref() != before; changed != (args == nil) {
			t.Errorf("with %v the server changed its policy: %v", args, changed)
		}
	}
	verifyMust(t, s.Keeper.Reckon(t.Context()))
	if a := g.Asset(out.ID); a.Ends.Sub(*out.Ends).Hours() != -22 {
		t.Errorf("it ends at %v, and before at %v", a.Ends, out.Ends)
	}
	var said, errs bytes.Buffer
	if code := run([]string{"policy", "publish", file, "--data", s.Dirs[0]}, &said, &errs); code != 0 ||
		!strings.Contains(said.String(), "Nothing is kept longer.") {
		t.Errorf("exit %d: %s%s", code, said.String(), errs.String())
	}
	other := studioAs(t, "2026-11-22.101", "keep: 24h", "keep: 3h")
	if code := run([]string{"policy", "publish", other, "--data", s.Dirs[0]}, &said, &errs); code != 2 || !strings.Contains(errs.String(), "Raise its version") {
		t.Errorf("other words under the same version: exit %d: %s", code, errs.String())
	}
	if code := run([]string{"policy", "publish", file, "--data", t.TempDir()}, &said, &errs); code != 2 || !strings.Contains(errs.String(), "is not there") {
		t.Errorf("no store: exit %d: %s", code, errs.String())
	}
}

// A policy that an upgrade left behind is refused at the start with the lines to paste, and
// with them it is whole.
func TestAStartSaysWhatAPolicyLacks(t *testing.T) {
	t.Parallel()
	whole, err := policies.Load("studio", os.ReadFile)
	verifyMust(t, err)
	var kept []string
	for line := range strings.Lines(string(whole.YAML())) {
		switch {
		case strings.HasPrefix(line, "  history:"), strings.HasPrefix(line, "  evidence:"), strings.HasPrefix(line, "  hold:"), strings.Contains(line, "for: [evidence]"):
			continue
		}
		kept = append(kept, strings.ReplaceAll(strings.ReplaceAll(line, "history, ", ""), ", history", ""))
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	verifyMust(t, os.WriteFile(file, []byte(strings.Join(kept, "")), 0o600))
	var said, errs bytes.Buffer
	if code := run([]string{"serve", "--policy", file, "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data")}, &said, &errs); code != 2 {
		t.Fatalf("exit %d: %s%s", code, said.String(), errs.String())
	}
	_, paste, ok := strings.Cut(errs.String(), "\n\n")
	if !ok || !strings.Contains(errs.String(), "history, evidence") {
		t.Fatalf("it says: %s", errs.String())
	}
	mended := mend(kept, paste)
	verifyMust(t, os.WriteFile(file, []byte(mended), 0o600))
	if _, err := policies.Load(file, os.ReadFile); err != nil {
		t.Errorf("with the lines pasted: %v\n%s", err, paste)
	}
}

// mend pastes lines under the sections of the same name; one of a name that stands there
// replaces it.
func mend(lines []string, paste string) string {
	add := map[string][]string{}
	section := ""
	for line := range strings.Lines(paste) {
		switch {
		case strings.HasPrefix(line, "  "):
			add[section] = append(add[section], line)
		case strings.HasSuffix(line, ":\n") && !strings.HasPrefix(line, " "):
			section = line
		}
	}
	named := func(line string) string { name, _, _ := strings.Cut(line, ":"); return name }
	var out []string
	section = ""
	for _, line := range lines {
		if !strings.HasPrefix(line, " ") {
			section = line
			out = append(append(out, line), add[section]...)
			continue
		}
		replaced := false
		for _, a := range add[section] {
			replaced = replaced || (named(a) == named(line) && !strings.HasPrefix(line, "  - "))
		}
		if !replaced {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
