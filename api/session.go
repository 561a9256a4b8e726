package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
)

type sessionIn struct {
	Authorization string `header:"Authorization" doc:"Bearer and the token."`
}

// Session is who the token stands for.
type Session struct {
	Subject string   `json:"subject"`
	Tier    string   `json:"tier"`
	Roles   []string `json:"roles" doc:"What this person may do here for others; empty for most."`
}

type sessionOut struct {
	SetCookie []*http.Cookie `header:"Set-Cookie"`
	Body      Session
}

func (d *door) sessions() {
	huma.Register(d.api, huma.Operation{OperationID: "begin-session", Method: http.MethodPost, Path: "/api/session",
		Summary: "Turn a token into the session cookie of this browser, until it is closed", Security: secured[:1], Metadata: may(musa.ActSelf)}, d.beginSession)
	huma.Register(d.api, huma.Operation{OperationID: "leave-session", Method: http.MethodDelete, Path: "/api/session",
		Summary: "Sign out: the session ends, and its cookie goes; a token that is all that leads to its owner goes on to work", DefaultStatus: http.StatusNoContent, Metadata: open}, d.leaveSession)
}

// beginSession takes the token from the header alone: a cookie that is there already would
// only be set again.
func (d *door) beginSession(ctx context.Context, in *sessionIn) (*sessionOut, error) {
	token, ok := bearer(in.Authorization)
	if !ok {
		return nil, d.judge(ctx, &musa.Problem{Kind: musa.ErrUnauthorized, Code: "token_needed", Field: "Authorization",
			Public: "Send the token as Authorization: Bearer."})
	}
	by, err := actor(ctx)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	roles, err := d.roles(ctx, by)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return &sessionOut{
		SetCookie: []*http.Cookie{d.cookie(ctx, token)},
		Body:      Session{Subject: string(by.Subject), Tier: string(by.Tier), Roles: roles},
	}, nil
}

type leftOut struct {
	SetCookie []*http.Cookie `header:"Set-Cookie"`
}

func (d *door) leaveSession(ctx context.Context, _ *struct{}) (*leftOut, error) {
	if err := d.Accounts.SignOut(ctx, anybody(ctx)); err != nil {
		return nil, d.judge(ctx, err)
	}
	c := d.cookie(ctx, "")
	c.MaxAge = -1
	return &leftOut{SetCookie: []*http.Cookie{c}}, nil
}

// cookie carries a session in a browser: out of reach of scripts, and of other sites.
func (d *door) cookie(ctx context.Context, token string) *http.Cookie {
	return &http.Cookie{Name: sessionCookie, Value: token, Path: "/", HttpOnly: true,
		Secure: d.Cookies.Secure(ctx), SameSite: http.SameSiteLaxMode}
}
