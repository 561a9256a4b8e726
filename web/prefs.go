package web

import (
	"encoding/json"
	"net/http"
	"slices"

	"musa/consent"
	"musa/lang"
	"musa/policy"
)

// The two cookies that remember how a person likes the pages. Both need a yes to the
// consent of that name.
const (
	themeCookie = "musa_theme"
	langCookie  = "musa_lang"

	preferences = "preferences"
)

// rememberFor is how long a browser keeps them, in seconds: half a year.
const rememberFor = 180 * 24 * 60 * 60

var themes = []string{"light", "dark"}

// answers are what the browser's own cookie says of its choices. False where it was not
// asked yet, or says nothing that the document understands.
func answers(doc *policy.Document, r *http.Request) (map[string]consent.Answer, bool) {
	c, err := r.Cookie(consent.Cookie)
	if err != nil {
		return nil, false
	}
	given := consent.DecodeCookie(doc, c.Value)
	return given, len(given) > 0
}

// allowed says whether language and colours may be remembered in this browser.
func allowed(doc *policy.Document, r *http.Request) bool {
	given, _ := answers(doc, r)
	return given[preferences] == consent.Yes
}

func remembered(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// greet fills in what the browser said of itself and is still to be asked. A preference
// that came back without its yes is not used.
func (s *site) greet(p *page, r *http.Request) {
	doc := p.inForce.Doc
	p.sale, p.jar = californian(doc), lying(doc, r)
	if _, ok := answers(doc, r); !ok {
		p.asked = askedCookies(doc)
	}
	if p.keeps = allowed(doc, r); !p.keeps {
		return
	}
	if theme := remembered(r, themeCookie); slices.Contains(themes, theme) {
		p.theme = theme
	}
	if tag := remembered(r, langCookie); tag != "" && r.URL.Query().Get("lang") == "" {
		p.words = lang.Match(tag, r.Header.Get("Accept-Language"))
	}
}

// brought answers which of the document's cookies came with the request. Scripts cannot see them:
// a page asks here what the browser did not keep, to say in words what does not work without it.
func (s *site) brought(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// The client may have left; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(struct {
		Cookies []string `json:"cookies"`
	}{lying(s.policy(), r)})
}

// lying are the names of the document's cookies that lie in this browser, so far as it shows them here.
func lying(doc *policy.Document, r *http.Request) []string {
	names := []string{}
	for _, e := range doc.Consents {
		for _, name := range e.Value.Cookies {
			if remembered(r, name) != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// remember keeps a preference in the browser, where it said yes to that; else it sets
// nothing and says so by its status.
func (s *site) remember(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	if !allowed(s.policy(), r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	switch theme := r.FormValue("theme"); {
	case slices.Contains(themes, theme):
		s.keep(w, r, &http.Cookie{Name: themeCookie, Value: theme, MaxAge: rememberFor})
	case theme == "system":
		s.keep(w, r, &http.Cookie{Name: themeCookie, MaxAge: -1})
	}
	for _, c := range lang.All() {
		if c.Tag() == r.FormValue("lang") {
			s.keep(w, r, &http.Cookie{Name: langCookie, Value: c.Tag(), MaxAge: rememberFor})
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// keep sets a preference out of reach of scripts and of other sites: only pages read it.
func (s *site) keep(w http.ResponseWriter, r *http.Request, c *http.Cookie) {
	c.Path, c.HttpOnly, c.SameSite, c.Secure = "/", true, http.SameSiteLaxMode, s.cookies.Secure(r.Context())
	http.SetCookie(w, c)
}

// tidied takes preferences out of a browser that no longer allows them, whichever page it
// asks for.
func (s *site) tidied(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(s.policy(), r) {
			if remembered(r, themeCookie) != "" {
				s.keep(w, r, &http.Cookie{Name: themeCookie, MaxAge: -1})
			}
			if remembered(r, langCookie) != "" {
				s.keep(w, r, &http.Cookie{Name: langCookie, MaxAge: -1})
			}
		}
		next.ServeHTTP(w, r)
	})
}
