package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
)

// LedgerLine is one move of credits.
type LedgerLine struct {
	ID     string `json:"id"`
	At     Time   `json:"at"`
	Kind   string `json:"kind" enum:"grant,hold,capture,release,refund,charge,carry" doc:"grant and refund bring credits, hold sets some aside for a job, capture spends them, release gives them back, charge spends at once, carry sums up lines whose time is over."`
	Amount int64  `json:"amount" doc:"What it did to the balance."`
	Held   int64  `json:"held" doc:"What it did to what is set aside."`
	Job    string `json:"job,omitempty"`
}

// Ledger is where the credits of somebody stand, and how they came there.
type Ledger struct {
	Credits int64        `json:"credits"`
	Held    int64        `json:"held"`
	Lines   []LedgerLine `json:"lines"`
	Next    string       `json:"next,omitempty" doc:"Pass as after for the next page."`
}

func (d *door) ledger() {
	huma.Register(d.api, huma.Operation{OperationID: "ledger", Method: http.MethodGet, Path: "/api/me/ledger",
		Summary: "Your credits, and what moved them, newest first", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.myLedger))
}

func (d *door) myLedger(ctx context.Context, by musa.Actor, in *pageIn) (*body[Ledger], error) {
	p, err := d.Accounts.Profile(ctx, by)
	if err != nil {
		return nil, err
	}
	list, err := d.Accounts.Ledger(ctx, by, musa.EntryID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	out := Ledger{Credits: p.Credits, Held: p.Held, Lines: []LedgerLine{}}
	for _, e := range list {
		out.Lines = append(out.Lines, LedgerLine{ID: string(e.ID), At: timeOf(e.Created), Kind: string(e.Kind), Amount: e.Amount, Held: e.Held, Job: string(e.Job)})
	}
	if len(list) == in.Limit {
		out.Next = string(list[len(list)-1].ID)
	}
	return &body[Ledger]{out}, nil
}
