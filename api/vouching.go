package api

import (
	"context"
	"fmt"
	"net/http"

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

// vouched is a paper of the law's: its name, its English title and what makes it in a language.
type vouched struct {
	name, title, summary string
	sections             func(doc *policy.Document, tag string) []policy.Section
}

var (
	recordPaper    = vouched{"record", policy.RecordTitle, "The record of processing activities (GDPR art. 30), from the policy in force", (*policy.Document).RecordIn}
	agreementPaper = vouched{"agreement", policy.AgreementTitle, "The data-processing agreement (GDPR art. 28), from the policy in force", (*policy.Document).AgreementIn}
)

// fileOut is an answer to be kept as a file.
type fileOut struct {
	Kind        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// vouching serves each paper for programs and, to be kept, printed and signed, as a file.
func (d *door) vouching() {
	for _, v := range []vouched{recordPaper, agreementPaper} {
		path := staffPrefix + v.name
		huma.Register(d.api, huma.Operation{OperationID: "processing-" + v.name, Method: http.MethodGet, Path: path,
			Summary: v.summary, Security: secured, Metadata: staffed(overseers)},
			serveAs(d, overseers, func(_ context.Context, _ musa.Actor, in *Tongue) (*body[Paper], error) {
				doc := d.Policy()
				return &body[Paper]{Paper{policy.TitleIn(in.tag(), v.title), doc.Policy, doc.Version, sectionsOf(d.paper(v, doc, in.tag()))}}, nil
			}))
		huma.Register(d.api, huma.Operation{OperationID: "processing-" + v.name + "-file", Method: http.MethodGet, Path: path + ".md",
			Summary: v.summary + ", as a Markdown file", Security: secured, Metadata: staffed(overseers),
			Responses: map[string]*huma.Response{"200": {Description: "The document",
				Content: map[string]*huma.MediaType{"text/markdown": {Schema: &huma.Schema{Type: "string"}}}}}},
			serveAs(d, overseers, func(_ context.Context, _ musa.Actor, in *Tongue) (*fileOut, error) {
				return d.paperFile(v, in.tag()), nil
			}))
	}
}

// paper is what a document says in a language and this server keeps.
func (d *door) paper(v vouched, doc *policy.Document, tag string) []policy.Section {
	return policy.Without(v.sections(doc, tag), d.Unmet(doc))
}

func (d *door) paperFile(v vouched, tag string) *fileOut {
	doc := d.Policy()
	return &fileOut{"text/markdown; charset=utf-8", fmt.Sprintf(`attachment; filename="%s-%s-%s.md"`, v.name, doc.Policy, doc.Version),
		policy.Markdown(policy.TitleIn(tag, v.title), d.paper(v, doc, tag))}
}
