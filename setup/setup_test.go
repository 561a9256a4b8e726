// Package setup_test runs the scripts that make a machine ready, with a PATH in which
// apt-get writes down what it is asked instead of installing: the one thing about a bare
// machine that a test cannot have.
package setup_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine is a folder of commands that stands in for a system's PATH, with its apt lists.
type machine struct {
	bin, lists, asked string
}

// here are the commands that the scripts themselves are written with.
var here = []string{"sh", "cat", "rm", "mktemp", "ls", "awk", "sed", "sort", "head", "printf", "env"}

func bare(t *testing.T) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{bin: filepath.Join(dir, "bin"), lists: filepath.Join(dir, "lists"), asked: filepath.Join(dir, "asked")}
	for _, d := range []string{m.bin, m.lists} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range here {
		if at, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(at, filepath.Join(m.bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.command(t, "id", "echo 0")
	m.command(t, "apt-get", `echo "apt-get $*" >>`+m.asked+`
case "$*" in *update*) echo x >`+m.lists+`/main_Packages ;; esac`)
	return m
}

func (m machine) command(t *testing.T, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (m machine) has(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		m.command(t, name, "exit 0")
	}
}

// run gives what the script said, what apt-get was asked, and whether the script failed.
func (m machine) run(t *testing.T, script string, args ...string) (said string, asked []string, err error) {
	t.Helper()
	cmd := exec.Command(script, args...)
	cmd.Env = []string{"PATH=" + m.bin, "SETUP_APT_LISTS=" + m.lists, "TMPDIR=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if lines, readErr := os.ReadFile(m.asked); readErr == nil {
		asked = strings.Split(strings.TrimSpace(string(lines)), "\n")
	}
	return string(out), asked, err
}

func TestQuietWhenNothingIsMissing(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node", "npm", "chromium", "initdb")
	for _, what := range []string{"run", "test"} {
		said, asked, err := m.run(t, "./packages.sh", what)
		if err != nil || said != "" || asked != nil {
			t.Errorf("setup for %s on a whole machine: said %q, asked %q, %v", what, said, asked, err)
		}
	}
}

func TestInstallsWhatIsMissingAndSaysSo(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "node")
	said, asked, err := m.run(t, "./packages.sh", "run")
	if err != nil {
		t.Fatalf("setup: %v: %s", err, said)
	}
	if !strings.Contains(said, "installing pkg-config libvips-dev npm") {
		t.Errorf("setup did not say what it installs: %q", said)
	}
	want := []string{"apt-get update -qq", "apt-get install -y -qq --no-install-recommends pkg-config libvips-dev npm"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func TestTestsNeedMoreThanRunning(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node", "npm", "initdb")
	if said, asked, err := m.run(t, "./packages.sh", "run"); err != nil || asked != nil {
		t.Fatalf("running asks for more than it needs: %q, %q, %v", said, asked, err)
	}
	_, asked, err := m.run(t, "./packages.sh", "test")
	if err != nil || len(asked) != 2 || !strings.HasSuffix(asked[1], " chromium-headless-shell") {
		t.Errorf("asked %q, %v; want a browser alone", asked, err)
	}
}

func TestAnOlderSystemHasTheBrowserWhole(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node", "npm", "initdb")
	m.command(t, "apt-cache", "exit 100")
	if said, asked, err := m.run(t, "./packages.sh", "test"); err != nil || len(asked) != 2 || !strings.HasSuffix(asked[1], " chromium") || !strings.Contains(said, "installing chromium (") {
		t.Errorf("said %q, asked %q, %v; want chromium", said, asked, err)
	}
}

func TestListsAreFetchedOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node")
	if err := os.WriteFile(filepath.Join(m.lists, "main_Packages"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, asked, err := m.run(t, "./packages.sh", "run")
	if err != nil || len(asked) != 1 || !strings.Contains(asked[0], "install") {
		t.Errorf("asked %q, %v; want one install", asked, err)
	}
}

func TestOldListsAreFetchedAgain(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node")
	if err := os.WriteFile(filepath.Join(m.lists, "main_Packages"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	// The mirror has newer versions than the lists name until they are fetched.
	m.command(t, "apt-get", `echo "apt-get $1" >>`+m.asked+`
case "$1" in update) : >`+m.bin+`/../fetched ;; install) [ -e `+m.bin+`/../fetched ] ;; esac`)
	said, asked, err := m.run(t, "./packages.sh", "run")
	if err != nil {
		t.Fatalf("setup: %v: %s", err, said)
	}
	if want := []string{"apt-get install", "apt-get update", "apt-get install"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func TestFailedInstallFails(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.command(t, "apt-get", `case "$1" in install) echo "no such package"; exit 100 ;; esac`)
	said, _, err := m.run(t, "./packages.sh", "run")
	if err == nil || !strings.Contains(said, "no such package") {
		t.Errorf("a failed install: %v, said %q", err, said)
	}
}

func TestWhoMayNotInstallIsToldWhatToType(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node")
	m.command(t, "id", "echo 1000")
	said, asked, err := m.run(t, "./packages.sh", "run")
	if err == nil || asked != nil || !strings.Contains(said, "apt-get install npm") {
		t.Errorf("no root and no sudo: %v, asked %q, said %q", err, asked, said)
	}
	m.command(t, "sudo", `exec "$@"`)
	if said, asked, err := m.run(t, "./packages.sh", "run"); err != nil || len(asked) != 2 {
		t.Errorf("with sudo: %v, asked %q, said %q", err, asked, said)
	}
}

func TestAnotherSystemIsToldWhatItLacks(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.has(t, "git", "gcc", "pkg-config", "node")
	if err := os.Remove(filepath.Join(m.bin, "apt-get")); err != nil {
		t.Fatal(err)
	}
	said, _, err := m.run(t, "./packages.sh", "run")
	if err == nil || !strings.Contains(said, "npm") || !strings.Contains(said, "your system's own means") {
		t.Errorf("no apt-get: %v, said %q", err, said)
	}
}

func TestPhotographsNeedListsOnce(t *testing.T) {
	t.Parallel()
	m := bare(t)
	for range 2 {
		if said, asked, err := m.run(t, "./packages.sh", "photographs"); err != nil || len(asked) != 1 {
			t.Fatalf("asked %q, %v, said %q; want one update", asked, err, said)
		}
	}
}

func TestGoIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string // of the go command; empty: there is none
		says string // empty: nothing, and success
	}{
		"new enough":      {"echo go1.26.8", ""},
		"newer":           {"echo go1.27rc1", ""},
		"experiment":      {"echo go1.26.8 X:nodwarf5", ""},
		"too old":         {"echo go1.24.3", "1.26.0 or later is needed, this is 1.24.3"},
		"absent":          {"", "no go command"},
		"local toolchain": {"echo 'go.mod requires go >= 1.26.0' >&2; exit 1", "go.mod requires"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := bare(t)
			if c.body != "" {
				m.command(t, "go", c.body)
			}
			cmd := exec.Command("setup/go.sh")
			cmd.Dir = ".."
			cmd.Env = []string{"PATH=" + m.bin}
			out, err := cmd.CombinedOutput()
			if c.says == "" && (err != nil || len(out) != 0) {
				t.Errorf("said %q, %v", out, err)
			}
			if c.says != "" && (err == nil || !strings.Contains(string(out), c.says)) {
				t.Errorf("said %q, %v; want %q", out, err, c.says)
			}
		})
	}
}
