package account_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
)

// both runs a test on a studio of each kind of store.
func both(t *testing.T, r musatest.Rig, f func(t *testing.T, s *musatest.Studio)) {
	t.Helper()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			r.Stores = stores
			f(t, musatest.New(t, r))
		})
	}
}

func waysOf(c *musatest.Client) (l api.Logins) {
	c.T.Helper()
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/logins", nil), &l)
	return l
}

// A guest becomes a person by a passkey alone: the same subject, in a new session; the former one
// is over. The passkey signs them in from anywhere, and proves who they are.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	both(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		guest := s.Guest()
		id := guest.Subject()
		person, key := s.Become(guest)
		var me api.Me
		person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me", nil), &me)
		if me.Subject != string(id) || me.Tier != string(musa.TierMember) {
			t.Errorf("the guest %s became %s, %s", id, me.Subject, me.Tier)
		}
		guest.Problem(http.StatusUnauthorized, guest.Do(http.MethodGet, "/api/me", nil))

		var e api.Entry
		for range 2 {
			person.Want(http.StatusOK, key.SignIn(person), &e)
			if e.Subject != string(id) || e.Token == "" || e.Token == person.Token {
				t.Errorf("the passkey opened %+v", e)
			}
		}
		s.Clock.Turn(10 * time.Minute)
		late := &musatest.Client{T: t, Base: s.URL, Token: e.Token}
		if p := late.Problem(http.StatusForbidden, late.Do(http.MethodPost, "/api/passkeys/begin", nil)); p.Code != "prove_first" {
			t.Errorf("ten minutes later a passkey is added without a proof: %s", p.Code)
		}
		a := late.Ask("/api/me/prove/passkey/begin")
		late.Want(http.StatusNoContent, late.Do(http.MethodPost, "/api/me/prove/passkey/finish", musatest.Order{"flow": a.Flow, "credential": key.Signed(late, a)}), nil)

		first := waysOf(late).Logins[0]
		if p := late.Problem(http.StatusConflict, late.Do(http.MethodDelete, "/api/me/logins/"+first.ID, nil)); p.Code != "login_last" {
			t.Errorf("the last way in is removed: %s", p.Code)
		}
		second := s.Passkey()
		late.Want(http.StatusOK, second.Keep(late, musatest.Order{"name": "Second one"}), nil)
		if l := waysOf(late).Logins; len(l) != 2 || l[1].Name != "Second one" || l[1].Kind != "passkey" {
			t.Errorf("the ways in are %+v", l)
		}
		late.Want(http.StatusNoContent, late.Do(http.MethodDelete, "/api/me/logins/"+first.ID, nil), nil)
		late.Problem(http.StatusForbidden, key.SignIn(late))
		late.Want(http.StatusOK, second.SignIn(late), nil)
	})
}

// What an authenticator answers is refused, in the same words, when anything of it does not fit,
// and no answer works twice, late, or for another question.
func TestPasskeyRefusals(t *testing.T) {
	t.Parallel()
	both(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		person, key := s.Person()
		nobody := &musatest.Client{T: t, Base: s.URL}
		finish := func(flow string, credential json.RawMessage) musatest.Answer {
			return nobody.Do(http.MethodPost, "/api/session/passkey/finish", musatest.Order{"flow": flow, "credential": credential})
		}
		wrong := map[string]func(p *musatest.Passkey){
			"another site's":          func(p *musatest.Passkey) { p.Site.Origin = "https://evil.example" },
			"another name's":          func(p *musatest.Passkey) { p.Site.ID = "evil.example" },
			"not unlocked":            func(p *musatest.Passkey) { p.Device.Options.UserNotVerified = true },
			"nobody at the device":    func(p *musatest.Passkey) { p.Device.Options.UserNotPresent = true },
			"another key":             func(p *musatest.Passkey) { p.Credential.Key = s.Passkey().Credential.Key },
			"an unknown one":          func(p *musatest.Passkey) { p.Credential.ID = []byte("0123456789abcdef0123456789abcdef") },
			"for another account":     func(p *musatest.Passkey) { p.Device.Options.UserHandle = []byte("somebody else") },
			"without an account's id": func(p *musatest.Passkey) { p.Device.Options.UserHandle = nil },
		}
		words := ""
		for what, spoil := range wrong {
			p := *key
			spoil(&p)
			a := nobody.Ask("/api/session/passkey/begin")
			got := nobody.Problem(http.StatusForbidden, finish(a.Flow, p.Signed(nobody, a)))
			if words == "" {
				words = got.Detail
			}
			if got.Code != "passkey_wrong" || got.Detail != words {
				t.Errorf("%s: %s, %q", what, got.Code, got.Detail)
			}
		}

		a := nobody.Ask("/api/session/passkey/begin")
		answer := key.Signed(nobody, a)
		nobody.Want(http.StatusOK, finish(a.Flow, answer), nil)
		if p := nobody.Problem(http.StatusGone, finish(a.Flow, answer)); p.Reason != "link_over" {
			t.Errorf("the same answer twice: %+v", p)
		}
		b := nobody.Ask("/api/session/passkey/begin")
		nobody.Problem(http.StatusForbidden, finish(b.Flow, answer)) // for another question
		c := nobody.Ask("/api/session/passkey/begin")
		late := key.Signed(nobody, c)
		s.Clock.Turn(5*time.Minute - time.Second)
		nobody.Want(http.StatusOK, finish(c.Flow, late), nil)
		c = nobody.Ask("/api/session/passkey/begin")
		late = key.Signed(nobody, c)
		s.Clock.Turn(5 * time.Minute)
		nobody.Problem(http.StatusGone, finish(c.Flow, late))

		copied := *key
		copied.Credential.Counter -= 2
		person.Problem(http.StatusForbidden, copied.SignIn(person))
		person.Want(http.StatusOK, key.SignIn(person), nil)

		other, stranger := s.Guest(), s.Guest()
		q := other.Ask("/api/passkeys/begin")
		theft := musatest.Grown()
		theft["flow"], theft["credential"] = q.Flow, s.Passkey().Made(stranger, q)
		stranger.Problem(http.StatusGone, stranger.Do(http.MethodPost, "/api/passkeys/finish", theft))
		again := *key // a passkey that is somebody's already
		other.Problem(http.StatusConflict, again.Keep(other, musatest.Grown()))
		if got := s.Passkey().Keep(other, musatest.Order{"country": "DE", "born": s.Clock.Now().AddDate(-15, 0, 0).Format(time.DateOnly)}); got.Status != http.StatusForbidden {
			t.Errorf("somebody of fifteen gets an account in Germany: %d", got.Status)
		}
	})
}
