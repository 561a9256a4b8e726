package rights_test

import (
	"net/http"
	"strings"
	"testing"

	"musa"
	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
)

// A request for erasure that waited for a person is done when something was erased, and not before:
// its answer carries it out by the way that the person has themselves.
func TestAnAnswerToAnErasureErases(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: graceful(t)})
			officer := s.Staff(t, musa.RoleCompliance)
			m, other := s.Member(), s.Guest()
			up := m.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
			theirs := other.Upload("b.png", photos.Read(t, "chelsea.png"))
			ask := func() string {
				var r api.Request
				m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "erasure", "words": "please erase me"}), &r)
				return "/api/admin/rights/" + r.ID + "/answer"
			}
			if p := m.Problem(http.StatusBadRequest, m.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "erasure", "unit": "account", "asset": up.ID})); p.Code != "unit_unclear" {
				t.Errorf("a picture and everything at once is refused as %q", p.Code)
			}
			m.Want(http.StatusOK, m.Content(up.ID), nil)
			first, second := ask(), ask()
			for _, body := range []musatest.Order{{"words": "done"}, {"words": "done", "unit": "asset"}, {"words": "done", "unit": "account", "asset": up.ID}} {
				if p := officer.Problem(http.StatusBadRequest, officer.Do(http.MethodPost, first, body)); p.Code != "unit_needed" {
					t.Errorf("%v is refused as %q", body, p.Code)
				}
			}
			officer.Problem(http.StatusNotFound, officer.Do(http.MethodPost, first, musatest.Order{"words": "done", "unit": "asset", "asset": theirs.ID}))
			var r api.Request
			officer.Want(http.StatusOK, officer.Do(http.MethodPost, first, musatest.Order{"words": "that picture is gone", "unit": "asset", "asset": up.ID}), &r)
			m.Problem(http.StatusGone, m.Content(up.ID))
			if r.Outcome != "erasure_ordered" || r.Undo == nil {
				t.Errorf("answered as %+v", r)
			}
			officer.Want(http.StatusOK, officer.Do(http.MethodPost, second, musatest.Order{"words": "all of it is gone", "unit": "account"}), &r)
			var closing api.Closing
			m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me/erasure", nil), &closing)
			if closing.Closed == nil || r.Outcome != "account_closed" {
				t.Errorf("answered as %+v, closed: %+v", r, closing)
			}
			var mine api.Request
			m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/rights/"+r.ID, nil), &mine)
			if mine.Answer != "all of it is gone" {
				t.Errorf("the person is told %q", mine.Answer)
			}
			m.Want(http.StatusNoContent, m.Do(http.MethodDelete, "/api/me/erasure", nil), nil)
		})
	}
}

// What a person asks to have corrected and leaves to the staff is corrected by the answer, and
// "done" alone corrects nothing. An account's fields are the policy's, and an address is proved.
func TestAnAnswerToARectificationCorrects(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: graceful(t)})
			officer := s.Staff(t, musa.RoleCompliance)
			m, g := s.Member(), s.Guest()
			ask := func(c *musatest.Client, right string) string {
				var r api.Request
				c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/rights", musatest.Order{"right": right, "words": "I am Ada, not Eda"}), &r)
				return "/api/admin/rights/" + r.ID + "/answer"
			}
			says := func() (p api.Person) {
				m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me/profile", nil), &p)
				return p
			}
			m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"name": "Eda", "username": "eda"}), nil)
			before := says()
			place := ask(m, "rectification")
			for _, c := range []struct {
				place, code string
				status      int
				correct     musatest.Order
			}{
				{place, "field_long", http.StatusBadRequest, musatest.Order{"name": strings.Repeat("a", 101)}},
				{place, "username_unusable", http.StatusBadRequest, musatest.Order{"name": "Ada", "username": "-"}},
				{ask(m, "erasure"), "correction_unmeant", http.StatusBadRequest, musatest.Order{"name": "Ada"}},
				{ask(g, "rectification"), "nothing_to_correct", http.StatusConflict, musatest.Order{"name": "Ada"}},
			} {
				if p := officer.Problem(c.status, officer.Do(http.MethodPost, c.place, musatest.Order{"words": "done", "correct": c.correct})); p.Code != c.code {
					t.Errorf("%v is refused as %q, not %q", c.correct, p.Code, c.code)
				}
			}
			m.Problem(http.StatusNotFound, m.Do(http.MethodPost, place, musatest.Order{"words": "done", "correct": musatest.Order{"name": "Ada"}}))
			if got := says(); got != before {
				t.Errorf("a refused correction left %+v", got)
			}
			var r api.Request
			officer.Want(http.StatusOK, officer.Do(http.MethodPost, place, musatest.Order{"words": "you are Ada now", "correct": musatest.Order{"name": "Ada"}}), &r)
			before.Name = "Ada"
			if got := says(); got != before || r.State != "answered" || r.Outcome != "done" {
				t.Errorf("corrected to %+v, answered as %+v", got, r)
			}
			var mine api.Request
			m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/rights/"+r.ID, nil), &mine)
			if mine.Answer != "you are Ada now" {
				t.Errorf("the person is told %q", mine.Answer)
			}
		})
	}
}

// Of two requests that come to the same, one is in effect: taken back, nothing of it binds any more.
func TestTwoObjectionsAreOneInEffect(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	officer := s.Staff(t, musa.RoleCompliance)
	m := s.Member()
	var said [2]api.Request
	for i := range said { // both wait: nothing is in effect yet that could be refused for
		m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "objection", "purpose": "secure"}), &said[i])
	}
	for i := range said {
		officer.Want(http.StatusOK, officer.Do(http.MethodPost, "/api/admin/rights/"+said[i].ID+"/answer", musatest.Order{"words": "it is stopped"}), &said[i])
	}
	if said[0].Outcome != "upheld" || said[1].Outcome != "done" {
		t.Errorf("they came to %q and %q", said[0].Outcome, said[1].Outcome)
	}
	stopped := func() bool {
		var out api.PrivacyPage
		m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me/privacy", nil), &out)
		return len(out.Objections) == 1 && out.Objections[0].Stopped
	}
	if !stopped() {
		t.Error("upheld, and not stopped")
	}
	m.Want(http.StatusOK, m.Do(http.MethodDelete, "/api/rights/"+said[0].ID, nil), nil)
	if stopped() {
		t.Error("the one objection in effect was taken back, and it is stopped all the same")
	}
}
