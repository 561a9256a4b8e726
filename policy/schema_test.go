package policy_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"musa/policies"
	"musa/policy"
)

const schemaFile = "../doc/policy.schema.json"

func TestSchemaIsPublished(t *testing.T) {
	t.Parallel()
	want := new(policy.Document).Schema()
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not the language any more; run with -update", schemaFile)
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	src, err := jsonschema.UnmarshalJSON(bytes.NewReader(new(policy.Document).Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(policy.SchemaID, src); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(policy.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestSchemaTakesWhatParseTakes(t *testing.T) {
	t.Parallel()
	s := schema(t)
	if err := validate(t, s, shape(t)); err != nil {
		t.Errorf("the shape: %v", err)
	}
	for _, name := range policies.Names() {
		_, src, err := policies.Source(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, string(src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, string(d.YAML())); err != nil {
			t.Errorf("%s as it is printed: %v", name, err)
		}
	}
}

// What the schema refuses, Parse or Lint refuses, too: an editor is never stricter.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s, src := schema(t), shape(t)
	cases := []struct{ name, old, new string }{
		{"unknown section", "regimes:\n", "regime:\n"},
		{"unknown key", "from: created, keep: 30d}\n  - {for: [generation_log", "form: created, keep: 30d}\n  - {for: [generation_log"},
		{"no version", "version: 2027-03-01.2\n", ""},
		{"version without a day", "version: 2027-03-01.2", "version: v2"},
		{"vague duration", "keep: 60d}\n  - {for: [security_log]", "keep: a while}\n  - {for: [security_log]"},
		{"duration without a unit", "lead: 30d", "lead: 30"},
		{"size without a unit", "storage: 100MB", "storage: 100"},
		{"yes for true", "account: false, storage", "account: yes, storage"},
		{"unknown category", "- {for: [device], from", "- {for: [diary], from"},
		{"a category of our own", "  share:          {is", "  diary: {is: user.content.private}\n  share:          {is"},
		{"a category is missing", "  survey:         {is: user.content.private}\n", ""},
		{"unknown tier", "  paid:   {account: true, when", "  gold:   {account: true, when"},
		{"unknown event", "[device], from: created", "[device], from: full_moon"},
		{"unknown basis", "bill:          {basis: contract", "bill:          {basis: curiosity"},
		{"unknown mode under a law", "{default: opt_out, gdpr: opt_in}", "{default: opt_out, gdpr: assumed}"},
		{"no default", "{default: opt_out, gdpr: opt_in}", "{gdpr: opt_in}"},
		{"host with a scheme", "api.till.example", "https://api.till.example"},
		{"country in words", "country: AT", "country: Austria"},
		{"word twice", "looks_at: [prompt, original", "looks_at: [prompt, prompt, original"},
		{"claim without a test", "claims: [encrypted", "claims: [military_grade, encrypted"},
		{"rule without a time", "- {for: [device], from: created, keep: 60d}", "- {for: [device], from: created}"},
		{"list for a mapping", "controller: {name", "controller: [name]\nsilly: {name"},
		{"right of our own", "human_review:  {", "applause:  {"},
	}
	for _, c := range cases {
		if strings.Count(src, c.old) != 1 {
			t.Fatalf("%s: %q stands %d times in the shape", c.name, c.old, strings.Count(src, c.old))
		}
		text := strings.Replace(src, c.old, c.new, 1)
		if err := validate(t, s, text); err == nil {
			t.Errorf("%s: the schema takes it", c.name)
		}
		if d, err := policy.Parse("test.yaml", []byte(text)); err == nil && len(d.Lint()) == 0 {
			t.Errorf("%s: refused by the schema alone", c.name)
		}
	}
}

// A document that extends another says only what differs; without the other it is not whole.
func TestSchemaOfAnExtendingDocument(t *testing.T) {
	t.Parallel()
	s := schema(t)
	if err := validate(t, s, "extends: studio\npolicy: ours\nchanges: {material: {lead: 14d}}\n"); err != nil {
		t.Error(err)
	}
	if err := validate(t, s, "policy: ours\nchanges: {material: {lead: 14d}}\n"); err == nil {
		t.Error("takes a document that says next to nothing")
	}
	if err := validate(t, s, "extends: studio\npolicy: ours\nchanges: {material: {lead: soon}}\n"); err == nil {
		t.Error("does not look into what extends")
	}
}
