package main

import (
	"bytes"
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
