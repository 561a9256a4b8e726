package account_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/musatest"
)

// Whoever knows a password does not guess their way past the second factor, from however many
// networks and beginnings; the person is told, and gets in by a recovery code meanwhile.
func TestCodesAreNotGuessed(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		var app api.TOTP
		var codes api.Codes
		m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp", nil), &app)
		m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp/confirm", musatest.Order{"code": codeAt(t, app.Secret, s.Clock.Now())}), &codes)
		bring := func(c *musatest.Client, code string) musatest.Answer {
			var half api.Entry
			c.Want(http.StatusOK, signIn(c, m.Email, musatest.Password), &half)
			return c.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": half.Factor, "code": code})
		}
		for i := range 19 {
			from(s, i).Problem(http.StatusBadRequest, bring(from(s, i), "000000"))
		}
		s.Clock.Turn(30 * time.Second)
		thief, owner := from(s, 50), from(s, 51)
		a := bring(thief, "000000")
		if p := thief.Problem(http.StatusTooManyRequests, a); p.Code != "codes_limited" || a.Header.Get("Retry-After") == "" {
			t.Errorf("the twentieth guess: %+v", p)
		}
		thief.Problem(http.StatusTooManyRequests, bring(thief, codeAt(t, app.Secret, s.Clock.Now())))
		if told := s.Mail(m.Email); !strings.Contains(told.Text, "wrong codes") {
			t.Errorf("the person hears %q", told.Text)
		}
		owner.Want(http.StatusOK, bring(owner, codes.Codes[0]), nil)
		// Another password, and the thief has nothing to guess for.
		owner.Want(http.StatusAccepted, askReset(owner, m.Email), nil)
		owner.Want(http.StatusNoContent, reset(owner, s.Secret(m.Email), "green umbrella weather"), nil)
		var half, in api.Entry
		owner.Want(http.StatusOK, signIn(owner, m.Email, "green umbrella weather"), &half)
		owner.Want(http.StatusOK, owner.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": half.Factor, "code": codeAt(t, app.Secret, s.Clock.Now())}), &in)
		if in.Token == "" {
			t.Errorf("both factors open %+v", in)
		}
	})
}

// Who reads the mails of an account sets a new password as often as they like, and guesses no more
// codes for that. Its person, who changes the password in a session, begins anew.
func TestAResetGivesNoMoreGuesses(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		var app api.TOTP
		m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp", nil), &app)
		m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp/confirm", musatest.Order{"code": codeAt(t, app.Secret, s.Clock.Now())}), nil)
		bring := func(c *musatest.Client, password, code string) musatest.Answer {
			var half api.Entry
			c.Want(http.StatusOK, signIn(c, m.Email, password), &half)
			return c.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": half.Factor, "code": code})
		}
		for i := range 20 {
			bring(from(s, i), musatest.Password, "000000")
		}
		s.Clock.Turn(30 * time.Second)
		thief := from(s, 50)
		m.Want(http.StatusNoContent, m.Do(http.MethodPut, "/api/me/password", musatest.Order{"password": "green umbrella weather"}), nil)
		thief.Want(http.StatusOK, bring(from(s, 51), "green umbrella weather", codeAt(t, app.Secret, s.Clock.Now())), nil)
		for i := range 20 {
			bring(from(s, 60+i), "green umbrella weather", "000000")
		}
		s.Clock.Turn(30 * time.Second)
		thief.Want(http.StatusAccepted, askReset(thief, m.Email), nil)
		thief.Want(http.StatusNoContent, reset(thief, s.Secret(m.Email), "yellow umbrella weather"), nil)
		if p := thief.Problem(http.StatusTooManyRequests, bring(thief, "yellow umbrella weather", codeAt(t, app.Secret, s.Clock.Now()))); p.Code != "codes_limited" {
			t.Errorf("after a reset: %+v", p)
		}
	})
}

// What the former password let somebody begin is over with it.
func TestHalfASignInEndsWithThePassword(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	m := s.Member()
	var app api.TOTP
	m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp", nil), &app)
	m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/me/totp/confirm", musatest.Order{"code": codeAt(t, app.Secret, s.Clock.Now())}), nil)
	thief := stranger(s)
	var half api.Entry
	thief.Want(http.StatusOK, signIn(thief, m.Email, musatest.Password), &half)
	m.Want(http.StatusNoContent, m.Do(http.MethodPut, "/api/me/password", musatest.Order{"password": "green umbrella weather"}), nil)
	s.Clock.Turn(30 * time.Second)
	thief.Problem(http.StatusGone, thief.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": half.Factor, "code": codeAt(t, app.Secret, s.Clock.Now())}))
}

// A stolen session guesses the password a few times, from wherever it is used, and its guesses
// cost the person's other sessions nothing.
func TestAProofIsNotGuessed(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	m := s.Member()
	var in api.Entry
	c := stranger(s)
	c.Want(http.StatusOK, signIn(c, m.Email, musatest.Password), &in)
	prove := func(c *musatest.Client, password string) musatest.Answer {
		return c.Do(http.MethodPost, "/api/me/prove", musatest.Order{"password": password})
	}
	stolen := func(i int) *musatest.Client {
		c := from(s, i)
		c.Token = in.Token
		return c
	}
	for i := range 10 {
		stolen(i).Problem(http.StatusForbidden, prove(stolen(i), "a guess"))
	}
	stolen(11).Problem(http.StatusTooManyRequests, prove(stolen(11), musatest.Password))
	m.Want(http.StatusNoContent, prove(m, musatest.Password), nil)
}

// Signing out ends a session for which there is another way in, not only the browser's cookie; a
// token that is all that somebody has goes on to work.
func TestSigningOut(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m, g := s.Member(), s.Guest()
		for _, c := range []*musatest.Client{m, g} {
			b := musatest.Browse(t, s, c)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.PublicURL+"/api/session", nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := b.HTTP.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusNoContent || b.Cookie("musa_session") != "" {
				t.Errorf("signing out answers %d and leaves the cookie %q", res.StatusCode, b.Cookie("musa_session"))
			}
		}
		m.Problem(http.StatusUnauthorized, m.Do(http.MethodGet, "/api/me", nil))
		g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), nil)
		m.Want(http.StatusOK, signIn(m, m.Email, musatest.Password), nil)
	})
}

// An invitation counts for as long as who sent it could send it.
func TestAnInvitationOfWhoWasRemoved(t *testing.T) {
	on(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
		boss, admin, friend := s.Member(), s.Member(), s.Member()
		var ws api.Workspace
		boss.Want(http.StatusCreated, boss.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier"}), &ws)
		at := "/api/workspaces/" + ws.ID
		invite := func(by, whom *musatest.Client, role string) string {
			by.Want(http.StatusAccepted, by.Do(http.MethodPost, at+"/invitations", musatest.Order{"email": whom.Email, "role": role}), nil)
			return s.Secret(whom.Email)
		}
		accept := func(c *musatest.Client, secret string) musatest.Answer {
			return c.Do(http.MethodPost, "/api/invitations/accept", musatest.Order{"secret": secret})
		}
		open := func() int {
			var list struct{ Invitations []api.Invitation }
			boss.Want(http.StatusOK, boss.Do(http.MethodGet, at+"/invitations", nil), &list)
			return len(list.Invitations)
		}
		admin.Want(http.StatusOK, accept(admin, invite(boss, admin, "admin")), nil)
		back := invite(admin, friend, "admin")
		if n := open(); n != 1 {
			t.Errorf("%d invitations are open, want 1", n)
		}
		boss.Want(http.StatusNoContent, boss.Do(http.MethodPatch, at+"/members/"+string(admin.Subject()), musatest.Order{"role": "editor"}), nil)
		friend.Problem(http.StatusGone, accept(friend, back))
		boss.Want(http.StatusNoContent, boss.Do(http.MethodDelete, at+"/members/"+string(admin.Subject()), nil), nil)
		friend.Problem(http.StatusGone, accept(friend, back))
		if n := open(); n != 0 {
			t.Errorf("%d invitations of who was removed are open", n)
		}
		friend.Want(http.StatusOK, accept(friend, invite(boss, friend, "viewer")), nil)
	})
}
