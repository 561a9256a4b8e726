// Package api is the native HTTP door: it decodes a request, names the actor, calls one use
// case and encodes what that returns. JSON in and out, problem+json for errors, which never
// echo a submitted value. The OpenAPI 3.1 document at /api/openapi.json describes it.
package api

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"musa"
	"musa/account"
	"musa/consent"
	"musa/notice"
	"musa/policy"
	"musa/retention"
	"musa/rights"
	"musa/studio"
	"musa/support"
	"musa/usage"
)

// Config is what the door leans on. All fields are needed.
type Config struct {
	Accounts *account.Accounts
	Studio   *studio.Studio
	Rights   *rights.Rights
	Keeper   *retention.Keeper
	Consents *consent.Book
	Notices  *notice.Notices
	Usage    *usage.Counter
	Support  *support.Desk
	Policy   func() *policy.Document
	Versions func() *policy.Versions
	// Unmet are the paths of what a document says and this server cannot show to hold now.
	Unmet   func(*policy.Document) []string
	Clock   musa.Clock
	Log     *slog.Logger
	Version string
	// Cookies says how cookies are set; CookiesSecure behind TLS.
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
	mux *table
}

// Door is the handler of everything below /api/.
type Door struct {
	http.Handler
	door *door
}

// everything is the pattern of all that is not there.
const everything = "/api/"

// wording gives huma our errors. They are variables of the whole process there.
var wording = sync.OnceFunc(func() {
	huma.NewErrorWithContext = newError
	// Of this one the document takes the form of errors, and nothing else is asked.
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newError(nil, status, message, errs...)
	}
})

// New makes the handler for everything below /api/.
func New(c Config) *Door {
	wording()
	mux := &table{rules: map[string]Rule{}}
	config := huma.DefaultConfig("Musa", c.Version)
	config.OpenAPIPath = "/api/openapi"
	config.DocsPath = "" // the stock page loads scripts from elsewhere
	config.SchemasPath = ""
	config.CreateHooks = nil
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.Info.Description = "Create and enhance pictures on a studio whose privacy policy is a program."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", Description: "The token of POST /api/guests."},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie},
	}
	d := &door{Config: c, api: humago.New(mux, config), mux: mux}
	d.api.UseMiddleware(withSchemas(config.Components.Schemas))
	d.people()
	d.sessions()
	d.account()
	d.ledger()
	d.choices()
	d.consents()
	d.privacy()
	d.requests()
	d.log()
	d.takeAlong()
	d.assets()
	d.jobs()
	d.papers()
	d.policies()
	d.overview()
	d.cleanup()
	d.vouching()
	d.holds()
	d.workspaces()
	d.acceptance()
	d.lists()
	d.mails()
	d.support()
	d.feedback()
	d.surveys()
	d.incidents()
	d.peopleAdmin()
	d.apiKeys()
	d.accounts()
	d.devices()
	d.passkeys()
	d.providers()
	d.factors()
	for _, pattern := range mux.patterns { // the description of the API itself
		if strings.HasPrefix(pattern, "GET /api/openapi") {
			mux.rules[pattern] = Rule{}
		}
	}
	d.raw(everything, open, func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, noRoute())
	})
	if err := d.settle(); err != nil {
		panic(err) // a mistake of the program: it must not start with a door that nobody thought about
	}
	return &Door{Handler: d.admit(d.staffOnly(http.HandlerFunc(d.guard))), door: d}
}

// secured marks an operation that needs an actor.
var secured = []map[string][]string{{"bearer": {}}, {"session": {}}}
