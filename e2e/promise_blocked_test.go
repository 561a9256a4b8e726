//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"musa/account"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/musatest/rigs"
	"musa/policies"
)

// TestPromiseBlocked blocks and deletes each cookie that a document declares, in turn.
func TestPromiseBlocked(t *testing.T) {
	t.Parallel()
	browsing := chromium(t)
	for id, preset := range map[string]string{"P-29": "professional", "W-35": "workspace"} {
		conformance.Kept(t, id, func(t *testing.T) { eachInTurn(t, browsing, preset) })
	}
}

// picky is a studio and people whose browsers do not keep everything.
type picky struct {
	*musatest.Studio
	browsing context.Context
	member   *musatest.Client
	provider *http.Client // leads to an identity provider
}

const providerHost = "login.company.example"

// employing is a preset that names one identity provider besides.
func employing(t *testing.T, preset string) string {
	t.Helper()
	doc, err := policies.Load(preset, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(doc.YAML()), "processors: {}\n", "processors:\n  company: {hosts: ["+providerHost+"], for: [sign_in], gets: [account], country: DE, agreement: doc/agreements/company.md}\n", 1)
}

// pickyStudio is a studio under such a preset, with that provider.
func pickyStudio(t *testing.T, browsing context.Context, preset string) *picky {
	t.Helper()
	idp, client := rigs.OIDC(t, providerHost)
	set, err := account.NewProvider(account.Provider{Name: "company", Issuer: idp.Issuer(), ID: idp.ClientID, Secret: idp.ClientSecret, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	s := musatest.New(t, musatest.Rig{Policy: employing(t, preset), Clock: musatest.RunningClock(), Providers: []account.Provider{set}})
	return &picky{Studio: s, browsing: browsing, member: s.Member(), provider: client}
}

// eachInTurn: without a cookie the page works, or says in words which feature needs it; and what was
// deleted comes back from nowhere.
func eachInTurn(t *testing.T, browsing context.Context, preset string) {
	p := pickyStudio(t, browsing, preset)
	turns := map[string]struct{ blocked, deleted func(t *testing.T, p *picky) }{
		"musa_session": {sessionBlocked, sessionDeleted},
		"musa_signin":  {signinBlocked, signinDeleted},
		"musa_consent": {consentBlocked, consentDeleted},
		"musa_lang":    {langBlocked, langDeleted},
		"musa_theme":   {themeBlocked, themeDeleted},
	}
	var declared []string
	for _, e := range p.InForce().Consents {
		declared = append(declared, e.Value.Cookies...)
	}
	if got := slices.Sorted(maps.Keys(turns)); !slices.Equal(got, slices.Sorted(slices.Values(declared))) {
		t.Fatalf("the document declares the cookies %v, this test knows %v", declared, got)
	}
	for _, name := range declared {
		t.Run(name+" blocked", func(t *testing.T) { turns[name].blocked(t, p) })
		t.Run(name+" deleted", func(t *testing.T) { turns[name].deleted(t, p) })
	}
	t.Run("every page without any", func(t *testing.T) { nothingKept(t, p) })
}

// blocking opens a window of a browser that refuses cookies of these names: what a browser does not
// keep never comes back, so a door in front of the server takes them out of both ways.
func (p *picky) blocking(t *testing.T, path string, names ...string) *tab {
	t.Helper()
	to, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	door := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(res *http.Response) error {
			set := res.Cookies()
			res.Header.Del("Set-Cookie")
			for _, c := range set {
				if !slices.Contains(names, c.Name) {
					res.Header.Add("Set-Cookie", c.Raw)
				}
			}
			return nil
		}})
	t.Cleanup(door.Close)
	b := openAt(t, p.browsing, door.URL, desk, path)
	b.refuses(http.StatusUnauthorized)
	t.Cleanup(func() {
		for _, name := range names {
			if _, kept := b.cookies()[name]; kept {
				t.Errorf("the browser keeps %s: this test blocks nothing", name)
			}
		}
	})
	return b
}

// forgets deletes a cookie in the browser, as its settings do, and says what it held.
func (b *tab) forgets(name string) string {
	b.t.Helper()
	value, there := b.cookies()[name]
	if !there {
		b.t.Fatalf("there is no cookie %s to delete", name)
	}
	for _, path := range []string{"/", "/api/session/provider"} {
		_, err := chromedp.Call(b.ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: b.base + path})
		b.must("delete "+name, err)
	}
	if _, there := b.cookies()[name]; there {
		b.t.Fatalf("%s is still there", name)
	}
	return value
}

// staysGone goes through pages, and back, and reads what lies in the cache: the value is nowhere.
func (b *tab) staysGone(name, value string) {
	b.t.Helper()
	for _, path := range []string{"/", "/privacy", "/cookies", "/me", "/"} {
		b.visit(path)
		b.until(`document.readyState === 'complete'`)
		if again, there := b.cookies()[name]; there {
			b.t.Errorf("on %s the cookie %s came back as %q", path, name, again)
		}
		if see[bool](b, `location.href.includes(`+quoted(value)+`)`) {
			b.t.Errorf("on %s the address holds the value of %s", path, name)
		}
		for place, n := range see[map[string]int](b, keys) {
			if n != 0 {
				b.t.Errorf("on %s the browser keeps %d things in its %s", path, n, place)
			}
		}
	}
}

// quoted is a text as the page's script writes it.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(raw)
}

func sessionBlocked(t *testing.T, p *picky) {
	b := p.blocking(t, "/", "musa_session")
	b.press("musa-consent", "No")
	b.drop(filepath.Join(photos.Dir(t), "chelsea.png"))
	b.reads("musa-card [role=alert]", "does not keep the cookie musa_session. Making pictures")
	b.visit("/me")
	b.reads("[data-lede]", "There is no session in this browser")
	b.visit("/signin")
	fillIn(b, map[string]string{"in-email": p.member.Email, "in-password": musatest.Password})
	b.press("[data-view=in]", "Sign in")
	b.reads("[data-view=in] [role=alert]", "signing in need it")
	b.visit("/support")
	fillIn(b, map[string]string{"s-words": "Is anybody there?"})
	b.press("[data-write]", "Send")
	b.reads("[data-said]", "Sent.")
	want(b, "without the session's cookie", "musa_consent")
}

func sessionDeleted(t *testing.T, p *picky) {
	b := openAt(t, p.browsing, p.URL, desk, "/")
	b.refuses(http.StatusUnauthorized)
	b.press("musa-consent", "No")
	b.drop(filepath.Join(photos.Dir(t), "chelsea.png"))
	b.reads("[data-estimate]", "×")
	picture := see[string](b, `shown().original.id`)
	first := b.client().Subject()

	// While the page is open: the next act begins anew, and says so.
	value := b.forgets("musa_session")
	b.drop(filepath.Join(photos.Dir(t), "coffee.png"))
	b.reads("musa-notices", "The session of this page was over")
	b.until(`shown()?.original && shown().original.id !== ` + quoted(picture))
	if again := b.cookies()["musa_session"]; again == "" || again == value || b.client().Subject() == first {
		t.Errorf("after the deletion the session is %q, was %q", again, value)
	}
	b.wantContent(http.StatusNotFound, picture)

	// And where nothing is done nothing is set.
	value = b.forgets("musa_session")
	b.staysGone("musa_session", value)
	b.until(`document.querySelector('[data-hero]').checkVisibility() && !document.querySelector('musa-tile')`)
	want(b, "after the session was deleted", "musa_consent")
}

// leave begins a sign-in with the provider and says where the provider sends the browser back to.
func (p *picky) leave(t *testing.T, b *tab) string {
	t.Helper()
	b.others["https://"+providerHost] = true // where the person asked to go
	before := len(b.ledTo())
	b.act(`void fetch('/api/session/provider/company', { redirect: 'manual' })`)
	until(t, "the way to the provider", func() bool { return len(b.ledTo()) > before })
	back := musatest.Visit(t, p.provider, b.ledTo()[before])
	_, path, found := strings.Cut(back, "/api/")
	if !found {
		t.Fatalf("the provider leads to %s", back)
	}
	return "/api/" + path
}

func signinBlocked(t *testing.T, p *picky) {
	b := p.blocking(t, "/signin", "musa_signin")
	b.visit(p.leave(t, b))
	b.reads("[data-said]", "did not keep the cookie musa_signin")
	b.until(`document.querySelector('[data-view=in] input').checkVisibility()`) // every other way is open
}

func signinDeleted(t *testing.T, p *picky) {
	b := openAt(t, p.browsing, p.URL, desk, "/signin")
	back := p.leave(t, b)
	value := b.forgets("musa_signin")
	b.visit(back)
	b.reads("[data-said]", "did not keep the cookie musa_signin")
	b.staysGone("musa_signin", value)
	want(b, "after the way back was lost")

	b.visit("/signin")
	b.visit(p.leave(t, b)) // with the cookie the same way leads on
	b.reads("[data-said]", "The other service said who you are")
	want(b, "after the way back", "musa_session")
}

func consentBlocked(t *testing.T, p *picky) {
	b := p.blocking(t, "/", "musa_consent")
	for _, answer := range []string{"Yes", "No"} {
		b.press("musa-consent", answer)
		b.reads("musa-consent .fault", "does not keep the cookie musa_consent")
		b.press("musa-theme", "Dark")
		b.visit("/cookies")
		want(b, "after "+answer+", which was not kept")
		b.until(`document.querySelector('musa-consent')`)
	}
	b.press("#choose", "Yes")
	b.press("#choose", "Save")
	b.reads("#choose .fault", "does not keep the cookie musa_consent")
	b.visit("/")
	b.drop(filepath.Join(photos.Dir(t), "chelsea.png"))
	b.reads("[data-estimate]", "×") // everything else works
}

func consentDeleted(t *testing.T, p *picky) {
	b := openAt(t, p.browsing, p.URL, desk, "/")
	b.press("musa-consent", "Yes")
	b.until(`!document.querySelector('musa-consent')`)
	b.press("musa-theme", "Dark")
	until(t, "the colours to be kept", func() bool { return b.cookies()["musa_theme"] == "dark" })
	value := b.forgets("musa_consent")
	b.staysGone("musa_consent", value)
	b.reads("musa-consent", "Nothing was set yet")
	want(b, "after the answer was deleted, and with it its yes")
}

func langBlocked(t *testing.T, p *picky) {
	b := p.blocking(t, "/privacy", "musa_lang")
	b.press("musa-consent", "Yes")
	b.until(`!document.querySelector('musa-consent')`)
	b.press(".foot", "Deutsch")
	b.until(`document.documentElement.lang === 'de' && document.querySelector('musa-theme fieldset:not([hidden])')`)
	b.visit("/cookies")
	b.reads("[data-cookie=musa_lang]", "Each page is in the language that your browser asks for.")
	want(b, "without the language's cookie", "musa_consent")
}

func langDeleted(t *testing.T, p *picky) {
	b := openAt(t, p.browsing, p.URL, desk, "/privacy")
	b.press("musa-consent", "Yes")
	b.until(`!document.querySelector('musa-consent')`)
	b.press(".foot", "Deutsch")
	b.until(`document.documentElement.lang === 'de'`)
	b.forgets("musa_lang")
	b.staysGone("musa_lang", "lang=de")
	for _, path := range []string{"/privacy", "/"} {
		b.visit(path)
		if lang := see[string](b, `document.documentElement.lang`); lang != "en" {
			t.Errorf("after the deletion %s comes in %s", path, lang)
		}
	}
}

func themeBlocked(t *testing.T, p *picky) {
	b := p.blocking(t, "/", "musa_theme")
	b.press("musa-consent", "Yes")
	b.until(`!document.querySelector('musa-consent')`)
	b.press("musa-theme", "Dark")
	b.reads("musa-notices", "does not keep the cookie musa_theme. These colours last as long as this page.")
	if at := see[int](b, bright); at > 128 {
		t.Errorf("chosen dark, the page is %d of 255 bright", at)
	}
	b.visit("/privacy")
	if at := see[int](b, bright); at < 128 {
		t.Errorf("the next page is %d of 255 bright by a light system", at)
	}
	want(b, "without the colours' cookie", "musa_consent")
}

func themeDeleted(t *testing.T, p *picky) {
	b := openAt(t, p.browsing, p.URL, desk, "/privacy")
	b.press("musa-consent", "Yes")
	b.until(`!document.querySelector('musa-consent')`)
	b.press("musa-theme", "Dark")
	until(t, "the colours to be kept", func() bool { return b.cookies()["musa_theme"] == "dark" })
	b.visit("/privacy")
	b.until(bright + ` < 128`)
	b.forgets("musa_theme")
	b.staysGone("musa_theme", "dark")
	for _, path := range []string{"/privacy", "/"} {
		b.visit(path)
		if at := see[int](b, bright); at < 128 {
			t.Errorf("after the deletion %s is %d of 255 bright by a light system", path, at)
		}
	}
}

// nothingKept reads every page in a browser that keeps no cookie at all: each comes, none breaks.
func nothingKept(t *testing.T, p *picky) {
	b := p.blocking(t, "/", "musa_session", "musa_signin", "musa_consent", "musa_lang", "musa_theme")
	for _, pattern := range p.Pages() {
		path, isPage := strings.CutPrefix(pattern, "GET ")
		if !isPage || strings.ContainsAny(path, "{.") || strings.HasPrefix(path, "/static") || path == "/preferences" {
			continue
		}
		b.visit(path)
		b.until(`document.querySelector('main h1')?.innerText`)
		want(b, "after "+path)
	}
}
