package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
)

// planted stands in every request that is wrong. No answer may hold it.
const planted = "marker7q2z"

// TestBadRequests sends requests that are wrong: each answer names the field and repeats
// nothing of what was sent.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload(planted+".png", noisePNG(t, 20, 20), "save", "true")
	order := func(more string) string { return `{"kind":"enhance","inputs":["` + a.ID + `"]` + more + `}` }
	for _, bad := range []struct {
		name, method, path, body string
		status                   int
		field                    string
	}{
		{"broken JSON", "POST", "/api/jobs", `{"kind":"enhance","prompt":"` + planted, 400, "body"},
		{"no JSON", "POST", "/api/jobs", planted, 400, "body"},
		{"no body", "POST", "/api/jobs", "", 400, "body"},
		{"another JSON", "POST", "/api/jobs", `["` + planted + `"]`, 400, "body"},
		{"unknown field", "POST", "/api/jobs", order(`,"` + planted + `":1`), 400, "body"},
		{"unknown kind", "POST", "/api/jobs", `{"kind":"` + planted + `"}`, 400, "kind"},
		{"no kind", "POST", "/api/jobs", `{"prompt":"` + planted + `"}`, 400, "kind"},
		{"kind of another type", "POST", "/api/jobs", `{"kind":["` + planted + `"]}`, 400, "kind"},
		{"a kind that is not here yet", "POST", "/api/jobs", `{"kind":"video","prompt":"` + planted + `"}`, 400, "kind"},
		{"unknown engine", "POST", "/api/jobs", order(`,"engine":"` + planted + `"`), 400, "engine"},
		{"a prompt that is too long", "POST", "/api/jobs", order(`,"prompt":"` + strings.Repeat(planted, 4000) + `"`), 400, "prompt"},
		{"a prompt of another type", "POST", "/api/jobs", order(`,"prompt":{"x":"` + planted + `"}`), 400, "prompt"},
		{"input without form", "POST", "/api/jobs", `{"kind":"enhance","inputs":["` + planted + `"]}`, 404, "inputs[0]"},
		{"input that is a path", "POST", "/api/jobs", `{"kind":"enhance","inputs":["../../` + planted + `"]}`, 404, "inputs[0]"},
		{"no input", "POST", "/api/jobs", `{"kind":"enhance","prompt":"` + planted + `"}`, 400, "inputs"},
		{"too many inputs", "POST", "/api/jobs", `{"kind":"enhance","inputs":[` + strings.Repeat(`"`+planted+`",`, 30) + `"x"]}`, 400, "inputs"},
		{"unknown parameter", "POST", "/api/jobs", order(`,"params":{"` + planted + `":1}`), 400, "params"},
		{"parameter of another type", "POST", "/api/jobs", order(`,"params":{"scale":"` + planted + `"}`), 400, "params.scale"},
		{"scale out of range", "POST", "/api/jobs", order(`,"params":{"scale":3}`), 400, "params.scale"},
		{"unknown step", "POST", "/api/jobs", order(`,"params":{"steps":{"` + planted + `":"on"}}`), 400, "params.steps"},
		{"params that are no object", "POST", "/api/jobs", order(`,"params":"` + planted + `"`), 400, "params"},
		{"a plan with broken JSON", "POST", "/api/plans", `{"prompt":"` + planted, 400, "body"},
		{"unknown role", "GET", "/api/assets/" + a.ID + "/content?role=" + planted, "", 400, "role"},
		{"limit of another type", "GET", "/api/assets?limit=" + planted, "", 400, "query.limit"},
		{"limit out of range", "GET", "/api/assets?limit=100000", "", 400, "query.limit"},
		{"change with broken JSON", "PATCH", "/api/assets/" + a.ID, `{"saved":"` + planted, 400, "body"},
		{"change of another type", "PATCH", "/api/assets/" + a.ID, `{"saved":"` + planted + `"}`, 400, "saved"},
		{"upload without form", "POST", "/api/assets", planted, 400, "file"},
		{"a consent of another type", "PUT", "/api/me/consents", `{"` + planted + `":true}`, 400, "body"},
		{"a consent that nobody asks for", "PUT", "/api/me/consents", `{"` + planted + `":"yes"}`, 400, "body"},
		{"another consent of a visitor", "PUT", "/api/consents", `{"` + planted + `":"yes"}`, 400, "body"},
		{"a right to withdraw nothing", "POST", "/api/rights", `{"right":"withdraw","consent":"` + planted + `"}`, 400, "consent"},
		{"an announcement of another type", "PUT", "/api/me/mails", `{"kinds":{"` + planted + `":null}}`, 400, "kinds"},
		{"a channel of another type", "PUT", "/api/me/mails", `{"kinds":{"` + planted + `":{"mail":1}}}`, 400, "kinds"},
		{"a channel behind a dot", "PUT", "/api/me/mails", `{"kinds":{"` + planted + `.kinds":{"mail":1}}}`, 400, "kinds"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			g := g.In(t)
			answer := g.Send(bad.method, bad.path, "application/json", strings.NewReader(bad.body))
			p := g.Problem(bad.status, answer)
			if p.Field != bad.field || len(p.Detail) < 20 {
				t.Errorf("it names field %q, want %q, in words %q", p.Field, bad.field, p.Detail)
			}
			if strings.Contains(string(answer.Body), planted) {
				t.Errorf("it repeats what was sent: %s", answer.Body)
			}
		})
	}
	t.Run("a save that is no flag", func(t *testing.T) {
		g := g.In(t)
		if p := g.Problem(http.StatusBadRequest, g.Post("x.png", noisePNG(t, 20, 20), "save", planted)); p.Field != "save" {
			t.Errorf("it names field %q", p.Field)
		}
	})
	wantCredits(t, g, 1000, 0)
}

// TestForeign shows that what belongs to somebody else, what was never there and what has
// no form all answer the same 404.
func TestForeign(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	owner, other := s.Guest(), s.Guest()
	a := owner.Upload("mine.png", noisePNG(t, 20, 20), "save", "true")
	j := owner.Enhance(a.ID, nil)
	owner.Await(j.ID)
	never := musa.NewAssetID(time.Now())
	for _, id := range []string{a.ID, string(never), "as_short", planted, "%2e%2e%2fmusa.db", j.ID, strings.Repeat("x", 3000)} {
		for _, call := range []struct{ method, path, body string }{
			{"GET", "/api/assets/" + id, ""}, {"GET", "/api/assets/" + id + "/content", ""}, {"DELETE", "/api/assets/" + id, ""},
			{"PATCH", "/api/assets/" + id, `{"saved":true}`}, {"PATCH", "/api/assets/" + id, `{"erasing":false}`},
			{"GET", "/api/assets/" + id + "/content?role=thumb", ""},
		} {
			wantAbsent(t, other, call.method, call.path, call.body)
		}
	}
	for _, id := range []string{j.ID, string(musa.NewJobID(time.Now())), "jo_short", planted, a.ID} {
		for _, call := range []struct{ method, path string }{{"GET", "/api/jobs/" + id}, {"DELETE", "/api/jobs/" + id}, {"GET", "/api/jobs/" + id + "/events"}} {
			wantAbsent(t, other, call.method, call.path, "")
		}
	}
	wantAbsent(t, other, "POST", "/api/jobs", `{"kind":"enhance","inputs":["`+a.ID+`"]}`)
	wantAbsent(t, other, "GET", "/api/receipts/"+string(never), "")
	wantAbsent(t, other, "GET", "/api/"+planted, "")
	// Expired: gone with a reason for its owner, still absent for everybody else.
	s.Clock.Turn(25 * time.Hour)
	p := owner.Problem(http.StatusGone, owner.Content(a.ID))
	if p.Code != "gone" || p.Reason == "" || len(p.Detail) < 20 {
		t.Errorf("410 with code %q, reason %q and words %q", p.Code, p.Reason, p.Detail)
	}
	wantAbsent(t, other, "GET", "/api/assets/"+a.ID+"/content", "")
	wantAbsent(t, other, "GET", "/api/assets/"+a.ID, "")
	if p := owner.Problem(http.StatusGone, owner.Do("POST", "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{a.ID}})); p.Field != "inputs[0]" {
		t.Errorf("an order with an expired picture names field %q", p.Field)
	}
}

func wantAbsent(t *testing.T, c *musatest.Client, method, path, body string) {
	t.Helper()
	answer := c.Send(method, path, "application/json", strings.NewReader(body))
	p := c.Problem(http.StatusNotFound, answer)
	if strings.Contains(string(answer.Body), planted) || len(p.Detail) < 10 {
		t.Errorf("%s: %s", method, answer.Body)
	}
}

// TestWithoutToken shows that nothing is told to nobody.
func TestWithoutToken(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload("mine.png", noisePNG(t, 20, 20))
	for _, token := range []string{"", "wrong", "Bearer", g.Token + "x", g.Token[:len(g.Token)-1]} {
		nobody := &musatest.Client{T: t, Base: s.URL, Token: token}
		for _, path := range []string{"/api/me", "/api/assets", "/api/assets/" + a.ID, "/api/assets/" + a.ID + "/content",
			"/api/jobs/" + string(musa.NewJobID(time.Now())), "/api/jobs/" + string(musa.NewJobID(time.Now())) + "/events"} {
			nobody.Problem(http.StatusUnauthorized, nobody.Do("GET", path, nil))
		}
		before := standing(t, s)
		nobody.Problem(http.StatusUnauthorized, nobody.Post("x.png", noisePNG(t, 30, 30)))
		if after := standing(t, s); after != before {
			t.Errorf("something stayed of an upload by nobody: %s", after)
		}
	}
}

// TestCredits: what cannot be paid is not begun, and nothing is charged for it.
func TestCredits(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Credit: 2})
	g := s.Guest()
	a := g.Upload("mine.png", noisePNG(t, 20, 20), "save", "true")
	g.Made(a.ID, nil)
	g.Made(a.ID, nil)
	wantCredits(t, g, 0, 0)
	before := standing(t, s)
	p := g.Problem(http.StatusPaymentRequired, g.Do("POST", "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{a.ID}}))
	if p.Code != "not_enough_credits" {
		t.Errorf("code %q", p.Code)
	}
	if after := standing(t, s); after != before {
		t.Errorf("something stayed of an order that was refused:\n%s", after)
	}
	wantCredits(t, g, 0, 0)
}

func wantCredits(t *testing.T, c *musatest.Client, credits, held int64) {
	t.Helper()
	var me api.Me
	c.Want(http.StatusOK, c.Do("GET", "/api/me", nil), &me)
	if me.Credits != credits || me.Held != held {
		t.Errorf("%d credits and %d held, want %d and %d", me.Credits, me.Held, credits, held)
	}
}
