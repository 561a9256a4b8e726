package musatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/descope/virtualwebauthn"

	"musa/api"
)

// Passkey is an authenticator with one passkey, as a browser speaks with it.
type Passkey struct {
	Site       virtualwebauthn.RelyingParty
	Device     virtualwebauthn.Authenticator
	Credential virtualwebauthn.Credential
}

// Passkey is a new authenticator that knows this studio.
func (s *Studio) Passkey() *Passkey {
	return &Passkey{Site: virtualwebauthn.RelyingParty{Name: "localhost", ID: "localhost", Origin: s.PublicURL},
		Device: virtualwebauthn.NewAuthenticator(), Credential: virtualwebauthn.NewCredentialWithImportedKey(virtualwebauthn.KeyTypeEC2, wholeKey(s.T))}
}

// Asked is what a route that begins a ceremony answers.
type Asked struct {
	Flow    string          `json:"flow"`
	Options json.RawMessage `json:"options"`
}

// Ask begins a ceremony.
func (c *Client) Ask(path string) (a Asked) {
	c.T.Helper()
	c.Want(http.StatusOK, c.Do(http.MethodPost, path, nil), &a)
	return a
}

// Made answers the question for a new passkey.
func (p *Passkey) Made(c *Client, a Asked) json.RawMessage {
	c.T.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(a.Options))
	must(c.T, err)
	p.Device.Options.UserHandle = []byte(options.UserID)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(p.Site, p.Device, p.Credential, *options))
}

// Signed answers the question who is there. The passkey counts.
func (p *Passkey) Signed(c *Client, a Asked) json.RawMessage {
	c.T.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(a.Options))
	must(c.T, err)
	p.Credential.Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(p.Site, p.Device, p.Credential, *options))
}

// Keep makes a passkey for whoever is at the door. Fields are what a guest says for an account.
func (p *Passkey) Keep(c *Client, fields Order) Answer {
	c.T.Helper()
	a := c.Ask("/api/passkeys/begin")
	body := Order{"flow": a.Flow, "credential": p.Made(c, a)}
	for k, v := range fields {
		body[k] = v
	}
	return c.Do(http.MethodPost, "/api/passkeys/finish", body)
}

// SignIn signs in with the passkey, from a browser that knows nobody.
func (p *Passkey) SignIn(c *Client) Answer {
	c.T.Helper()
	nobody := &Client{T: c.T, Base: c.Base}
	a := nobody.Ask("/api/session/passkey/begin")
	return nobody.Do(http.MethodPost, "/api/session/passkey/finish", Order{"flow": a.Flow, "credential": p.Signed(nobody, a)})
}

// Grown is what somebody says who is old enough everywhere.
func Grown() Order { return Order{"country": "DE", "born": "1990-05-31"} }

// Person makes a guest a person by a passkey, without an e-mail address.
func (s *Studio) Person() (*Client, *Passkey) {
	s.T.Helper()
	return s.Become(s.Guest())
}

// Become makes this guest a person by a passkey.
func (s *Studio) Become(guest *Client) (*Client, *Passkey) {
	s.T.Helper()
	p := s.Passkey()
	var e api.Entry
	guest.Want(http.StatusOK, p.Keep(guest, Grown()), &e)
	return &Client{T: guest.T, Base: guest.Base, Token: e.Token}, p
}

// wholeKey makes a key whose coordinates have no leading zeros: the virtual authenticator drops
// those, and one key in a hundred would be refused.
func wholeKey(t testing.TB) []byte {
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		public, err := key.PublicKey.Bytes() // 4, then both coordinates of 32 bytes
		must(t, err)
		if public[1] == 0 || public[33] == 0 {
			continue
		}
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		return raw
	}
}
