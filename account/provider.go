package account

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"musa"
	"musa/policy"
)

// ProviderKind is how an identity provider is spoken to.
type ProviderKind string

// The kinds. GitHub has an OAuth of its own; everybody else speaks OIDC.
const (
	ProviderOIDC   ProviderKind = "oidc"
	ProviderGitHub ProviderKind = "github"
)

// Provider is an identity provider that people may sign in with. Of what it knows about them,
// a keyed digest of who they are to it is kept, and their e-mail address where it is verified.
type Provider struct {
	Name   string // in addresses and on buttons: "google"
	Kind   ProviderKind
	Issuer string // https://…
	ID     string // of this studio, to the provider
	Secret string
	// Client connects to the processors that the policy names, and to nobody else.
	Client *http.Client
}

var providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// NewProvider fills in what is known of Google and GitHub. A Problem of kind ErrInvalid names what
// is missing.
func NewProvider(p Provider) (Provider, error) {
	switch {
	case p.Name == "github":
		p.Kind = ProviderGitHub
		if p.Issuer == "" {
			p.Issuer = "https://github.com"
		}
	case p.Name == "google" && p.Issuer == "":
		p.Issuer = "https://accounts.google.com"
	}
	if p.Kind == "" {
		p.Kind = ProviderOIDC
	}
	wrong := func(why string) (Provider, error) {
		return Provider{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "provider_setting", Field: "provider", Public: why}
	}
	u, err := url.Parse(p.Issuer)
	switch {
	case !providerName.MatchString(p.Name):
		return wrong("A provider's name is short: small letters, digits and hyphens, such as google.")
	case p.ID == "" || p.Secret == "":
		return wrong(fmt.Sprintf("The provider %s needs the id and the secret that it gave this studio.", p.Name))
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return wrong(fmt.Sprintf("The provider %s needs its issuer, an address that begins with https://.", p.Name))
	}
	return p, nil
}

// Hosts are those that the policy has to name for the provider, as far as they are known before
// it was asked.
func (p Provider) Hosts() []string {
	u, err := url.Parse(p.Issuer)
	if err != nil {
		return nil
	}
	switch u.Hostname() {
	case "github.com":
		return []string{"github.com", "api.github.com"}
	case "accounts.google.com":
		return []string{"accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"}
	}
	return []string{u.Hostname()}
}

// text writes bytes for addresses.
func text(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// DeclareProvider refuses a provider that a document does not name as a processor for signing in.
// The refusal shows the lines to add.
func DeclareProvider(doc *policy.Document, p Provider) error {
	return declared(doc, p, p.Hosts())
}

func declared(doc *policy.Document, p Provider, hosts []string) error {
	var missing []string
	for _, h := range hosts {
		if !slices.Contains(processorHosts(doc), h) {
			missing = append(missing, h)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "provider_undeclared", Field: "provider",
		Public: fmt.Sprintf("The policy in force does not say that people may sign in with %s: %s is sent nothing. "+
			"Publish a version that says so, with your own agreement and where the provider is:\n\nprocessors:\n"+
			"  %s: {hosts: [%s], for: [sign_in], gets: [account], country: US, safeguard: scc, agreement: doc/agreements/%s.md}",
			p.Name, strings.Join(missing, ", "), p.Name, strings.Join(hosts, ", "), p.Name)}
}

// processorHosts are the hosts that a document lets people sign in with.
func processorHosts(doc *policy.Document) (hosts []string) {
	for _, e := range doc.Processors {
		if e.Value.For.Has(string(musa.PurposeSignIn)) && e.Value.From != "browser" {
			hosts = append(hosts, e.Value.Hosts...)
		}
	}
	return hosts
}

// ProviderNames lists the providers that people may sign in with now.
func (a *Accounts) ProviderNames() []string {
	names := []string{}
	for _, p := range a.Providers {
		if DeclareProvider(a.Policy(), p) == nil {
			names = append(names, p.Name)
		}
	}
	return names
}

// Asks says whether a provider can be asked to have its person sign in anew; GitHub has no way for it.
func (a *Accounts) Asks(name string) bool {
	p, err := a.providerNamed(name)
	return err == nil && p.Kind != ProviderGitHub
}

func (a *Accounts) providerNamed(name string) (Provider, error) {
	for _, p := range a.Providers {
		if p.Name == name {
			return p, DeclareProvider(a.Policy(), p)
		}
	}
	return Provider{}, fmt.Errorf("provider: %w", musa.ErrNotFound)
}
