// Package conformance tells which of the promises in promises.yaml a running Musa keeps.
// A promise is one subtest that bears its id and looks through public surfaces only: HTTP,
// pages, commands, mail, and what lies on disk. Those that ask for a browser stand in e2e, in
// tests whose names begin with TestPromise.
//
// It promises that a report names a promise "kept" only when the subtest of exactly that id
// ran and passed. It does not judge whether a test looks closely enough: that is what the
// words under "seen" are for.
package conformance

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed promises.yaml
var document []byte

// Promise is one sentence that a preset's policy tells people.
type Promise struct {
	ID     string `yaml:"id"`      // "E-02": stable, borne verbatim by a subtest
	Preset string `yaml:"-"`       // the policy preset that makes it
	Area   string `yaml:"area"`    // what part of the product keeps it
	Words  string `yaml:"promise"` // what people are told
	Seen   string `yaml:"seen"`    // what an observer must be able to see
}

type system struct {
	Preset   string    `yaml:"preset"`
	What     string    `yaml:"what"`
	Promises []Promise `yaml:"promises"`
}

// Promises lists the catalogue in its own order. It fails only if the embedded document
// is malformed or names an id twice.
func Promises() ([]Promise, error) {
	var doc struct {
		Systems []system `yaml:"systems"`
	}
	if err := yaml.UnmarshalWithOptions(document, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read promise catalogue: %w", err)
	}
	var all []Promise
	seen := map[string]bool{}
	for _, s := range doc.Systems {
		for _, p := range s.Promises {
			if p.ID == "" || seen[p.ID] {
				return nil, fmt.Errorf("promise catalogue: id %q of preset %s is empty or taken", p.ID, s.Preset)
			}
			seen[p.ID] = true
			p.Preset = s.Preset
			all = append(all, p)
		}
	}
	return all, nil
}
