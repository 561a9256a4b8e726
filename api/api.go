// Package api is the native HTTP door: it decodes a request, names the actor, calls one use
// case and encodes what that returns. JSON in and out, problem+json for errors, which never
// echo a submitted value. The OpenAPI 3.1 document at /api/openapi.json describes it.
package api

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"musa"
	"musa/account"
	"musa/policy"
	"musa/rights"
	"musa/studio"
)

// Config is what the door leans on. All fields are needed.
type Config struct {
	Accounts *account.Accounts
	Studio   *studio.Studio
	Rights   *rights.Rights
	Policy   func() *policy.Document
	Clock    musa.Clock
	Log      *slog.Logger
	Version  string
	// Cookies says how session cookies are set; CookiesSecure behind TLS.
	Cookies Cookies
}

// Cookies is how the session cookie travels.
type Cookies int

// Cookies over plain HTTP are for loopback only.
const (
	CookiesPlain Cookies = iota
	CookiesSecure
)

type door struct {
	Config
	api huma.API
}

// wording gives huma our errors. It is a variable of the whole process there.
var wording = sync.OnceFunc(func() { huma.NewError = newError })

// New makes the handler for everything below /api/.
func New(c Config) http.Handler {
	wording()
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Musa", c.Version)
	config.OpenAPIPath = "/api/openapi"
	config.DocsPath = "" // the stock page loads scripts from elsewhere
	config.SchemasPath = ""
	config.CreateHooks = nil
	config.Info.Description = "Create and enhance pictures on a studio whose privacy policy is a program."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", Description: "The token of POST /api/guests."},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie},
	}
	d := &door{Config: c, api: humago.New(mux, config)}
	d.people()
	mux.HandleFunc("GET /api/me/export", d.export)
	d.assets(mux)
	d.jobs(mux)
	d.papers()
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, &musa.Problem{Kind: musa.ErrNotFound, Code: "no_such_route", Public: "There is nothing at this address, or not with this method. See /api/openapi.json."})
	})
	return d.admit(mux)
}

// secured marks an operation that needs an actor.
var secured = []map[string][]string{{"bearer": {}}, {"session": {}}}
