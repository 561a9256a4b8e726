package policies_test

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"musa"
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
