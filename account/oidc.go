package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"musa"
)

// identity is who a provider says somebody is, as far as we look: never a name or a picture.
type identity struct {
	subject string // the provider's own id of them
	email   string // only where the provider says that it is theirs; else empty
	fresh   bool   // the provider says that they signed in there just now
}

// ceremony is what binds an answer of a provider to the question: each part is made from the one
// secret that the browser carries as `state`, so that nothing of it is stored.
type ceremony struct {
	state, nonce, verifier string
	back                   string // our own address that the provider sends the browser to
}

// discovered are the providers whose own description was fetched.
type discovered struct {
	mu sync.Mutex
	by map[string]*oidc.Provider // guarded by mu
}

// find fetches a provider's description, once. Nobody waits for another's fetch: a provider that
// does not answer keeps no other provider from doing so.
func (d *discovered) find(ctx context.Context, p Provider) (*oidc.Provider, error) {
	d.mu.Lock()
	known := d.by[p.Name]
	d.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.Client), p.Issuer)
	if err != nil {
		return nil, unreachable(p, fmt.Errorf("discover: %w", err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil {
		d.by = map[string]*oidc.Provider{}
	}
	d.by[p.Name] = found
	return found, nil
}

// answerMost bounds what a provider may answer to a question of ours.
const answerMost = 1 << 20

const (
	// answerWait bounds how long all that we ask a provider in one request may take.
	answerWait = 15 * time.Second
	// tokenSlack is how far a provider's clock may be behind ours.
	tokenSlack = time.Minute
)

// speaks is how to talk with a provider: its addresses and ours.
type speaks struct {
	Provider
	oauth oauth2.Config
	oidc  *oidc.Provider // nil for GitHub
}

// discover asks a provider where it is to be asked, once.
func (a *Accounts) discover(ctx context.Context, p Provider) (speaks, error) {
	s := speaks{Provider: p}
	if p.Kind == ProviderGitHub {
		base := strings.TrimSuffix(p.Issuer, "/")
		s.oauth = oauth2.Config{ClientID: p.ID, ClientSecret: p.Secret, Scopes: []string{"user:email"}, Endpoint: oauth2.Endpoint{
			AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams}}
		return s, nil
	}
	var err error
	if s.oidc, err = a.met.find(ctx, p); err != nil {
		return s, err
	}
	if hosts := s.oidc.Endpoint(); hosts.AuthURL == "" || hosts.TokenURL == "" {
		return s, unreachable(p, errors.New("the discovery names no endpoints"))
	}
	s.oauth = oauth2.Config{ClientID: p.ID, ClientSecret: p.Secret, Scopes: []string{oidc.ScopeOpenID, "email"}, Endpoint: s.oidc.Endpoint()}
	s.oauth.Endpoint.AuthStyle = s.authStyle()
	return s, nil
}

// about is what of a provider's own description go-oidc does not read.
type about struct {
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	NamesItself bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	Keys        string   `json:"jwks_uri"`
}

func (s speaks) about() (a about) {
	if s.oidc != nil {
		// What is missing counts as not said.
		_ = s.oidc.Claims(&a)
	}
	return a
}

// authStyle is how our secret is shown. Where a provider takes both ways, some clients of its may
// still use one only: then the library tries the standard's way first, and the other after it.
func (s speaks) authStyle() oauth2.AuthStyle {
	m := s.about().AuthMethods
	basic, post := slices.Contains(m, "client_secret_basic") || len(m) == 0, slices.Contains(m, "client_secret_post")
	switch {
	case basic && post:
		return oauth2.AuthStyleAutoDetect
	case post:
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// asks lists the hosts that this server itself connects to.
func (s speaks) asks() []string {
	if s.oidc == nil {
		return s.Provider.Hosts()
	}
	var hosts []string
	for _, address := range []string{s.Issuer, s.oidc.Endpoint().TokenURL, s.oidc.UserInfoEndpoint(), s.about().Keys} {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// leave is where the browser goes to sign in; to prove who one is, not by a session there that is
// open anyway. GitHub has no way to be asked for that.
func (s speaks) leave(c ceremony, intent string) string {
	o := s.oauth
	o.RedirectURL = c.back
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(c.verifier)}
	if s.oidc != nil {
		options = append(options, oidc.Nonce(c.nonce))
	}
	if s.oidc != nil && intent == proving {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return o.AuthCodeURL(c.state, options...)
}

// Returned is what a provider sent the browser back with.
type Returned struct {
	State, Code string
	Issuer      string // who says to be answering; may be empty
	Error       string // why there is no code
}

// meet turns a code into who it is for. Every fault of the answer is one refusal.
func (s speaks) meet(ctx context.Context, c ceremony, r Returned, clock musa.Clock) (identity, error) {
	if r.Issuer != "" && r.Issuer != s.Issuer || r.Issuer == "" && s.about().NamesItself {
		return identity{}, distrust(errors.New("the answer names another issuer"))
	}
	ctx = oidc.ClientContext(ctx, s.Client)
	o := s.oauth
	o.RedirectURL = c.back
	token, err := o.Exchange(ctx, r.Code, oauth2.VerifierOption(c.verifier))
	var said *oauth2.RetrieveError
	if errors.As(err, &said) && said.Response.StatusCode < http.StatusInternalServerError {
		return identity{}, distrust(errors.New("the code was refused")) // its own words may hold anything
	}
	if err != nil {
		return identity{}, unreachable(s.Provider, errors.New("the exchange of the code failed"))
	}
	if s.oidc == nil {
		return s.github(ctx, token)
	}
	return s.idToken(ctx, c, token, clock)
}

// idToken checks issuer, audience, signature, expiry and nonce, and finds the e-mail address where
// the provider keeps it.
func (s speaks) idToken(ctx context.Context, c ceremony, token *oauth2.Token, clock musa.Clock) (identity, error) {
	raw, _ := token.Extra("id_token").(string)
	slow := func() time.Time { return clock().Add(-tokenSlack) } // the library asks it for the expiry, and gives minutes besides to one that is ahead
	t, err := s.oidc.Verifier(&oidc.Config{ClientID: s.ID, Now: slow}).Verify(ctx, raw)
	if err != nil {
		return identity{}, distrust(fmt.Errorf("id token: %w", err))
	}
	if t.Nonce != c.nonce || t.Subject == "" {
		return identity{}, distrust(errors.New("id token: another nonce, or nobody"))
	}
	var mail struct {
		Email    string `json:"email"`
		Verified flag   `json:"email_verified"`
		For      string `json:"azp"`
		At       int64  `json:"auth_time"` // in seconds
	}
	if err := t.Claims(&mail); err != nil {
		return identity{}, distrust(fmt.Errorf("claims: %w", err))
	}
	// OpenID Connect Core § 3.1.3.7: a token may be for several, of whom one asked for it.
	if mail.For != "" && mail.For != s.ID || mail.For == "" && len(t.Audience) > 1 {
		return identity{}, distrust(errors.New("id token: another client asked for it"))
	}
	recent := mail.At != 0 && clock().Sub(time.Unix(mail.At, 0)) <= providerWait+tokenSlack
	if mail.At != 0 && !recent && strings.HasPrefix(c.state, proving) {
		return identity{}, distrust(errors.New("id token: nobody signed in anew"))
	}
	if mail.Email == "" && s.oidc.UserInfoEndpoint() != "" {
		info, err := s.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return identity{}, unreachable(s.Provider, errors.New("the user info failed"))
		}
		if info.Subject != t.Subject {
			return identity{}, distrust(errors.New("user info: somebody else's"))
		}
		mail.Email, mail.Verified = info.Email, flag(info.EmailVerified)
	}
	who := identity{subject: t.Subject, fresh: recent}
	if mail.Verified {
		who.email = mail.Email
	}
	return who, nil
}

// flag is a boolean that some providers write as a string.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = string(raw) == "true" || string(raw) == `"true"`
	return nil
}

// github asks who a token is for. GitHub is no OIDC provider: it has two calls of its own.
func (s speaks) github(ctx context.Context, token *oauth2.Token) (identity, error) {
	api := strings.TrimSuffix(s.Issuer, "/") + "/api/v3" // GitHub Enterprise
	if u, err := url.Parse(s.Issuer); err == nil && u.Host == "github.com" {
		api = "https://api.github.com"
	}
	var user struct {
		ID int64 `json:"id"`
	}
	if err := s.call(ctx, token, api+"/user", &user); err != nil {
		return identity{}, err
	}
	if user.ID == 0 {
		return identity{}, distrust(errors.New("github: nobody"))
	}
	var mails []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := s.call(ctx, token, api+"/user/emails", &mails); err != nil {
		return identity{}, err
	}
	who := identity{subject: strconv.FormatInt(user.ID, 10)}
	for _, m := range mails {
		if m.Primary && m.Verified {
			who.email = m.Email
		}
	}
	return who, nil
}

func (s speaks) call(ctx context.Context, token *oauth2.Token, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask github: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "Musa")
	res, err := s.Client.Do(req)
	if err != nil {
		return unreachable(s.Provider, errors.New("github does not answer"))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return unreachable(s.Provider, fmt.Errorf("github answered %d", res.StatusCode))
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, answerMost)).Decode(into); err != nil {
		return unreachable(s.Provider, errors.New("github answered no JSON"))
	}
	return nil
}

// distrust is the one answer to all that is wrong with what came from a provider.
func distrust(cause error) error {
	return &musa.Problem{Kind: musa.ErrRefused, Code: "provider_distrusted", Cause: cause,
		Public: "What the provider answered does not fit what it was asked, so nobody was signed in. Begin again."}
}

func unreachable(p Provider, cause error) error {
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "provider_unreachable", Cause: fmt.Errorf("provider %s: %w", p.Name, cause),
		Public: "The provider could not be asked just now. Try again in a moment, or sign in another way."}
}
