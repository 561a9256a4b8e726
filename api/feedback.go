package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/lang"
	"musa/support"
)

// Feedback is what a person thinks of a picture of theirs.
type Feedback struct {
	Asset    string `json:"asset"`
	Rating   int    `json:"rating,omitempty"`
	Thumb    string `json:"thumb,omitempty"`
	Note     string `json:"note,omitempty"`
	Created  Time   `json:"created"`
	Ends     Time   `json:"ends" doc:"When it goes, if the picture does not go sooner."`
	EndsRule string `json:"ends_rule"`
}

type feedbackIn struct {
	ID   string `path:"id"`
	Body struct {
		Rating int    `json:"rating,omitempty" minimum:"0" maximum:"5" doc:"1 to 5; 0 for none."`
		Thumb  string `json:"thumb,omitempty" enum:"up,down"`
		Note   string `json:"note,omitempty" maxLength:"2000"`
	}
}

type pictureIn struct {
	ID string `path:"id"`
}

// ReportPreview is exactly what an error report would say.
type ReportPreview struct {
	Digest string         `json:"digest" doc:"Send it back with the report: what was not shown is not sent."`
	Report support.Report `json:"report"`
}

type reportIn struct {
	ID      string `path:"id"`
	Prompt  bool   `query:"prompt" doc:"Add what you asked for."`
	Names   bool   `query:"names" doc:"Add the names of your files."`
	Picture bool   `query:"picture" doc:"Add a small preview of the first picture."`
}

type sendReportIn struct {
	ID       string `path:"id"`
	Language string `header:"Accept-Language" doc:"The mail about the answer comes in it, to somebody without an account."`
	Body     struct {
		Digest  string `json:"digest" maxLength:"64" doc:"Of the preview that you were shown."`
		Prompt  bool   `json:"prompt,omitempty"`
		Names   bool   `json:"names,omitempty"`
		Picture bool   `json:"picture,omitempty"`
		Words   string `json:"words,omitempty" maxLength:"8000" doc:"What you want to add."`
		Email   string `json:"email,omitempty" maxLength:"1000" doc:"Where the answer goes, of somebody without an account."`
	}
}

func (d *door) feedback() {
	const path, report = "/api/assets/{id}/feedback", "/api/jobs/{id}/report"
	huma.Register(d.api, huma.Operation{OperationID: "get-feedback", Method: http.MethodGet, Path: path,
		Summary: "What you said about a picture", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.getFeedback))
	huma.Register(d.api, huma.Operation{OperationID: "put-feedback", Method: http.MethodPut, Path: path,
		Summary: "Rate a picture, or change what you said", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.putFeedback))
	huma.Register(d.api, huma.Operation{OperationID: "erase-feedback", Method: http.MethodDelete, Path: path,
		Summary: "Erase what you said about a picture", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.eraseFeedback))
	huma.Register(d.api, huma.Operation{OperationID: "preview-report", Method: http.MethodGet, Path: report,
		Summary: "Exactly what a report about a failed job would send", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.previewReport))
	huma.Register(d.api, huma.Operation{OperationID: "send-report", Method: http.MethodPost, Path: report,
		Summary: "Send the report that was shown, as a thread with support", DefaultStatus: http.StatusCreated, Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.sendReport))
}

func feedbackOf(r support.Rated, err error) (*body[Feedback], error) {
	if err != nil {
		return nil, err
	}
	return &body[Feedback]{Feedback{Asset: string(r.Asset), Rating: r.Rating, Thumb: r.Thumb, Note: r.Note, Created: timeOf(r.Created), Ends: timeOf(r.Ends), EndsRule: r.Rule}}, nil
}

func (d *door) getFeedback(ctx context.Context, by musa.Actor, in *pictureIn) (*body[Feedback], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	return feedbackOf(d.Support.Rating(ctx, by, id))
}

func (d *door) putFeedback(ctx context.Context, by musa.Actor, in *feedbackIn) (*body[Feedback], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	return feedbackOf(d.Support.Rate(ctx, by, id, support.Feedback{Rating: in.Body.Rating, Thumb: in.Body.Thumb, Note: in.Body.Note}))
}

func (d *door) eraseFeedback(ctx context.Context, by musa.Actor, in *pictureIn) (*struct{}, error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Support.Unrate(ctx, by, id)
}

func (d *door) previewReport(ctx context.Context, by musa.Actor, in *reportIn) (*body[ReportPreview], error) {
	id, err := musa.ParseJobID(in.ID)
	if err != nil {
		return nil, err
	}
	p, err := d.Support.Preview(ctx, by, id, support.Ticks{Prompt: in.Prompt, Names: in.Names, Picture: in.Picture})
	if err != nil {
		return nil, err
	}
	return &body[ReportPreview]{ReportPreview{Digest: p.Digest, Report: p.Report}}, nil
}

func (d *door) sendReport(ctx context.Context, by musa.Actor, in *sendReportIn) (*body[Thread], error) {
	id, err := musa.ParseJobID(in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	t, err := d.Support.SendReport(ctx, by, id, support.Ticks{Prompt: b.Prompt, Names: b.Names, Picture: b.Picture}, b.Digest, support.Letter{Words: b.Words, Email: b.Email,
		Language: lang.Match("", in.Language).Tag()})
	if err != nil {
		return nil, err
	}
	return &body[Thread]{threadOf(t)}, nil
}
