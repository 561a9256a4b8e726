package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/policy"
)

// Policy is one version of the policy.
type Policy struct {
	Version
	Document string    `json:"document" doc:"The whole document as YAML."`
	Sections []Section `json:"sections" doc:"The same in plain language."`
}

// Version is one version of the policy and its dates.
type Version struct {
	Policy    string `json:"policy"`
	Version   string `json:"version"`
	Effective string `json:"effective" doc:"The day that the document itself names."`
	Published Time   `json:"published" doc:"When it was last changed: this version was taken up here."`
	Since     Time   `json:"in_force_since" doc:"When it took effect, or will."`
	State     string `json:"state" enum:"past,in_force,announced"`
}

// Section is one part of the policy in words.
type Section struct {
	Heading   string     `json:"heading"`
	Sentences []Sentence `json:"sentences"`
}

// Sentence is one sentence, with the line of the document that it renders.
type Sentence struct {
	Text string `json:"text"`
	Path string `json:"path"`
}

// Versions is every version that was taken up, the first in effect first.
type Versions struct {
	Versions []Version `json:"versions"`
}

// Comparison is what one version changes in another.
type Comparison struct {
	From     string               `json:"from"`
	To       string               `json:"to"`
	Sections []policy.Differences `json:"sections"`
}

type versionIn struct {
	Policy  string `path:"policy"`
	Version string `path:"version"`
}

type diffIn struct {
	From string `query:"from" required:"true" doc:"The older: policy/version."`
	To   string `query:"to" required:"true" doc:"The newer: policy/version."`
}

func (d *door) policies() {
	huma.Register(d.api, huma.Operation{OperationID: "get-policy", Method: http.MethodGet, Path: "/api/policy",
		Summary: "The privacy policy in force, as a document and in words", Metadata: open}, d.policy)
	huma.Register(d.api, huma.Operation{OperationID: "list-policy-versions", Method: http.MethodGet, Path: "/api/policy/versions",
		Summary: "Every version of the privacy policy, also one that is only announced", Metadata: open}, d.versions)
	huma.Register(d.api, huma.Operation{OperationID: "get-policy-version", Method: http.MethodGet, Path: "/api/policy/versions/{policy}/{version}",
		Summary: "One version, as a document and in words", Metadata: open}, d.policyVersion)
	huma.Register(d.api, huma.Operation{OperationID: "diff-policy", Method: http.MethodGet, Path: "/api/policy/diff",
		Summary: "What one version changes in another, in words and line by line", Metadata: open}, d.diff)
	d.raw("GET /api/policy/schema.json", open, d.schema)
}

func (d *door) policy(context.Context, *struct{}) (*body[Policy], error) {
	now := musa.At(d.Clock())
	inForce := d.Versions().InForce(now)
	return &body[Policy]{d.policyOf(d.adoption(inForce.Ref(), now), now, inForce)}, nil
}

// adoption is the last taking up of a version that is in effect, or its first.
func (d *door) adoption(ref string, now musa.Millis) (found policy.Adoption) {
	for _, a := range d.Versions().List() {
		if a.Doc.Ref() == ref && (found.Doc == nil || a.Effective <= now) {
			found = a
		}
	}
	return found
}

func (d *door) versions(context.Context, *struct{}) (*body[Versions], error) {
	now := musa.At(d.Clock())
	inForce := d.Versions().InForce(now)
	out := Versions{Versions: []Version{}}
	for _, a := range d.Versions().List() {
		out.Versions = append(out.Versions, versionOf(a, now, inForce))
	}
	return &body[Versions]{out}, nil
}

func (d *door) policyVersion(ctx context.Context, in *versionIn) (*body[Policy], error) {
	now := musa.At(d.Clock())
	a := d.adoption(in.Policy+"/"+in.Version, now)
	if a.Doc == nil {
		return nil, d.judge(ctx, noVersion("version"))
	}
	return &body[Policy]{d.policyOf(a, now, d.Versions().InForce(now))}, nil
}

func (d *door) diff(ctx context.Context, in *diffIn) (*body[Comparison], error) {
	older, ok := d.Versions().Of(in.From)
	if !ok {
		return nil, d.judge(ctx, noVersion("from"))
	}
	newer, ok := d.Versions().Of(in.To)
	if !ok {
		return nil, d.judge(ctx, noVersion("to"))
	}
	out := Comparison{From: in.From, To: in.To, Sections: policy.Diff(older, newer)}
	if out.Sections == nil {
		out.Sections = []policy.Differences{}
	}
	return &body[Comparison]{out}, nil
}

func noVersion(field string) error {
	return &musa.Problem{Kind: musa.ErrNotFound, Code: "version_unknown", Field: field,
		Public: "This studio never had such a version of its policy. GET /api/policy/versions lists them."}
}

// schema serves the language of the document, for an editor to check against.
func (d *door) schema(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json")
	// The client may have left; there is nobody to tell.
	_, _ = fmt.Fprintf(w, "%s\n", d.Policy().Schema())
}

func versionOf(a policy.Adoption, now musa.Millis, inForce *policy.Document) Version {
	v := Version{Policy: a.Doc.Policy, Version: a.Doc.Version, Effective: a.Doc.Effective,
		Published: timeOf(a.Published), Since: timeOf(a.Effective), State: "past"}
	switch {
	case a.Effective > now:
		v.State = "announced"
	case a.Doc.Ref() == inForce.Ref():
		v.State = "in_force"
	}
	return v
}

func (d *door) policyOf(a policy.Adoption, now musa.Millis, inForce *policy.Document) Policy {
	return Policy{Version: versionOf(a, now, inForce), Document: string(a.Doc.YAML()), Sections: sectionsOf(policy.Without(a.Doc.Render(), d.Unmet(a.Doc)))}
}

func sectionsOf(list []policy.Section) []Section {
	out := []Section{}
	for _, s := range list {
		sec := Section{Heading: s.Heading, Sentences: []Sentence{}}
		for _, line := range s.Sentences {
			sec.Sentences = append(sec.Sentences, Sentence{Text: line.Text, Path: line.Path})
		}
		out = append(out, sec)
	}
	return out
}

// Ref names the version as rows and addresses do: policy/version.
func (v Version) Ref() string { return v.Policy + "/" + v.Version }
