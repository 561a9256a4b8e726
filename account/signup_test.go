package account_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
)

// on runs a test on both stores.
func on(t *testing.T, r musatest.Rig, test func(t *testing.T, s *musatest.Studio)) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			r := r
			r.Stores = stores
			test(t, musatest.New(t, r))
		})
	}
}

func stranger(s *musatest.Studio) *musatest.Client { return &musatest.Client{T: s.T, Base: s.URL} }

func signIn(c *musatest.Client, email, password string) musatest.Answer {
	c.T.Helper()
	return c.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": email, "password": password})
}

func confirm(c *musatest.Client, secret string) musatest.Answer {
	c.T.Helper()
	return c.Do(http.MethodPost, "/api/accounts/confirm", musatest.Order{"secret": secret})
}

// A guest becomes a person by the link in the mail, and takes along all that is theirs; then their
// password lets them in, from another device too.
func TestAGuestBecomesAPerson(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		picture := g.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
		whose := g.Subject()
		former := *g
		s.SignUp(g, "Ada@Example.NET")
		if me := g.Subject(); me != whose {
			t.Fatalf("sign-up alone changed who the guest is")
		}
		var in api.Entry
		g.Want(http.StatusOK, confirm(g, s.Secret("ada@example.net")), &in)
		g.Token = in.Token
		var me api.Me
		g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), &me)
		if me.Subject != string(whose) || me.Tier != "member" {
			t.Errorf("the account is %s in tier %s, want %s, a member", me.Subject, me.Tier, whose)
		}
		if a := g.Asset(picture.ID); a.Ends.Sub(s.Clock.Now()) <= 24*time.Hour {
			t.Errorf("the guest's picture ends in %v, want what members have", a.Ends.Sub(s.Clock.Now()))
		}
		former.Problem(http.StatusUnauthorized, former.Do(http.MethodGet, "/api/me", nil))
		var p api.Person
		g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me/profile", nil), &p)
		if p.Email != "ada@example.net" {
			t.Errorf("the profile has the address %q", p.Email)
		}

		c := stranger(s)
		c.Want(http.StatusOK, signIn(c, "ada@example.net", musatest.Password), &in)
		c.Token = in.Token
		if c.Subject() != whose {
			t.Errorf("signed in as somebody else")
		}
		if found := musatest.Find(t, s.Dirs, musatest.Markers{"address": []byte("ada@example.net"), "password": []byte(musatest.Password), "token": []byte(in.Token)}); len(found) > 0 {
			t.Errorf("in clear on disk: %v", found)
		}
	})
}

// Whether there is an account, nobody hears but its holder.
func TestTheDoorDoesNotTellWhoHasAnAccount(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		c := s.Guest()
		ask := func(path string, email string) musatest.Answer {
			return c.Do(http.MethodPost, path, musatest.Order{"email": email, "password": musatest.Password, "country": "DE", "born": "1990-05-31"})
		}
		for path, body := range map[string]func(string) musatest.Answer{
			"sign-up": func(e string) musatest.Answer { return ask("/api/accounts", e) },
			"reset": func(e string) musatest.Answer {
				return c.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": e})
			},
			"sign-in": func(e string) musatest.Answer { return signIn(c, e, "not the password") },
		} {
			known, unknown := body(m.Email), body("nobody@example.net")
			if known.Status != unknown.Status || string(known.Body) != string(unknown.Body) {
				t.Errorf("%s: with an account %d %s, without %d %s", path, known.Status, known.Body, unknown.Status, unknown.Body)
			}
			for name := range known.Header {
				if !slices.Contains([]string{"Date"}, name) && known.Header.Get(name) != unknown.Header.Get(name) {
					t.Errorf("%s: the header %s differs", path, name)
				}
			}
		}
		if mail := s.Mail(m.Email); strings.Contains(mail.Text, "#musav_") && !strings.Contains(mail.Text, "reset") {
			t.Errorf("the holder got a link that makes another account: %s", mail.Text)
		}
		if n := len(s.Mails.To("nobody@example.net")); n != 1 {
			t.Errorf("%d mails to the address without an account, want the one to confirm it", n)
		}
	})
}

// A link works once, for whom and for what it was sent, in its time; in all other cases the answer
// is one and the same.
func TestALinkThatDoesNotWork(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": m.Email}), nil)
		reset := s.Secret(m.Email)
		m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "new@example.net"}), nil)
		change := s.Secret("new@example.net")

		g := s.Guest()
		s.SignUp(g, "late@example.net")
		late := s.Secret("late@example.net")
		used := s.Guest()
		s.SignUp(used, "used@example.net")
		spent := s.Secret("used@example.net")
		used.Want(http.StatusOK, confirm(used, spent), nil)

		other, mover := s.Member(), s.Member()
		mover.Want(http.StatusAccepted, mover.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "moved@example.net"}), nil)
		moved := musatest.Order{"secret": s.Secret("moved@example.net")}
		mover.Want(http.StatusNoContent, mover.Do(http.MethodPost, "/api/me/address/confirm", moved), nil)
		want := string(confirm(g, "musav_nothing").Body)
		for what, a := range map[string]musatest.Answer{
			"used":            confirm(g, spent),
			"used for a move": mover.Do(http.MethodPost, "/api/me/address/confirm", moved),
			"for a reset":     confirm(g, reset),
			"of somebody":     other.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": change}),
			"for sign-up":     g.Do(http.MethodPost, "/api/accounts/reset/confirm", musatest.Order{"secret": late, "password": "another good password"}),
			"empty":           confirm(g, ""),
			"of another kind": other.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": reset}),
		} {
			p := g.Problem(http.StatusGone, a)
			if p.Reason != "link_over" || string(a.Body) != want {
				t.Errorf("a link %s: %s, want %s", what, a.Body, want)
			}
		}
		s.Clock.Turn(24*time.Hour - time.Millisecond)
		g.Want(http.StatusOK, confirm(g, late), nil)
		g = s.Guest()
		s.SignUp(g, "later@example.net")
		late = s.Secret("later@example.net")
		s.Clock.Turn(24 * time.Hour)
		if a := confirm(g, late); string(a.Body) != want {
			t.Errorf("a link at its end: %d %s", a.Status, a.Body)
		}
	})
}

// Of many who sign up with one address at once, one gets the account.
func TestTheSameAddressAtTheSameInstant(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		const n = 4
		secrets := make([]string, n)
		guests := make([]*musatest.Client, n)
		for i := range n {
			guests[i] = s.Guest()
			s.SignUp(guests[i], "twin@example.net")
			secrets[i] = s.Secret("twin@example.net")
		}
		var wait sync.WaitGroup
		status := make([]int, n)
		for i := range n {
			wait.Go(func() { status[i] = confirm(guests[i], secrets[i]).Status })
		}
		wait.Wait()
		slices.Sort(status)
		if want := []int{http.StatusOK, http.StatusGone, http.StatusGone, http.StatusGone}; !slices.Equal(status, want) {
			t.Errorf("statuses %v, want %v", status, want)
		}
	})
}

// Who opens the link elsewhere proves the address, not that the account is theirs: they are let in
// by the password alone.
func TestALinkAloneLetsNobodyElseIn(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		attacker := s.Guest()
		s.SignUp(attacker, "victim@example.net")
		victim := s.Guest()
		var in api.Entry
		victim.Want(http.StatusOK, confirm(victim, s.Secret("victim@example.net")), &in)
		if in.Token != "" {
			t.Errorf("the victim was led into an account whose password another knows")
		}
		attacker.Problem(http.StatusUnauthorized, attacker.Do(http.MethodGet, "/api/me", nil))
		victim.Want(http.StatusAccepted, victim.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": "victim@example.net"}), nil)
		victim.Want(http.StatusNoContent, victim.Do(http.MethodPost, "/api/accounts/reset/confirm",
			musatest.Order{"secret": s.Secret("victim@example.net"), "password": "only the victim knows"}), nil)
		attacker.Problem(http.StatusUnauthorized, signIn(attacker, "victim@example.net", musatest.Password))
		victim.Want(http.StatusOK, signIn(victim, "victim@example.net", "only the victim knows"), nil)
	})
}
