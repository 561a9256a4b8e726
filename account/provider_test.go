package account_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"musa"
	"musa/account"
	"musa/api"
	"musa/musatest"
	"musa/musatest/rigs"
	"musa/policies"
)

// idp is a provider in the process, with what the studio needs for it.
type idp struct {
	*mockoidc.MockOIDC
	client *http.Client
	set    account.Provider
}

// federated runs a test on a studio of each kind of store, each with a provider of its own.
func federated(t *testing.T, f func(t *testing.T, s *musatest.Studio, p *idp)) {
	t.Helper()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			p := newIDP(t)
			f(t, musatest.New(t, musatest.Rig{Stores: stores, Policy: naming(t, company), Providers: []account.Provider{p.set}}), p)
		})
	}
}

const company = "login.company.example"

func newIDP(t *testing.T) *idp {
	t.Helper()
	m, client := rigs.OIDC(t, company)
	m.AccessTTL = 24 * time.Hour // its clock is not turned with ours
	p, err := account.NewProvider(account.Provider{Name: "company", Issuer: m.Issuer(), ID: m.ClientID, Secret: m.ClientSecret, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return &idp{m, client, p}
}

// sends is where the provider sends a browser that signs in there as somebody.
func (p *idp) sends(t *testing.T, address string, as *mockoidc.MockUser) string {
	t.Helper()
	p.QueueUser(as)
	return musatest.Visit(t, p.client, address)
}

// naming is a preset that names a provider.
func naming(t *testing.T, hosts ...string) string {
	t.Helper()
	doc, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	line := "processors:\n  company: {hosts: [" + strings.Join(hosts, ", ") + "], for: [sign_in], gets: [account], country: DE, agreement: doc/agreements/company.md}\n"
	out := strings.Replace(string(doc.YAML()), "processors: {}\n", line, 1)
	if !strings.Contains(out, line) {
		t.Fatal("the preset does not say `processors: {}`")
	}
	return out
}

func jane() *mockoidc.MockUser {
	return &mockoidc.MockUser{Subject: "subject-of-jane", Email: "jane@company.example", EmailVerified: true, PreferredUsername: "Janepreferred"}
}

// joins goes all the way to an account, and returns the browser that is in it.
func joins(t *testing.T, s *musatest.Studio, p *idp, b *musatest.Browser, as *mockoidc.MockUser) {
	t.Helper()
	to := b.Opens(p.sends(t, b.Opens("/api/session/provider/company"), as))
	at, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q, err := url.ParseQuery(at.Fragment)
	if err != nil || at.Path != "/signin" || q.Get("join") == "" {
		t.Fatalf("the callback leads to %s", to)
	}
	body := musatest.Grown()
	body["secret"] = q.Get("join")
	c := b.Client()
	var e api.Entry
	c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/session/provider/company/join", body), &e)
	b.Set("musa_session", e.Token)
}

// Somebody whom a provider knows makes an account of their guest's session, comes in again, and
// what the provider knows besides is kept nowhere.
func TestProvider(t *testing.T) {
	t.Parallel()
	federated(t, func(t *testing.T, s *musatest.Studio, p *idp) {
		guest := s.Guest()
		id := guest.Subject()
		who := jane()
		b := musatest.Browse(t, s, guest)
		joins(t, s, p, b, who)
		if got := b.Client().Subject(); got != id {
			t.Errorf("the account is %s, the guest was %s", got, id)
		}
		again := musatest.Browse(t, s, nil)
		if to := again.Opens(p.sends(t, again.Opens("/api/session/provider/company?next=https://evil.example&redirect_uri=https://evil.example"), who)); to != "/" {
			t.Errorf("a sign-in leads to %s", to)
		}
		if got := again.Client().Subject(); got != id {
			t.Errorf("the provider signs in to %s, want %s", got, id)
		}
		if l := waysOf(again.Client()).Logins; len(l) != 1 || l[0].Kind != "provider" || l[0].Name != "company" {
			t.Errorf("the ways in are %+v", l)
		}
		marks := musatest.Markers{"their id": []byte(who.Subject), "address": []byte(who.Email), "name": []byte(who.PreferredUsername)}
		if found := musatest.Find(t, s.Dirs, marks); len(found) > 0 {
			t.Errorf("in clear: %v", found)
		}

		// Somebody else with the same verified address has to sign in first, and link.
		twin := jane()
		twin.Subject = "twin"
		c := musatest.Browse(t, s, nil)
		if to := c.Opens(p.sends(t, c.Opens("/api/session/provider/company"), twin)); to != "/signin?problem=provider_known" {
			t.Errorf("a verified address of an account leads to %s", to)
		}
		c = musatest.Browse(t, s, again.Client())
		if to := c.Opens(p.sends(t, c.Opens("/api/session/provider/company?link=1"), twin)); to != "/me/sign-in#providers" {
			t.Errorf("linking leads to %s", to)
		}
		if l := waysOf(c.Client()).Logins; len(l) != 2 {
			t.Errorf("after linking the ways in are %+v", l)
		}
		// An address that is not verified counts as none: it opens a new account.
		unsure := jane()
		unsure.Subject, unsure.EmailVerified = "unsure", false
		d := musatest.Browse(t, s, nil)
		joins(t, s, p, d, unsure)
		if got := d.Client().Subject(); got == id {
			t.Error("an unverified address signs in to the account that has it")
		}
		// What somebody signs in with is nobody else's to link.
		e := musatest.Browse(t, s, d.Client())
		if to := e.Opens(p.sends(t, e.Opens("/api/session/provider/company?link=1"), who)); to != "/signin?problem=provider_taken" {
			t.Errorf("linking what is another's leads to %s", to)
		}
		mine := c.Client()
		for i, l := range waysOf(mine).Logins {
			if got := mine.Do(http.MethodDelete, "/api/me/logins/"+l.ID, nil).Status; (i == 0) != (got == http.StatusNoContent) {
				t.Errorf("unlinking %d answers %d", i, got)
			}
		}
	})
}

// Who comes back with another browser, another state, twice, late or with a code or token that do
// not fit is refused, and nobody is signed in.
func TestProviderRefusals(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	s := musatest.New(t, musatest.Rig{Policy: naming(t, company), Providers: []account.Provider{p.set}})
	who := jane()
	first := musatest.Browse(t, s, s.Guest())
	joins(t, s, p, first, who)

	begin := func() (*musatest.Browser, string) {
		b := musatest.Browse(t, s, nil)
		return b, p.sends(t, b.Opens("/api/session/provider/company"), who)
	}
	refused := func(what, to, code string, b *musatest.Browser) {
		t.Helper()
		if to != "/signin?problem="+code || b.Cookie("musa_session") != "" {
			t.Errorf("%s: leads to %s, session %q", what, to, b.Cookie("musa_session"))
		}
	}
	change := func(address, name, value string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}

	b, back := begin()
	other := musatest.Browse(t, s, nil)
	refused("another browser", other.Opens(back), "signin_unkept", other)
	if to := b.Opens(back); to != "/" {
		t.Errorf("the right browser is led to %s", to)
	}
	b = musatest.Browse(t, s, nil)
	refused("a used state, without its cookie", b.Opens(back), "signin_unkept", b)
	b, back = begin()
	refused("another state", b.Opens(change(back, "state", "x")), "gone", b)
	b, back = begin()
	refused("no code", b.Opens(change(back, "code", "")), "provider_declined", b)
	b, back = begin()
	refused("another issuer", b.Opens(change(back, "iss", "https://evil.example")), "provider_distrusted", b)
	b, back = begin()
	refused("an unknown code", b.Opens(change(back, "code", "x")), "provider_distrusted", b)
	b, back = begin()
	s.Clock.Turn(10 * time.Minute)
	refused("late", b.Opens(back), "gone", b)
	s.Clock.Turn(-10 * time.Minute)

	// A code that was exchanged before.
	b, back = begin()
	spent, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	session, err := p.SessionStore.GetSessionByID(spent.Query().Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	session.Granted = true
	refused("a reused code", b.Opens(back), "provider_distrusted", b)

	// The provider's answer is for another question.
	for what, spoil := range map[string]func(*mockoidc.Session){
		"another nonce":    func(m *mockoidc.Session) { m.OIDCNonce = "another" },
		"no nonce":         func(m *mockoidc.Session) { m.OIDCNonce = "" },
		"another verifier": func(m *mockoidc.Session) { m.CodeChallenge = "another" },
	} {
		b, back = begin()
		u, err := url.Parse(back)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.SessionStore.GetSessionByID(u.Query().Get("code"))
		if err != nil {
			t.Fatal(err)
		}
		spoil(m)
		refused(what, b.Opens(back), "provider_distrusted", b)
	}
	// A token in the name of another issuer, and one for another client.
	b, back = begin()
	p.Server.Addr = "evil.example"
	refused("a token of another issuer", b.Opens(back), "provider_distrusted", b)
	p.Server.Addr = company

	// Another site may not have somebody link what is the attacker's.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.PublicURL+"/api/session/provider/company?link=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := first.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if to := res.Header.Get("Location"); to != "/signin?problem=cross_origin" {
		t.Errorf("a link that another site began leads to %s", to)
	}
	if to := musatest.Browse(t, s, nil).Opens("/api/session/provider/nobody"); to != "404 Not Found" {
		t.Errorf("an unknown provider answers %s", to)
	}
	// A policy that names the provider no more ends it at once.
	quiet, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	s.Publish(strings.Replace(string(quiet.YAML()), "version: "+quiet.Version, "version: "+quiet.Version+"9", 1))
	if to := musatest.Browse(t, s, nil).Opens("/api/session/provider/company"); to != "/signin?problem=provider_undeclared" {
		t.Errorf("a provider that the policy does not name leads to %s", to)
	}
	var names api.ProviderList
	g := &musatest.Client{T: t, Base: s.URL}
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/session/providers", nil), &names)
	if len(names.Providers) != 0 {
		t.Errorf("it is offered still: %+v", names)
	}
}

// A provider that the policy does not name is refused with the lines to add; the open-door preset
// names Google and GitHub.
func TestDeclareProvider(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"google", "github"} {
		p, err := account.NewProvider(account.Provider{Name: name, ID: "id", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		for preset, named := range map[string]bool{"studio": false, "open-door": true} {
			doc, err := policies.Load(preset, os.ReadFile)
			if err != nil {
				t.Fatal(err)
			}
			err = account.DeclareProvider(doc, p)
			if (err == nil) != named {
				t.Errorf("%s under %s: %v", name, preset, err)
			}
			if public := words(err); !named && !strings.Contains(public, "\n  "+name+": {hosts: ["+p.Hosts()[0]) {
				t.Errorf("%s under %s: %s", name, preset, public)
			}
		}
	}
	for _, bad := range []account.Provider{
		{Name: "Upper", ID: "i", Secret: "s", Issuer: "https://x.example"}, {Name: "x", ID: "i", Secret: "s", Issuer: "http://x.example"},
		{Name: "x", ID: "i", Secret: "s"}, {Name: "google", Secret: "s"}, {Name: "google", ID: "i"}, {Name: "x", ID: "i", Secret: "s", Issuer: "https://u:p@x.example"},
	} {
		if _, err := account.NewProvider(bad); words(err) == "" {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// words are those of a problem.
func words(err error) string {
	var p *musa.Problem
	if errors.As(err, &p) {
		return p.Public
	}
	return ""
}
