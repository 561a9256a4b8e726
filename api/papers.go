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
	Expected   Time   `json:"expected" doc:"When the data of a closed account goes, while its receipt is only promised; null otherwise."`
}

func (d *door) papers() {
	huma.Register(d.api, huma.Operation{OperationID: "get-receipt", Method: http.MethodGet, Path: "/api/receipts/{id}",
		Summary: "The receipt of an erasure, which `musa receipt verify` checks offline", Metadata: open}, d.receipt)
}

func (d *door) receipt(ctx context.Context, in *receiptIn) (*body[Receipt], error) {
	r, err := d.findReceipt(ctx, in)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return &body[Receipt]{Receipt{Receipt: r.Receipt, Capability: r.Capability, Verifier: r.Verifier, Logged: r.Logged, Expected: timeOf(r.Expected)}}, nil
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
