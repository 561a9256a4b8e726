package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands that say a policy in words say it in English, or in the language that is asked for.
func TestPolicyIsSaidInALanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, english, german string }{
		{"record", "# Record of processing activities", "# Verzeichnis von Verarbeitungstätigkeiten"},
		{"record --json", "Time limits for erasure", "Löschfristen"},
		{"agreement", "# Data processing agreement", "# Vertrag über die Auftragsverarbeitung"},
		{"agreement --json", "1. Parties", "1. Vertragsparteien"},
		{"render", "What is kept, and for how long", "Was aufbewahrt wird, und wie lange"},
		{"explain original", "The pictures that you bring", "Von Ihnen mitgebrachte Bilder"},
		{"diff studio enhancer", "In the document", "Im Dokument"},
	} {
		for lang, says := range map[string]string{"": c.english, "--lang=en": c.english, "--lang=de": c.german} {
			var out, errs bytes.Buffer
			args := append([]string{"policy"}, strings.Fields(c.args+" "+lang)...)
			if code := run(args, &out, &errs); code != 0 || !strings.Contains(out.String(), says) {
				t.Errorf("%q: exit %d, not in it: %q: %s%.300s", args, code, says, errs.String(), out.String())
			}
		}
	}
	var out, errs bytes.Buffer
	if code := run([]string{"policy", "record", "--lang", "xx"}, &out, &errs); code == 0 || !strings.Contains(errs.String(), "en") || out.Len() > 0 {
		t.Errorf("a language that nobody speaks: exit %d: %s", code, errs.String())
	}
}

// A document at fault is exit 1, as with every command that looks; one that cannot be read is 2.
func TestPolicyLintTellsFaultFromFailure(t *testing.T) {
	t.Parallel()
	faulty := filepath.Join(t.TempDir(), "faulty.yaml")
	verifyMust(t, os.WriteFile(faulty, []byte("extends: studio\nage: {minimum: 3}\n"), 0o600))
	misspelt := filepath.Join(t.TempDir(), "misspelt.yaml")
	verifyMust(t, os.WriteFile(misspelt, []byte("extends: studio\nages: {minimum: 16}\n"), 0o600))
	for _, c := range []struct {
		file string
		code int
	}{{"studio", 0}, {faulty, 1}, {misspelt, 1}, {"missing.yaml", 2}} {
		for _, json := range []string{"", "--json"} {
			var out, errs bytes.Buffer
			args := append([]string{"policy", "lint", c.file}, strings.Fields(json)...)
			if code := run(args, &out, &errs); code != c.code {
				t.Errorf("%q: exit %d, want %d: %s%s", args, code, c.code, errs.String(), out.String())
			}
			if c.code == 1 && !strings.Contains(out.String(), filepath.Base(c.file)) {
				t.Errorf("%q: said where the output of a command does not go: %q", args, out.String())
			}
		}
	}
}
