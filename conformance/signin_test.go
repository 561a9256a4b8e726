package conformance_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"
	"github.com/pquerna/otp/totp"

	"musa/account"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/musatest/rigs"
	"musa/policies"
)

// withProvider is a preset that names one host for signing in, besides.
func withProvider(t *testing.T, preset, host string) string {
	t.Helper()
	doc, err := policies.Load(preset, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(doc.YAML()), "processors: {}\n", "processors:\n  company: {hosts: ["+host+"], for: [sign_in], gets: [account], country: DE, agreement: doc/agreements/company.md}\n", 1)
}

// enters goes to a provider as somebody and says where the browser is led in the end.
func enters(t *testing.T, b *musatest.Browser, theirs *http.Client, name, query string) string {
	t.Helper()
	return b.Opens(musatest.Visit(t, theirs, b.Opens("/api/session/provider/"+name+query)))
}

// behind is a value behind the # of an address.
func behind(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q, err := url.ParseQuery(u.Fragment)
	if err != nil || q.Get(name) == "" {
		t.Fatalf("no %s behind %s", name, address)
	}
	return q.Get(name)
}

func now(t *testing.T, s *musatest.Studio, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestSignIn: every way in works, is counted, and tells a stranger nothing.
func TestSignIn(t *testing.T) {
	t.Parallel()
	// W-14 asks for the same under its own preset; its roles are TestMatrix's.
	for _, c := range []struct{ id, preset string }{{"P-09", "professional"}, {"W-14", "workspace"}} {
		conformance.Kept(t, c.id, func(t *testing.T) { ways(t, c.preset) })
	}
	conformance.Kept(t, "O-06", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) { leavesLittle(t, stores) })
		}
	})
}

// ways walks every way in under a preset, and stands before each as a stranger.
func ways(t *testing.T, preset string) {
	const host = "login.company.example"
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			idp, client := rigs.OIDC(t, host)
			idp.AccessTTL = 24 * time.Hour
			set, err := account.NewProvider(account.Provider{Name: "company", Issuer: idp.Issuer(), ID: idp.ClientID, Secret: idp.ClientSecret, Client: client})
			if err != nil {
				t.Fatal(err)
			}
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: withProvider(t, preset, host), Providers: []account.Provider{set}})
			m := s.Member() // its address is confirmed by the link in a mail
			everyWay(t, s, m, idp, client)
			strangers(t, s, m)
		})
	}
}

// everyWay adds each way into one account and comes in by it.
func everyWay(t *testing.T, s *musatest.Studio, m *musatest.Client, idp *mockoidc.MockOIDC, client *http.Client) {
	nobody := &musatest.Client{T: t, Base: s.URL}
	whose := m.Subject()
	password, email := musatest.Password, m.Email
	in := func(a musatest.Answer) (e api.Entry) {
		t.Helper()
		nobody.Want(http.StatusOK, a, &e)
		return e
	}
	same := func(how string, e api.Entry) {
		t.Helper()
		if e.Subject != string(whose) || e.Token == "" {
			t.Errorf("%s leads to %q", how, e.Subject)
		}
	}
	byPassword := func() musatest.Answer {
		return nobody.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": email, "password": password})
	}
	same("the password", in(byPassword()))

	m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "moved@example.net"}), nil)
	m.Want(http.StatusNoContent, m.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": s.Secret("moved@example.net")}), nil)
	email = "moved@example.net"
	same("the changed address", in(byPassword()))

	nobody.Want(http.StatusAccepted, nobody.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": email}), nil)
	password = "a wholly different pass phrase"
	if a := nobody.Do(http.MethodPost, "/api/accounts/reset/confirm", musatest.Order{"secret": s.Secret(email), "password": password}); a.Status >= http.StatusBadRequest {
		t.Fatalf("reset: %d %s", a.Status, a.Body)
	}
	e := in(byPassword())
	same("the new password", e)
	m = &musatest.Client{T: t, Base: s.URL, Token: e.Token}

	key := s.Passkey()
	m.Want(http.StatusOK, key.Keep(m, nil), nil)
	same("the passkey", in(key.SignIn(nobody)))

	who := &mockoidc.MockUser{Subject: "one", Email: "one@company.example"} // mockoidc's user info names nobody; with an address it is not asked
	idp.QueueUser(who)
	if to := enters(t, musatest.Browse(t, s, m), client, "company", "?link=1"); !strings.HasPrefix(to, "/me") {
		t.Fatalf("linking leads to %s", to)
	}
	idp.QueueUser(who)
	b := musatest.Browse(t, s, nil)
	if to := enters(t, b, client, "company", ""); to != "/" || b.Client().Subject() != whose {
		t.Errorf("the provider leads to %s", to)
	}

	var app api.TOTP
	var codes api.Codes
	m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp", nil), &app)
	m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp/confirm", musatest.Order{"code": now(t, s, app.Secret)}), &codes)
	for how, code := range map[string]func() string{
		"the app's code": func() string {
			s.Clock.Turn(30 * time.Second)
			return now(t, s, app.Secret)
		},
		"a recovery code": func() string { return codes.Codes[0] },
	} {
		half := in(byPassword())
		if half.Token != "" || half.Factor == "" {
			t.Errorf("the password alone opens %+v", half)
		}
		same(how, in(nobody.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": half.Factor, "code": code()})))
	}
	half := in(byPassword())
	nobody.Problem(http.StatusBadRequest, nobody.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": half.Factor, "code": codes.Codes[0]}))
}

// strangers compares what a stranger hears about an address with an account and one without, and
// tries everything until it is too often.
func strangers(t *testing.T, s *musatest.Studio, m *musatest.Client) {
	c := s.Guest()
	signUp := func(email string) musatest.Answer {
		body := musatest.Grown()
		body["email"], body["password"] = email, "a long enough pass phrase"
		return c.Do(http.MethodPost, "/api/accounts", body)
	}
	reset := func(email string) musatest.Answer {
		return c.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": email})
	}
	guess := func(email string) musatest.Answer {
		return c.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": email, "password": "no such password"})
	}
	for what, ask := range map[string]func(string) musatest.Answer{"sign-up": signUp, "reset": reset, "sign-in": guess} {
		known, unknown := ask("moved@example.net"), ask("nobody@example.net")
		if known.Status != unknown.Status || string(known.Body) != string(unknown.Body) {
			t.Errorf("%s tells who has an account: %d %s, and %d %s", what, known.Status, known.Body, unknown.Status, unknown.Body)
		}
	}
	tries := map[string]func(i int) musatest.Answer{
		"a password": func(int) musatest.Answer { return guess("moved@example.net") },
		"a mail":     func(int) musatest.Answer { return reset("moved@example.net") },
		"a sign-up":  func(i int) musatest.Answer { return signUp(fmt.Sprintf("n%d@example.net", i)) },
		"a link's secret": func(int) musatest.Answer {
			return c.Do(http.MethodPost, "/api/accounts/confirm", musatest.Order{"secret": "musav_x"})
		},
		"a passkey's question": func(int) musatest.Answer { return c.Do(http.MethodPost, "/api/session/passkey/begin", nil) },
	}
	for what, try := range tries {
		limited := false
		for i := 0; i < 120 && !limited; i++ {
			a := try(i)
			if limited = a.Status == http.StatusTooManyRequests; limited && a.Header.Get("Retry-After") == "" {
				t.Errorf("%s: too often, and no word of when to come again", what)
			}
		}
		if !limited {
			t.Errorf("%s may be tried without end", what)
		}
	}
	b := musatest.Browse(t, s, nil)
	for i := 0; ; i++ {
		if to := b.Opens("/api/session/provider/company"); to == "/signin?problem=rate_limited" {
			break
		} else if i > 120 {
			t.Errorf("a provider may be begun with without end: %s", to)
			break
		}
	}
}

// balanced looks at the credits of somebody who made one picture as a guest: they and their history
// came along into the account, and add up, page by page.
func balanced(t *testing.T, s *musatest.Studio, person *musatest.Client) {
	t.Helper()
	var all api.Ledger
	person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me/ledger", nil), &all)
	kinds, sum, held := []string{}, int64(0), int64(0)
	for after := ""; ; {
		var page api.Ledger
		person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me/ledger?limit=1&after="+after, nil), &page)
		for _, l := range page.Lines {
			kinds, sum, held = append(kinds, l.Kind), sum+l.Amount, held+l.Held
			if (l.Job != "") != (l.Kind != "grant") || l.At == nil {
				t.Errorf("a line of the history is %+v", l)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if want := []string{"capture", "hold", "grant"}; !slices.Equal(kinds, want) || len(all.Lines) != 3 {
		t.Errorf("the history is %v, want %v; at once %+v", kinds, want, all.Lines)
	}
	if me := fetched[api.Me](t, person, "/api/me"); sum != all.Credits || held != 0 || all.Held != 0 || sum != me.Credits || sum != 999 {
		t.Errorf("the history adds up to %d and %d, the balance is %d, %d are held", sum, held, all.Credits, all.Held)
	}
	var none api.Ledger
	stranger := s.Guest()
	stranger.Want(http.StatusOK, stranger.Do(http.MethodGet, "/api/me/ledger?after="+all.Lines[0].ID, nil), &none)
	for _, l := range none.Lines {
		if l.Job != "" {
			t.Errorf("another's history is shown: %+v", l)
		}
	}
}

// leavesLittle has somebody sign in with GitHub, link Google, unlink GitHub and come in by Google.
func leavesLittle(t *testing.T, stores musatest.Stores) {
	_, hub := rigs.GitHubServer(t)
	google, client := rigs.OIDC(t, "accounts.google.com")
	set := make([]account.Provider, 2)
	for i, p := range []account.Provider{{Name: "github", ID: "id", Secret: rigs.GitHubSecret, Client: hub},
		{Name: "google", Issuer: google.Issuer(), ID: google.ClientID, Secret: google.ClientSecret, Client: client}} {
		var err error
		if set[i], err = account.NewProvider(p); err != nil {
			t.Fatal(err)
		}
	}
	s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "open-door", Providers: set})
	guest := s.Guest()
	whose := guest.Subject()
	guest.Made(guest.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	b := musatest.Browse(t, s, guest)
	body := musatest.Grown()
	body["secret"] = behind(t, enters(t, b, hub, "github", ""), "join")
	var e api.Entry
	guest.Want(http.StatusOK, guest.Do(http.MethodPost, "/api/session/provider/github/join", body), &e)
	person := &musatest.Client{T: t, Base: s.URL, Token: e.Token}
	if person.Subject() != whose {
		t.Error("the guest's credits and pictures stay behind")
	}
	balanced(t, s, person)
	s.Clock.Turn(time.Second) // so that the list has an order
	who := &mockoidc.MockUser{Subject: "google-id-4711", Email: "other@planted.example", EmailVerified: true, PreferredUsername: "Plantedpreferred", Address: "Planted Street 1"}
	google.QueueUser(who)
	if to := enters(t, musatest.Browse(t, s, person), client, "google", "?link=1"); !strings.HasPrefix(to, "/me") {
		t.Fatalf("linking leads to %s", to)
	}
	var ways api.Logins
	person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me/logins", nil), &ways)
	if len(ways.Logins) != 2 || ways.Logins[0].Name != "github" || ways.Logins[1].Name != "google" {
		t.Fatalf("the ways in are %+v", ways.Logins)
	}
	person.Want(http.StatusNoContent, person.Do(http.MethodDelete, "/api/me/logins/"+ways.Logins[0].ID, nil), nil)
	person.Problem(http.StatusConflict, person.Do(http.MethodDelete, "/api/me/logins/"+ways.Logins[1].ID, nil))
	google.QueueUser(who)
	again := musatest.Browse(t, s, nil)
	if to := enters(t, again, client, "google", ""); to != "/" || again.Client().Subject() != whose {
		t.Errorf("Google leads to %s", to)
	}
	if to := enters(t, musatest.Browse(t, s, nil), hub, "github", ""); strings.HasPrefix(to, "/signin#join") {
		t.Errorf("the address of an account opens another after unlinking: %s", to)
	}
	var p map[string]any
	person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me/profile", nil), &p)
	if p["email"] != "octo@octo.example" {
		t.Errorf("the profile holds %v", p)
	}
	marks := musatest.Markers{}
	for _, word := range append(rigs.GitHubPlanted(), who.Subject, who.Email, who.PreferredUsername, who.Address) {
		marks[word] = []byte(word)
	}
	if found := musatest.Find(t, s.Dirs, marks); len(found) > 0 {
		t.Errorf("in clear: %v", found)
	}
	raw := string(person.Do(http.MethodGet, "/api/me/export", nil).Body)
	if strings.Contains(strings.ToLower(raw), "planted") {
		t.Error("what the provider told besides stands in the export")
	}
}
