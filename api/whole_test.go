package api_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"musa/api"
	"musa/musatest"
)

// A request that is refused changes nothing, not even the part of it that would have done.
func TestARefusedRequestChangesNothing(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "workspace"})
	c := s.Member()
	pages := func() string {
		var out api.Mails
		c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/mails", nil), &out)
		var on []string
		for _, k := range out.Kinds {
			if k.Page == "yes" {
				on = append(on, k.Kind)
			}
		}
		return strings.Join(on, " ")
	}
	yes := map[string]string{"page": "yes"}
	for range 8 { // in whatever order the kinds come
		p := c.Problem(http.StatusBadRequest, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": map[string]any{
			"news": yes, "survey": yes, "promotion": yes, "weather": yes}}))
		if p.Code != "list_unknown" || p.Field != "kinds" {
			t.Errorf("an unknown kind is told as %+v", p)
		}
		if on := pages(); on != "" {
			t.Fatalf("the request was refused, and %s are on", on)
		}
	}
	c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": map[string]any{"news": yes, "survey": yes}}), nil)
	if on := pages(); on != "news survey" {
		t.Errorf("of two kinds on are %q", on)
	}

	var ws api.Workspace
	c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier"}), &ws)
	path := "/api/workspaces/" + ws.ID
	for name, wish := range map[string]musatest.Order{
		"a region that is not offered": {"name": "Bureau", "enforced": musatest.Order{"no_training": true, "shortest_retention": true, "region": "mars"}},
		"a name of spaces":             {"name": "  ", "enforced": musatest.Order{"no_training": true}},
	} {
		if ans := c.Do(http.MethodPatch, path, wish); ans.Status < 400 {
			t.Fatalf("%s: answered %d", name, ans.Status)
		}
		var now api.Workspace
		c.Want(http.StatusOK, c.Do(http.MethodGet, path, nil), &now)
		if now.Name != "Atelier" || now.Enforced.NoTraining || now.Enforced.Shortest {
			t.Errorf("%s: refused, and yet it is %+v", name, now)
		}
	}
	c.Want(http.StatusOK, c.Do(http.MethodPatch, path, musatest.Order{"name": "Bureau", "enforced": musatest.Order{"shortest_retention": true}}), &ws)
	if ws.Name != "Bureau" || !ws.Enforced.Shortest || ws.Enforced.Keep != "7d" {
		t.Errorf("after a change that is allowed it is %+v; the time stands as the policy writes it", ws)
	}
}

// What is answered about news obeys the browser's signal in the request that changes them, as in the
// one that reads them.
func TestTheSignalCountsInTheAnswerAboutMails(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Member()
	c.Header = http.Header{"Sec-GPC": {"1"}}
	var said, read api.Mails
	c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": map[string]any{"news": map[string]string{"page": "yes"}}}), &said)
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/mails", nil), &read)
	page := func(m api.Mails) string {
		out := map[string]string{}
		for _, k := range m.Kinds {
			out[k.Kind] = k.Page
		}
		return out["news"]
	}
	if page(said) != "no" || page(read) != "no" {
		t.Errorf("under the signal news are %q in the answer to the change and %q when read", page(said), page(read))
	}
	c.Header = nil
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/mails", nil), &read)
	if page(read) != "yes" {
		t.Errorf("without the signal news are %q, after a yes", page(read))
	}
}

// Whatever stands in an address is answered as what it is: no such thing, or no such page.
func TestNothingInAnAddressBreaksTheServer(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "workspace"})
	c := s.Member()
	var ws api.Workspace
	c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier"}), &ws)
	for _, odd := range []string{"%00", "a%00b", "%ff", "nothing", "'", strings.Repeat("x", 3000)} {
		for _, path := range []string{"/api/assets", "/api/rights", "/api/me/ledger", "/api/me/disclosures", "/api/support", "/api/surveys"} {
			if p := c.Problem(http.StatusBadRequest, c.Do(http.MethodGet, path+"?after="+odd, nil)); p.Field != "query.after" {
				t.Errorf("%s: a page after %.9s is told as %+v", path, odd, p)
			}
		}
		for _, path := range []string{"/api/me/sessions/" + odd, "/api/workspaces/" + ws.ID + "/invitations/" + odd} {
			c.Problem(http.StatusNotFound, c.Do(http.MethodDelete, path, nil))
		}
	}
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/assets?after=&limit=1", nil), nil)
}

// The scheme before a token may be written in any case (RFC 9110 § 11.1).
func TestBearerInAnyCase(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	for _, scheme := range []string{"bearer ", "BEARER ", "Bearer  "} {
		c := musatest.Client{T: t, Base: g.Base, Header: http.Header{"Authorization": {scheme + g.Token}}}
		c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me", nil), nil)
		c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/session", nil), nil)
	}
}

// A page fetches pictures of a workspace without headers, and asks for their head alone likewise.
func TestTheHeadOfAWorkspacesPicture(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "workspace"})
	c := s.Member()
	var ws api.Workspace
	c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier"}), &ws)
	a := c.At(ws.ID).Upload("x.png", noisePNG(t, 20, 20))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		ans := c.Do(method, "/api/assets/"+a.ID+"/content?workspace="+ws.ID, nil)
		if ans.Status != http.StatusOK {
			t.Errorf("%s answers %d", method, ans.Status)
		}
	}
}

// A visitor's own answers are shown where nobody is known, not where somebody's credentials do not
// reach: they would take them for their account's.
func TestConsentsOfSomebodyWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Member()
	lost := c.At("su_00000000000000000000000000")
	lost.Problem(http.StatusNotFound, lost.Do(http.MethodGet, "/api/consents", nil))
	var out api.Consents
	stale := musatest.Client{T: t, Base: c.Base, Token: "musa_over"}
	stale.Want(http.StatusOK, stale.Do(http.MethodGet, "/api/consents", nil), &out)
	if out.Known {
		t.Error("a session that is over knows somebody")
	}
}

// What a closed account may still be asked about is shown, also where the policy restricts what is
// left of it: no field of the account can be switched any more.
func TestPrivacyOfAClosedAccount(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "conversational"})
	c := s.Member()
	fields := func() map[string]bool {
		var out api.PrivacyPage
		c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/privacy", nil), &out)
		on := map[string]bool{}
		for _, w := range out.Switches {
			on[w.Kind] = true
		}
		return on
	}
	if kinds := fields(); !kinds["field"] || !kinds["consent"] {
		t.Fatalf("an open account has switches of %v", kinds)
	}
	c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/me/erasure", nil), nil)
	if kinds := fields(); !maps.Equal(kinds, map[string]bool{"consent": true, "interaction_log": true}) {
		t.Errorf("a closed account has switches of %v", kinds)
	}
}
