package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/rights"
)

// Closing is how the closing of an account stands.
type Closing struct {
	Closed     Time   `json:"closed"`
	Undo       Time   `json:"undo_until" doc:"Until then DELETE /api/me/erasure takes it back. Then all pictures and words are erased."`
	Erased     Time   `json:"erased_at" doc:"When the account's own data goes; null when it goes with the rest."`
	Receipt    string `json:"receipt" doc:"Stands in the log once all of it is gone."`
	Capability string `json:"capability" doc:"Keep it: it opens the receipt when there is no account any more."`
}

// Use is one time that something of a person was opened by others.
type Use struct {
	ID      string `json:"id"`
	At      Time   `json:"at"`
	Role    string `json:"role"`
	Purpose string `json:"purpose"`
	Item    string `json:"item,omitempty"`
}

// HeldCopy is a hold, as the person may know of it.
type HeldCopy struct {
	ID       string `json:"id"`
	Asset    string `json:"asset"`
	State    string `json:"state" enum:"opening,held,released"`
	Opened   Time   `json:"opened"`
	Ends     Time   `json:"ends"`
	Review   Time   `json:"review"`
	Released Time   `json:"released,omitempty"`
}

// Disclosures is who else had to do with what is a person's.
type Disclosures struct {
	Uses []Use      `json:"uses"`
	Next string     `json:"next,omitempty" doc:"Pass as after for the next page of uses."`
	Held []HeldCopy `json:"held" doc:"Copies kept for compliance, as far as the law allows to tell."`
}

func closingOf(c rights.Closing) Closing {
	return Closing{timeOf(c.Closed), timeOf(c.Until), timeOf(c.Erased), string(c.Receipt), c.Capability}
}

func (d *door) account() {
	huma.Register(d.api, huma.Operation{OperationID: "close-account", Method: http.MethodPost, Path: "/api/me/erasure",
		Summary: "Close your account and erase all that is in it", DefaultStatus: http.StatusAccepted, Security: secured, Metadata: may(musa.ActOwn)}, serve(d, d.closeAccount))
	huma.Register(d.api, huma.Operation{OperationID: "get-closing", Method: http.MethodGet, Path: "/api/me/erasure",
		Summary: "How the closing of your account stands", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.closing))
	huma.Register(d.api, huma.Operation{OperationID: "reopen-account", Method: http.MethodDelete, Path: "/api/me/erasure",
		Summary: "Take the closing back, while its time to undo lasts", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActOwn)}, serve(d, d.reopenAccount))
	huma.Register(d.api, huma.Operation{OperationID: "disclosures", Method: http.MethodGet, Path: "/api/me/disclosures",
		Summary: "When others opened what is yours, newest first, and what is held of it", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.disclosures))
}

func (d *door) closeAccount(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Closing], error) {
	if err := d.Accounts.Proved(ctx, by); err != nil {
		return nil, err
	}
	c, err := d.Rights.Close(ctx, by)
	if err != nil {
		return nil, err
	}
	return &body[Closing]{closingOf(c)}, nil
}

func (d *door) closing(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Closing], error) {
	c, err := d.Rights.Closing(ctx, by)
	if err != nil {
		return nil, err
	}
	if c.Closed == 0 {
		return nil, &musa.Problem{Kind: musa.ErrNotFound, Code: "account_open", Public: "This account is open."}
	}
	return &body[Closing]{closingOf(c)}, nil
}

func (d *door) reopenAccount(ctx context.Context, by musa.Actor, _ *struct{}) (*struct{}, error) {
	return nil, d.Rights.Reopen(ctx, by)
}

type pageIn struct {
	After string `query:"after" pattern:"^[a-z]{2}_[0-9a-z]{26}$" doc:"The last id of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (d *door) disclosures(ctx context.Context, by musa.Actor, in *pageIn) (*body[Disclosures], error) {
	uses, err := d.Accounts.Uses(ctx, by, musa.AuditID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	holds, err := d.Keeper.HoldsOn(ctx, by)
	if err != nil {
		return nil, err
	}
	out := Disclosures{Uses: []Use{}, Held: []HeldCopy{}}
	for _, u := range uses {
		out.Uses = append(out.Uses, Use{ID: string(u.ID), At: timeOf(u.At), Role: string(u.Role), Purpose: string(u.Purpose), Item: u.Object})
	}
	if len(uses) == in.Limit {
		out.Next = string(uses[len(uses)-1].ID)
	}
	for _, h := range holds {
		out.Held = append(out.Held, HeldCopy{ID: string(h.ID), Asset: string(h.Asset), State: string(h.State),
			Opened: timeOf(h.Opened), Ends: timeOf(h.Ends), Review: timeOf(h.Review), Released: timeOf(h.Released)})
	}
	return &body[Disclosures]{out}, nil
}
