package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/audit"
	"musa/rights"
)

type receiptIn struct {
	ID  string `path:"id"`
	Key string `query:"key" doc:"The receipt's own capability; without it, its owner's session is needed."`
}

// Receipt is the proof of one erasure, as its holder gets it.
type Receipt struct {
	audit.Receipt
	Capability string `json:"capability" doc:"Pass as key to open this receipt without an account."`
	Verifier   string `json:"verifier" doc:"The log's public key: compare it with one you got elsewhere, then run musa receipt verify."`
	Logged     bool   `json:"logged" doc:"False for the second or so before the log has taken it."`
}

// Policy is the policy in force.
type Policy struct {
	Policy    string    `json:"policy"`
	Version   string    `json:"version"`
	Effective string    `json:"effective"`
	Document  string    `json:"document" doc:"The whole document as YAML."`
	Sections  []Section `json:"sections" doc:"The same in plain language."`
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

func (d *door) papers() {
	huma.Register(d.api, huma.Operation{OperationID: "get-receipt", Method: http.MethodGet, Path: "/api/receipts/{id}",
		Summary: "The receipt of an erasure, which `musa receipt verify` checks offline"}, d.receipt)
	huma.Register(d.api, huma.Operation{OperationID: "get-policy", Method: http.MethodGet, Path: "/api/policy",
		Summary: "The privacy policy in force, as a document and in words"}, d.policy)
}

func (d *door) receipt(ctx context.Context, in *receiptIn) (*body[Receipt], error) {
	r, err := d.findReceipt(ctx, in)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return &body[Receipt]{Receipt{Receipt: r.Receipt, Capability: r.Capability, Verifier: r.Verifier, Logged: r.Logged}}, nil
}

func (d *door) findReceipt(ctx context.Context, in *receiptIn) (rights.Issued, error) {
	id, err := musa.ParseReceiptID(in.ID)
	if err != nil {
		return rights.Issued{}, err
	}
	if in.Key == "" {
		by, err := actor(ctx)
		if err != nil {
			return rights.Issued{}, err
		}
		return d.Rights.Receipt(ctx, by, id)
	}
	return d.Rights.ReceiptByCapability(ctx, id, in.Key)
}

func (d *door) policy(context.Context, *struct{}) (*body[Policy], error) {
	doc := d.Policy()
	out := Policy{Policy: doc.Policy, Version: doc.Version, Effective: doc.Effective, Document: string(doc.YAML())}
	for _, s := range doc.Render() {
		sec := Section{Heading: s.Heading}
		for _, line := range s.Sentences {
			sec.Sentences = append(sec.Sentences, Sentence{Text: line.Text, Path: line.Path})
		}
		out.Sections = append(out.Sections, sec)
	}
	return &body[Policy]{out}, nil
}
