package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
)

const (
	// signInCookie binds a sign-in with a provider to the browser that began it.
	signInCookie = "musa_signin"
	providerPath = "/api/session/provider/"
)

// Provider is one that people may sign in with.
type Provider struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Fresh bool   `json:"fresh" doc:"It can be asked to have its person sign in anew, so it can show that they are there."`
}

// ProviderList is all of them.
type ProviderList struct {
	Providers []Provider `json:"providers"`
}

type joinIn struct {
	Name string `path:"name"`
	Body struct {
		Newcomer
		Secret string `json:"secret" maxLength:"200" doc:"What stands behind #join= of the page that the provider's callback led to."`
		Name   string `json:"name,omitempty"`
	}
}

func (d *door) providers() {
	huma.Register(d.api, huma.Operation{OperationID: "list-providers", Method: http.MethodGet, Path: "/api/session/providers",
		Summary: "With whom people may sign in here", Metadata: open}, d.listProviders)
	huma.Register(d.api, huma.Operation{OperationID: "join", Method: http.MethodPost, Path: "/api/session/provider/{name}/join",
		Summary: "Make an account of what a provider said, with what an account needs besides", Security: secured, Metadata: may(musa.ActSelf)}, d.join)
	d.raw("GET "+providerPath+"{name}", open, d.leaveForProvider)
	d.raw("GET "+providerPath+"{name}/callback", open, d.returnFromProvider)
}

var titles = map[string]string{"google": "Google", "github": "GitHub", "gitlab": "GitLab"}

func (d *door) listProviders(context.Context, *struct{}) (*body[ProviderList], error) {
	out := ProviderList{Providers: []Provider{}}
	for _, name := range d.Accounts.ProviderNames() {
		title := titles[name]
		if title == "" {
			title = strings.ToUpper(name[:1]) + name[1:]
		}
		out.Providers = append(out.Providers, Provider{Name: name, Title: title, Fresh: d.Accounts.Asks(name)})
	}
	return &body[ProviderList]{out}, nil
}

// leaveForProvider sends a browser to a provider. Where it comes back to is ours alone to say: no
// address in the request is looked at.
func (d *door) leaveForProvider(w http.ResponseWriter, r *http.Request) {
	var (
		out account.Leaving
		err error
	)
	switch q := r.URL.Query(); {
	case q.Get("link") != "":
		out, err = d.leaveAs(r, d.Accounts.LeaveToLink)
	case q.Get("prove") != "":
		out, err = d.leaveAs(r, d.Accounts.LeaveToProve)
	default:
		out, err = d.Accounts.Leave(r.Context(), r.PathValue("name"), visitor(r.Context()))
	}
	if err != nil {
		d.turnBack(w, r, err)
		return
	}
	c := d.errand(r.Context(), out.Cookie)
	c.Expires = out.Until.Time()
	http.SetCookie(w, c)
	away(w, r, out.URL)
}

// errand is the cookie of a browser that is on its way to a provider and back.
func (d *door) errand(ctx context.Context, value string) *http.Cookie {
	return &http.Cookie{Name: signInCookie, Value: value, Path: providerPath, HttpOnly: true,
		Secure: d.Cookies.Secure(ctx), SameSite: http.SameSiteLaxMode}
}

// leaveAs begins something for whoever is signed in only where our own page asks: another site that
// sends a browser here could have it come back with an identity of the attacker's.
func (d *door) leaveAs(r *http.Request, leave func(context.Context, musa.Actor, string) (account.Leaving, error)) (account.Leaving, error) {
	by, err := actor(r.Context())
	if err != nil {
		return account.Leaving{}, err
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return account.Leaving{}, &musa.Problem{Kind: musa.ErrRefused, Code: "cross_origin",
			Public: "Another site's page may not change how you sign in. Open the studio itself."}
	}
	if err := by.May(musa.ActSelf); err != nil {
		return account.Leaving{}, err
	}
	return leave(r.Context(), by, r.PathValue("name"))
}

// returnFromProvider ends in a page, as a browser expects it. What a page needs to go on stands
// behind the # of its address, which no server hears and no log holds.
func (d *door) returnFromProvider(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b := account.Back{Provider: r.PathValue("name"), Returned: account.Returned{State: q.Get("state"), Code: q.Get("code"),
		Issuer: q.Get("iss"), Error: q.Get("error")}}
	errand, err := r.Cookie(signInCookie)
	if err != nil {
		d.turnBack(w, r, &musa.Problem{Kind: musa.ErrRefused, Code: "signin_unkept",
			Public: "Your browser did not keep the cookie musa_signin while you were at the provider. Allow it here and begin again, or sign in another way."})
		return
	}
	b.Cookie = errand.Value
	over := d.errand(r.Context(), "")
	over.MaxAge = -1
	http.SetCookie(w, over)
	out, err := d.Accounts.Return(r.Context(), anybody(r.Context()), b, visitor(r.Context()))
	switch {
	case err != nil:
		d.turnBack(w, r, err)
	case out.Linked != "":
		away(w, r, "/me/sign-in#providers")
	case out.Proved != "":
		away(w, r, "/me/sign-in#proved")
	case out.Factor != "":
		away(w, r, "/signin#factor="+out.Factor)
	case out.Join != "":
		if out.Guest.Token != "" {
			c := d.cookie(r.Context(), out.Guest.Token)
			c.Expires = out.Guest.Expires.Time()
			http.SetCookie(w, c)
		}
		away(w, r, "/signin#join="+out.Join+"&provider="+b.Provider)
	default:
		c := d.cookie(r.Context(), out.Token)
		c.Expires = out.Expires.Time()
		http.SetCookie(w, c)
		away(w, r, "/")
	}
}

// turnBack shows a browser the sign-in page with the code of what went wrong, which names nobody.
func (d *door) turnBack(w http.ResponseWriter, r *http.Request, err error) {
	if p := d.judge(r.Context(), err); p.Status != http.StatusNotFound {
		away(w, r, "/signin?problem="+url.QueryEscape(p.Code))
		return
	}
	d.fail(w, r, noRoute())
}

func away(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (d *door) join(ctx context.Context, in *joinIn) (*entryOut, error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return d.entered(ctx)(d.Accounts.Join(ctx, by, in.Body.Secret, in.Body.of(in.Body.Name), visitor(ctx)))
}
