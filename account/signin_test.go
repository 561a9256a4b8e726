package account_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/db"
	"musa/musatest"
)

// as speaks from some address and browser.
func as(c *musatest.Client, agent string) *musatest.Client {
	d := *c
	d.Agent = agent
	return &d
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

func sessions(c *musatest.Client) []api.Device {
	c.T.Helper()
	var list api.Devices
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/sessions", nil), &list)
	return list.Sessions
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		enter := func(agent string) *musatest.Client {
			c := as(&musatest.Client{T: t, Base: s.URL}, agent)
			var in api.Entry
			c.Want(http.StatusOK, signIn(c, m.Email, musatest.Password), &in)
			c.Token = in.Token
			return c
		}
		fox, curl := enter(firefox), enter("curl/8.5.0")
		list := sessions(fox)
		if len(list) != 3 {
			t.Fatalf("%d sessions, want 3", len(list))
		}
		at := slices.IndexFunc(list, func(d api.Device) bool { return d.Current })
		if d := list[at]; d.OS != "Linux" || d.Browser != "Firefox" || d.Kind != "desktop" || d.Address != "127.0.0.0/24" {
			t.Errorf("this device is shown as %+v", d)
		}
		program := list[slices.IndexFunc(list, func(d api.Device) bool { return d.Browser == "curl" })]
		other := s.Member()
		other.Problem(http.StatusNotFound, other.Do(http.MethodDelete, "/api/me/sessions/"+program.ID, nil))
		fox.Want(http.StatusNoContent, fox.Do(http.MethodDelete, "/api/me/sessions/"+program.ID, nil), nil)
		curl.Problem(http.StatusUnauthorized, curl.Do(http.MethodGet, "/api/me", nil))
		var ended api.EndedSessions
		fox.Want(http.StatusOK, fox.Do(http.MethodDelete, "/api/me/sessions", nil), &ended)
		if ended.Ended != 1 {
			t.Errorf("%d others ended, want 1", ended.Ended)
		}
		m.Problem(http.StatusUnauthorized, m.Do(http.MethodGet, "/api/me", nil))
		if found := musatest.Find(t, s.Dirs, musatest.Markers{"agent": []byte("Firefox/145.0"), "browser": []byte("Firefox")}); len(found) > 0 {
			t.Errorf("the device stands in clear on disk: %v", found)
		}
	})
}

// What is known of a device ends by the policy's rule, and is noted anew at the next use.
func TestADeviceIsForgottenAndNotedAgain(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		const kept = 30 * 24 * time.Hour // retention: device
		for range 3 {
			s.Clock.Turn(kept/3 - time.Second) // the session is used, and lasts
			m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me", nil), nil)
		}
		s.Step()
		before := sessions(m)[0]
		if before.Address == "" {
			t.Errorf("three seconds before its end nothing is known of the device: %+v", before)
		}
		s.Clock.Turn(3 * time.Second)
		s.Step()
		if d := sessions(m)[0]; d.Address != "" || d.Kind != "" {
			t.Errorf("at its end the device is known: %+v", d)
		}
		s.Clock.Turn(10 * time.Minute)
		if d := sessions(m)[0]; d.Address == "" {
			t.Errorf("used again, it is not noted again: %+v", d)
		}
	})
}

// Guesses are counted by address and network together: whoever guesses locks out themselves.
func TestGuessesAreLimitedAndLockNobodyElseOut(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		other := s.Member()
		thief := stranger(s)
		for i := range 10 {
			thief.Problem(http.StatusUnauthorized, signIn(thief, m.Email, fmt.Sprintf("guess number %d", i)))
		}
		a := signIn(thief, m.Email, musatest.Password)
		thief.Problem(http.StatusTooManyRequests, a)
		if a.Header.Get("Retry-After") == "" {
			t.Errorf("no Retry-After with 429")
		}
		thief.Want(http.StatusOK, signIn(thief, other.Email, musatest.Password), nil)
		away := as(thief, "")
		away.From = "127.0.0.2"
		away.Want(http.StatusOK, signIn(away, m.Email, musatest.Password), nil)

		// All nodes count together: what stands in the database decides.
		if err := s.DB.Read(context.Background(), func(ctx context.Context, tx db.Tx) error {
			l, err := tx.Hits(ctx, s.Keys.Digest("limit/sign in", m.Email+" 127.0.0.1"))
			if l.Hits != 11 {
				t.Errorf("%d tries are counted, want 11", l.Hits)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		s.Clock.Turn(15*time.Minute - time.Millisecond)
		thief.Problem(http.StatusTooManyRequests, signIn(thief, m.Email, musatest.Password))
		s.Clock.Turn(time.Millisecond)
		thief.Want(http.StatusOK, signIn(thief, m.Email, musatest.Password), nil)
	})
}

// A token that was there before a sign-in is never the one after it.
func TestASessionIsNotFixed(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		planted := s.Guest()
		victim := *planted
		var in api.Entry
		a := signIn(&victim, m.Email, musatest.Password)
		victim.Want(http.StatusOK, a, &in)
		if in.Token == planted.Token || in.Token == m.Token {
			t.Errorf("the token stayed the same through a sign-in")
		}
		cookie := a.Header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "musa_session="+in.Token) || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
			t.Errorf("the cookie is %q", cookie)
		}
		if planted.Subject() == m.Subject() {
			t.Errorf("the planted token became the victim's session")
		}
	})
}

// Dangerous acts need a proof of the last ten minutes.
func TestDangerousActsNeedAProof(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		change := func(to string) musatest.Answer {
			return m.Do(http.MethodPut, "/api/me/password", musatest.Order{"password": to})
		}
		s.Clock.Turn(10*time.Minute - time.Millisecond)
		m.Want(http.StatusNoContent, change("green umbrella weather"), nil)
		s.Clock.Turn(time.Millisecond)
		if p := m.Problem(http.StatusForbidden, change("yellow umbrella weather")); p.Code != "prove_first" {
			t.Errorf("refused as %s", p.Code)
		}
		m.Problem(http.StatusForbidden, m.Do(http.MethodPost, "/api/me/prove", musatest.Order{"password": musatest.Password}))
		m.Want(http.StatusNoContent, m.Do(http.MethodPost, "/api/me/prove", musatest.Order{"password": "green umbrella weather"}), nil)
		m.Want(http.StatusNoContent, change("yellow umbrella weather"), nil)
	})
}

// Another address becomes the account's when its link is opened, and the former hears of it.
func TestAnotherAddress(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "moved@example.net"}), nil)
		m.Want(http.StatusOK, signIn(stranger(s), m.Email, musatest.Password), nil)
		m.Want(http.StatusNoContent, m.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": s.Secret("moved@example.net")}), nil)
		told := s.Mail(m.Email)
		if strings.Contains(told.Text, "#musav_") {
			t.Errorf("the mail to the former address holds a secret")
		}
		m.Problem(http.StatusUnauthorized, signIn(stranger(s), m.Email, musatest.Password))
		m.Want(http.StatusOK, signIn(stranger(s), "moved@example.net", musatest.Password), nil)

		// The address of another account: its holder hears of it, whoever asks does not.
		other := s.Member()
		sent := len(s.Mails.To(other.Email))
		a := m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": other.Email})
		b := m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "free@example.net"})
		if a.Status != http.StatusAccepted || string(a.Body) != string(b.Body) {
			t.Errorf("another's address: %d %s, a free one: %s", a.Status, a.Body, b.Body)
		}
		s.Mail(other.Email)
		if n := len(s.Mails.To(other.Email)) - sent; n != 1 {
			t.Errorf("%d mails to the holder, want 1", n)
		}
	})
}
