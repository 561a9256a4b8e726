package policy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"musa"
	"musa/policies"
	"musa/policy"
)

func documents(t *testing.T) map[string]*policy.Document {
	t.Helper()
	docs := map[string]*policy.Document{"shape": parse(t, shape(t))}
	for _, name := range policies.Names() {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		docs[name] = d
	}
	return docs
}

// The documents that are handed over have every part that the GDPR asks for, and each of their
// sentences stands in the policy.
func TestRecordAndAgreement(t *testing.T) {
	t.Parallel()
	for name, d := range documents(t) {
		for _, doc := range []struct {
			name     string
			sections []policy.Section
			parts    []string // of art. 30(1) and art. 28(3)
		}{
			{"record", d.Record(), []string{"30(1)(a)", "30(1)(b)", "30(1)(c)", "30(1)(d)", "30(1)(e)", "30(1)(f)", "30(1)(g)"}},
			{"agreement", d.Agreement(), []string{"28(3)(a)", "28(3)(c)", "28(2)", "28(3)(e)", "28(3)(f)", "28(3)(g)", "28(3)(h)"}},
		} {
			whole := text(doc.sections)
			for _, part := range doc.parts {
				if !strings.Contains(whole, part) {
					t.Errorf("the %s of %s lacks %s", doc.name, name, part)
				}
			}
			for _, s := range doc.sections {
				for _, x := range s.Sentences {
					if d.Line(x.Path) == 0 || strings.Contains(x.Text, "%!") || strings.Contains(x.Text, "  ") || !strings.HasSuffix(x.Text, ".") {
						t.Errorf("the %s of %s: %q cites %s", doc.name, name, x.Text, x.Path)
					}
				}
			}
		}
	}
}

// The record names every kind of data that is collected, and no other.
func TestRecordNamesWhatIsCollected(t *testing.T) {
	t.Parallel()
	for name, d := range documents(t) {
		record := text(d.Record())
		for _, c := range musa.Categories() {
			line, _ := d.Categories.Get(string(c))
			if named := strings.Contains(record, "<categories."+string(c)+">"); named == line.Collected.Off() {
				t.Errorf("%s: collected %v, in the record: %v", c, !line.Collected.Off(), named)
			}
		}
		for _, e := range d.Processors {
			if !strings.Contains(record, "<processors."+e.Name+">") {
				t.Errorf("%s: %s gets data and is not in the record", name, e.Name)
			}
		}
	}
}

func TestRecordGolden(t *testing.T) {
	t.Parallel()
	d := parse(t, shape(t))
	for file, got := range map[string]string{
		"testdata/shape.record.golden":    string(policy.Markdown(policy.RecordTitle, d.Record())),
		"testdata/shape.agreement.golden": string(policy.Markdown(policy.AgreementTitle, d.Agreement())),
	} {
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

// What an operator writes stays text in what is downloaded.
func TestMarkdownKeepsTextText(t *testing.T) {
	t.Parallel()
	got := string(policy.Markdown("A*B", []policy.Section{{Heading: "H_", Sentences: []policy.Sentence{
		{Text: "See [this](http://x) <b> `c`\n# no", Path: "a.b[0]"}}}}))
	if regexp.MustCompile(`(?m)[^\\][\[<]|^# no`).MatchString(strings.ReplaceAll(got, "`a.b[0]`", "")) {
		t.Error(got)
	}
	if want := "# A\\*B\n\n## H\\_\n\n- See \\[this\\](http://x) \\<b\\> \\`c\\` \\# no `a.b[0]`\n"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}
