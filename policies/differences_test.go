package policies_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"musa"
	"musa/policies"
	"musa/policy"
)

var update = flag.Bool("update", false, "write the tables of doc/policies.md anew")

// The columns, in the order of the promise catalogue, the default first.
var columns = []string{"studio", "enhancer", "conversational", "professional", "open-door", "workspace"}

const tablesBegin, tablesEnd = "<!-- tables: written by go test ./policies -run Differences -update -->", "<!-- end of tables -->"

// The tables of doc/policies.md say what the documents say.
func TestDifferencesAreToldAsTheyAre(t *testing.T) {
	t.Parallel()
	const file = "../doc/policies.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tablesBegin)
	_, after, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		t.Fatal("the file has no place for the tables")
	}
	want := before + tablesBegin + "\n\n" + tables(t) + "\n" + tablesEnd + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Error("doc/policies.md tells other differences than the presets have: go test ./policies -run Differences -update")
	}
	for _, name := range columns {
		if !strings.Contains(after, "## "+name+"\n") {
			t.Errorf("doc/policies.md does not say what %s leaves for later", name)
		}
	}
}

func tables(t *testing.T) string {
	t.Helper()
	if !slices.Equal(slices.Sorted(slices.Values(columns)), policies.Names()) {
		t.Fatalf("the presets are %v, the columns %v", policies.Names(), columns)
	}
	docs := make([]*policy.Document, len(columns))
	for i, name := range columns {
		var err error
		if docs[i], err = policies.Load(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	lifetimes(&b, docs)
	lines(t, &b, docs)
	return b.String()
}

// lifetimes is a row for each kind of data and standing; a kind that no preset makes yet
// bears a star.
func lifetimes(b *strings.Builder, docs []*policy.Document) {
	fmt.Fprintf(b, "### Lifetimes that differ\n\n| | |%s\n|---|---|%s\n", heads(), strings.Repeat("---|", len(docs)))
	var alike []string
	for _, group := range groups(docs) {
		c := group[0]
		var rows [][]string
		for _, tier := range []string{"guest", "member", "paid"} {
			row := []string{tier}
			for _, d := range docs {
				row = append(row, fate(d, string(c), tier))
			}
			if n := len(rows); n > 0 && slices.Equal(rows[n-1][1:], row[1:]) {
				rows[n-1][0] += ", " + tier
				continue
			}
			rows = append(rows, row)
		}
		var names []string
		for _, c := range group {
			names = append(names, "`"+string(c)+"`"+star(docs, c))
		}
		name := strings.Join(names, ", ")
		for _, row := range rows {
			who := strings.Replace(row[0], "guest, member, paid", "everybody", 1)
			if same(row[1:]) {
				alike = append(alike, fmt.Sprintf("| %s | %s | %s |\n", name, who, row[1]))
				continue
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", name, who, strings.Join(row[1:], " | "))
		}
	}
	fmt.Fprintf(b, "\n### Lifetimes that are alike\n\n| | | in each preset |\n|---|---|---|\n%s", strings.Join(alike, ""))
}

// groups puts together what every preset treats alike.
func groups(docs []*policy.Document) (out [][]musa.Category) {
	place := map[string]int{}
	for _, c := range musa.Categories() {
		var all []string
		for _, d := range docs {
			for _, tier := range d.Tiers.Names() {
				all = append(all, fate(d, string(c), tier))
			}
		}
		key := strings.Join(all, "|")
		if n, ok := place[key]; ok {
			out[n] = append(out[n], c)
			continue
		}
		place[key] = len(out)
		out = append(out, []musa.Category{c})
	}
	return out
}

func star(docs []*policy.Document, c musa.Category) string {
	for _, d := range docs {
		if line, _ := d.Categories.Get(string(c)); !line.Collected.Off() {
			return ""
		}
	}
	return " \\*"
}

// fate is what all rules say of a category in a tier.
func fate(d *policy.Document, category, tier string) string {
	var parts []string
	for _, r := range d.Retention {
		if r.For.Has(category) && (len(r.Tier) == 0 || r.Tier.Has(tier)) {
			parts = append(parts, words(r))
		}
	}
	if len(parts) == 0 {
		return "is not held"
	}
	return strings.Join(parts, "; ")
}

func words(r policy.Rule) string {
	var b strings.Builder
	switch {
	case r.SameAs != "":
		fmt.Fprintf(&b, "as `%s`", r.SameAs)
	case r.Keep.Indefinite():
		b.WriteString("without end")
	default:
		fmt.Fprintf(&b, "**%s** from `%s`", r.Keep, r.From)
	}
	if len(r.When) > 0 {
		fmt.Fprintf(&b, " when %s", strings.Join(r.When, ", "))
	}
	if len(r.Unless) > 0 {
		fmt.Fprintf(&b, " unless %s", strings.Join(r.Unless, " or "))
	}
	if len(r.Choices) > 0 {
		var offers []string
		for _, c := range r.Choices {
			offers = append(offers, c.String())
		}
		fmt.Fprintf(&b, ", a choice of %s (by %s)", strings.Join(offers, ", "), strings.Join(r.SetBy, ", "))
	}
	if r.OnTierLoss.Shorten.On() {
		fmt.Fprintf(&b, ", shortened %s after the tier is lost", r.OnTierLoss.Notice)
	}
	if r.Then != "" {
		fmt.Fprintf(&b, ", then %s", r.Then)
	}
	if r.Minimum.On() {
		fmt.Fprintf(&b, ", at least (%s)", r.Law)
	}
	if r.Restricted.On() {
		fmt.Fprintf(&b, ", restricted; %s remain", strings.Join(r.Residue, ", "))
	}
	return b.String()
}

// lines is every other line of the documents: those that differ side by side, the legal
// bases in full.
func lines(t *testing.T, b *strings.Builder, docs []*policy.Document) {
	t.Helper()
	var order []string
	said := make([]map[string]string, len(docs))
	for i, d := range docs {
		var whole yaml.MapSlice
		if err := yaml.UnmarshalWithOptions(d.YAML(), &whole, yaml.UseOrderedMap()); err != nil {
			t.Fatal(err)
		}
		said[i] = map[string]string{}
		leaves("", whole, func(path, value string) {
			if !slices.Contains(order, path) {
				order = append(order, path)
			}
			said[i][path] = value
		})
	}
	fmt.Fprintf(b, "\n### Other lines that differ\n\n| |%s\n|---|%s\n", heads(), strings.Repeat("---|", len(docs)))
	bases := "\n### Legal bases, alike in all presets\n\n| purpose | basis |\n|---|---|\n"
	for _, path := range order {
		row := make([]string, len(docs))
		for i := range docs {
			row[i] = said[i][path]
			if row[i] == "" {
				row[i] = "–"
			}
		}
		purpose, isBasis := strings.CutSuffix(path, ".basis")
		switch {
		case !same(row):
			fmt.Fprintf(b, "| `%s` | %s |\n", path, strings.Join(row, " | "))
		case isBasis:
			bases += fmt.Sprintf("| `%s` | %s |\n", strings.TrimPrefix(purpose, "purposes."), row[0])
		}
	}
	b.WriteString(bases)
}

// leaves calls f for each value that is no mapping, but for what names the document itself
// and for the lifetimes.
func leaves(path string, v any, f func(path, value string)) {
	m, ok := v.(yaml.MapSlice)
	if !ok {
		f(path, strings.Trim(flow(v), "[]"))
		return
	}
	for _, p := range m {
		below := strings.TrimPrefix(fmt.Sprintf("%s.%v", path, p.Key), ".")
		if !slices.Contains([]string{"policy", "version", "effective", "controller", "retention"}, below) {
			leaves(below, p.Value, f)
		}
	}
}

func heads() string { return " " + strings.Join(columns, " | ") + " |" }

func same(row []string) bool { return len(slices.Compact(slices.Clone(row))) == 1 }
