package account_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"musa/account"
	"musa/musatest"
)

// forger changes what a provider's tokens say, and signs them with the provider's own key: what
// is wrong with them is what they say alone.
type forger struct {
	t      *testing.T
	p      *idp
	change func(head, claims map[string]any)
}

func (f *forger) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := f.p.client.Transport.RoundTrip(r)
	if err != nil || f.change == nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return res, err
	}
	defer res.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		return nil, err
	}
	if token, ok := body["id_token"].(string); ok {
		body["id_token"] = f.sign(strings.Split(token, "."))
	}
	raw, err := json.Marshal(body)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	res.Header.Del("Content-Length")
	return res, err
}

func (f *forger) sign(parts []string) string {
	parse := func(part string) (m map[string]any) {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			f.t.Error(err)
		}
		return m
	}
	head, claims := parse(parts[0]), parse(parts[1])
	f.change(head, claims)
	text := func(m map[string]any) string {
		raw, err := json.Marshal(m)
		if err != nil {
			f.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	signed := text(head) + "." + text(claims)
	if head["alg"] == "none" {
		return signed + "."
	}
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, f.p.Keypair.PrivateKey, crypto.SHA256, sum[:])
	if err != nil {
		f.t.Error(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// forging is a studio whose provider says what a test wants.
func forging(t *testing.T) (*musatest.Studio, *idp, *forger) {
	t.Helper()
	p := newIDP(t)
	f := &forger{t: t, p: p}
	p.set.Client = &http.Client{Transport: f}
	return musatest.New(t, musatest.Rig{Policy: naming(t, company), Providers: []account.Provider{p.set}}), p, f
}

// A token that is for somebody else, of another time, or signed by nobody signs nobody in; one of
// a clock that is a little off does.
func TestTokens(t *testing.T) {
	t.Parallel()
	s, p, f := forging(t)
	who := jane()
	joins(t, s, p, musatest.Browse(t, s, s.Guest()), who)
	at := func(d time.Duration) int64 { return s.Clock.Now().Add(d).Unix() }
	for what, c := range map[string]struct {
		change func(head, claims map[string]any)
		in     bool
	}{
		"as it is":                          {func(_, _ map[string]any) {}, true},
		"for another client":                {func(_, c map[string]any) { c["aud"] = "another" }, false},
		"for several, asked for by us":      {func(_, c map[string]any) { c["aud"], c["azp"] = []any{"another", p.ClientID}, p.ClientID }, true},
		"for several, asked by another":     {func(_, c map[string]any) { c["aud"], c["azp"] = []any{"another", p.ClientID}, "another" }, false},
		"for several, asked by who knows":   {func(_, c map[string]any) { c["aud"] = []any{"another", p.ClientID} }, false},
		"asked for by another":              {func(_, c map[string]any) { c["azp"] = "another" }, false},
		"of another issuer":                 {func(_, c map[string]any) { c["iss"] = "https://evil.example" }, false},
		"with another nonce":                {func(_, c map[string]any) { c["nonce"] = "another" }, false},
		"of nobody":                         {func(_, c map[string]any) { c["sub"] = "" }, false},
		"signed by nobody":                  {func(h, _ map[string]any) { h["alg"] = "none" }, false},
		"of another key":                    {func(h, _ map[string]any) { h["kid"] = "another" }, false},
		"over for 59 seconds":               {func(_, c map[string]any) { c["exp"] = at(-59 * time.Second) }, true},
		"over for 61 seconds":               {func(_, c map[string]any) { c["exp"] = at(-61 * time.Second) }, false},
		"of a clock three minutes ahead":    {func(_, c map[string]any) { c["iat"], c["nbf"] = at(3*time.Minute), at(3*time.Minute) }, true},
		"of a clock seven minutes ahead":    {func(_, c map[string]any) { c["iat"], c["nbf"] = at(7*time.Minute), at(7*time.Minute) }, false},
		"that never ends, as no token does": {func(_, c map[string]any) { delete(c, "exp") }, false},
	} {
		b := musatest.Browse(t, s, nil)
		f.change = c.change
		to := b.Opens(p.sends(t, b.Opens("/api/session/provider/company"), who))
		if c.in != (to == "/") || !c.in && to != "/signin?problem=provider_distrusted" || c.in != (b.Cookie("musa_session") != "") {
			t.Errorf("a token %s leads to %s", what, to)
		}
	}
}

// Somebody whose only way in is a provider proves by it that they are there: it is asked to have
// them sign in anew, and nobody else's identity will do.
func TestProofByAProvider(t *testing.T) {
	t.Parallel()
	s, p, f := forging(t)
	who := jane()
	b := musatest.Browse(t, s, s.Guest())
	joins(t, s, p, b, who)
	person := b.Client()
	newKeyOf := func() musatest.Answer {
		return person.Do(http.MethodPost, "/api/me/keys", musatest.Order{"name": "k", "scopes": []string{"read"}})
	}
	s.Clock.Turn(10 * time.Minute)
	person.Problem(http.StatusForbidden, newKeyOf())
	prove := func(as *mockoidc.MockUser) string {
		asked := b.Opens("/api/session/provider/company?prove=1")
		u, err := url.Parse(asked)
		if err != nil || u.Query().Get("prompt") != "login" || u.Query().Get("max_age") != "0" {
			t.Fatalf("the provider is asked %s", asked)
		}
		return b.Opens(p.sends(t, asked, as))
	}
	twin := jane()
	twin.Subject, twin.Email = "twin", "twin@company.example"
	if to := prove(twin); to != "/signin?problem=provider_other" {
		t.Errorf("another's identity leads to %s", to)
	}
	f.change = func(_, c map[string]any) { c["auth_time"] = s.Clock.Now().Add(-time.Hour).Unix() }
	if to := prove(who); to != "/signin?problem=provider_distrusted" {
		t.Errorf("a sign-in of an hour ago leads to %s", to)
	}
	person.Problem(http.StatusForbidden, newKeyOf())
	f.change = func(_, c map[string]any) { c["auth_time"] = s.Clock.Now().Unix() }
	if to := prove(who); to != "/me/sign-in#proved" || b.Client().Token != person.Token {
		t.Errorf("a proof leads to %s", to)
	}
	person.Want(http.StatusCreated, newKeyOf(), nil)

	// What a provider leaves unsaid shows nothing of who has another way, and signing in by it neither;
	// who has none is let through.
	s.Clock.Turn(10 * time.Minute)
	f.change = func(_, c map[string]any) { delete(c, "auth_time") }
	if to := prove(who); to != "/me/sign-in#proved" {
		t.Errorf("the only way that somebody has leads to %s", to)
	}
	person.Want(http.StatusOK, s.Passkey().Keep(person, nil), nil)
	s.Clock.Turn(10 * time.Minute)
	if to := prove(who); to != "/signin?problem=provider_weak" {
		t.Errorf("a provider that says nothing leads to %s", to)
	}
	again := musatest.Browse(t, s, nil)
	if to := again.Opens(p.sends(t, again.Opens("/api/session/provider/company"), who)); to != "/" {
		t.Errorf("a sign-in leads to %s", to)
	}
	thief := again.Client()
	thief.Problem(http.StatusForbidden, thief.Do(http.MethodPost, "/api/me/keys", musatest.Order{"name": "k", "scopes": []string{"read"}}))
	f.change = func(_, c map[string]any) { c["auth_time"] = s.Clock.Now().Unix() }
	if to := prove(who); to != "/me/sign-in#proved" {
		t.Errorf("a proof beside a passkey leads to %s", to)
	}

	// What was begun as one thing does not end as another.
	back, err := url.Parse(p.sends(t, b.Opens("/api/session/provider/company?link=1"), twin))
	if err != nil {
		t.Fatal(err)
	}
	q := back.Query()
	q.Set("state", "prove."+q.Get("state"))
	back.RawQuery = q.Encode()
	if to := b.Opens(back.String()); to != "/signin?problem=gone" {
		t.Errorf("a changed state leads to %s", to)
	}
	if to := musatest.Browse(t, s, s.Guest()).Opens("/api/session/provider/company?prove=1"); to != "/signin?problem=account_needed" {
		t.Errorf("a guest's proof leads to %s", to)
	}
}
