package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"musa"
	"musa/policies"
	"musa/policy"
)

// PolicyCmd is `musa policy`: what a policy says, and whether it can be kept. A policy is
// named by its preset or by its file; none of the commands needs a running server.
type PolicyCmd struct {
	Lint      PolicyLintCmd      `cmd:"" help:"Find what is wrong with policies: line, reason and remedy. Exit 1 if anything is."`
	Show      PolicyShowCmd      `cmd:"" help:"Print a whole policy as YAML that --policy takes back."`
	Explain   PolicyExplainCmd   `cmd:"" help:"Say in words when a kind of data ends, and which lines say so."`
	Render    PolicyRenderCmd    `cmd:"" help:"Print the privacy page, each sentence with the line that it comes from."`
	Diff      PolicyDiffCmd      `cmd:"" help:"Say in words what a newer policy changes."`
	Record    PolicyRecordCmd    `cmd:"" help:"Print the record of processing activities (GDPR art. 30) as Markdown."`
	Agreement PolicyAgreementCmd `cmd:"" help:"Print a data processing agreement (GDPR art. 28) as Markdown."`
	Schema    PolicySchemaCmd    `cmd:"" help:"Print the JSON Schema of the policy language."`
	Publish   PolicyPublishCmd   `cmd:"" help:"Take a policy up in a store, and say what that changes for what exists. A server may run beside."`
}

// spokenIn is the flag of the commands that say a policy in words.
type spokenIn struct {
	Lang string `default:"en" enum:"en,de" help:"Language of the sentences: ${enum}."`
}

// PolicyLintCmd is `musa policy lint`.
type PolicyLintCmd struct {
	JSON     bool     `name:"json" help:"Print faults as JSON."`
	Policies []string `arg:"" name:"policy" help:"Presets or files."`
}

// Run prints every fault of every policy: status 1 if there is one, 2 if it could not look.
func (c *PolicyLintCmd) Run(out io.Writer) error {
	found := policy.Faults{}
	for _, name := range c.Policies {
		faults, unkept, err := policyFaults(name)
		if err != nil {
			return err
		}
		for _, u := range unkept {
			if !c.JSON {
				fmt.Fprintf(out, "%s: %s: not done yet, and left out of the privacy page: %s\n", name, u.Path, u.Words)
			}
		}
		if len(faults) == 0 && !c.JSON {
			fmt.Fprintf(out, "%s: no faults\n", name)
		}
		found = append(found, faults...)
	}
	if c.JSON {
		if err := policyJSON(out, found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintln(out, f)
		}
	}
	if len(found) > 0 {
		return failure(1)
	}
	return nil
}

// policyFaults is what Parse finds, or what Lint does where the text can be read at all; then it
// has what the program does not do yet, too.
func policyFaults(name string) (policy.Faults, []policy.Unkept, error) {
	d, err := policies.Parse(name, os.ReadFile)
	var faults policy.Faults
	if errors.As(err, &faults) {
		return faults, nil, nil
	}
	if err != nil {
		return nil, nil, policySaid(err)
	}
	return d.Lint(), d.Unkept(), nil
}

// PolicyShowCmd is `musa policy show`.
type PolicyShowCmd struct {
	Policy string `arg:"" default:"studio" help:"Preset or file."`
}

// Run prints the document.
func (c *PolicyShowCmd) Run(out io.Writer) error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	_, err = out.Write(d.YAML())
	return err
}

// PolicyExplainCmd is `musa policy explain`.
type PolicyExplainCmd struct {
	spokenIn
	Policy   string `default:"studio" help:"Preset or file."`
	Tier     string `default:"guest" help:"For whom: guest, member or paid."`
	JSON     bool   `name:"json" help:"Print as JSON."`
	Category string `arg:"" help:"Kind of data, such as original or output."`
}

// Run prints the sentences that bear on the category.
func (c *PolicyExplainCmd) Run(out io.Writer) error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	sentences, err := d.ExplainIn(c.Lang, musa.Category(c.Category), musa.Tier(c.Tier))
	if err != nil {
		return policySaid(err)
	}
	if c.JSON {
		return policyJSON(out, sentences)
	}
	return policyPrint(out, d, []policy.Section{{Sentences: sentences}})
}

// PolicyRenderCmd is `musa policy render`.
type PolicyRenderCmd struct {
	spokenIn
	JSON   bool   `name:"json" help:"Print as JSON."`
	Policy string `arg:"" default:"studio" help:"Preset or file."`
}

// Run prints the page.
func (c *PolicyRenderCmd) Run(out io.Writer) error {
	d, err := policyNamed(c.Policy)
	if err != nil {
		return err
	}
	if c.JSON {
		return policyJSON(out, d.RenderIn(c.Lang))
	}
	return policyPrint(out, d, d.RenderIn(c.Lang))
}

// PolicyDiffCmd is `musa policy diff`.
type PolicyDiffCmd struct {
	spokenIn
	JSON  bool   `name:"json" help:"Print as JSON."`
	Older string `arg:"" help:"Preset or file."`
	Newer string `arg:"" help:"Preset or file."`
}

// Run prints the changes, those of the page first.
func (c *PolicyDiffCmd) Run(out io.Writer) error {
	older, err := policyNamed(c.Older)
	if err != nil {
		return err
	}
	newer, err := policyNamed(c.Newer)
	if err != nil {
		return err
	}
	changes := policy.DiffIn(c.Lang, older, newer)
	if c.JSON {
		return policyJSON(out, changes)
	}
	return policyChanges(out, changes)
}

func policyChanges(w io.Writer, changes []policy.Differences) error {
	var b strings.Builder
	if len(changes) == 0 {
		b.WriteString("No difference.\n")
	}
	for i, section := range changes {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n\n", section.Heading)
		for _, x := range section.Changes {
			fmt.Fprintf(&b, "%s [%s]\n", x.Text, x.Path)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// policyPrint writes sentences with the path and line that each is rendered from.
func policyPrint(w io.Writer, d *policy.Document, sections []policy.Section) error {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n")
		}
		if s.Heading != "" {
			fmt.Fprintf(&b, "%s\n\n", s.Heading)
		}
		for _, x := range s.Sentences {
			fmt.Fprintf(&b, "%s [%s, line %d]\n", x.Text, x.Path, d.Line(x.Path))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func policyJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func policyNamed(name string) (*policy.Document, error) {
	d, err := policies.Load(name, os.ReadFile)
	return d, policySaid(err)
}

// policySpoken is a Problem in the words that are meant for people.
type policySpoken struct{ problem *musa.Problem }

// Error is the problem's public sentence.
func (p policySpoken) Error() string { return p.problem.Public }

// Unwrap keeps the problem's kind.
func (p policySpoken) Unwrap() error { return p.problem }

func policySaid(err error) error {
	if p, ok := err.(*musa.Problem); ok {
		return policySpoken{p}
	}
	return err
}
