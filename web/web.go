// Package web is the studio's pages: what a person with a browser sees.
//
// It promises that every page works under a content security policy without exceptions,
// asks no third party for anything, says in the policy's own words what happens to a
// picture, and that what is personal is never stored by a cache. Pages are templ
// components; behaviour is one custom element per file, plain ES modules, no build.
//
// It opens no data: the page's scripts speak to the native API with the session cookie
// like every other client. It sets no cookie, and neither scripts nor pages keep anything
// in the browser.
package web

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"musa"
	"musa/lang"
	"musa/policy"
)

// Config is what the pages need to know.
type Config struct {
	// Policy returns the document in force. It is asked at each request, so that a new
	// version shows at once.
	Policy func() *policy.Document
	// Version is the program's, shown in the footer.
	Version string
	Log     *slog.Logger
}

// sessionCookie is looked for, never read: its presence tells that there may be pictures
// to show again, and that the page must not be cached.
const sessionCookie = "musa_session"

type site struct {
	policy  func() *policy.Document
	version string
	log     *slog.Logger
	static  *static
}

// New returns the handler of all pages and static files. Paths that it does not know
// answer 404 with a page of its own, so it can be mounted at "/".
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &site{policy: c.Policy, version: c.Version, log: c.Log, static: loadStatic()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.studio)
	mux.HandleFunc("GET /privacy", s.privacy)
	mux.HandleFunc("GET /receipts/{id}", s.receipt)
	mux.Handle("GET "+staticPrefix, s.static)
	mux.HandleFunc("GET /favicon.ico", s.favicon)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, http.StatusNotFound) })
	return secured(s.rescued(mux))
}

// page is what every template needs: the words, the addresses of files and the frame's data.
type page struct {
	words    *lang.Catalogue
	static   *static
	title    string
	path     string
	version  string
	personal bool // there may be a session: pictures can be restored, nothing may be cached
	script   string
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

func (s *site) page(r *http.Request, titleKey string) page {
	words := lang.Match(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	_, err := r.Cookie(sessionCookie)
	return page{
		words: words, static: s.static, title: words.T(titleKey, nil),
		path: r.URL.Path, version: s.version, personal: err == nil,
	}
}

func (s *site) studio(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, "studio.title")
	p.script = "js/studio.js"
	s.render(w, r, http.StatusOK, p, studioPage(p, readTerms(s.policy())))
}

func (s *site) privacy(w http.ResponseWriter, r *http.Request) {
	p := s.page(r, "privacy.title")
	p.script = "js/plain.js"
	s.render(w, r, http.StatusOK, p, privacyPage(p, readTerms(s.policy())))
}

func (s *site) receipt(w http.ResponseWriter, r *http.Request) {
	if _, err := musa.ParseReceiptID(r.PathValue("id")); err != nil {
		s.fail(w, r, http.StatusNotFound)
		return
	}
	p := s.page(r, "receipt.title")
	p.script = "js/receipt.js"
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
	p := s.page(r, errorKey(status)+".title")
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
	h.Set("Content-Language", p.words.Tag())
	h.Set("Vary", "Accept-Language, Accept-Encoding, Cookie")
	h.Set("Cache-Control", "no-cache")
	if p.personal {
		h.Set("Cache-Control", "private, no-store")
	}
	writeCompressed(w, r, status, []byte(html.String()))
}
