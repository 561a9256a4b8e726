package policies_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"musa"
	"musa/db"
	"musa/policies"
	"musa/policy"
)

func TestPresetsHaveNoFault(t *testing.T) {
	t.Parallel()
	names := policies.Names()
	if !slices.Contains(names, policies.Default) || !slices.Contains(names, "enhancer") {
		t.Fatalf("presets are %v", names)
	}
	for _, name := range names {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Policy != name {
			t.Errorf("preset %s calls itself %s", name, d.Policy)
		}
		for _, c := range musa.Categories() {
			if !d.Categories.Has(string(c)) {
				t.Errorf("%s does not define %s", name, c)
			}
		}
		back, err := policy.Parse("again", d.YAML())
		if err != nil {
			t.Fatalf("%s does not parse back: %v\n%s", name, err, d.YAML())
		}
		if !bytes.Equal(d.YAML(), back.YAML()) || d.Hash() != back.Hash() {
			t.Errorf("%s changes on its way through its own YAML", name)
		}
	}
}

// Another reader of YAML sees a section of a law as it is called, not as a number that it
// rounds: 1798.110 was shown as 1798.11.
func TestPresetsShowSectionsOfALawAsWords(t *testing.T) {
	t.Parallel()
	d, err := policies.Load("conversational", nil)
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Rights map[string]struct {
			Elsewhere map[string]map[string]any
		}
	}
	if err := yaml.Unmarshal(d.YAML(), &shown); err != nil {
		t.Fatal(err)
	}
	if got := shown.Rights["access"].Elsewhere["ccpa"]["section"]; got != "1798.110" {
		t.Errorf("the section is shown as %v", got)
	}
}

func TestLoadReadsFiles(t *testing.T) {
	t.Parallel()
	_, src, err := policies.Source("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := policies.Load("own.yaml", func(name string) ([]byte, error) { return src, nil })
	if err != nil || d.Policy != "studio" {
		t.Errorf("own file: %v", err)
	}
	_, err = policies.Load("gone.yaml", func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file gives %v", err)
	}
	var p *musa.Problem
	if _, err := policies.Load("stuido", nil); !errors.As(err, &p) || !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("unknown preset gives %v", err)
	}
	var faults policy.Faults
	twice := append(slices.Clone(src), []byte("policy: again\n")...)
	if _, err := policies.Load("./own", func(string) ([]byte, error) { return twice, nil }); !errors.As(err, &faults) {
		t.Errorf("faulty file gives %v", err)
	}
}

func TestLoadExtends(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"short.yaml":   "extends: enhancer\npolicy: short\nrights: {erasure: {undo: 1s}}\n",
		"shorter.yaml": "extends: ./short.yaml\npolicy: shorter\n",
		"./short.yaml": "extends: enhancer\npolicy: short\nrights: {erasure: {undo: 1s}}\n",
		"a.yaml":       "extends: b.yaml\n",
		"b.yaml":       "extends: a.yaml\n",
		"bad.yaml":     "extends: studio\nretention: []\n",
	}
	read := func(name string) ([]byte, error) {
		src, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(src), nil
	}
	for name, want := range map[string]string{"short.yaml": "short", "shorter.yaml": "shorter"} {
		d, err := policies.Load(name, read)
		if err != nil || d.Policy != want || d.Undo() != time.Second {
			t.Errorf("%s: %v", name, err)
		}
	}
	var faults policy.Faults
	for _, name := range []string{"a.yaml", "bad.yaml"} {
		if _, err := policies.Load(name, read); !errors.As(err, &faults) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// A preset says only what is true of the program as it is.
func TestPresetsClaimNoMoreThanIsTrue(t *testing.T) {
	t.Parallel()
	for _, name := range policies.Names() {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.Security.Claims {
			if !slices.Contains([]string{"encrypted_at_rest", "per_subject_keys", "argon2id_passwords", "audit_log", "backups"}, c) {
				t.Errorf("%s claims %s", name, c)
			}
		}
		if len(d.Moderation.LooksAt) > 0 || len(d.Regions.Choices) > 0 {
			t.Errorf("%s speaks of parts that the program lacks", name)
		}
		for _, e := range d.Purposes {
			if a := e.Value.Assessment; a != "" {
				if _, err := os.Stat("../" + a); err != nil {
					t.Errorf("%s cites an assessment: %v", name, err)
				}
			}
		}
	}
}

// Originals go when the last job that used them ends, at the policy's limit where no job
// does, and with the results where they are saved; results of guests live a day.
func TestPresetsKeepTheirTimes(t *testing.T) {
	t.Parallel()
	const hour, made = musa.Millis(3_600_000), musa.Millis(1_800_000_000_000)
	cases := []struct {
		name string
		item policy.Item
		end  musa.Millis
	}{
		{"used", policy.Item{Category: musa.CategoryOriginal, JobEnded: made + 9000}, made + 9000},
		{"still used", policy.Item{Category: musa.CategoryOriginal, InUse: true}, 0},
		{"never used", policy.Item{Category: musa.CategoryOriginal}, made + hour},
		{"saved", policy.Item{Category: musa.CategoryOriginal, JobEnded: made + 9000, Saved: true}, made + 24*hour},
		{"result", policy.Item{Category: musa.CategoryOutput}, made + 24*hour},
		{"history", policy.Item{Category: musa.CategoryHistory}, made + 24*hour},
		{"prompt", policy.Item{Category: musa.CategoryPrompt}, made + 24*hour},
		{"scratch", policy.Item{Category: musa.CategoryScratch, JobEnded: made + 9000}, made + 9000},
	}
	for _, name := range []string{"studio", "enhancer"} {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d.Undo() != 10*time.Second {
			t.Errorf("%s: undo %v", name, d.Undo())
		}
		for _, c := range cases {
			i := c.item
			i.ID, i.Owner, i.Tier, i.Created = "as_1", "su_1", musa.TierGuest, made
			if got := d.End(i); got.At != c.end {
				t.Errorf("%s, %s: %+v, want %d", name, c.name, got, c.end)
			}
			if c.end == 0 {
				continue
			}
			for _, at := range []musa.Millis{c.end - 1, c.end} {
				g := d.Decide(policy.Facts{Now: at, Purpose: musa.PurposeGenerate, Item: i,
					Actor: musa.Actor{Subject: "su_1", Role: musa.RoleSystem}})
				if g.Allowed() != (at < c.end) {
					t.Errorf("%s, %s, %d ms from its end: %v", name, c.name, at-c.end, g.Err())
				}
			}
		}
	}
}

// What a table holds, the page may not deny.
func TestPresetsCollectWhatTablesHold(t *testing.T) {
	t.Parallel()
	for _, name := range policies.Names() {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range db.Tables() {
			held := append(slices.Collect(maps.Values(table.Columns)), table.Category)
			for _, category := range held {
				if c, _ := d.Categories.Get(string(category)); c.Collected.Off() {
					t.Errorf("%s says that no %s is collected, and table %s holds it", name, category, table.Name)
				}
			}
		}
	}
}
