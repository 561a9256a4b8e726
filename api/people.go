package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/consent"
	"musa/rights"
)

type guestIn struct {
	Jar  string `cookie:"musa_consent"`
	Body *struct {
		Cookie bool `json:"cookie,omitempty" doc:"Set the session cookie, for a browser."`
	} `required:"false"`
}

// Guest is a new guest's session.
type Guest struct {
	Token   string `json:"token" doc:"Shown once. Send it as Authorization: Bearer."`
	Subject string `json:"subject"`
	Tier    string `json:"tier"`
	Credits int64  `json:"credits"`
	Expires Time   `json:"expires"`
}

type guestOut struct {
	SetCookie []*http.Cookie `header:"Set-Cookie"`
	Body      Guest
}

// Me is a person's own account.
type Me struct {
	Subject string      `json:"subject"`
	Tier    string      `json:"tier"`
	Former  string      `json:"former,omitempty" doc:"The tier that was lost, while its notice runs."`
	Grace   Time        `json:"grace,omitempty" doc:"Until when the loss shortens nothing."`
	Credits int64       `json:"credits"`
	Held    int64       `json:"held"`
	Created Time        `json:"created"`
	Roles   []string    `json:"roles" doc:"What this person may do here for others; empty for most."`
	Keeps   []Keeps     `json:"retention,omitempty" doc:"What is chosen, where there is a choice. GET /api/me/retention has all of it."`
	Notices []Notice    `json:"notices" doc:"What will end sooner because a tier was lost; the soonest first."`
	Storage rights.Room `json:"storage"`
	Closing *Closing    `json:"closing,omitempty" doc:"Set once the account is closed."`
	// Suspended is set while a person has to decide about the account.
	Suspended *Suspension `json:"suspended,omitempty"`
	// Restricted is set while the person has the use of their data restricted.
	Restricted *Restriction `json:"restricted,omitempty"`
}

// Restriction is how the use of a person's data stands restricted.
type Restriction struct {
	Since    Time     `json:"since"`
	Requests []string `json:"requests" doc:"DELETE /api/rights/{id} takes one back; with the last the restriction ends."`
}

// Keeps is how long some items are kept by their owner's choice, or where they made none.
type Keeps struct {
	Keep  string `json:"keep"`
	Items int    `json:"items"`
}

func (d *door) people() {
	huma.Register(d.api, huma.Operation{OperationID: "admit-guest", Method: http.MethodPost, Path: "/api/guests",
		Summary: "Begin as a guest", DefaultStatus: http.StatusCreated, Metadata: open}, d.admitGuest)
	huma.Register(d.api, huma.Operation{OperationID: "me", Method: http.MethodGet, Path: "/api/me",
		Summary: "Who am I, and what is left", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.me))
}

func (d *door) admitGuest(ctx context.Context, in *guestIn) (*guestOut, error) {
	g, err := d.Accounts.AdmitFrom(ctx, visitor(ctx))
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	// What this browser answered before somebody was there to keep it for.
	if answers := consent.DecodeCookie(d.Policy(), in.Jar); len(answers) > 0 {
		by := musa.Actor{Subject: g.Subject, Tier: g.Tier, Role: musa.RoleSubject}
		if err := d.Consents.Choose(ctx, by, answers, consent.ViaBanner); err != nil {
			return nil, d.judge(ctx, err)
		}
	}
	out := &guestOut{Body: Guest{Token: g.Token, Subject: string(g.Subject), Tier: string(g.Tier), Credits: g.Credits, Expires: timeOf(g.Expires)}}
	if in.Body != nil && in.Body.Cookie {
		c := d.cookie(ctx, g.Token)
		c.Expires = g.Expires.Time()
		out.SetCookie = []*http.Cookie{c}
	}
	return out, nil
}

func (d *door) me(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Me], error) {
	p, err := d.Accounts.Profile(ctx, by)
	if err != nil {
		return nil, err
	}
	out := Me{Subject: string(p.Subject), Tier: string(p.Tier), Credits: p.Credits, Held: p.Held, Created: timeOf(p.Created), Notices: []Notice{}}
	if out.Roles, err = d.roles(ctx, by); err != nil {
		return nil, err
	}
	if out.Storage, err = d.storage(ctx, by); err != nil {
		return nil, err
	}
	if err := errors.Join(d.standing(ctx, by, &out), d.suspended(ctx, by, &out), d.restricted(ctx, by, &out)); err != nil {
		return nil, err
	}
	return &body[Me]{out}, nil
}

// restricted adds how the use of their data stands restricted, and the way out.
func (d *door) restricted(ctx context.Context, by musa.Actor, me *Me) error {
	r, err := d.Rights.Restricted(ctx, by)
	if err != nil || r.Since == 0 {
		return err
	}
	me.Restricted = &Restriction{Since: timeOf(r.Since), Requests: []string{}}
	for _, id := range r.Cases {
		me.Restricted.Requests = append(me.Restricted.Requests, string(id))
	}
	return nil
}

// body is the shape of every typed answer.
type body[T any] struct{ Body T }
