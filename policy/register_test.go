package policy_test

import (
	"os"
	"regexp"
	"slices"
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
	for _, tag := range []string{"en", "de"} {
		for _, paper := range papers(d) {
			got := string(policy.Markdown(policy.TitleIn(tag, paper.title), paper.in(tag)))
			file := "testdata/shape." + paper.name + ".golden"
			if tag != "en" {
				file = "testdata/shape." + paper.name + "." + tag + ".golden"
			}
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
}

// paper is a document that is handed over, in any language.
type paper struct {
	name, title string
	in          func(tag string) []policy.Section
}

func papers(d *policy.Document) []paper {
	return []paper{{"record", policy.RecordTitle, d.RecordIn}, {"agreement", policy.AgreementTitle, d.AgreementIn}}
}

// A paper in German has the English one's lines, each in a whole sentence that speaks to nobody and in
// which no phrase stayed English.
func TestPapersInGerman(t *testing.T) {
	t.Parallel()
	for name, d := range documents(t) {
		for _, paper := range papers(d) {
			of := "the " + paper.name + " of " + name
			english, german := paper.in("en"), paper.in("de")
			wantSame(t, of, english, german)
			for i, section := range german {
				if title := policy.TitleIn("de", paper.title); title == paper.title || section.Heading == english[i].Heading {
					t.Errorf("%s: %q and %q are English", of, title, section.Heading)
				}
				for n, x := range section.Sentences {
					if strings.Contains(x.Text, "  ") || !strings.HasSuffix(x.Text, ".") || toSomebody.MatchString(x.Text) {
						t.Errorf("%s: %q", of, x.Text)
					}
					if left := inBoth(d, english[i].Sentences[n].Text, x.Text); len(left) > 0 {
						t.Errorf("%s: %q in %q is English", of, left, x.Text)
					}
				}
			}
		}
	}
}

var (
	// toSomebody finds a "Sie" that is no "sie" at a sentence's beginning.
	toSomebody = regexp.MustCompile(`\p{L},? Sie\b|\bIhr(e[mnrs]?)?\b|\bIhnen\b`)
	// plain are words without a dot, a slash and the like, which ids, addresses and numbers have.
	plain = regexp.MustCompile(`^\p{L}{2,}$`)
	// shared are words that English and German both have.
	shared = strings.Fields("in an https name version website support moderation compliance training fideslang")
)

// inBoth are the words that stand in a sentence in both languages and are neither names of the document's
// own nor words of both.
func inBoth(d *policy.Document, english, german string) (left []string) {
	own := strings.ToLower(strings.Join(append(append(d.Categories.Names(), d.Processors.Names()...), d.Controller.Name, d.Policy), " "))
	said := strings.FieldsFunc(english, apart)
	for _, word := range strings.FieldsFunc(german, apart) {
		lower := strings.ToLower(word)
		if plain.MatchString(word) && slices.Contains(said, word) && !slices.Contains(shared, lower) && !slices.Contains(strings.Fields(own), lower) {
			left = append(left, word)
		}
	}
	return left
}

func apart(r rune) bool { return strings.ContainsRune(" ,;:()“”„–", r) }

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
