package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/alecthomas/kong"

	"musa"
	"musa/account"
	"musa/egress"
	"musa/policy"
)

// Providers are the identity providers that people may sign in with. On the command line and in
// the environment one is `name=google,id=…,secret=…`, several are separated by spaces; in
// musa.yaml they are a list of such lines or of maps with the same words.
type Providers struct {
	list []account.Provider
	// wrong is what cannot be read of them, told when they are used: what a flag's reader returns
	// is printed together with the variable that it came from, and that holds a secret.
	wrong error
}

// Decode implements kong.MapperValue.
func (p *Providers) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("provider", &text); err != nil {
		return err
	}
	p.wrong = errors.Join(p.wrong, p.read(text))
	return nil
}

func (p *Providers) read(text string) error {
	var list []map[string]string
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return providerWords()
		}
	}
	for _, line := range strings.Fields(text) {
		if list != nil && strings.HasPrefix(text, "[") {
			break
		}
		words := map[string]string{}
		for one := range strings.SplitSeq(line, ",") {
			k, v, ok := strings.Cut(one, "=")
			if !ok {
				return providerWords()
			}
			words[k] = v
		}
		list = append(list, words)
	}
	for _, words := range list {
		one, err := provider(words)
		if err != nil {
			return err
		}
		p.list = append(p.list, one)
	}
	return nil
}

func provider(words map[string]string) (account.Provider, error) {
	var p account.Provider
	for k, v := range words {
		switch k {
		case "name":
			p.Name = v
		case "kind":
			p.Kind = account.ProviderKind(v)
		case "issuer":
			p.Issuer = v
		case "id":
			p.ID = v
		case "secret":
			p.Secret = v
		default:
			return p, providerWords()
		}
	}
	return account.NewProvider(p)
}

func providerWords() error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "provider_setting", Field: "provider",
		Public: "Write a provider as name=google,id=…,secret=… with issuer=https://… for others than google and github. In musa.yaml, `provider:` is a list of maps with these words, which keeps the secret off the command line."}
}

// connected gives the providers their way out.
func (p Providers) connected(d *egress.Dialer) []account.Provider {
	out := make([]account.Provider, len(p.list))
	for i, one := range p.list {
		one.Client = d.HTTPClient(string(musa.PurposeSignIn))
		out[i] = one
	}
	return out
}

// ports are those at which the providers' own addresses lie, by host.
func (p Providers) ports() map[string]string {
	at := map[string]string{}
	for _, one := range p.list {
		if u, err := url.Parse(one.Issuer); err == nil && u.Port() != "" {
			at[u.Hostname()] = u.Port()
		}
	}
	return at
}

// processors lists where a policy lets this server connect to: each host at the port of the
// setting that names it, else at that of HTTPS.
func processors(doc *policy.Document, ports map[string]string) (list []string) {
	for _, e := range doc.Processors {
		if e.Value.From == "browser" {
			continue
		}
		for _, host := range e.Value.Hosts {
			port := ports[host]
			if port == "" {
				port = "443"
			}
			list = append(list, net.JoinHostPort(host, port))
		}
	}
	return list
}

// declared refuses providers that a policy does not name.
func (p Providers) declared(doc *policy.Document) error {
	var errs []error
	for _, one := range p.list {
		errs = append(errs, account.DeclareProvider(doc, one))
	}
	return errors.Join(errs...)
}
