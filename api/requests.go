package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
	"musa/rights"
)

// RightsList is what a person may ask for, and what they asked.
type RightsList struct {
	Region   string       `json:"region,omitempty" doc:"Empty where nobody said: the strictest law counts."`
	Rights   []RightOffer `json:"rights" doc:"What the law gives where you live."`
	Requests []Request    `json:"requests"`
	Next     string       `json:"next,omitempty" doc:"Pass as after for the next page."`
}

// RightOffer is one that the policy lists.
type RightOffer struct {
	Name     string   `json:"name"`
	Laws     []string `json:"laws" doc:"gdpr 15, ccpa 1798.110"`
	Within   string   `json:"within" doc:"How long an answer may take here, as the policy writes it."`
	Extend   string   `json:"extend,omitempty"`
	Self     bool     `json:"self_service" doc:"Without words of yours it is carried out at once."`
	Purposes []string `json:"purposes,omitempty"`
	Units    []string `json:"units,omitempty"`
}

// Request is a request about a right and how it stands.
type Request struct {
	ID        string   `json:"id"`
	Right     string   `json:"right"`
	State     string   `json:"state" enum:"received,extended,answered,refused,withdrawn"`
	Law       string   `json:"law,omitempty" doc:"Whose deadline it has."`
	Purpose   string   `json:"purpose,omitempty"`
	Received  Time     `json:"received"`
	Due       Time     `json:"due"`
	Extended  Time     `json:"extended" doc:"When you were told that it takes longer."`
	Answered  Time     `json:"answered"`
	Overdue   bool     `json:"overdue"`
	Outcome   string   `json:"outcome,omitempty"`
	Words     string   `json:"words,omitempty"`
	Asset     string   `json:"asset,omitempty"`
	Consent   string   `json:"consent,omitempty"`
	Extension string   `json:"extension_words,omitempty"`
	Answer    string   `json:"answer,omitempty"`
	See       []string `json:"see,omitempty" doc:"Where what you asked for is."`
	Undo      Time     `json:"undo_until,omitempty"`
	Closing   *Closing `json:"closing,omitempty"`
	Retract   bool     `json:"retractable" doc:"It can be taken back: a restriction is lifted by that."`
	Subject   string   `json:"subject,omitempty" doc:"For the staff alone."`
	Handler   string   `json:"handler,omitempty" doc:"For the staff alone."`
}

type requestIn struct {
	Body struct {
		Right   string `json:"right" maxLength:"40"`
		Words   string `json:"words,omitempty" maxLength:"8000" doc:"Read by a person; without it a self-service request is carried out at once."`
		Purpose string `json:"purpose,omitempty" maxLength:"40" doc:"That you object to."`
		Consent string `json:"consent,omitempty" maxLength:"60" doc:"That you withdraw."`
		Asset   string `json:"asset,omitempty" maxLength:"40"`
		Unit    string `json:"unit,omitempty" enum:"asset,account" doc:"Of an erasure."`
	}
}

type caseIn struct {
	ID string `path:"id"`
}

type deskOut struct {
	Overdue  int       `json:"overdue" doc:"On this page."`
	Requests []Request `json:"requests" doc:"The most urgent first."`
	Next     string    `json:"next,omitempty"`
}

type decision struct {
	Words string `json:"words" maxLength:"8000" doc:"To the person."`
}

type decideIn struct {
	ID   string `path:"id"`
	Body decision
}

type carriedIn struct {
	ID   string `path:"id"`
	Body struct {
		Words string `json:"words" maxLength:"8000" doc:"To the person."`
		Unit  string `json:"unit,omitempty" enum:"asset,account" doc:"What the answer to a request for erasure erases, for its person and in their name."`
		Asset string `json:"asset,omitempty" maxLength:"40" doc:"The picture, with unit asset."`

		Correct *Correction `json:"correct,omitempty" doc:"What the answer to a request for rectification corrects in the account of its person. An address is changed by them alone: it has to be proved."`
	}
}

func (d *door) requests() {
	huma.Register(d.api, huma.Operation{OperationID: "list-rights", Method: http.MethodGet, Path: "/api/rights",
		Summary: "Your rights, with their deadlines where you live, and your requests", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.listRights))
	huma.Register(d.api, huma.Operation{OperationID: "ask-right", Method: http.MethodPost, Path: "/api/rights",
		Summary: "Make a request about a right", DefaultStatus: http.StatusCreated, Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.askRight))
	huma.Register(d.api, huma.Operation{OperationID: "get-request", Method: http.MethodGet, Path: "/api/rights/{id}",
		Summary: "How a request stands", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.getRequest))
	huma.Register(d.api, huma.Operation{OperationID: "retract-request", Method: http.MethodDelete, Path: "/api/rights/{id}",
		Summary: "Take a request back, or lift a restriction", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.retractRequest))
	huma.Register(d.api, huma.Operation{OperationID: "list-requests", Method: http.MethodGet, Path: "/api/admin/rights",
		Summary: "Requests that wait for an answer, overdue ones first", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.openRequests))
	huma.Register(d.api, huma.Operation{OperationID: "read-request", Method: http.MethodGet, Path: "/api/admin/rights/{id}",
		Summary: "A request with what the person wrote; the look is entered and shown to them", Security: secured, Metadata: staffed(overseers)}, serveAs(d, readers, d.brief))
	huma.Register(d.api, huma.Operation{OperationID: "answer-request", Method: http.MethodPost, Path: "/api/admin/rights/{id}/answer",
		Summary: "Carry a request out, in words to the person; one for erasure names what is erased, one for rectification what is corrected", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.answerRequest))
	for name, f := range map[string]func(context.Context, musa.Actor, musa.CaseID, string) (rights.Case, error){
		"extend": d.Rights.Extend, "refuse": d.Rights.Refuse,
	} {
		huma.Register(d.api, huma.Operation{OperationID: name + "-request", Method: http.MethodPost, Path: "/api/admin/rights/{id}/" + name,
			Summary: "Decide about a request, in words to the person", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.decide(f)))
	}
}

// answerRequest carries a request out. One for erasure names what is erased, one for rectification
// what is corrected.
func (d *door) answerRequest(ctx context.Context, by musa.Actor, in *carriedIn) (*body[Request], error) {
	return d.decide(func(ctx context.Context, by musa.Actor, id musa.CaseID, words string) (rights.Case, error) {
		if in.Body.Correct != nil {
			return d.Rights.AnswerRectification(ctx, by, id, words, account.Change(*in.Body.Correct))
		}
		if in.Body.Unit == "" && in.Body.Asset == "" {
			return d.Rights.Answer(ctx, by, id, words)
		}
		u := rights.Unit{Account: in.Body.Unit == "account"}
		if in.Body.Asset != "" {
			asset, err := musa.ParseAssetID(in.Body.Asset)
			if err != nil {
				return rights.Case{}, err
			}
			u.Asset = asset
		}
		return d.Rights.AnswerErasure(ctx, by, id, words, u)
	})(ctx, by, &decideIn{ID: in.ID, Body: decision{in.Body.Words}})
}

// readers are overseers in the order in which the policy lets them read what people wrote.
func readers() []musa.Role { return []musa.Role{musa.RoleCompliance, musa.RoleOperator} }

func (d *door) listRights(ctx context.Context, by musa.Actor, in *pageIn) (*body[RightsList], error) {
	list, err := d.Rights.Cases(ctx, by, musa.CaseID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	doc, region := d.Policy(), by.Standing.Region
	out := RightsList{Region: region, Rights: []RightOffer{}, Requests: []Request{}}
	for _, c := range doc.Given(region) {
		line, _ := doc.Rights.Get(c.Right)
		clock, _ := doc.ClockOf(c.Right, region)
		out.Rights = append(out.Rights, RightOffer{Name: c.Right, Laws: append([]string{}, c.Laws...), Within: clock.Within.String(), Extend: clock.Extend.String(),
			Self: line.SelfService.On(), Purposes: line.Purposes, Units: line.Unit})
	}
	for _, c := range list {
		out.Requests = append(out.Requests, requestOf(c))
	}
	if len(list) == in.Limit {
		out.Next = string(list[len(list)-1].ID)
	}
	return &body[RightsList]{out}, nil
}

func (d *door) askRight(ctx context.Context, by musa.Actor, in *requestIn) (*body[Request], error) {
	b := in.Body
	q := rights.Request{Right: b.Right, Words: b.Words, Purpose: musa.Purpose(b.Purpose), Consent: b.Consent, Account: b.Unit == "account"}
	if b.Asset != "" {
		id, err := musa.ParseAssetID(b.Asset)
		if err != nil {
			return nil, err
		}
		q.Asset = id
	}
	if b.Right == rights.RightErasure {
		if err := errors.Join(by.May(musa.ActErase), d.Accounts.Covers(ctx, by, scopes[musa.ActErase])); err != nil {
			return nil, err
		}
	}
	if b.Right == rights.RightErasure && q.Account {
		if err := d.mayClose(ctx, by); err != nil {
			return nil, err
		}
	}
	c, err := d.Rights.Ask(ctx, by, q)
	if err != nil {
		return nil, err
	}
	return &body[Request]{requestOf(c)}, nil
}

// mayClose asks for what ending everything takes.
func (d *door) mayClose(ctx context.Context, by musa.Actor) error {
	if err := by.May(musa.ActOwn); err != nil {
		return err
	}
	return d.Accounts.Proved(ctx, by)
}

func (d *door) getRequest(ctx context.Context, by musa.Actor, in *caseIn) (*body[Request], error) {
	id, err := musa.ParseCaseID(in.ID)
	if err != nil {
		return nil, err
	}
	c, err := d.Rights.Case(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Request]{requestOf(c)}, nil
}

func (d *door) retractRequest(ctx context.Context, by musa.Actor, in *caseIn) (*body[Request], error) {
	id, err := musa.ParseCaseID(in.ID)
	if err != nil {
		return nil, err
	}
	c, err := d.Rights.Retract(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Request]{requestOf(c)}, nil
}

func (d *door) openRequests(ctx context.Context, by musa.Actor, in *pageIn) (*body[deskOut], error) {
	page, err := d.Rights.Desk(ctx, by, musa.CaseID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	out := deskOut{Overdue: page.Overdue, Requests: []Request{}}
	for _, c := range page.Cases {
		out.Requests = append(out.Requests, forStaff(c))
	}
	if len(page.Cases) == in.Limit {
		out.Next = string(page.Cases[len(page.Cases)-1].ID)
	}
	return &body[deskOut]{out}, nil
}

func (d *door) brief(ctx context.Context, by musa.Actor, in *caseIn) (*body[Request], error) {
	id, err := musa.ParseCaseID(in.ID)
	if err != nil {
		return nil, err
	}
	c, err := d.Rights.Brief(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Request]{forStaff(c)}, nil
}

func (d *door) decide(f func(context.Context, musa.Actor, musa.CaseID, string) (rights.Case, error)) func(context.Context, musa.Actor, *decideIn) (*body[Request], error) {
	return func(ctx context.Context, by musa.Actor, in *decideIn) (*body[Request], error) {
		id, err := musa.ParseCaseID(in.ID)
		if err != nil {
			return nil, err
		}
		c, err := f(ctx, by, id, in.Body.Words)
		if err != nil {
			return nil, err
		}
		return &body[Request]{forStaff(c)}, nil
	}
}

func forStaff(c rights.Case) Request {
	out := requestOf(c)
	out.Subject, out.Handler, out.Retract = string(c.Subject), string(c.Handler), false
	return out
}

func requestOf(c rights.Case) Request {
	out := Request{ID: string(c.ID), Right: c.Kind, State: string(c.State), Law: c.Regime, Purpose: string(c.Purpose), Received: timeOf(c.Received),
		Due: timeOf(c.Due), Extended: timeOf(c.Extended), Answered: timeOf(c.Answered), Overdue: c.Overdue, Outcome: c.Outcome,
		Words: c.Words, Asset: string(c.Asset), Consent: c.Consent, Extension: c.Extension, Answer: c.Answer, Undo: timeOf(c.Undo), See: seeOf(c.Outcome),
		Retract: c.Retractable()}
	if c.Closing.Closed > 0 {
		closing := closingOf(c.Closing)
		out.Closing = &closing
	}
	return out
}

func seeOf(outcome string) []string {
	switch outcome {
	case rights.OutcomeExport:
		return []string{"/api/me/holdings", "/api/me/export"}
	case rights.OutcomeProfile:
		return []string{"/api/me/profile"}
	}
	return nil
}
