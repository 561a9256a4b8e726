package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/retention"
	"musa/studio"
)

// Hold is a hold as those see it who may act on it.
type Hold struct {
	ID         string `json:"id"`
	Asset      string `json:"asset"`
	Owner      string `json:"owner"`
	State      string `json:"state" enum:"opening,held,released"`
	Opened     Time   `json:"opened"`
	OpenedBy   string `json:"opened_by"`
	Ends       Time   `json:"ends"`
	Review     Time   `json:"review" doc:"When it has to be looked at again."`
	Overdue    bool   `json:"overdue" doc:"Its review is late."`
	Untold     bool   `json:"untold" doc:"The law forbids to tell the owner."`
	ReleaseBy  string `json:"release_asked_by,omitempty"`
	Asked      Time   `json:"release_asked,omitempty"`
	ReleasedBy string `json:"released_by,omitempty" doc:"The second person; empty when its end came."`
	Released   Time   `json:"released,omitempty"`
	Mine       bool   `json:"release_asked_by_you" doc:"You asked for its release: another has to agree."`
}

// HoldCase is a hold with what is sealed with it, and its history.
type HoldCase struct {
	Hold
	Reason   string     `json:"reason"`
	Category string     `json:"category" doc:"Of what was copied."`
	Format   string     `json:"format"`
	Width    int        `json:"width"`
	Height   int        `json:"height"`
	Bytes    int64      `json:"bytes"`
	History  []HoldStep `json:"history"`
}

// HoldStep is one line of a hold's history.
type HoldStep struct {
	At     Time   `json:"at"`
	Action string `json:"action"`
	By     string `json:"by"`
	Words  string `json:"words,omitempty"`
}

// Holds is one page of holds.
type Holds struct {
	Holds []Hold `json:"holds"`
	Next  string `json:"next,omitempty" doc:"Pass as after for the next page."`
}

type holdIn struct {
	ID string `path:"id"`
}

type holdsIn struct {
	After  string `query:"after" pattern:"^[a-z]{2}_[0-9a-z]{26}$" doc:"The last id of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	State  string `query:"state" enum:"opening,held,released"`
	Review bool   `query:"overdue" doc:"Only those whose review is late."`
}

type holdOrderIn struct {
	Body struct {
		Asset  string    `json:"asset" maxLength:"64"`
		Reason string    `json:"reason" maxLength:"2000" doc:"Why. It is sealed with the copy."`
		Ends   time.Time `json:"ends,omitempty" required:"false" doc:"Before the policy's own end; leave out for that."`
		Untold bool      `json:"untold,omitempty" doc:"The law forbids to tell the owner."`
	}
}

type reviewIn struct {
	ID   string `path:"id"`
	Body struct {
		Note string `json:"note" maxLength:"2000" doc:"Why it is still needed."`
	}
}

func (d *door) holds() {
	const path = staffPrefix + "holds"
	huma.Register(d.api, huma.Operation{OperationID: "list-holds", Method: http.MethodGet, Path: path,
		Summary: "What is held for compliance, the oldest first", Security: secured, Metadata: staffed(d.custodians)}, serveAs(d, d.custodians, d.listHolds))
	huma.Register(d.api, huma.Operation{OperationID: "open-hold", Method: http.MethodPost, Path: path,
		Summary: "Hold a copy of a picture; its owner's own goes its way", DefaultStatus: http.StatusCreated, Security: secured, Metadata: staffed(d.custodians)}, serveAs(d, d.custodians, d.openHold))
	huma.Register(d.api, huma.Operation{OperationID: "get-hold", Method: http.MethodGet, Path: path + "/{id}",
		Summary: "One hold with its reason and history; reading it is entered as a use", Security: secured, Metadata: staffed(d.custodians)}, serveAs(d, d.custodians, d.holdCase))
	huma.Register(d.api, huma.Operation{OperationID: "review-hold", Method: http.MethodPost, Path: path + "/{id}/review",
		Summary: "Note that a hold was looked at and is still needed", Security: secured, Metadata: staffed(d.custodians)}, serveAs(d, d.custodians, d.reviewHold))
	huma.Register(d.api, huma.Operation{OperationID: "release-hold", Method: http.MethodPost, Path: path + "/{id}/release",
		Summary: "Ask for a hold's release; a second person's call releases it", Security: secured, Metadata: staffed(d.custodians)}, serveAs(d, d.custodians, d.releaseHold))
	d.raw("POST "+path+"/{id}/content", staffed(d.custodians), d.heldContent)
	d.describeHeld(path)
}

func (d *door) holdOf(by musa.Actor, h retention.Hold) Hold {
	now := musa.At(d.Clock())
	return Hold{ID: string(h.ID), Asset: string(h.Asset), Owner: string(h.Owner), State: string(h.State), Opened: timeOf(h.Opened), OpenedBy: string(h.OpenedBy),
		Ends: timeOf(h.Ends), Review: timeOf(h.Review), Overdue: h.State == musa.HoldHeld && h.Review > 0 && h.Review <= now, Untold: h.Untold,
		ReleaseBy: string(h.ReleaseBy), Asked: timeOf(h.ReleaseAsked), ReleasedBy: string(h.ReleasedBy), Released: timeOf(h.Released), Mine: h.ReleaseBy == by.Subject}
}

func (d *door) listHolds(ctx context.Context, by musa.Actor, in *holdsIn) (*body[Holds], error) {
	q := retention.HoldQuery{State: musa.HoldState(in.State), After: musa.HoldID(in.After), Limit: in.Limit}
	if in.Review {
		q.Review = musa.At(d.Clock()) + 1
	}
	list, err := d.Keeper.Holds(ctx, by, q)
	if err != nil {
		return nil, err
	}
	out := Holds{Holds: []Hold{}}
	for _, h := range list {
		out.Holds = append(out.Holds, d.holdOf(by, h))
	}
	if len(list) == in.Limit {
		out.Next = string(list[len(list)-1].ID)
	}
	return &body[Holds]{out}, nil
}

func (d *door) openHold(ctx context.Context, by musa.Actor, in *holdOrderIn) (*body[Hold], error) {
	id, err := musa.ParseAssetID(in.Body.Asset)
	if err != nil {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "asset_unknown", Field: "asset", Public: "Give the id of a picture: as_ and 26 characters."}
	}
	o := retention.HoldOrder{Asset: id, Reason: in.Body.Reason, Untold: in.Body.Untold}
	if !in.Body.Ends.IsZero() {
		o.Ends = musa.At(in.Body.Ends)
	}
	h, err := d.Keeper.OpenHold(ctx, by, o)
	if err != nil {
		return nil, err
	}
	return &body[Hold]{d.holdOf(by, h)}, nil
}

func (d *door) holdCase(ctx context.Context, by musa.Actor, in *holdIn) (*body[HoldCase], error) {
	id, err := musa.ParseHoldID(in.ID)
	if err != nil {
		return nil, err
	}
	c, err := d.Keeper.HoldCase(ctx, by, id)
	if err != nil {
		return nil, err
	}
	out := HoldCase{Hold: d.holdOf(by, c.Hold), Reason: c.Reason, Category: string(c.Category), Format: c.Info.Format,
		Width: c.Info.Width, Height: c.Info.Height, Bytes: c.Info.Bytes, History: []HoldStep{}}
	for _, s := range c.History {
		out.History = append(out.History, HoldStep{At: timeOf(s.At), Action: s.Action, By: string(s.By), Words: s.Words})
	}
	return &body[HoldCase]{out}, nil
}

func (d *door) reviewHold(ctx context.Context, by musa.Actor, in *reviewIn) (*body[Hold], error) {
	id, err := musa.ParseHoldID(in.ID)
	if err != nil {
		return nil, err
	}
	h, err := d.Keeper.ReviewHold(ctx, by, id, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return &body[Hold]{d.holdOf(by, h)}, nil
}

func (d *door) releaseHold(ctx context.Context, by musa.Actor, in *holdIn) (*body[Hold], error) {
	id, err := musa.ParseHoldID(in.ID)
	if err != nil {
		return nil, err
	}
	h, err := d.Keeper.ReleaseHold(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Hold]{d.holdOf(by, h)}, nil
}

type openingIn struct {
	Reason string `json:"reason"`
}

// openingLimit is the most bytes that a request to open may have.
const openingLimit = 16 << 10

// heldContent opens what is held, for a reason that is entered first. It is a POST, so that
// no link, no preload and no history opens anything.
func (d *door) heldContent(w http.ResponseWriter, r *http.Request) {
	c, err := d.openHeld(w, r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	defer func() {
		if err := c.Close(); err != nil {
			d.Log.Warn("close held content", "err", err)
		}
	}()
	d.stream(w, r, c, musa.BlobFull)
}

func (d *door) openHeld(w http.ResponseWriter, r *http.Request) (studio.Content, error) {
	var none studio.Content
	by, err := actor(r.Context())
	if err != nil {
		return none, err
	}
	if by, err = d.as(r.Context(), by, d.custodians()); err != nil {
		return none, err
	}
	id, err := musa.ParseHoldID(r.PathValue("id"))
	if err != nil {
		return none, err
	}
	var in openingIn
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, openingLimit)).Decode(&in); err != nil {
		return none, &musa.Problem{Kind: musa.ErrInvalid, Code: "invalid", Field: "body", Public: "Send the reason as JSON: {\"reason\": \"…\"}."}
	}
	return d.Keeper.HeldContent(r.Context(), by, id, in.Reason)
}
