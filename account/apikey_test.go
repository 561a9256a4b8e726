package account_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
)

func newKey(c *musatest.Client, name string, scopes ...string) (api.Key, *musatest.Client) {
	c.T.Helper()
	var k api.Key
	c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/me/keys", musatest.Order{"name": name, "scopes": scopes, "days": 30}), &k)
	return k, &musatest.Client{T: c.T, Base: c.Base, Token: k.Secret}
}

// A key that asks for rights erases nothing by asking: that is another scope.
func TestAKeyThatAsksErasesNothing(t *testing.T) {
	t.Parallel()
	both(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		person, _ := s.Person()
		up := person.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
		ask := musatest.Order{"right": "erasure", "unit": "asset", "asset": up.ID}
		_, asks := newKey(person, "asks", "account", "read")
		if p := asks.Problem(http.StatusForbidden, asks.Do(http.MethodPost, "/api/rights", ask)); p.Code != "scope_missing" {
			t.Errorf("refused as %q", p.Code)
		}
		person.Want(http.StatusOK, person.Content(up.ID), nil)
		_, erases := newKey(person, "erases", "account", "erase")
		erases.Want(http.StatusCreated, erases.Do(http.MethodPost, "/api/rights", ask), nil)
	})
}

// A key of the API does what its scopes say, until it expires or is revoked, and never what only a
// person may. Its secret is shown once and lies nowhere, its name only sealed.
func TestAPIKeys(t *testing.T) {
	t.Parallel()
	both(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		person, _ := s.Person()
		const planted = "Zebrafinkenschluessel"
		k, reader := newKey(person, planted, "read")
		_, maker := newKey(person, "maker", "create", "erase")
		if found := musatest.Find(t, s.Dirs, musatest.Markers{"secret": []byte(strings.TrimPrefix(k.Secret, "musak_")), "name": []byte(planted)}); len(found) > 0 {
			t.Errorf("in clear: %v", found)
		}
		up := maker.Upload("a.png", photos.Read(t, "chelsea.png"))
		reader.Want(http.StatusOK, reader.Do(http.MethodGet, "/api/assets/"+up.ID, nil), nil)
		reader.Want(http.StatusOK, reader.Do(http.MethodGet, "/api/policy", nil), nil)
		refused := []struct {
			by           *musatest.Client
			method, path string
			code         string
		}{
			{reader, http.MethodDelete, "/api/assets/" + up.ID, "scope_missing"},
			{maker, http.MethodGet, "/api/assets/" + up.ID, "scope_missing"},
			{reader, http.MethodGet, "/api/me/keys", "key_never"},
			{maker, http.MethodPost, "/api/me/keys", "key_never"},
			{maker, http.MethodPost, "/api/me/erasure", "key_never"},
			{maker, http.MethodPost, "/api/passkeys/begin", "key_never"},
			{maker, http.MethodDelete, "/api/me/totp", "key_never"},
		}
		for _, r := range refused {
			if p := r.by.Problem(http.StatusForbidden, r.by.Do(r.method, r.path, nil)); p.Code != r.code {
				t.Errorf("%s %s: %s, want %s", r.method, r.path, p.Code, r.code)
			}
		}
		maker.Want(http.StatusAccepted, maker.Do(http.MethodDelete, "/api/assets/"+up.ID, nil), nil)
		if a := maker.Do(http.MethodGet, "/api/admin/figures", nil); a.Status != http.StatusNotFound {
			t.Errorf("a key at the staff's door: %d", a.Status)
		}

		var list []api.Key
		person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me/keys", nil), &list)
		if len(list) != 2 || list[0].Name != planted && list[1].Name != planted || list[0].Secret != "" || list[0].Used == nil && list[1].Used == nil {
			t.Errorf("the list of keys is %+v", list)
		}
		other, _ := s.Person()
		other.Problem(http.StatusNotFound, other.Do(http.MethodDelete, "/api/me/keys/"+k.ID, nil))
		person.Want(http.StatusNoContent, person.Do(http.MethodDelete, "/api/me/keys/"+k.ID, nil), nil)
		reader.Problem(http.StatusUnauthorized, reader.Do(http.MethodGet, "/api/me", nil))

		_, until := newKey(person, "until", "read")
		s.Clock.Turn(30*24*time.Hour - time.Second)
		until.Want(http.StatusOK, until.Do(http.MethodGet, "/api/me", nil), nil)
		s.Clock.Turn(time.Second)
		until.Problem(http.StatusUnauthorized, until.Do(http.MethodGet, "/api/me", nil))
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := s.DB.SQL().QueryRow("SELECT COUNT(*) FROM api_keys").Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%d expired keys are left, %v", rows, err)
		}
	})
}

// What a new key cannot be is said in words; a guest has none.
func TestAPIKeyWishes(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	person, _ := s.Person()
	for _, w := range []musatest.Order{
		{"name": "x", "scopes": []string{"everything"}},
		{"name": "x", "scopes": []string{}},
		{"name": "x\ny", "scopes": []string{"read"}},
		{"name": strings.Repeat("x", 10<<20), "scopes": []string{"read"}},
		{"name": "x", "scopes": []string{"read"}, "days": 367},
		{"name": "x", "scopes": []string{"read"}, "days": -1},
	} {
		if a := person.Do(http.MethodPost, "/api/me/keys", w); a.Status != http.StatusBadRequest && a.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%v: %d %s", w["scopes"], a.Status, bytes.TrimSpace(a.Body))
		}
	}
	guest := s.Guest()
	if p := guest.Problem(http.StatusForbidden, guest.Do(http.MethodPost, "/api/me/keys", musatest.Order{"name": "x", "scopes": []string{"read"}})); p.Code != "account_needed" {
		t.Errorf("a guest's key: %s", p.Code)
	}
	s.Clock.Turn(10 * time.Minute)
	if p := person.Problem(http.StatusForbidden, person.Do(http.MethodPost, "/api/me/keys", musatest.Order{"name": "x", "scopes": []string{"read"}})); p.Code != "prove_first" {
		t.Errorf("a key without a proof: %s", p.Code)
	}
}
