package rights_test

import (
	"net/http"
	"testing"

	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
)

// ask makes a request about a right.
func ask(c *musatest.Client, status int, body musatest.Order) (r api.Request) {
	c.T.Helper()
	c.Want(status, c.Do(http.MethodPost, "/api/rights", body), &r)
	return r
}

// A restriction freezes what is made of a person's data. It must not lock them out: whoever
// restricted the use still signs in, proves who they are, writes to support, takes all of it
// along, closes the account, and lifts the restriction.
func TestARestrictionLocksNobodyOut(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			m := s.Member()
			a := m.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			r := ask(m, http.StatusCreated, musatest.Order{"right": "restriction"})
			s.Mail(m.Email) // they hear of their request all the same
			if p := m.Problem(http.StatusConflict, m.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "restriction"})); p.Code != "request_stands" {
				t.Errorf("a second restriction answers %s", p.Code)
			}

			again := &musatest.Client{T: t, Base: s.URL, Email: m.Email}
			var in api.Entry
			again.Want(http.StatusOK, again.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": m.Email, "password": musatest.Password}), &in)
			again.Token = in.Token
			again.Want(http.StatusNoContent, again.Do(http.MethodPost, "/api/me/prove", musatest.Order{"password": musatest.Password}), nil)
			for _, path := range []string{"/api/me", "/api/me/profile", "/api/me/sessions", "/api/me/privacy", "/api/me/holdings", "/api/me/consents", "/api/rights"} {
				again.Want(http.StatusOK, again.Do(http.MethodGet, path, nil), nil)
			}
			again.Want(http.StatusOK, again.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"name": "Ann"}), nil)
			again.Want(http.StatusCreated, again.Do(http.MethodPost, "/api/support", musatest.Order{"kind": "question", "words": "how long does this take?"}), nil)
			if _, took := again.Export("/api/me/export"); len(took.Lines(t)) != 1 {
				t.Error("the export lacks the picture")
			}
			for _, frozen := range []musatest.Answer{again.Content(a.ID), again.Post("dog.png", photos.Read(t, "chelsea.png")),
				again.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{a.ID}})} {
				if p := again.Problem(http.StatusForbidden, frozen); p.Code != "restricted" {
					t.Errorf("refused as %s: %s", p.Code, p.Detail)
				}
			}
			if got := me(again); got.Restricted == nil || !got.Restricted.Since.Equal(*r.Answered) || len(got.Restricted.Requests) != 1 || got.Restricted.Requests[0] != r.ID {
				t.Errorf("what stands above the pages: %+v", got.Restricted)
			}
			again.Want(http.StatusOK, again.Do(http.MethodDelete, "/api/rights/"+r.ID, nil), nil)
			if got := me(again); got.Restricted != nil {
				t.Errorf("after it was lifted: %+v", got.Restricted)
			}
			again.Want(http.StatusOK, again.Content(a.ID), nil)
			ask(again, http.StatusCreated, musatest.Order{"right": "restriction"})
			again.Want(http.StatusAccepted, again.Do(http.MethodPost, "/api/me/erasure", nil), nil)
		})
	}
}

func me(c *musatest.Client) (me api.Me) {
	c.T.Helper()
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me", nil), &me)
	return me
}
