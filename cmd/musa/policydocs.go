package main

import (
	"os"

	"musa/policy"
)

// PolicySchemaCmd is `musa policy schema`.
type PolicySchemaCmd struct{}

// Run prints the language's JSON Schema.
func (*PolicySchemaCmd) Run() error {
	_, err := os.Stdout.Write(new(policy.Document).Schema())
	return err
}

// PolicyRecordCmd is `musa policy record`.
type PolicyRecordCmd struct {
	JSON   bool   `name:"json" help:"Print as JSON."`
	Policy string `arg:"" default:"studio" help:"Preset or file."`
}

// Run prints the record as Markdown.
func (c *PolicyRecordCmd) Run() error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	if c.JSON {
		return policyJSON(os.Stdout, d.Record())
	}
	_, err = os.Stdout.Write(policy.Markdown(policy.RecordTitle, d.Record()))
	return err
}

// PolicyAgreementCmd is `musa policy agreement`.
type PolicyAgreementCmd struct {
	JSON   bool   `name:"json" help:"Print as JSON."`
	Policy string `arg:"" default:"studio" help:"Preset or file."`
}

// Run prints the agreement as Markdown.
func (c *PolicyAgreementCmd) Run() error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	if c.JSON {
		return policyJSON(os.Stdout, d.Agreement())
	}
	_, err = os.Stdout.Write(policy.Markdown(policy.AgreementTitle, d.Agreement()))
	return err
}
