package account_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"musa/api"
	"musa/musatest"
)

// from speaks from a network of its own.
func from(s *musatest.Studio, n int) *musatest.Client {
	return &musatest.Client{T: s.T, Base: s.URL, From: fmt.Sprintf("127.0.5.%d", n)}
}

func askReset(c *musatest.Client, email string) musatest.Answer {
	return c.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": email})
}

func reset(c *musatest.Client, secret, password string) musatest.Answer {
	return c.Do(http.MethodPost, "/api/accounts/reset/confirm", musatest.Order{"secret": secret, "password": password})
}

// From however many networks somebody asks, an address gets a few mails an hour, and the askers
// hear nothing of that.
func TestNobodyFillsAMailbox(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		before := len(s.Post(m.Email))
		want := string(askReset(from(s, 200), "nobody@example.net").Body)
		for i := range 12 {
			c := from(s, 1+i)
			for _, email := range []string{m.Email, "free@example.net"} {
				if a := askReset(c, email); a.Status != http.StatusAccepted || string(a.Body) != want {
					t.Fatalf("reset number %d answers %d %s", i, a.Status, a.Body)
				}
			}
			c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts", form(musatest.Order{"email": "free@example.net"})), nil)
			s.Post(m.Email)
		}
		if n := len(s.Post(m.Email)) - before; n != 5 {
			t.Errorf("%d mails to the holder of an account, want 5", n)
		}
		if n := len(s.Mails.To("free@example.net")); n != 5 {
			t.Errorf("%d mails to an address without an account, want 5", n)
		}
		s.Clock.Turn(time.Hour)
		askReset(from(s, 100), m.Email)
		if n := len(s.Post(m.Email)) - before; n != 6 {
			t.Errorf("an hour later nothing comes")
		}
	})
}

// Whatever else somebody has sent to an address, its holder gets the link that sets a new password.
func TestSignUpsWithAnothersAddressLeaveThemTheirReset(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		for i := range 6 {
			c := from(s, 1+i)
			c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts", form(musatest.Order{"email": m.Email})), nil)
			s.Post(m.Email)
		}
		c := from(s, 100)
		c.Want(http.StatusAccepted, askReset(c, m.Email), nil)
		c.Want(http.StatusNoContent, reset(c, s.Secret(m.Email), "only its holder knows"), nil)
	})
}

// Whoever asks for a reset in another's name does not end the link that its holder is about to
// open; using one ends all of them, the sessions and the keys of the API.
func TestAResetCannotBeSpoiled(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		_, script := newKey(m, "script", "read")
		c := stranger(s)
		askReset(c, m.Email)
		mine := s.Secret(m.Email)
		askReset(from(s, 1), m.Email)
		spare := s.Secret(m.Email)
		s.Clock.Turn(time.Second)
		c.Want(http.StatusNoContent, reset(c, mine, "only its holder knows"), nil)
		c.Problem(http.StatusGone, reset(c, spare, "what somebody else knows"))
		m.Problem(http.StatusUnauthorized, m.Do(http.MethodGet, "/api/me", nil))
		script.Problem(http.StatusUnauthorized, script.Do(http.MethodGet, "/api/me", nil))
		c.Want(http.StatusOK, signIn(c, m.Email, "only its holder knows"), nil)
	})
}

// A link to reset works for an hour from when its mail leaves; while the mail server is down, none
// of what waits is lost, and each comes once when it is back.
func TestAMailServerIsDownForAnHour(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		g := s.Guest()
		sent := len(s.Mails.Mails())
		s.Mails.Stop()
		askReset(stranger(s), m.Email)
		s.SignUp(g, "later@example.net")
		m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "moved@example.net"}), nil)
		for range 60 {
			s.Clock.Turn(time.Minute)
			if n := len(s.Post(m.Email)); n != 1 {
				t.Fatalf("%d mails came past a server that is down", n)
			}
		}
		s.Mails.Start()
		for range 120 {
			s.Clock.Turn(time.Minute)
			s.Post(m.Email)
		}
		if n := len(s.Mails.Mails()) - sent; n != 3 {
			t.Fatalf("%d mails came when it was back, want each of 3 once", n)
		}
		g.Want(http.StatusOK, confirm(g, s.Secret("later@example.net")), nil)
		m.Want(http.StatusNoContent, m.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": s.Secret("moved@example.net")}), nil)
	})
}

func TestAResetLastsAnHourFromItsMail(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	m := s.Member()
	c := stranger(s)
	late := func(wait, then time.Duration) musatest.Answer {
		askReset(c, m.Email)
		s.Clock.Turn(wait)
		secret := s.Secret(m.Email)
		s.Clock.Turn(then)
		return reset(c, secret, fmt.Sprintf("a pass phrase of %v", wait+then))
	}
	c.Want(http.StatusNoContent, late(2*time.Hour, time.Hour-time.Second), nil)
	c.Problem(http.StatusGone, late(2*time.Hour, time.Hour))
	askReset(c, m.Email)
	sent := len(s.Mails.Mails())
	s.Clock.Turn(25 * time.Hour) // nobody waits that long for a link that works an hour
	s.Post(m.Email)
	if n := len(s.Mails.Mails()); n != sent {
		t.Errorf("a day later the mail leaves still")
	}
}

// Of many who sign up with one address at the same instant all hear the same, and no more mails
// leave than there are links.
func TestSignUpsAtTheSameInstant(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		const n = 4
		guests := make([]*musatest.Client, n)
		for i := range guests {
			guests[i] = s.Guest()
		}
		answers := make([]musatest.Answer, n)
		var wait sync.WaitGroup
		for i, g := range guests {
			wait.Go(func() {
				answers[i] = g.Do(http.MethodPost, "/api/accounts", form(musatest.Order{"email": "one@example.net"}))
			})
		}
		wait.Wait()
		for _, a := range answers {
			if a.Status != http.StatusAccepted || string(a.Body) != string(answers[0].Body) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
		made := 0
		for _, mail := range s.Post("one@example.net") {
			_, secret, _ := strings.Cut(mail.Link("/confirm"), "#")
			if confirm(stranger(s), secret).Status == http.StatusOK {
				made++
			}
		}
		if made != 1 {
			t.Errorf("%d accounts of one address", made)
		}
	})
}

// Whoever is too long is told so, at every door that takes a name.
func TestTenMegabytesAtEveryDoor(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "conversational"})
	m := s.Member()
	long := strings.Repeat("n", 10<<20)
	var ws api.Workspace
	m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "  Atelier  "}), &ws)
	if ws.Name != "Atelier" {
		t.Errorf("the workspace is called %q", ws.Name)
	}
	for _, d := range []struct{ method, path, field string }{
		{http.MethodPatch, "/api/me/profile", "name"}, {http.MethodPatch, "/api/me/profile", "profile"}, {http.MethodPost, "/api/me/keys", "name"},
		{http.MethodPost, "/api/workspaces", "name"}, {http.MethodPatch, "/api/workspaces/" + ws.ID, "name"}, {http.MethodPost, "/api/accounts", "email"},
		{http.MethodPost, "/api/session/password", "password"}, {http.MethodPost, "/api/session/factor", "code"}, {http.MethodPost, "/api/accounts/confirm", "secret"},
		{http.MethodPost, "/api/invitations/accept", "name"}, {http.MethodPost, "/api/support", "words"}, {http.MethodPost, "/api/passkeys/finish", "name"},
	} {
		p := m.Problem(http.StatusRequestEntityTooLarge, m.Do(d.method, d.path, musatest.Order{d.field: long}))
		if p.Code != "too_large" || p.Field != "body" || strings.Contains(p.Detail, "nnn") {
			t.Errorf("%s %s: %+v", d.method, d.path, p)
		}
	}
	for what, name := range map[string]string{"a line": "A\r\nBcc: x@example.net", "a turn": "A\u202egnp", "a separator": "A\u2028B", "nothing": "  "} {
		for path, body := range map[string]musatest.Order{"/api/workspaces": {"name": name}, "/api/me/keys": {"name": name, "scopes": []string{"read"}}} {
			if a := m.Do(http.MethodPost, path, body); m.Problem(http.StatusBadRequest, a).Field != "name" {
				t.Errorf("%s in a name at %s: %s", what, path, a.Body)
			}
		}
	}
}
