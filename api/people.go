package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
)

type guestIn struct {
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
	Subject string `json:"subject"`
	Tier    string `json:"tier"`
	Credits int64  `json:"credits"`
	Held    int64  `json:"held"`
	Created Time   `json:"created"`
}

func (d *door) people() {
	huma.Register(d.api, huma.Operation{OperationID: "admit-guest", Method: http.MethodPost, Path: "/api/guests",
		Summary: "Begin as a guest", DefaultStatus: http.StatusCreated}, d.admitGuest)
	huma.Register(d.api, huma.Operation{OperationID: "me", Method: http.MethodGet, Path: "/api/me",
		Summary: "Who am I, and what is left", Security: secured}, serve(d, d.me))
}

func (d *door) admitGuest(ctx context.Context, in *guestIn) (*guestOut, error) {
	g, err := d.Accounts.Admit(ctx)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	out := &guestOut{Body: Guest{Token: g.Token, Subject: string(g.Subject), Tier: string(g.Tier), Credits: g.Credits, Expires: timeOf(g.Expires)}}
	if in.Body != nil && in.Body.Cookie {
		out.SetCookie = []*http.Cookie{{Name: sessionCookie, Value: g.Token, Path: "/", HttpOnly: true,
			Secure: d.Cookies == CookiesSecure, SameSite: http.SameSiteLaxMode, Expires: g.Expires.Time()}}
	}
	return out, nil
}

func (d *door) me(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Me], error) {
	p, err := d.Accounts.Profile(ctx, by)
	if err != nil {
		return nil, err
	}
	return &body[Me]{Me{Subject: string(p.Subject), Tier: string(p.Tier), Credits: p.Credits, Held: p.Held, Created: timeOf(p.Created)}}, nil
}

// body is the shape of every typed answer.
type body[T any] struct{ Body T }
