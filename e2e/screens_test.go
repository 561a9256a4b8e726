//go:build e2e

package e2e_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"musa"
	"musa/account"

	"musa/musatest"
	"musa/musatest/rigs"
)

var screensDir = flag.String("screens", "", "save a picture of every screen, in every look and language, into this folder")

type obj = musatest.Order

// lived is a studio in which things have happened, and those whom they happened to.
type lived struct {
	*musatest.Studio
	member, frozen, closing *musatest.Client
	staff                   map[musa.Role]*musatest.Client
}

// TestScreens opens every screen as those see it who use it, with something on it: none scrolls
// sideways in either language, and axe-core finds nothing. With -screens each is kept as a
// picture.
func TestScreens(t *testing.T) {
	t.Parallel()
	l := live(t)
	browsing := chromium(t)
	for _, who := range []struct {
		name   string
		client *musatest.Client
		paths  []string
	}{
		{"stranger", nil, []string{"/", "/signin", "/signin#up", "/signin#reset", "/signin#factor", "/confirm?for=reset#" + strings.Repeat("a", 32), "/news", "/cookies", "/terms",
			"/support", "/do-not-sell", "/privacy", "/privacy/versions", "/me", "/admin", "/no-such-page"}},
		{"member", l.member, []string{"/", "/me", "/me/profile", "/me/sign-in", "/me/sign-in#proved", "/me/privacy", "/me/data", "/me/mails", "/me/workspaces",
			"/news", "/surveys", "/support", "/cookies"}},
		{"frozen", l.frozen, []string{"/", "/me", "/me/data"}},
		{"closing", l.closing, []string{"/me"}},
		{"operator", l.staff[musa.RoleOperator], []string{"/admin", "/admin/rights", "/admin/mails", "/admin/surveys", "/admin/incidents"}},
		{"support", l.staff[musa.RoleSupport], []string{"/admin/support", "/admin/people", "/admin/surveys", "/admin"}},
		{"compliance", l.staff[musa.RoleCompliance], []string{"/admin/holds", "/admin/incidents", "/admin/rights"}},
	} {
		t.Run(who.name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, browsing, l.URL, desk, "/terms")
			for _, status := range []int64{http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden, http.StatusGone} {
				b.refuses(status)
			}
			b.be(who.client)
			for _, path := range who.paths {
				b.inBoth(who.name, path)
			}
		})
	}
}

// be gives the browser somebody's session, as signing in does; nil is a stranger.
func (b *tab) be(c *musatest.Client) {
	b.t.Helper()
	if c == nil {
		return
	}
	u, err := url.Parse(b.base)
	b.must("read the address", err)
	_, err = chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: "musa_session", Value: c.Token, Domain: u.Hostname(), Path: "/", HTTPOnly: new(true)})
	b.must("take the session", err)
}

// inBoth opens a path in both languages.
func (b *tab) inBoth(who, path string) {
	b.t.Helper()
	for _, tongue := range []string{"en", "de"} {
		at, mark, marked := strings.Cut(path, "#")
		sign := "?"
		if strings.Contains(at, "?") {
			sign = "&"
		}
		at += sign + "lang=" + tongue
		if marked {
			at += "#" + mark
		}
		b.visit(at) // in another language than the last: a change of the mark alone would open nothing
		b.settles()
		if tongue == "en" {
			b.accessibleOn(who+" "+path, desk, desk, phone.in("dark"))
		}
		for _, s := range []screen{desk, phone} {
			b.look(s)
			b.fits()
		}
		b.kept(who, tongue, path)
		b.look(desk)
	}
}

// settles waits until the page's scripts asked for nothing more for a moment.
func (b *tab) settles() {
	b.t.Helper()
	for seen, still := -1, 0; still < 4; time.Sleep(60 * time.Millisecond) {
		if n := see[int](b, `performance.getEntriesByType('resource').length`); n != seen {
			seen, still = n, 0
		}
		still++
	}
}

// kept saves the whole page in all four looks, where -screens says where to.
func (b *tab) kept(who, tongue, path string) {
	b.t.Helper()
	if *screensDir == "" {
		return
	}
	b.must("make the folder", os.MkdirAll(*screensDir, 0o755))
	for _, s := range []screen{desk, desk.in("dark"), phone, phone.in("dark")} {
		b.look(s)
		b.settles()
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(80))
		b.must("take a picture", err)
		name := fmt.Sprintf("%s%s-%s-%d-%s.jpg", who, strings.NewReplacer("/", "_", "#", "_", "?", "_", "=", "_").Replace(strings.TrimRight(path, "a")), tongue, s.width, s.theme)
		b.must("save a picture", os.WriteFile(filepath.Join(*screensDir, name), picture, 0o644))
	}
}

// live fills a studio: pictures, choices, requests, threads, surveys, news and an incident.
func live(t *testing.T) *lived {
	t.Helper()
	idp, client := rigs.OIDC(t, providerHost)
	provider, err := account.NewProvider(account.Provider{Name: "company", Issuer: idp.Issuer(), ID: idp.ClientID, Secret: idp.ClientSecret, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	s := musatest.New(t, musatest.Rig{Policy: employing(t, "studio"), Clock: musatest.RunningClock(), Providers: []account.Provider{provider}})
	l := &lived{Studio: s, staff: map[musa.Role]*musatest.Client{}}
	for _, role := range []musa.Role{musa.RoleOperator, musa.RoleSupport, musa.RoleCompliance} {
		l.staff[role] = s.Staff(t, role)
	}
	l.member, l.frozen, l.closing = s.Member(), s.Member(), s.Member()
	m := l.member
	m.Made(m.Upload("chelsea.png", photo(t), "save", "true").ID, obj{"prompt": "sharper, please"})
	said(m, http.MethodPatch, "/api/me/profile", obj{"name": "Wanda Walkthrough"}, nil)
	var space, invited struct{ ID string }
	said(m, http.MethodPost, "/api/workspaces", obj{"name": "Atelier Nord"}, &space)
	said(m, http.MethodPost, "/api/workspaces/"+space.ID+"/invitations", obj{"email": "guest@example.org", "role": "editor"}, &invited)
	said(m, http.MethodPost, "/api/rights", obj{"right": "access", "words": "All of it, please."}, nil)
	said(m, http.MethodPost, "/api/rights", obj{"right": "objection", "purpose": "secure"}, nil)
	var thread, child struct{ ID string }
	said(m, http.MethodPost, "/api/support", obj{"kind": "question", "words": "How long do my pictures stay?"}, &thread)
	said(m, http.MethodPost, "/api/support", obj{"kind": "child", "words": "A pupil of mine has an account here."}, &child)
	said(l.staff[musa.RoleSupport], http.MethodPost, "/api/admin/support/"+thread.ID+"/messages", obj{"words": "Two days, if you change nothing."}, nil)
	said(l.staff[musa.RoleSupport], http.MethodPost, "/api/admin/people/"+string(s.Member().Subject())+"/suspend", obj{"reason": "a letter of the school", "thread": child.ID}, nil)
	said(m, http.MethodPut, "/api/me/mails", obj{"kinds": obj{"survey": obj{"mail": "yes", "page": "yes"}}}, nil)
	said(m, http.MethodPost, "/api/lists/confirm", obj{"secret": s.Secret(m.Email)}, nil)
	operator, compliance := l.staff[musa.RoleOperator], l.staff[musa.RoleCompliance]
	said(operator, http.MethodPost, "/api/admin/surveys", obj{"title": "How is it?", "questions": []obj{
		{"id": "best", "ask": "What is best?", "kind": "choice", "choices": []string{"speed", "looks", "price"}},
		{"id": "mark", "ask": "A mark?", "kind": "scale"}, {"id": "say", "ask": "Anything else?", "kind": "words"}}}, nil)
	said(operator, http.MethodPost, "/api/admin/news", obj{"kind": "service", "words": obj{"en": obj{"subject": "A quiet Sunday", "text": "On Sunday we move to another machine. Nothing of yours goes."},
		"de": obj{"subject": "Ein stiller Sonntag", "text": "Am Sonntag ziehen wir um. Nichts von Ihnen geht verloren."}}}, nil)
	var incident struct{ ID string }
	said(compliance, http.MethodPost, "/api/admin/incidents", obj{"what": "A disk was sold with copies on it.", "measures": "It was bought back.", "notice": "Your pictures may have been seen."}, &incident)
	said(compliance, http.MethodPost, "/api/admin/incidents/"+incident.ID+"/affected", obj{"subjects": []string{string(m.Subject())}}, nil)
	said(compliance, http.MethodPost, "/api/admin/incidents/"+incident.ID+"/tell", nil, nil)
	held := m.Upload("x.png", photo(t), "save", "true")
	said(compliance, http.MethodPost, "/api/admin/holds", obj{"asset": held.ID, "reason": "a letter of the court"}, nil)
	f := l.frozen
	f.Upload("x.png", photo(t), "save", "true")
	said(f, http.MethodPost, "/api/rights", obj{"right": "restriction"}, nil)
	said(l.closing, http.MethodPost, "/api/me/erasure", nil, nil)
	s.Post(m.Email)
	return l
}

// said sends one request, which has to be carried out.
func said(c *musatest.Client, method, path string, body, out any) {
	c.T.Helper()
	a := c.Do(method, path, body)
	if a.Status < 200 || a.Status > 299 {
		c.T.Fatalf("%s %s: status %d: %s", method, path, a.Status, a.Body)
	}
	if out != nil {
		c.Want(a.Status, a, out)
	}
}
