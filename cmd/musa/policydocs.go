package main

import (
	"io"
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
	spokenIn
	JSON   bool   `name:"json" help:"Print as JSON."`
	Policy string `arg:"" default:"studio" help:"Preset or file."`
}

// Run prints the record as Markdown.
func (c *PolicyRecordCmd) Run(out io.Writer) error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	if c.JSON {
		return policyJSON(out, d.RecordIn(c.Lang))
	}
	_, err = out.Write(policy.Markdown(policy.TitleIn(c.Lang, policy.RecordTitle), d.RecordIn(c.Lang)))
	return err
}

// PolicyAgreementCmd is `musa policy agreement`.
type PolicyAgreementCmd struct {
	spokenIn
	JSON   bool   `name:"json" help:"Print as JSON."`
	Policy string `arg:"" default:"studio" help:"Preset or file."`
}

// Run prints the agreement as Markdown.
func (c *PolicyAgreementCmd) Run(out io.Writer) error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	if c.JSON {
		return policyJSON(out, d.AgreementIn(c.Lang))
	}
	_, err = out.Write(policy.Markdown(policy.TitleIn(c.Lang, policy.AgreementTitle), d.AgreementIn(c.Lang)))
	return err
}
