package musatest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"musa"
	"musa/api"
	"musa/musatest/rigs"
)

// Password is what a Member signs in with.
const Password = "seven purple tortoises"

// members counts them, so that each has an address of its own.
var members atomic.Int64

// Member is somebody with an account by e-mail, made through the doors that everybody uses: as a
// guest they sign up, and open the link in the mail.
func (s *Studio) Member() *Client {
	s.T.Helper()
	c := s.Guest()
	c.Email = fmt.Sprintf("member%d@example.net", members.Add(1))
	s.SignUp(c, c.Email)
	var in api.Entry
	c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/accounts/confirm", Order{"secret": s.Secret(c.Email)}), &in)
	c.Token = in.Token
	return c
}

// Staff is somebody new who works for the studio, added by an operator's command.
func (s *Studio) Staff(t testing.TB, role musa.Role) *Client {
	t.Helper()
	added, err := s.Accounts.AddStaff(t.Context(), role)
	must(t, err)
	return &Client{T: t, Base: s.URL, Token: added.Token}
}

// SignUp asks for an account with an address; the mail is on its way then.
func (s *Studio) SignUp(c *Client, email string) {
	c.T.Helper()
	c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts", Order{
		"email": email, "password": Password, "country": "DE", "born": "1990-05-31"}), nil)
}

// Secret sends what waits to be sent and returns the secret of the last link that was mailed to
// an address. Mails of one instant leave in any order: one without a link may come after it.
func (s *Studio) Secret(email string) string {
	s.T.Helper()
	mails := s.Post(email)
	for _, m := range slices.Backward(mails) {
		if _, secret, found := strings.Cut(m.Link("/confirm"), "#"); found {
			return secret
		}
	}
	s.T.Fatalf("none of the %d mails to this address has a link with a secret", len(mails))
	return ""
}

// Mail sends what waits to be sent and returns the last mail to an address.
func (s *Studio) Mail(email string) rigs.Mail {
	s.T.Helper()
	must(s.T, s.Notices.Step(s.T.Context()))
	list := s.Mails.To(email)
	if len(list) == 0 {
		s.T.Fatalf("no mail came to this address; %d came to others", len(s.Mails.Mails()))
	}
	return list[len(list)-1]
}
