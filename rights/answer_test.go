package rights_test

import (
	"net/http"
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
			added, err := s.Accounts.AddStaff(t.Context(), musa.RoleCompliance)
			if err != nil {
				t.Fatal(err)
			}
			officer := &musatest.Client{T: t, Base: s.URL, Token: added.Token}
			m, other := s.Member(), s.Guest()
			up := m.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
			theirs := other.Upload("b.png", photos.Read(t, "chelsea.png"))
			ask := func() string {
				var r api.Request
				m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "erasure", "words": "please erase me"}), &r)
				return "/api/admin/rights/" + r.ID + "/answer"
			}
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
