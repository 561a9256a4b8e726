package api

import (
	"context"
	"net/http"

	"musa/account"
)

// Entry is a session that just began, or the half of one. A browser gets its cookie besides.
type Entry struct {
	Token   string `json:"token,omitempty" doc:"Shown once. Send it as Authorization: Bearer."`
	Subject string `json:"subject,omitempty"`
	Tier    string `json:"tier,omitempty"`
	Expires Time   `json:"expires,omitempty"`
	Factor  string `json:"factor,omitempty" doc:"Set instead of a token where a second factor is asked for: send it to POST /api/session/factor."`
}

type entryOut struct {
	SetCookie []*http.Cookie `header:"Set-Cookie"`
	Body      Entry
}

// entered tells of an entry and sets its cookie, or judges why there is none.
func (d *door) entered(ctx context.Context) func(account.Entry, error) (*entryOut, error) {
	return func(e account.Entry, err error) (*entryOut, error) {
		if err != nil {
			return nil, d.judge(ctx, err)
		}
		out := &entryOut{Body: Entry{Token: e.Token, Subject: string(e.Subject), Tier: string(e.Tier), Expires: timeOf(e.Expires), Factor: e.Factor}}
		if e.Token != "" {
			c := d.cookie(ctx, e.Token)
			c.Expires = e.Expires.Time()
			out.SetCookie = []*http.Cookie{c}
		}
		return out, nil
	}
}
