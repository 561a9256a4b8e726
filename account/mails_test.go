package account_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/musatest"
)

// begins asks for an account with an address, from a network of its own.
func begins(ctx context.Context, s *musatest.Studio, network int, email string) error {
	v := account.Visitor{Addr: netip.AddrFrom4([4]byte{10, byte(network >> 8), byte(network), 1}), Agent: "test"}
	return s.Accounts.SignUp(ctx, musa.Actor{}, v, account.SignUp{Person: account.Person{Email: email}, Password: musatest.Password,
		Origin: account.Origin{Country: "DE", Born: "1990-05-31"}})
}

// However many type an address that confirmed nothing, from wherever, it gets a few mails an hour; its
// holder is let in all the same by the last of them.
func TestAnAddressIsNotFloodedFromManyNetworks(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		const victim = "victim@example.org"
		for n := range 12 {
			if err := begins(t.Context(), s, n, victim); err != nil {
				t.Fatalf("the answer tells of the others: %v", err)
			}
		}
		if n := len(s.Post(victim)); n != 5 {
			t.Errorf("%d mails to an address that confirmed nothing, want 5", n)
		}
		s.Clock.Turn(time.Hour - time.Second)
		if err := begins(t.Context(), s, 13, victim); err != nil {
			t.Fatal(err)
		}
		if n := len(s.Post(victim)); n != 5 {
			t.Errorf("%d mails a second before an hour is over", n)
		}
		s.Clock.Turn(time.Second)
		if err := begins(t.Context(), s, 14, victim); err != nil {
			t.Fatal(err)
		}
		if n := len(s.Post(victim)); n != 6 {
			t.Errorf("%d mails an hour later, want one more", n)
		}
		stranger(s).Want(http.StatusOK, confirm(stranger(s), s.Secret(victim)), nil)
	})
}

// What an account is told comes in the language that it chose, wherever it goes.
func TestMailsAboutAnAccountComeInItsLanguage(t *testing.T) {
	on(t, musatest.Rig{Policy: "workspace"}, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		c.Want(http.StatusOK, c.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"language": "de"}), nil)
		c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": c.Email}), nil)
		wantGerman(t, s, c.Email)
		var ws struct {
			ID string `json:"id"`
		}
		c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier"}), &ws)
		a := c.Do(http.MethodPost, "/api/workspaces/"+ws.ID+"/invitations", musatest.Order{"email": "guest@example.org", "role": "editor"})
		c.Want(http.StatusAccepted, a, nil)
		wantGerman(t, s, "guest@example.org")
		c.Want(http.StatusNoContent, c.Do(http.MethodPost, "/api/me/prove", musatest.Order{"password": musatest.Password}), nil)
		c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "new-" + c.Email}), nil)
		wantGerman(t, s, "new-"+c.Email)
		c.Want(http.StatusNoContent, c.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": s.Secret("new-" + c.Email)}), nil)
		wantGerman(t, s, c.Email)
	})
}

func wantGerman(t *testing.T, s *musatest.Studio, to string) {
	t.Helper()
	m := s.Mail(to)
	if m.Header.Get("Content-Language") != "de" || !strings.Contains(m.HTML, `<html lang="de">`) {
		t.Errorf("%q came in %q", m.Subject, m.Header.Get("Content-Language"))
	}
}

// A link works for as long as its mail says, counted from when that left.
func TestALinkLivesFromWhenItsMailLeft(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		for _, late := range []struct {
			after time.Duration
			ok    bool
		}{{time.Hour - time.Second, true}, {time.Hour, false}} {
			c := s.Member()
			s.Mails.Stop()
			c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": c.Email}), nil)
			s.Post(c.Email)
			s.Clock.Turn(90 * time.Minute)
			s.Mails.Start()
			secret := s.Secret(c.Email)
			s.Clock.Turn(late.after)
			a := stranger(s).Do(http.MethodPost, "/api/accounts/reset/confirm", musatest.Order{"secret": secret, "password": fmt.Sprintf("%s %v", musatest.Password, late.ok)})
			if ok := a.Status < 300; ok != late.ok {
				t.Errorf("%v after the mail left: %d %s", late.after, a.Status, a.Body)
			}
		}
	})
}
