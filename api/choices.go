package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/policy"
	"musa/retention"
)

// Keeping is how long a person's things are kept, and what they may choose of that.
type Keeping struct {
	Tier    string   `json:"tier"`
	Former  string   `json:"former,omitempty" doc:"The tier that was lost, while its notice runs."`
	Grace   Time     `json:"grace,omitempty" doc:"Until when the loss shortens nothing."`
	Offers  []Offer  `json:"offers" doc:"Empty where the policy alone decides."`
	Notices []Notice `json:"notices" doc:"What will end sooner because a tier was lost; the soonest first."`
}

// Offer is what may be chosen for some kinds of data at once.
type Offer struct {
	Categories []string `json:"categories"`
	Choices    []string `json:"choices" doc:"Spans as the policy writes them: 48h, 7d."`
	Default    string   `json:"default"`
	Chosen     string   `json:"chosen"`
	Items      int      `json:"items" doc:"How many that exist it covers."`
	Pictures   int      `json:"pictures" doc:"How many of them are pictures; the others are records of how those were made."`
}

// Notice is word that some items end sooner than they would have.
type Notice struct {
	At     Time   `json:"at" doc:"When the first of them goes."`
	Items  int    `json:"items"`
	Former string `json:"former"`
}

// Forecast is what a choice would do, or did, to what exists.
type Forecast struct {
	Now      int      `json:"now" doc:"Would be erased at once."`
	Sooner   int      `json:"sooner" doc:"Would end sooner, without those."`
	Later    int      `json:"later" doc:"Would end later."`
	Pictures Pictures `json:"pictures" doc:"How many of each are pictures; the others are records of how those were made."`
	Moments  []Moment `json:"moments" doc:"When the sooner ones would go, at most 24."`
	Notice   Time     `json:"notice" doc:"Before it nothing goes sooner; null where it counts at once."`
}

// Pictures are those among the items of a Forecast.
type Pictures struct {
	Now    int `json:"now"`
	Sooner int `json:"sooner"`
	Later  int `json:"later"`
}

// Moment is when some items go.
type Moment struct {
	At    Time `json:"at" doc:"When the first of them goes."`
	Items int  `json:"items"`
}

type keepIn struct {
	Body struct {
		Keep string `json:"keep" maxLength:"16" doc:"One of the choices, or default."`
	}
}

func (d *door) choices() {
	huma.Register(d.api, huma.Operation{OperationID: "get-retention", Method: http.MethodGet, Path: "/api/me/retention",
		Summary: "How long your things are kept, and what you may choose", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.keeping))
	huma.Register(d.api, huma.Operation{OperationID: "preview-retention", Method: http.MethodPost, Path: "/api/me/retention/preview",
		Summary: "What a choice would erase, and when; nothing is changed", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.previewKeep))
	huma.Register(d.api, huma.Operation{OperationID: "choose-retention", Method: http.MethodPut, Path: "/api/me/retention",
		Summary: "Choose how long your things are kept; what is over then goes at once", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.chooseKeep))
}

func (d *door) keeping(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Keeping], error) {
	s, err := d.Keeper.Settings(ctx, by)
	if err != nil {
		return nil, err
	}
	out := Keeping{Tier: string(s.Tier), Former: string(s.Former), Grace: timeOf(s.Grace), Offers: []Offer{}, Notices: noticesOf(s)}
	for _, o := range s.Offers {
		offer := Offer{Default: o.Default.String(), Chosen: o.Chosen.String(), Items: o.Items, Pictures: o.Pictures}
		for _, c := range o.Categories {
			offer.Categories = append(offer.Categories, string(c))
		}
		for _, c := range o.Choices {
			offer.Choices = append(offer.Choices, c.String())
		}
		out.Offers = append(out.Offers, offer)
	}
	return &body[Keeping]{out}, nil
}

func noticesOf(s retention.Settings) []Notice {
	out := []Notice{}
	for _, n := range s.Notices {
		out = append(out, Notice{At: timeOf(n.At), Items: n.Items, Former: string(n.Former)})
	}
	return out
}

func (d *door) previewKeep(ctx context.Context, by musa.Actor, in *keepIn) (*body[Forecast], error) {
	c, err := choice(in.Body.Keep)
	if err != nil {
		return nil, err
	}
	f, err := d.Keeper.Forecast(ctx, by, by.Subject, c)
	if err != nil {
		return nil, err
	}
	return &body[Forecast]{forecastOf(f)}, nil
}

func (d *door) chooseKeep(ctx context.Context, by musa.Actor, in *keepIn) (*body[Forecast], error) {
	c, err := choice(in.Body.Keep)
	if err != nil {
		return nil, err
	}
	f, err := d.Keeper.Change(ctx, by, by.Subject, c)
	if err != nil {
		return nil, err
	}
	return &body[Forecast]{forecastOf(f)}, nil
}

// choice reads a span as the policy writes it. What cannot be one is not offered either, but
// is told apart: it is the client that is wrong, not the wish.
func choice(keep string) (retention.Change, error) {
	var length time.Duration
	if keep != "default" {
		span, err := policy.ParseSpan(keep)
		if err != nil || span.Indefinite() || span.Duration() == 0 {
			return retention.Change{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "not_a_span", Field: "keep",
				Public: "The field keep must be one of the choices of GET /api/me/retention, such as 48h or 7d, or default."}
		}
		length = span.Duration()
	}
	return retention.Change{Choice: &length}, nil
}

func forecastOf(f retention.Forecast) Forecast {
	out := Forecast{Now: f.Now, Sooner: f.Sooner, Later: f.Later, Pictures: Pictures(f.Pictures), Notice: timeOf(f.Notice), Moments: []Moment{}}
	for _, m := range f.Moments {
		out.Moments = append(out.Moments, Moment{At: timeOf(m.At), Items: m.Items})
	}
	return out
}

// standing is what /api/me adds to a profile: a lost tier, and a closing. A closed account
// has no settings any more.
func (d *door) standing(ctx context.Context, by musa.Actor, me *Me) error {
	c, err := d.Rights.Closing(ctx, by)
	if err != nil {
		return err
	}
	if c.Closed > 0 {
		closing := closingOf(c)
		me.Closing = &closing
	}
	s, err := d.Keeper.Settings(ctx, by)
	if errors.Is(err, musa.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	me.Former, me.Grace, me.Notices = string(s.Former), timeOf(s.Grace), noticesOf(s)
	for _, o := range s.Offers {
		me.Keeps = append(me.Keeps, Keeps{Keep: o.Chosen.String(), Items: o.Items})
	}
	return nil
}
