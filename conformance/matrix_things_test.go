package conformance_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"musa"
	"musa/account"
	"musa/musatest"
)

// kinds says of what kind of object the parameters of a path are, by the path's beginning. A
// path with a parameter that nothing here begins fails the test: whoever adds one says what it
// is, and things makes one. Those of no kind are nobody's own.
var kinds = []struct{ prefix, kind string }{
	{"/api/assets/", "asset"}, {"/api/jobs/", "job"}, {"/api/receipts/", "receipt"}, {"/api/workspaces/", "workspace"},
	{"/api/me/sessions/", "session"}, {"/api/me/logins/", "login"}, {"/api/me/keys/", "key"}, {"/api/rights/", "case"},
	{"/api/support/", "thread"}, {"/api/surveys/", ""}, {"/api/policy/versions/", ""}, {"/api/session/provider/", ""},
	{"/api/lists/", ""}, {"/api/admin/", ""},
}

// absent is an id of each kind that leads nowhere.
func absent(kind string) string {
	now := time.Now()
	switch kind {
	case "asset":
		return string(musa.NewAssetID(now))
	case "job":
		return string(musa.NewJobID(now))
	case "receipt":
		return string(musa.NewReceiptID(now))
	case "session":
		return string(musa.NewSessionID(now))
	case "login":
		return string(musa.NewLoginID(now))
	case "key":
		return string(musa.NewKeyID(now))
	case "case":
		return string(musa.NewCaseID(now))
	case "thread":
		return string(musa.NewThreadID(now))
	}
	return string(musa.NewSubjectID(now))
}

// things makes one object of each kind that is somebody's.
func (m *matrix) things(at *musatest.Client) map[string]string {
	picture := at.Upload("a.png", dot(m.t))
	job := at.Enhance(picture.ID, nil)
	out := map[string]string{"job": job.ID, "person": string(at.Subject())}
	out["asset"] = at.Await(job.ID).Outputs[0].ID
	var made struct {
		ID string `json:"id"`
	}
	at.Want(http.StatusCreated, at.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "rectification", "words": "My name is wrong."}), &made)
	out["case"] = made.ID
	at.Want(http.StatusCreated, at.Do(http.MethodPost, "/api/support", musatest.Order{"kind": "question", "words": "How?"}), &made)
	out["thread"] = made.ID
	by := m.actor(at.Token)
	out["session"] = string(by.Session)
	k, err := m.Accounts.NewKey(m.t.Context(), by, account.KeyWish{Name: "k", Scopes: account.Scopes()})
	m.must(err)
	out["key"] = string(k.ID)
	ws, err := m.Accounts.Found(m.t.Context(), by, "Another's")
	m.must(err)
	out["workspace"] = string(ws.ID)
	boss, err := m.Accounts.Enter(m.t.Context(), by, ws.ID)
	m.must(err)
	i, err := m.Accounts.Invite(m.t.Context(), boss, "another@example.net", musa.MemberViewer)
	m.must(err)
	out["invitation"] = string(i.ID)
	return out
}

// pages looks at every page in every role: it is a frame, the same for all who are signed in.
func (m *matrix) pages() {
	var first map[string][]byte
	for _, token := range []string{m.person().Token, m.join(m.person(), musa.MemberOwner).token, m.Guest().Token} {
		seen := map[string][]byte{}
		for _, pattern := range m.Studio.Pages() {
			method, path, found := strings.Cut(pattern, " ")
			if !found || method != http.MethodGet || strings.HasPrefix(path, "/static/") {
				continue
			}
			path = parameter.ReplaceAllString(strings.TrimSuffix(path, "{$}"), "musa")
			req, err := http.NewRequestWithContext(m.t.Context(), method, m.URL+path, nil)
			m.must(err)
			req.AddCookie(&http.Cookie{Name: "musa_session", Value: token})
			res, err := m.http.Do(req)
			m.must(err)
			raw, err := io.ReadAll(res.Body)
			m.must(err)
			m.must(res.Body.Close())
			if seen[path] = raw; res.StatusCode >= 500 {
				m.t.Errorf("page %s answers %d", path, res.StatusCode)
			}
			if first != nil && !bytes.Equal(first[path], raw) {
				m.t.Errorf("page %s says something else to somebody else", path)
			}
		}
		if first == nil {
			first = seen
		}
	}
}
