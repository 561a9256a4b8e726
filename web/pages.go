package web

import (
	"net/http"
	"slices"
)

// Site is the handler of all pages and static files.
type Site struct {
	http.Handler
	pages *pages
}

// Pages lists the patterns that it answers. None of them holds what is somebody's: a page is a
// frame that its script fills from the API, which asks who is there.
func (s *Site) Pages() []string { return slices.Clone(s.pages.patterns) }

// pages is the mux of all pages, which remembers their patterns.
type pages struct {
	http.ServeMux
	patterns []string
}

// HandleFunc registers a page.
func (p *pages) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	p.Handle(pattern, http.HandlerFunc(h))
}

// Handle registers a page.
func (p *pages) Handle(pattern string, h http.Handler) {
	p.patterns = append(p.patterns, pattern)
	p.ServeMux.Handle(pattern, h)
}
