package conformance_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/notice"
)

// chosen is where a kind of mail stands for somebody.
func chosen(c *musatest.Client, kind string) api.MailKind {
	c.T.Helper()
	var m api.Mails
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/mails", nil), &m)
	for _, k := range m.Kinds {
		if k.Kind == kind {
			return k
		}
	}
	c.T.Fatalf("no kind %s among %+v", kind, m.Kinds)
	return api.MailKind{}
}

// pickMail says yes or no to a kind by a channel.
func pickMail(c *musatest.Client, kind, channel, answer string) {
	c.T.Helper()
	c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{kind: musatest.Order{channel: answer}}}), nil)
}

// announce tells a kind and counts how it reached somebody: by mail and on their page.
func announce(s *musatest.Studio, c *musatest.Client, kind, subject string) (mailed, shown int) {
	s.T.Helper()
	words := map[string]notice.Words{"en": {Subject: subject, Text: "What is new."}}
	if _, err := s.Notices.Announce(s.T.Context(), musa.Actor{Role: musa.RoleOperator}, kind, words); err != nil {
		s.T.Fatal(err)
	}
	var page api.NewsList
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/news", nil), &page)
	for _, n := range page.News {
		if n.Subject == subject {
			shown++
		}
	}
	return len(about(s, c, subject)), shown
}

// wantReached announces a kind and looks how it reached somebody.
func wantReached(s *musatest.Studio, c *musatest.Client, kind, subject string, mailed, shown int) {
	s.T.Helper()
	if m, p := announce(s, c, kind, subject); m != mailed || p != shown {
		s.T.Errorf("%s: %d by mail, %d on the page, want %d and %d", subject, m, p, mailed, shown)
	}
}

// preferences: a kind comes by the channel that is on and not by one that is off; mails take the
// address's own yes, and stop with one press without a session; the service's always come.
func preferences(t *testing.T, s *musatest.Studio) {
	t.Helper()
	c := s.Member()
	if k := chosen(c, "service"); !k.Exempt || k.Mail != "always" {
		t.Errorf("mails of the service: %+v", k)
	}
	if a := c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{"service": musatest.Order{"mail": "no"}}}); a.Status != http.StatusBadRequest {
		t.Errorf("mails of the service are switched off: %d", a.Status)
	}
	wantReached(s, c, "news", "nothing asked", 0, 0)
	pickMail(c, "news", "page", "yes")
	wantReached(s, c, "news", "page only", 0, 1)
	pickMail(c, "news", "mail", "yes")
	if k := chosen(c, "news"); k.Mail != "asked" || k.Page != "yes" {
		t.Errorf("asked and not answered: %+v", k)
	}
	wantReached(s, c, "news", "not answered", 0, 1)
	_, secret, _ := strings.Cut(s.Mail(c.Email).Link("for=list"), "#")
	nobody := &musatest.Client{T: t, Base: s.URL}
	nobody.Want(http.StatusOK, nobody.Do(http.MethodPost, "/api/lists/confirm", musatest.Order{"secret": secret}), nil)
	pickMail(c, "news", "page", "no")
	wantReached(s, c, "news", "mail only", 1, 0)
	wantReached(s, c, "survey", "another kind", 0, 0)
	m := s.Mail(c.Email)
	wantWords(t, "the mail", m.Text, "because you asked", "without signing in")
	door := strings.Trim(m.Header.Get("List-Unsubscribe"), "<>")
	_, path, _ := strings.Cut(strings.TrimPrefix(door, "http://"), "/")
	if m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || path == "" {
		t.Fatalf("headers for one press: %q", door)
	}
	a := nobody.Send(http.MethodPost, "/"+path, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	nobody.Want(http.StatusOK, a, nil)
	if k := chosen(c, "news"); k.Mail != "no" {
		t.Errorf("stopped: %+v", k)
	}
	wantReached(s, c, "news", "stopped", 0, 0)
}

func TestPeopleChooseWhatComes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, preset string }{{"C-31", "conversational"}, {"P-12", "professional"}} {
		conformance.Kept(t, c.id, func(t *testing.T) { both(t, c.preset, preferences) })
	}
	conformance.Kept(t, "W-02", func(t *testing.T) {
		both(t, "workspace", accountFields)
		t.Run("preferences", func(t *testing.T) { both(t, "workspace", preferences) })
	})
}

// An update reaches each account once and nobody else; an address that did not confirm gets one
// mail, without a word of whoever typed it.
func TestUpdatesReachAccountsAlone(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "O-08", func(t *testing.T) {
		both(t, "open-door", func(t *testing.T, s *musatest.Studio) {
			member := s.Member()
			typist := s.Guest()
			if page := text(t, typist, "/"); strings.Contains(page, `type="email"`) {
				t.Error("a guest is asked for an address")
			}
			const victim, planted = "victim@example.net", "BUY-AT-EVIL-EXAMPLE"
			for range 3 {
				typist.Do(http.MethodPost, "/api/accounts", musatest.Order{"email": victim, "name": planted, "username": planted, "profile": planted,
					"password": musatest.Password, "country": "DE", "born": "1990-05-31"})
			}
			got := s.Post(victim)
			if len(got) != 1 {
				t.Errorf("%d mails to an address that confirmed nothing", len(got))
			}
			for _, m := range got {
				if strings.Contains(m.Raw, planted) || strings.Contains(m.HTML, planted) {
					t.Errorf("the mail carries text of who typed it:\n%s", m.Raw)
				}
			}
			wantReached(s, member, "service", "the studio moves", 1, 1)
			now := s.Clock.Now()
			_, text := revised(t, "open-door", now.Format(time.DateOnly)+".93", now, "from: sent, keep: 7d", "from: sent, keep: 9d")
			s.Publish(text)
			for range 2 {
				if n := len(about(s, member, policyMail)); n != 1 {
					t.Errorf("%d mails about an update to an account", n)
				}
				s.Clock.Turn(time.Hour)
			}
			if n := len(s.Post(victim)); n != len(got) {
				t.Errorf("%d more mails to an address that confirmed nothing", n-len(got))
			}
		})
	})
}
