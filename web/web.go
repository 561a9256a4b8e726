// Package web is the studio's pages: what a person with a browser sees.
//
// It promises that every page works under a content security policy without exceptions,
// asks no third party for anything, says in the policy's own words what happens to a
// picture, and that what is personal is never stored by a cache. Pages are templ
// components; behaviour is one custom element per file, plain ES modules, no build.
//
// It opens no data: the page's scripts speak to the native API with the session cookie
// like every other client. It sets no cookie but those that remember language and colours,
// each only after the person's yes, and neither scripts nor pages keep anything else in
// the browser.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"musa"
	"musa/api"
	"musa/lang"
	"musa/policy"
	"musa/retention"
)

// Config is what the pages need to know.
type Config struct {
	// Policy returns the document in force. It is asked at each request, so that a new
	// version shows at once.
	Policy func() *policy.Document
	// Versions are all that were taken up, for the archive.
	Versions func() *policy.Versions
	// Figures is how well the policy's times were kept lately.
	Figures func(context.Context) (retention.Figures, error)
	// Unmet are the paths of what a document says and this server cannot show to hold now.
	Unmet func(*policy.Document) []string
	Clock musa.Clock
	// Version is the program's, shown in the footer.
	Version string
	Log     *slog.Logger
	// Cookies says how the cookies of preferences are set.
	Cookies api.Cookies
}

// sessionCookie is looked for, never read: its presence tells that there may be pictures
// to show again, and that the page must not be cached.
const sessionCookie = "musa_session"

type site struct {
	policy   func() *policy.Document
	versions func() *policy.Versions
	figures  func(context.Context) (retention.Figures, error)
	unmet    func(*policy.Document) []string
	clock    musa.Clock
	version  string
	log      *slog.Logger
	static   *static
	cookies  api.Cookies
}

// New returns the handler of all pages and static files. Paths that it does not know
// answer 404 with a page of its own, so it can be mounted at "/".
func New(c Config) *Site {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &site{policy: c.Policy, versions: c.Versions, figures: c.Figures, unmet: c.Unmet, clock: c.Clock,
		version: c.Version, log: c.Log, static: loadStatic(), cookies: c.Cookies}
	mux := &pages{}
	mux.HandleFunc("GET /{$}", s.studio)
	mux.HandleFunc("GET /privacy", s.privacy)
	mux.HandleFunc("GET /privacy/versions", s.archive)
	mux.HandleFunc("GET /privacy/versions/{policy}/{version}", s.archived)
	mux.HandleFunc("GET /privacy/changes", s.changes)
	for _, paper := range papers {
		mux.HandleFunc("GET /privacy/"+paper.name, s.paper(paper))
		mux.HandleFunc("GET /privacy/"+paper.name+".md", s.paperFile(paper))
	}
	mux.HandleFunc("GET /receipts/{id}", s.receipt)
	mux.HandleFunc("GET /me", s.me)
	for _, c := range screens {
		mux.HandleFunc("GET "+c.path, s.show(c))
	}
	mux.HandleFunc("GET /preferences", s.brought)
	mux.HandleFunc("POST /preferences", s.remember)
	mux.HandleFunc("GET /admin", s.admin)
	mux.HandleFunc("GET /admin/holds", s.holds)
	mux.Handle("GET "+staticPrefix, s.static)
	mux.HandleFunc("GET /.well-known/gpc.json", s.gpc)
	mux.HandleFunc("GET /favicon.ico", s.favicon)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, http.StatusNotFound) })
	return &Site{Handler: secured(s.rescued(s.tidied(mux))), pages: mux}
}

// page is what every template needs: the words, the addresses of files and the frame's data.
type page struct {
	words    *lang.Catalogue
	static   *static
	title    string
	path     string
	version  string
	session  bool     // there may be one: pictures can be restored
	personal bool     // nothing may be cached
	shared   bool     // what the page says is the same for everybody
	signal   bool     // the browser sends Global Privacy Control
	keeps    bool     // language and colours may be remembered in this browser
	jar      []string // cookies of the document that lie in this browser
	sale     bool     // the law wants a link to the page against sale
	theme    string
	asked    []string // consents that this browser is still to be asked about
	inForce  edition
	pending  edition // the next version, once it is published; without a document when there is none
	script   string
	style    string   // the page's own, besides those of all pages
	speaks   []string // prefixes of the words that its script says, besides those of all scripts
}

// t and tv speak in the page's language.
func (p page) t(key string) string                  { return p.words.T(key, nil) }
func (p page) tv(key string, vars lang.Vars) string { return p.words.T(key, vars) }
func (p page) file(name string) string              { return p.static.address(name) }
func (p page) current(path string) bool             { return p.path == path }
func (p page) others() []*lang.Catalogue {
	var others []*lang.Catalogue
	for _, c := range lang.All() {
		if c.Tag() != p.words.Tag() {
			others = append(others, c)
		}
	}
	return others
}

// page is a page that may tell of a pending version of the policy.
func (s *site) page(r *http.Request, titleKey string) page {
	p := s.barePage(r, titleKey)
	list, now := s.editions()
	p.inForce = list[now]
	s.greet(&p, r)
	p.title = p.words.T(titleKey, nil)
	if now+1 < len(list) && (r.URL.Path == "/privacy" || p.inForce.Doc.Changes.Material.Notify.Has("banner")) {
		p.pending = list[now+1]
	}
	return p
}

// barePage leans on nothing that can fail: it is also the frame of the page that says so.
func (s *site) barePage(r *http.Request, titleKey string) page {
	words := lang.Match(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	_, err := r.Cookie(sessionCookie)
	p := page{
		words: words, static: s.static, title: words.T(titleKey, nil), theme: "system",
		path: r.URL.Path, version: s.version, session: err == nil, personal: err == nil,
		signal: r.Header.Get("Sec-GPC") == "1",
	}
	return p
}

func (s *site) studio(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, "studio.title")
	p.script = "js/studio.js"
	s.render(w, r, http.StatusOK, p, studioPage(p, readTerms(s.policy())))
}

func (s *site) receipt(w http.ResponseWriter, r *http.Request) {
	if _, err := musa.ParseReceiptID(r.PathValue("id")); err != nil {
		s.fail(w, r, http.StatusNotFound)
		return
	}
	p := s.page(r, "receipt.title")
	p.script = "js/receipt.js"
	p.speaks = []string{"category.", "consent.", "span.", "fault."}
	p.personal = true
	s.render(w, r, http.StatusOK, p, receiptPage(p, r.PathValue("id")))
}

func (s *site) favicon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, s.static.address("icon.svg"), http.StatusMovedPermanently)
}

// rescued turns a panic into the page that says so. Pages are rendered whole before they
// are sent, so nothing has gone out yet.
func (s *site) rescued(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				s.log.Error("page panicked", "route", r.Pattern, "error", cause)
				s.fail(w, r, http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// fail answers with the designed page for a status; statuses without words of their
// own get those of 500. What went wrong is logged by who met it, not here.
func (s *site) fail(w http.ResponseWriter, r *http.Request, status int) {
	p := s.barePage(r, errorKey(status)+".title")
	if status != http.StatusInternalServerError {
		p = s.page(r, errorKey(status)+".title")
	}
	p.script = "js/plain.js"
	s.render(w, r, status, p, errorPage(p, status))
}

func errorKey(status int) string {
	switch status {
	case http.StatusNotFound:
		return "error.page404"
	case http.StatusGone:
		return "error.page410"
	default:
		return "error.page500"
	}
}

func (s *site) render(w http.ResponseWriter, r *http.Request, status int, p page, body templ.Component) {
	var html strings.Builder
	if err := frame(p, body).Render(r.Context(), &html); err != nil {
		s.log.Error("render page", "route", r.Pattern, "error", err)
		http.Error(w, p.t("error.page500.title"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	p.head(h)
	writeCompressed(w, r, status, []byte(html.String()))
}

// head says what language the page is in, and who may keep it for how long.
func (p page) head(h http.Header) {
	h.Set("Content-Language", p.words.Tag())
	h.Set("Vary", "Accept-Language, Accept-Encoding, Cookie")
	h.Set("Cache-Control", "no-cache")
	switch {
	case p.personal:
		h.Set("Cache-Control", "private, no-store")
	case p.shared && p.session:
		h.Set("Cache-Control", "private, max-age=10")
	case p.shared:
		h.Set("Cache-Control", brief)
	}
}
