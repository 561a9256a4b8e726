package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/policies"
	"musa/rights"
)

// caller is one column of the matrix: somebody in a role, who can be made anew when a route
// did away with them.
type caller struct {
	name   string
	role   musa.Role       // of the instance
	member musa.MemberRole // in a workspace
	scope  account.Scope   // of an API key
	nobody bool            // has no session
	still  bool            // suspended or closed: nothing new is made
	make   func() door     // makes one
	now    door            // the one in use
}

// door is how somebody comes in, and of a workspace its founder.
type door struct {
	token, workspace string
	founder          musa.Actor
}

// matrix is the studio that all callers stand before, with what is another's.
type matrix struct {
	*musatest.Studio
	t       *testing.T
	foreign map[string]string // objects of a stranger, by kind
	routes  []api.Route
	least   map[string][]byte // the least body of each route that takes one, by its description
	query   map[string]string // the same of what it needs in the query
	http    *http.Client
}

// scaled names the callers that ask on PostgreSQL, too: one of each kind of row that an answer
// rests on (a session, a key, a membership, a role of the staff, a state). The rules that tell
// the others apart are looked up in the program's own tables, whatever the store.
var scaled = []string{"member", "key create", "workspace owner", "workspace editor", "compliance", "closed", "suspended"}

// TestMatrix asks every route of the API, as the route table lists them: in every role on SQLite,
// in those of scaled on PostgreSQL. Promise E-14.
func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			conformance.Kept(t, "E-14", func(t *testing.T) {
				m := newMatrix(t, stores, "enhancer")
				m.declared()
				m.all(func(c *caller) bool { return stores != musatest.Scaled || slices.Contains(scaled, c.name) })
				m.pages()
			})
		})
	}
}

func newMatrix(t *testing.T, stores musatest.Stores, preset string) *matrix {
	t.Helper()
	doc, err := policies.Load(preset, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	source := strings.Replace(string(doc.YAML()), "{operator:", "{moderator: [], operator:", 1)
	m := &matrix{Studio: musatest.New(t, musatest.Rig{Stores: stores, Policy: source}), t: t}
	m.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	m.routes = m.Studio.Routes()
	m.describe()
	stranger := m.person()
	m.foreign = m.things(stranger)
	m.foreign["login"] = m.login()
	var c api.Closing
	gone := m.person()
	gone.Want(http.StatusAccepted, gone.Do(http.MethodPost, "/api/me/erasure", nil), &c)
	m.foreign["receipt"] = c.Receipt
	return m
}

// person is somebody with an account and no ways to sign in but their session: nothing has to
// be proved, and nothing is slow.
func (m *matrix) person() *musatest.Client {
	g := m.Guest()
	m.SetTier(g, musa.TierMember)
	return g.In(m.t)
}

func (m *matrix) callers() []*caller {
	guest := func() door { return door{token: m.Guest().Token} }
	member := func() door { return door{token: m.person().Token} }
	list := []*caller{{name: "nobody", nobody: true, make: func() door { return door{} }}, {name: "guest", make: guest}, {name: "member", make: member}}
	for _, scope := range account.Scopes() {
		list = append(list, &caller{name: "key " + string(scope), scope: scope, make: func() door {
			c := m.person()
			k, err := m.Accounts.NewKey(m.t.Context(), m.actor(c.Token), account.KeyWish{Name: "k", Scopes: []account.Scope{scope}})
			m.must(err)
			return door{token: k.Secret}
		}})
	}
	for _, role := range musa.MemberRoles() {
		list = append(list, &caller{name: "workspace " + string(role), member: role, make: func() door { return m.join(m.person(), role) }})
	}
	for _, role := range []musa.Role{musa.RoleSupport, musa.RoleModerator, musa.RoleCompliance, musa.RoleOperator} {
		list = append(list, &caller{name: string(role), role: role, make: func() door {
			s, err := m.Accounts.AddStaff(m.t.Context(), role)
			m.must(err)
			return door{token: s.Token}
		}})
	}
	return append(list, &caller{name: "closed", still: true, make: func() door {
		c := m.person()
		c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/me/erasure", nil), nil)
		return door{token: c.Token}
	}}, &caller{name: "suspended", still: true, make: func() door {
		c := m.person()
		_, err := m.Rights.Suspend(m.t.Context(), musa.Actor{Subject: "su_desk", Role: musa.RoleSupport}, rights.Decision{Subject: c.Subject(), Reason: "reported"})
		m.must(err)
		return door{token: c.Token}
	}})
}

// join founds a workspace and gives the client a role in it.
func (m *matrix) join(c *musatest.Client, role musa.MemberRole) door {
	founder := c
	if role != musa.MemberOwner {
		founder = m.person()
	}
	boss := m.actor(founder.Token)
	ws, err := m.Accounts.Found(m.t.Context(), boss, "Studio")
	m.must(err)
	boss, err = m.Accounts.Enter(m.t.Context(), boss, ws.ID)
	m.must(err)
	if role != musa.MemberOwner {
		seat(m.t, m.Studio, ws.ID, c.Subject(), role)
	}
	return door{c.Token, string(ws.ID), boss}
}

// actor is whom a session's token stands for.
func (m *matrix) actor(token string) musa.Actor {
	by, err := m.Accounts.Identify(m.t.Context(), token, account.Visitor{})
	m.must(err)
	return by
}

func (m *matrix) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// Whose object a route is asked about.
const (
	none    = "none"
	foreign = "foreign"
	own     = "own"
)

// The verdicts of the matrix.
const (
	in       = "in"        // the rule lets them by; what follows is the route's own
	unknown  = "401"       // nobody is there
	refused  = "403"       // in words that say which role or scope is missing
	hidden   = "404"       // the address does not exist for them
	noMember = "no member" // the workspace does not
)

// mayOf is the table of W-14 once more, by hand: what each member may do.
var mayOf = map[musa.MemberRole]string{
	musa.MemberOwner: "see make erase ask govern own", musa.MemberAdmin: "see make erase ask govern",
	musa.MemberEditor: "see make erase ask", musa.MemberViewer: "see",
}

// coveredBy is which scope covers an act; what is missing, no key may do.
var coveredBy = map[musa.Act]account.Scope{musa.ActSee: account.ScopeRead, musa.ActMake: account.ScopeCreate,
	musa.ActErase: account.ScopeErase, musa.ActAsk: account.ScopeSupport, musa.ActGovern: account.ScopeAccount}

// verdict is what a rule says of a caller.
func (c *caller) verdict(r api.Rule, which string) string {
	switch {
	case r.Staff != nil:
		if c.role != "" && slices.Contains(r.Staff(), c.role) {
			return in
		}
		return hidden
	case r.Act == "":
		return in
	case c.nobody && r.Strangers:
		return in
	case c.nobody:
		return unknown
	case c.scope != "" && coveredBy[r.Act] != c.scope:
		return refused
	case r.Inside && which != own:
		return noMember
	case c.member != "" && !slices.Contains(strings.Fields(mayOf[c.member]), string(r.Act)):
		return refused
	}
	return in
}

var parameter = regexp.MustCompile(`\{[a-z_.]+\}`)

// ask puts one caller before one route: with an id that leads nowhere, with one that is a
// stranger's, and with one of their own.
func (m *matrix) ask(c *caller, r api.Route) {
	kind, named := "", parameter.MatchString(r.Path)
	if named {
		i := slices.IndexFunc(kinds, func(k struct{ prefix, kind string }) bool { return strings.HasPrefix(r.Path, k.prefix) })
		if i < 0 {
			m.t.Errorf("%s %s has a parameter, and the matrix does not know of what kind", r.Method, r.Path)
			return
		}
		kind = kinds[i].kind
	}
	want := c.verdict(r.Rule, none)
	lost := m.send(c, r, m.fill(r, kind, absent(kind), absent("person")))
	m.judge(c, r, none, want, lost)
	if !named || kind == "" || c.nobody {
		return
	}
	other := m.send(c, r, m.fill(r, kind, m.foreign[kind], m.foreign["person"]))
	m.judge(c, r, foreign, want, other)
	if other.status != lost.status || !bytes.Equal(other.body, lost.body) {
		m.t.Errorf("%s: %s %s tells a stranger's from none: %d %s, %d %s", c.name, r.Method, r.Path, other.status, other.body, lost.status, lost.body)
	}
	if want == in && other.status != http.StatusNotFound && other.status != http.StatusForbidden {
		m.t.Errorf("%s: %s %s answers %d about a stranger's: %s", c.name, r.Method, r.Path, other.status, other.body)
	}
	if r.Rule.Inside && c.member != "" {
		m.inside(c, r)
		return
	}
	if id, ok := m.mine(c, kind); ok {
		m.judge(c, r, own, want, m.send(c, r, m.fill(r, kind, id, "")))
	}
}

// mine is an object of the caller's own, for those who can have them made here.
func (m *matrix) mine(c *caller, kind string) (string, bool) {
	if c.name != "guest" && c.name != "member" && c.name != "workspace owner" || kind != "asset" && kind != "job" {
		return "", false
	}
	at := &musatest.Client{T: m.t, Base: m.URL, Token: c.now.token, Workspace: c.now.workspace}
	picture := at.Upload("a.png", dot(m.t), "save", "true")
	if kind == "asset" {
		return picture.ID, true
	}
	return at.Await(at.Enhance(picture.ID, nil).ID).ID, true
}

// fill puts ids into a path.
func (m *matrix) fill(r api.Route, kind, id, person string) string {
	first := true
	return parameter.ReplaceAllStringFunc(r.Path, func(p string) string {
		switch {
		case kind == "":
			return "musa"
		case kind == "workspace" && !first:
			return person
		}
		first = false
		return id
	})
}

type answer struct {
	status int
	body   []byte
	code   string
}

// send makes one request, with the least that its description allows as body.
func (m *matrix) send(c *caller, r api.Route, path string) answer {
	return m.sendBody(c, r, path, m.least[r.Method+" "+r.Path])
}

func (m *matrix) sendBody(c *caller, r api.Route, path string, least []byte) answer {
	var body io.Reader
	if least != nil {
		body = bytes.NewReader(least)
	}
	ctx, stop := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, r.Method, m.URL+path+m.query[r.Method+" "+r.Path], body)
	m.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.now.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.now.token)
	}
	if c.now.workspace != "" && !r.Rule.Inside {
		req.Header.Set("Musa-Workspace", c.now.workspace)
	}
	res, err := m.http.Do(req)
	m.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	m.must(err)
	out := answer{status: res.StatusCode, body: raw}
	var p api.Problem
	if json.Unmarshal(raw, &p) == nil {
		out.code = p.Code
	}
	if r.Method != http.MethodGet && res.StatusCode < 400 {
		m.renew(c)
	}
	return out
}

// renew makes a caller anew whom their own call did away with.
func (m *matrix) renew(c *caller) {
	if c.nobody || c.scope != "" {
		return
	}
	at := musatest.Client{T: m.t, Base: m.URL, Token: c.now.token, Workspace: c.now.workspace}
	var me api.Me
	a := at.Do(http.MethodGet, "/api/me", nil)
	if a.Status == http.StatusOK {
		m.must(json.Unmarshal(a.Body, &me))
	}
	if a.Status != http.StatusOK || (me.Closing != nil) != (c.name == "closed") {
		c.now = c.make()
	}
}

// denials are the codes by which a rule refuses.
var denials = []string{"member_may_not", "person_only", "scope_missing", "key_never"}

func (m *matrix) judge(c *caller, r api.Route, which, want string, got answer) {
	wrong := func(words string) {
		m.t.Errorf("%s: %s %s (%s): %s: %d %s", c.name, r.Method, r.Path, which, words, got.status, got.body)
	}
	switch want {
	case unknown:
		if got.status != http.StatusUnauthorized {
			wrong("want 401")
		}
	case hidden:
		if got.status != http.StatusNotFound || got.code != "no_such_route" {
			wrong("the address is not theirs to know")
		}
	case refused:
		if got.status != http.StatusForbidden || !slices.Contains(denials, got.code) {
			wrong("want 403 by the rule")
		}
	case noMember:
		if got.status != http.StatusNotFound || got.code != "workspace_unknown" {
			wrong("want 404: they are no member")
		}
	case in:
		switch {
		case r.Rule.Act == "" && (c.scope != "" || got.code == "no_such_route"):
			// No key is good for what is open, but to read; and a provider that is none is no address.
		case slices.Contains(denials, got.code), got.code == "no_such_route":
			wrong("the rule lets them by")
		case which == own && got.code == "not_found":
			wrong("it is their own")
		case r.Rule.Act != "" && got.status == http.StatusUnauthorized:
			wrong("they are known")
		case got.status >= 500 && got.status != http.StatusServiceUnavailable:
			wrong("it broke")
		case c.still && r.Rule.Act == musa.ActMake && got.status < 400:
			wrong("nothing new is made by them")
		case got.code == "invalid" && m.least[r.Method+" "+r.Path] != nil:
			wrong("the least that the description allows is not taken")
		}
	}
}
