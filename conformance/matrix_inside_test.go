package conformance_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"musa"
	"musa/api"
)

// Routes about somebody or something in a workspace.
const (
	members     = "/api/workspaces/{id}/members/{subject}"
	invitations = "/api/workspaces/{id}/invitations"
)

// inside asks about the caller's own workspace; where the path names something in it, with an
// id that leads nowhere, with one of another workspace's, with one that is there, and with
// themselves.
func (m *matrix) inside(c *caller, r api.Route) {
	if strings.Count(r.Path, "{") == 1 {
		m.judge(c, r, own, c.verdict(r.Rule, own), m.send(c, r, m.fill(r, "workspace", c.now.workspace, "")))
		return
	}
	other, there := m.foreign["person"], m.colleague
	if strings.HasSuffix(r.Path, "{invitation}") {
		other, there = m.foreign["invitation"], m.invitation
	}
	rule := r.Rule
	if r.Path == members && r.Method == http.MethodDelete {
		rule.Act = musa.ActGovern // see is enough to leave, and for nobody else
	}
	want := c.verdict(rule, own)
	none := m.send(c, r, m.fill(r, "workspace", c.now.workspace, absent("person")))
	m.judge(c, r, "nobody there", want, none)
	strange := m.send(c, r, m.fill(r, "workspace", c.now.workspace, other))
	m.judge(c, r, "another workspace's", want, strange)
	if none.status != strange.status || !bytes.Equal(none.body, strange.body) || want == in && none.status != http.StatusNotFound {
		m.t.Errorf("%s: %s %s tells another workspace's from none: %d %s, %d %s", c.name, r.Method, r.Path, strange.status, strange.body, none.status, none.body)
	}
	mine := m.send(c, r, m.fill(r, "workspace", c.now.workspace, there(c)))
	m.judge(c, r, own, want, mine)
	if want == in && mine.status != http.StatusNoContent {
		m.t.Errorf("%s: %s %s answers %d about what is there: %s", c.name, r.Method, r.Path, mine.status, mine.body)
	}
	if rule.Act != r.Rule.Act {
		self := m.send(c, r, m.fill(r, "workspace", c.now.workspace, string(m.actor(c.now.token).Subject)))
		m.judge(c, r, "themselves", c.verdict(r.Rule, own), self)
		if c.member != musa.MemberOwner && self.status != http.StatusNoContent {
			m.t.Errorf("%s may not leave: %d %s", c.name, self.status, self.body)
		}
	}
}

// colleague is somebody else in the caller's workspace.
func (m *matrix) colleague(c *caller) string {
	p := m.person().Subject()
	seat(m.t, m.Studio, musa.SubjectID(c.now.workspace), p, musa.MemberViewer)
	return string(p)
}

// invitation is an open one to the caller's workspace.
func (m *matrix) invitation(c *caller) string {
	i, err := m.Accounts.Invite(m.t.Context(), c.now.founder, "guest@example.net", musa.MemberViewer)
	m.must(err)
	return string(i.ID)
}

// reach asks for what is an owner's alone though its route is an admin's: to make an owner, and
// to remove one.
func (m *matrix) reach(c *caller) {
	if c.member == "" {
		return
	}
	for _, try := range []struct{ method, path, body string }{
		{http.MethodPost, invitations, `{"email":"heir@example.net","role":"owner"}`},
		{http.MethodPatch, members, `{"role":"owner"}`},
		{http.MethodDelete, members, ""},
	} {
		i := slices.IndexFunc(m.routes, func(r api.Route) bool { return r.Method == try.method && r.Path == try.path })
		if i < 0 {
			m.t.Fatalf("there is no %s %s", try.method, try.path)
		}
		r := m.routes[i]
		r.Rule.Act = musa.ActOwn
		who := string(c.now.founder.Person)
		if try.method == http.MethodPatch {
			who = m.colleague(c)
		}
		var body []byte
		if try.body != "" {
			body = []byte(try.body)
		}
		m.judge(c, r, "an owner", c.verdict(r.Rule, own), m.sendBody(c, r, m.fill(r, "workspace", c.now.workspace, who), body))
	}
}
