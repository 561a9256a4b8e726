package support_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
)

// words that no store may hold in clear.
const said = "the cat has lost its hat in the kiln 4711"

func onBoth(t *testing.T, rig musatest.Rig, test func(*testing.T, *musatest.Studio)) {
	t.Helper()
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			r := rig
			r.Stores = stores
			test(t, musatest.New(t, r))
		})
	}
}

func nobody(t *testing.T, s *musatest.Studio) *musatest.Client {
	return &musatest.Client{T: t, Base: s.URL}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type obj = map[string]any

// got sends a request that has to be taken and decodes the answer.
func got[T any](c *musatest.Client, method, path string, body any) (out T) {
	c.T.Helper()
	a := c.Do(method, path, body)
	if a.Status >= http.StatusBadRequest {
		c.T.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	if len(a.Body) > 0 {
		c.Want(a.Status, a, &out)
	}
	return out
}

// count counts rows.
func count(t *testing.T, s *musatest.Studio, query string) (n int) {
	t.Helper()
	must(t, s.DB.SQL().QueryRow("SELECT COUNT(*) FROM "+query).Scan(&n))
	return n
}

// A thread goes back and forth, is nobody else's, is entered where the staff open it, and goes
// with all that was said.
func TestAThreadGoesBackAndForth(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g, other, helper, operator := s.Guest(), s.Guest(), s.Staff(t, musa.RoleSupport), s.Staff(t, musa.RoleOperator)
		th := got[api.Thread](g, "POST", "/api/support", obj{"kind": "privacy", "words": said})
		if th.State != "open" || th.Unread != "staff" || th.EndsRule == "" || th.Category != "support" || len(th.Messages) != 1 || th.Token != "" {
			t.Fatalf("begun as %+v", th)
		}
		one, desk := "/api/support/"+th.ID, "/api/admin/support/"+th.ID
		for _, stranger := range []*musatest.Client{other, helper, operator} {
			for _, r := range [][2]string{{"GET", one}, {"POST", one + "/close"}, {"DELETE", one}} {
				stranger.Problem(http.StatusNotFound, stranger.Do(r[0], r[1], nil))
			}
			stranger.Problem(http.StatusNotFound, stranger.Do("POST", one+"/messages", obj{"words": "mine?"}))
		}
		operator.Problem(http.StatusNotFound, operator.Do("POST", desk+"/open", obj{"reason": "curious"}))
		other.Problem(http.StatusNotFound, other.Do("POST", desk+"/open", obj{"reason": "curious"}))
		list := got[api.Threads](operator, "GET", "/api/admin/support?state=open", nil)
		if len(list.Threads) != 1 || len(list.Threads[0].Messages) != 0 || list.Threads[0].Subject == "" {
			t.Errorf("the operator's list: %+v", list)
		}
		helper.Problem(http.StatusBadRequest, helper.Do("POST", desk+"/open", obj{"reason": " "}))
		if uses := got[api.Disclosures](g, "GET", "/api/me/disclosures", nil).Uses; len(uses) != 0 {
			t.Fatalf("before anybody looked: %+v", uses)
		}
		if open := got[api.Thread](helper, "POST", desk+"/open", obj{"reason": "it was asked"}); open.Messages[0].Words != said || open.Unread != "nobody" {
			t.Errorf("the staff see %+v", open)
		}
		if uses := got[api.Disclosures](g, "GET", "/api/me/disclosures", nil).Uses; len(uses) != 1 || uses[0].Purpose != "help" || uses[0].Role != "support" {
			t.Errorf("the person is shown %+v", uses)
		}
		got[api.Thread](helper, "POST", desk+"/messages", obj{"words": "look under the bench"})
		mine := got[api.Thread](g, "GET", one, nil)
		if mine.State != "answered" || mine.Unread != "nobody" || len(mine.Messages) != 2 || mine.Messages[1].From != "staff" {
			t.Errorf("answered: %+v", mine)
		}
		got[api.Thread](g, "POST", one+"/close", nil)
		if again := got[api.Thread](g, "POST", one+"/messages", obj{"words": "it is not there"}); again.State != "open" || again.Unread != "staff" || len(again.Messages) != 3 {
			t.Errorf("taken up: %+v", again)
		}
		markers := musatest.Markers{"what was said": []byte(said)}
		if found := musatest.Find(t, []string{musatest.InClear(t, markers)}, markers); len(found) != 1 {
			t.Fatal("the search finds nothing where it lies in clear")
		}
		if found := musatest.Find(t, s.Dirs, markers); len(found) != 0 {
			t.Errorf("in clear: %v", found)
		}
		g.Want(http.StatusNoContent, g.Do("DELETE", one, nil), nil)
		g.Problem(http.StatusNotFound, g.Do("GET", one, nil))
		if n := count(t, s, "threads"); n != 0 {
			t.Errorf("%d threads are left", n)
		}
		if n := count(t, s, "records WHERE category = 'support' AND state = 'active'"); n != 0 {
			t.Errorf("%d records are left", n)
		}
	})
}

// What cannot be used is refused by its field and never repeated.
func TestBadLetters(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g, other := s.Guest(), s.Guest()
	foreign := other.Upload("x.png", picture(t))
	huge := strings.Repeat("wwwwwwwwww", 1<<20)
	for _, bad := range []struct {
		body   obj
		status int
		field  string
	}{
		{obj{"words": huge}, 413, ""},
		{obj{"words": strings.Repeat("w", 8001)}, 400, "words"},
		{obj{"words": " \n"}, 400, "words"},
		{obj{"words": "a\x00b"}, 400, "words"},
		{obj{}, 400, "words"},
		{obj{"words": "w", "kind": "zzyzx"}, 400, "kind"},
		{obj{"words": "w", "object": "zzyzx"}, 400, "object"},
		{obj{"words": "w", "object": foreign.ID}, 404, "object"},
		{obj{"words": "w", "email": "zzyzx"}, 400, "email"},
		{obj{"words": "w", "email": "a@example.org\r\nBcc: zzyzx@example.org"}, 400, "email"},
		{obj{"words": "w", "email": "a@example.org, zzyzx@example.org"}, 400, "email"},
	} {
		for name, c := range map[string]*musatest.Client{"guest": g, "nobody": nobody(t, s)} {
			if bad.field == "object" && bad.status == 404 && name == "nobody" {
				continue // it costs a guest
			}
			a := c.Do("POST", "/api/support", bad.body)
			if bad.status == 413 && bad.field == "" {
				c.Problem(413, a)
				continue
			}
			p := c.Problem(bad.status, a)
			if !strings.HasSuffix(p.Field, bad.field) || strings.Contains(string(a.Body), "zzyzx") {
				t.Errorf("%s: field %q, want %q: %s", name, p.Field, bad.field, a.Body)
			}
		}
	}
	if n := count(t, s, "threads"); n != 0 {
		t.Errorf("%d threads were begun", n)
	}
	if n := count(t, s, "subjects WHERE kind = 'guest'"); n != 2 {
		t.Errorf("%d guests, want the two that there were", n)
	}
	got[api.Thread](g, "POST", "/api/support", obj{"words": strings.Repeat("ŵ", 8000)}) // as long as the form takes
}

// Somebody without a session writes, and is told the same whoever has the address; only so often.
func TestStrangersWrite(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		c := nobody(t, s)
		th := got[api.Thread](c, "POST", "/api/support", obj{"words": said, "email": "Somebody@Example.org"})
		if th.Token == "" || th.Email != "somebody@example.org" {
			t.Fatalf("begun as %+v", th)
		}
		holder := &musatest.Client{T: t, Base: s.URL, Token: th.Token}
		if mine := got[api.Thread](holder, "GET", "/api/support/"+th.ID, nil); len(mine.Messages) != 1 {
			t.Errorf("its holder sees %+v", mine)
		}
		c.Problem(http.StatusUnauthorized, c.Do("GET", "/api/support/"+th.ID, nil))
		c.Problem(http.StatusGone, c.Do("POST", "/api/support/open", obj{"secret": "musav_zzyzx"}))
		for range 9 {
			got[api.Thread](c, "POST", "/api/support", obj{"words": "again"})
		}
		p := c.Problem(http.StatusTooManyRequests, c.Do("POST", "/api/support", obj{"words": "again"}))
		if p.Code != "rate_limited" {
			t.Errorf("refused as %q", p.Code)
		}
		s.Clock.Turn(25 * time.Hour)
		got[api.Thread](c, "POST", "/api/support", obj{"words": "tomorrow"})
	})
}

// A request about a right that reached support is entered and tracked like any other, and its
// clock runs from when it was first said. Promise P-26.
func TestARequestInAThread(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g, helper := s.Guest(), s.Staff(t, musa.RoleSupport)
		th := got[api.Thread](g, "POST", "/api/support", obj{"kind": "privacy", "words": "send me all that you have of me"})
		s.Clock.Turn(5 * 24 * time.Hour)
		path := "/api/admin/support/" + th.ID + "/case"
		helper.Problem(http.StatusBadRequest, helper.Do("POST", path, obj{"right": "happiness"}))
		made := got[api.EnteredCase](helper, "POST", path, obj{"right": "access"})
		helper.Problem(http.StatusConflict, helper.Do("POST", path, obj{"right": "access"}))
		if mine := got[api.Thread](g, "GET", "/api/support/"+th.ID, nil); mine.Object != made.Case || len(mine.Messages) != 2 {
			t.Errorf("the thread says %+v", mine)
		}
		var received, due int64
		must(t, s.DB.SQL().QueryRow("SELECT received, due FROM cases WHERE id = '"+made.Case+"'").Scan(&received, &due))
		if musa.Millis(received).Time() != th.Created.UTC() || musa.Millis(due).Time() != musatest.Months(th.Created.UTC(), 1) {
			t.Errorf("received %v, due %v", musa.Millis(received).Time(), musa.Millis(due).Time())
		}
		g.Want(http.StatusOK, g.Do("GET", "/api/rights/"+made.Case, nil), nil)
	})
}

// Whoever writes with another's address, however often, keeps them from nothing.
func TestLettersWithAnothersAddressKeepNobodyFromWriting(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		letter := obj{"words": "help", "email": "victim@example.net"}
		other := &musatest.Client{T: t, Base: s.URL, From: "127.0.5.1"}
		for range 10 {
			got[api.Thread](other, "POST", "/api/support", letter)
		}
		other.Problem(http.StatusTooManyRequests, other.Do("POST", "/api/support", letter))
		got[api.Thread](&musatest.Client{T: t, Base: s.URL, From: "127.0.5.2"}, "POST", "/api/support", letter)
	})
}

// The link in a mail opens the thread that it is about, and nothing else of whoever wrote: the address
// may have been mistyped.
func TestTheLinkToAnAnswerOpensThatThreadAlone(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g, helper := s.Guest(), s.Staff(t, musa.RoleSupport)
		up := g.Upload("x.png", picture(t))
		th := got[api.Thread](g, "POST", "/api/support", obj{"words": "where is it?", "email": "mistyped@example.net"})
		other := got[api.Thread](g, "POST", "/api/support", obj{"words": "something else"})
		got[api.Thread](helper, "POST", "/api/admin/support/"+th.ID+"/open", obj{"reason": "to answer"})
		got[api.Thread](helper, "POST", "/api/admin/support/"+th.ID+"/messages", obj{"words": "here"})
		_, secret, _ := strings.Cut(s.Mail("mistyped@example.net").Link("/support"), "#")
		in := got[api.OpenedThread](nobody(t, s), "POST", "/api/support/open", obj{"secret": secret})
		reader := &musatest.Client{T: t, Base: s.URL, Token: in.Token}
		if read := got[api.Thread](reader, "GET", "/api/support/"+th.ID, nil); len(read.Messages) != 2 {
			t.Errorf("they read %+v", read)
		}
		got[api.Thread](reader, "POST", "/api/support/"+th.ID+"/messages", obj{"words": "thank you"})
		for _, d := range []struct{ method, path string }{
			{"GET", "/api/assets/" + up.ID + "/content"}, {"GET", "/api/me"}, {"GET", "/api/me/export"}, {"POST", "/api/me/erasure"}, {"POST", "/api/session"},
			{"GET", "/api/support"}, {"GET", "/api/support/" + other.ID}, {"DELETE", "/api/assets/" + up.ID},
		} {
			if p := reader.Problem(http.StatusForbidden, reader.Do(d.method, d.path, nil)); p.Code != "thread_only" {
				t.Errorf("%s %s is refused as %q", d.method, d.path, p.Code)
			}
		}
		g.Want(http.StatusOK, g.Content(up.ID), nil)
	})
}

// What is entered as a request holds all that its person said, leaves what the thread is about, and is
// told to who has an account once.
func TestAnEnteredRequestHoldsAllThatWasSaid(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m, helper, officer := s.Member(), s.Staff(t, musa.RoleSupport), s.Staff(t, musa.RoleCompliance)
		up := m.Upload("x.png", picture(t))
		th := got[api.Thread](m, "POST", "/api/support", obj{"kind": "privacy", "words": "hello", "object": up.ID})
		got[api.Thread](m, "POST", "/api/support/"+th.ID+"/messages", obj{"words": "please erase me"})
		before := len(s.Post(m.Email))
		made := got[api.EnteredCase](helper, "POST", "/api/admin/support/"+th.ID+"/case", obj{"right": "erasure"})
		if n := len(s.Post(m.Email)) - before; n != 1 {
			t.Errorf("%d mails for one act", n)
		}
		if brief := got[api.Request](officer, "GET", "/api/admin/rights/"+made.Case, nil); brief.Words != "hello\n\nplease erase me" {
			t.Errorf("who decides reads %q", brief.Words)
		}
		mine := got[api.Thread](m, "GET", "/api/support/"+th.ID, nil)
		if last := mine.Messages[len(mine.Messages)-1]; mine.Object != up.ID || mine.Case != made.Case || last.Entered != "erasure" || last.Words != "" {
			t.Errorf("the thread says %+v", mine)
		}
	})
}
