package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/consent"
	"musa/retention"
)

// PrivacyPage is every collection that a person can do without, each with its switch. Promise E-28.
type PrivacyPage struct {
	Policy     string      `json:"policy"`
	Region     string      `json:"region,omitempty"`
	Signal     bool        `json:"gpc"`
	Sells      string      `json:"sells" doc:"Whether personal data is sold, by the policy."`
	Shares     string      `json:"shares"`
	Switches   []Switch    `json:"switches"`
	Objections []Objection `json:"objections" doc:"Uses that rest on an interest of the service: they stop when an objection is upheld (POST /api/rights)."`
}

// Objection is a use that a person may object to.
type Objection struct {
	Purpose string   `json:"purpose"`
	Uses    []string `json:"uses" doc:"Kinds of data."`
	Stopped bool     `json:"stopped"`
}

// Switch is one of them.
type Switch struct {
	Kind     string   `json:"kind" enum:"consent,interaction_log,field"`
	Name     string   `json:"name"`
	On       bool     `json:"on" doc:"It is collected or done now."`
	Collects []string `json:"collects" doc:"Kinds of data, as the policy names them."`
	Purposes []string `json:"purposes"`
	WhenOff  string   `json:"when_off,omitempty"`
	Change   string   `json:"change" doc:"The request that flips it."`
}

// AssetPrivacy is how one picture may be used.
type AssetPrivacy struct {
	ID         string         `json:"id"`
	Visibility string         `json:"visibility" enum:"private" doc:"Only its owner opens it."`
	Shares     int            `json:"shares" doc:"Links under which others see it."`
	Commercial bool           `json:"commercial" doc:"It is used commercially: it is trained on only with a consent of its own."`
	Training   bool           `json:"in_training" doc:"It is among what the service may train with, at this moment."`
	Why        string         `json:"training_words,omitempty" doc:"Why it is not."`
	Consents   []AssetConsent `json:"consents"`
	Ends       Time           `json:"ends"`
	EndsText   string         `json:"ends_words"`
	Saved      bool           `json:"saved"`
	Keep       string         `json:"keep" doc:"How long it stays, where that was chosen for it alone; default where it follows the choice for everything."`
	Keeps      []AssetKeep    `json:"keeps" doc:"What may be chosen for it; empty where the policy alone decides."`
}

// AssetKeep is how long one picture may stay.
type AssetKeep struct {
	Keep string `json:"keep"`
	Ends Time   `json:"ends" doc:"When it would go then."`
}

// AssetConsent is one consent that can be given for a single picture.
type AssetConsent struct {
	Name    string `json:"name"`
	Answer  string `json:"answer" enum:"yes,no,none" doc:"For this picture; none leaves it to the general answer."`
	General string `json:"general" enum:"yes,no,none"`
	Word    *Word  `json:"word,omitempty"`
}

type assetPrivacyIn struct {
	ConsentsIn
	ID   string `path:"id"`
	Body struct {
		Training           string `json:"training,omitempty" enum:"yes,no"`
		TrainingCommercial string `json:"training_commercial,omitempty" enum:"yes,no"`
		Commercial         *bool  `json:"commercial,omitempty"`
		Keep               string `json:"keep,omitempty" maxLength:"16" doc:"One of keeps, or default."`
	}
}

func (d *door) privacy() {
	huma.Register(d.api, huma.Operation{OperationID: "get-privacy", Method: http.MethodGet, Path: "/api/me/privacy",
		Summary: "Every collection that you can do without, with its switch", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.switches))
	huma.Register(d.api, huma.Operation{OperationID: "get-asset-privacy", Method: http.MethodGet, Path: "/api/assets/{id}/privacy",
		Summary: "How one picture may be used", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.getAssetPrivacy))
	huma.Register(d.api, huma.Operation{OperationID: "set-asset-privacy", Method: http.MethodPut, Path: "/api/assets/{id}/privacy",
		Summary: "Say how one picture may be used; it counts at once", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.setAssetPrivacy))
}

func (d *door) switches(ctx context.Context, by musa.Actor, in *ConsentsIn) (*body[PrivacyPage], error) {
	s, err := d.Consents.State(ctx, by)
	if err != nil {
		return nil, err
	}
	doc := d.Policy()
	out := PrivacyPage{Policy: s.Version, Region: s.Region, Signal: in.Signal == "1", Sells: doc.Sale.Sells, Shares: doc.Sale.Shares, Switches: []Switch{}, Objections: []Objection{}}
	for _, l := range s.Lines {
		if l.Mode == "notice_only" {
			continue
		}
		w := Switch{Kind: "consent", Name: l.Name, On: l.On, Collects: []string{}, Purposes: []string{}, WhenOff: l.WhenOff, Change: "PUT /api/me/consents"}
		if !slices.Contains(l.Scope, "subject") && len(l.Scope) > 0 {
			w.Change, w.On = "PUT /api/assets/{id}/privacy", slices.ContainsFunc(l.Items, func(w consent.Word) bool { return w.Given })
		}
		for _, p := range l.Purposes {
			line, _ := doc.Purposes.Get(string(p))
			w.Purposes, w.Collects = append(w.Purposes, string(p)), append(w.Collects, line.Uses...)
		}
		out.Switches = append(out.Switches, w)
	}
	if stops, ok := doc.OffSwitch.Get(consent.NameLog); ok {
		out.Switches = append(out.Switches, Switch{Kind: "interaction_log", Name: consent.NameLog, On: !s.Unlogged, Collects: stops, Purposes: []string{}, Change: "PUT /api/me/log"})
	}
	objection, _ := doc.Rights.Get("objection")
	for _, p := range objection.Purposes {
		line, _ := doc.Purposes.Get(p)
		out.Objections = append(out.Objections, Objection{Purpose: p, Uses: append([]string{}, line.Uses...), Stopped: slices.Contains(by.Standing.Objections, musa.Purpose(p))})
	}
	fields, err := d.fieldSwitches(ctx, by)
	if err != nil {
		return nil, err
	}
	out.Switches = append(out.Switches, fields...)
	return &body[PrivacyPage]{out}, nil
}

// fieldSwitches are the parts of an account that need not be given; on is what was. A workspace has
// none of its own, and in a closed account nothing is corrected: a policy may restrict what is left of it.
func (d *door) fieldSwitches(ctx context.Context, by musa.Actor) ([]Switch, error) {
	if by.Person != "" || by.Closed > 0 {
		return nil, nil
	}
	p, err := d.Accounts.Person(ctx, by)
	if err != nil {
		return nil, err
	}
	given := map[string]string{"email": p.Email, "name": p.Name, "username": p.Username, "profile": p.Profile, "language": p.Language}
	var list []Switch
	_, optional := d.Accounts.Fields()
	for _, f := range optional {
		list = append(list, Switch{Kind: "field", Name: f, On: given[f] != "", Collects: []string{string(musa.CategoryAccount)}, Purposes: []string{}, Change: "PATCH /api/me/profile"})
	}
	return list, nil
}

func (d *door) getAssetPrivacy(ctx context.Context, by musa.Actor, in *assetIn) (*body[AssetPrivacy], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	out, err := d.assetPrivacy(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[AssetPrivacy]{out}, nil
}

func (d *door) assetPrivacy(ctx context.Context, by musa.Actor, id musa.AssetID) (AssetPrivacy, error) {
	a, err := d.Studio.Asset(ctx, by, id)
	if err != nil {
		return AssetPrivacy{}, err
	}
	out := AssetPrivacy{ID: string(id), Visibility: "private", Commercial: a.Commercial, Ends: timeOf(a.Ends), EndsText: a.Words, Saved: a.Saved, Consents: []AssetConsent{}}
	if out.Training, out.Why, err = d.Studio.Trained(ctx, by, id); err != nil {
		return AssetPrivacy{}, err
	}
	if err := d.assetKeeps(ctx, by, id, &out); err != nil {
		return AssetPrivacy{}, err
	}
	s, err := d.Consents.State(ctx, by)
	if err != nil {
		return AssetPrivacy{}, err
	}
	for _, l := range s.Lines {
		if !slices.Contains(l.Scope, "asset") {
			continue
		}
		c := AssetConsent{Name: l.Name, Answer: "none", General: "none"}
		if l.Word.Said() {
			c.General = wordFor(l.Word.Given)
		}
		for _, w := range l.Items {
			if w.Item == id {
				said := wordOf(w)
				c.Answer, c.Word = said.Answer, &said
			}
		}
		out.Consents = append(out.Consents, c)
	}
	return out, nil
}

// assetKeeps adds what may be chosen for how long a picture stays.
func (d *door) assetKeeps(ctx context.Context, by musa.Actor, id musa.AssetID, out *AssetPrivacy) error {
	picks, chosen, err := d.Keeper.Picks(ctx, by, id)
	if err != nil {
		return err
	}
	out.Keep, out.Keeps = "default", []AssetKeep{}
	for _, p := range picks {
		out.Keeps = append(out.Keeps, AssetKeep{p.Keep.String(), timeOf(p.Ends)})
		if p.Keep.Duration() == chosen {
			out.Keep = p.Keep.String()
		}
	}
	return nil
}

// wishOf reads what is said of a picture.
func wishOf(in *assetPrivacyIn) (w retention.Wish, err error) {
	said := map[string]string{}
	for name, word := range map[string]string{"training": in.Body.Training, "training_commercial": in.Body.TrainingCommercial} {
		if word != "" {
			said[name] = word
		}
	}
	if len(said) > 0 {
		if w.Answers, err = spoken(said); err != nil {
			return w, err
		}
	}
	if in.Body.Commercial != nil {
		w.Use = retention.UseOwn
		if *in.Body.Commercial {
			w.Use = retention.UseCommercial
		}
	}
	if in.Body.Keep != "" {
		c, err := choice(in.Body.Keep)
		if err != nil {
			return w, err
		}
		w.Keep = c.Choice
	}
	return w, nil
}

func (d *door) setAssetPrivacy(ctx context.Context, by musa.Actor, in *assetPrivacyIn) (*body[AssetPrivacy], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	wish, err := wishOf(in)
	if err != nil {
		return nil, err
	}
	if err := d.Keeper.Govern(ctx, by, id, wish); err != nil {
		return nil, err
	}
	if by, err = d.again(ctx, by, in.Signal); err != nil {
		return nil, err
	}
	out, err := d.assetPrivacy(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[AssetPrivacy]{out}, nil
}
