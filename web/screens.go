package web

import (
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"musa/policy"
)

// screen is a page that is the same frame for everybody: what is somebody's own, its script
// fetches with their session.
type screen struct {
	path, title, script string
	speaks              []string // prefixes of the words that the script says
	body                func(page, *policy.Document) templ.Component
}

// mine are the words that the parts of an account's page share.
var mine = []string{"me.", "part.", "fault.", "span.", "tier.", "category.", "role.", "purpose."}

// desks are the words that the staff's pages share.
var desks = []string{"admin.", "holds.", "staff.", "fault.", "span.", "category.", "role.", "tier.", "right.", "purpose.", "case.", "thread.", "support.entered", "part.prove"}

var screens = []screen{
	{path: "/signin", title: "sign.title", script: "js/signin.js", speaks: []string{"sign.", "fault."}, body: signPage},
	{path: "/confirm", title: "confirm.title", script: "js/confirm.js", speaks: []string{"confirm.", "fault.", "mails.", "role."}, body: confirmPage},
	{path: "/me/profile", title: "profile.title", script: "js/profile.js", speaks: slices.Concat(mine, []string{"profile."}), body: profilePage},
	{path: "/me/sign-in", title: "logins.title", script: "js/logins.js", speaks: slices.Concat(mine, []string{"logins.", "sessions.", "keys.", "scope."}), body: loginsPage},
	{path: "/me/privacy", title: "choices.title", script: "js/choices.js", speaks: slices.Concat(mine, []string{"choices.", "consent.", "field."}), body: choicesPage},
	{path: "/me/data", title: "data.title", script: "js/data.js", speaks: slices.Concat(mine, []string{"data.", "right.", "case.", "basis."}), body: dataPage},
	{path: "/me/mails", title: "mails.title", script: "js/mails.js", speaks: slices.Concat(mine, []string{"mails."}), body: mailsPage},
	{path: "/me/workspaces", title: "work.title", script: "js/workspaces.js", speaks: slices.Concat(mine, []string{"work.", "enforced."}), body: workspacesPage},
	{path: "/cookies", title: "cookies.title", script: "js/cookies.js", speaks: []string{"cookies.", "fault."}, body: cookiesPage},
	{path: "/news", title: "news.title", script: "js/news.js", speaks: []string{"news.", "mails.kind.", "surveys.open", "fault."}, body: newsPage},
	{path: "/surveys", title: "surveys.title", script: "js/surveys.js", speaks: slices.Concat(mine, []string{"surveys."}), body: surveysPage},
	{path: "/terms", title: "terms.title", script: "js/plain.js", body: termsPage},
	{path: "/support", title: "support.title", script: "js/support.js", speaks: []string{"support.", "thread.", "right.", "fault."}, body: supportPage},
	{path: "/do-not-sell", title: "sell.title", script: "js/sell.js", speaks: []string{"sell.", "fault.", "case."}, body: sellPage},
	{path: "/admin/rights", title: "staff.rights", script: "js/rights.js", speaks: desks, body: rightsDesk},
	{path: "/admin/support", title: "staff.support", script: "js/helpdesk.js", speaks: desks, body: supportDesk},
	{path: "/admin/people", title: "staff.people", script: "js/people.js", speaks: desks, body: peopleDesk},
	{path: "/admin/incidents", title: "staff.incidents", script: "js/incidents.js", speaks: desks, body: incidentsDesk},
	{path: "/admin/surveys", title: "staff.surveys", script: "js/asks.js", speaks: slices.Concat(desks, []string{"surveys."}), body: surveysDesk},
	{path: "/admin/mails", title: "staff.mails", script: "js/outbox.js", speaks: desks, body: mailsDesk},
}

// show answers with a screen. No cache keeps one: even a stranger's says what their browser
// signals.
func (s *site) show(c screen) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.page(r, c.title)
		p.script, p.style, p.speaks, p.personal = c.script, "desk.css", c.speaks, true
		s.render(w, r, http.StatusOK, p, c.body(p, s.policy()))
	}
}
