package web

import "net/http"

// admin and holds are shown to everybody, as frames: they ask for a token until the session
// is one of the staff. What they fill themselves with, the API gives to the staff alone.
func (s *site) admin(w http.ResponseWriter, r *http.Request) {
	p := s.staffPage(r, "admin.title", "js/admin.js")
	s.render(w, r, http.StatusOK, p, adminPage(p))
}

func (s *site) holds(w http.ResponseWriter, r *http.Request) {
	p := s.staffPage(r, "holds.title", "js/holds.js")
	s.render(w, r, http.StatusOK, p, holdsPage(p))
}

func (s *site) staffPage(r *http.Request, title, script string) page {
	p := s.page(r, title)
	p.script, p.style = script, "desk.css"
	p.speaks = []string{"admin.", "holds.", "span.", "category.", "role.", "tier.", "fault."}
	p.personal = true
	return p
}
