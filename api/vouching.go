package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/policy"
)

// Paper is a document made of the policy in force, for those who must vouch for it.
type Paper struct {
	Title    string    `json:"title"`
	Policy   string    `json:"policy"`
	Version  string    `json:"version"`
	Sections []Section `json:"sections"`
}

// vouched is a paper of the law's: its name, its title and what makes it.
type vouched struct {
	name, title, summary string
	sections             func(*policy.Document) []policy.Section
}

var papers = []vouched{
	{"record", "Record of processing activities", "The record of processing activities (GDPR art. 30), from the policy in force", (*policy.Document).Record},
	{"agreement", "Data processing agreement", "The data-processing agreement (GDPR art. 28), from the policy in force", (*policy.Document).Agreement},
}

// fileOut is an answer to be kept as a file.
type fileOut struct {
	Kind        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// vouching serves each paper for programs and, to be kept, printed and signed, as a file.
func (d *door) vouching() {
	for _, v := range papers {
		path := staffPrefix + v.name
		huma.Register(d.api, huma.Operation{OperationID: "processing-" + v.name, Method: http.MethodGet, Path: path,
			Summary: v.summary, Security: secured, Metadata: staffed(overseers)},
			serveAs(d, overseers, func(context.Context, musa.Actor, *struct{}) (*body[Paper], error) {
				doc := d.Policy()
				return &body[Paper]{Paper{v.title, doc.Policy, doc.Version, sectionsOf(policy.Without(v.sections(doc), d.Unmet(doc)))}}, nil
			}))
		huma.Register(d.api, huma.Operation{OperationID: "processing-" + v.name + "-file", Method: http.MethodGet, Path: path + ".md",
			Summary: v.summary + ", as a Markdown file", Security: secured, Metadata: staffed(overseers),
			Responses: map[string]*huma.Response{"200": {Description: "The document",
				Content: map[string]*huma.MediaType{"text/markdown": {Schema: &huma.Schema{Type: "string"}}}}}},
			serveAs(d, overseers, func(context.Context, musa.Actor, *struct{}) (*fileOut, error) {
				doc := d.Policy()
				return &fileOut{"text/markdown; charset=utf-8", fmt.Sprintf(`attachment; filename="%s-%s-%s.md"`, v.name, doc.Policy, doc.Version),
					[]byte(markdown(v, doc, d.Unmet(doc)))}, nil
			}))
	}
}

func markdown(v vouched, doc *policy.Document, unmet []string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\nPolicy %s, version %s, effective %s. Behind each sentence stands the line of the policy that it renders.\n",
		v.title, doc.Policy, doc.Version, doc.Effective)
	for _, s := range policy.Without(v.sections(doc), unmet) {
		fmt.Fprintf(&out, "\n## %s\n\n", s.Heading)
		for _, line := range s.Sentences {
			fmt.Fprintf(&out, "- %s `%s`\n", line.Text, line.Path)
		}
	}
	return out.String()
}
