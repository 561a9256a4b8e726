package musatest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

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

// SignUp asks for an account with an address; the mail is on its way then.
func (s *Studio) SignUp(c *Client, email string) {
	c.T.Helper()
	c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts", Order{
		"email": email, "password": Password, "country": "DE", "born": "1990-05-31"}), nil)
}

// Secret sends what waits to be sent and returns the secret of the link in the last mail to an
// address.
func (s *Studio) Secret(email string) string {
	s.T.Helper()
	m := s.Mail(email)
	_, secret, found := strings.Cut(m.Link("/confirm"), "#")
	if !found {
		s.T.Fatalf("the mail %q has no link with a secret: %s", m.Subject, m.Text)
	}
	return secret
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
