package notice_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/rigs"
	"musa/notice"
	"musa/policies"
)

func asProblem(err error, p **musa.Problem) bool { return errors.As(err, p) }

// changed is the studio preset under another version, with lines replaced.
func changed(t testing.TB, version string, pairs ...string) string {
	t.Helper()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc.YAML())
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the preset has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return strings.Replace(text, doc.Version, version, 1)
}

// Everybody hears of a version that takes more, once, however often and by however many it is
// told; nobody of one of words.
func TestAVersionIsToldOnceToEverybody(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		members := []*musatest.Client{s.Member(), s.Member(), s.Member()}
		heard := func(c *musatest.Client) (n int) {
			for _, m := range s.Post(c.Email) {
				if strings.Contains(m.Subject, "changes its privacy policy") {
					n++
				}
			}
			return n
		}
		s.Publish(changed(t, "2026-11-22.71", "Example Studio", "Example Studio Ltd"))
		for _, c := range members {
			if n := heard(c); n != 0 {
				t.Fatalf("%d mails about a change of words", n)
			}
		}
		s.Publish(changed(t, "2026-11-22.72", "Example Studio", "Example Studio Ltd", "keep: 48h", "keep: 72h"))
		other, err := notice.New(s.Notices.Config)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for _, n := range []*notice.Notices{s.Notices, other} {
			wait.Go(func() {
				if err := n.Step(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		s.Clock.Turn(48 * time.Hour)
		for _, c := range members {
			if n := heard(c); n != 1 {
				t.Errorf("%d mails about a version that keeps longer", n)
			}
		}
	})
}

// What was told and how far the telling is commit together: one that was cut off goes on where it was.
func TestATellingThatWasCutOffGoesOn(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	members := []*musatest.Client{s.Member(), s.Member()}
	s.Post(members[0].Email)
	s.Publish(changed(t, "2026-11-22.71", "keep: 48h", "keep: 72h"))
	// As a process leaves it that died after the first page, here of one person.
	err := s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		a, err := tx.UntoldAdoption(ctx)
		if err != nil {
			return err
		}
		people, err := tx.Reachable(ctx, "", 1)
		if err != nil {
			return err
		}
		a.NextSubject = people[0]
		return tx.SaveTelling(ctx, a)
	})
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, c := range members {
		for _, m := range s.Post(c.Email) {
			if strings.Contains(m.Subject, "changes its privacy policy") {
				got++
			}
		}
	}
	if got != 1 {
		t.Errorf("%d of the people after the first page were told, want 1", got)
	}
}

// Nothing comes that was not asked for twice, and one press stops it.
func TestAListTakesTwoYesesAndOneNo(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		operator := musa.Actor{Role: musa.RoleOperator}
		tell := func(subject string) (n int) {
			words := map[string]notice.Words{"en": {Subject: subject, Text: "One.\nTwo."}}
			if _, err := s.Notices.Announce(t.Context(), operator, "news", words); err != nil {
				t.Fatal(err)
			}
			for _, m := range s.Post(c.Email) {
				if m.Subject == subject {
					n++
				}
			}
			return n
		}
		if n := tell("nobody asked"); n != 0 {
			t.Error("news to who asked for none")
		}
		choose := func(answer string) {
			t.Helper()
			c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{"news": musatest.Order{"mail": answer}}}), nil)
		}
		choose("yes")
		choose("yes")
		if n := tell("asked once"); n != 0 {
			t.Error("news before the address answered")
		}
		asked := 0
		for _, m := range s.Mails.To(c.Email) {
			if strings.Contains(m.Subject, "mail you news") {
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("the address was asked %d times", asked)
		}
		_, secret, _ := strings.Cut(s.Mail(c.Email).Link("for=list"), "#")
		stranger := &musatest.Client{T: t, Base: s.URL}
		stranger.Want(http.StatusOK, stranger.Do(http.MethodPost, "/api/lists/confirm", musatest.Order{"secret": secret}), nil)
		if p := stranger.Problem(http.StatusGone, stranger.Do(http.MethodPost, "/api/lists/confirm", musatest.Order{"secret": secret})); p.Reason != "link_over" {
			t.Errorf("used twice: %+v", p)
		}
		if n := tell("wanted"); n != 1 {
			t.Errorf("%d news after two yeses", n)
		}
		m := s.Mail(c.Email)
		door := strings.Trim(m.Header.Get("List-Unsubscribe"), "<>")
		if m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(door, "/api/lists/stop/") {
			t.Fatalf("headers: %q %q", door, m.Header.Get("List-Unsubscribe-Post"))
		}
		path := door[strings.Index(door, "/api/"):]
		stranger.Problem(http.StatusGone, stranger.Do(http.MethodPost, path+"0", nil))
		for range 2 { // a mailbox may post twice
			a := stranger.Send(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
			stranger.Want(http.StatusOK, a, nil)
		}
		if n := tell("stopped"); n != 0 {
			t.Error("news after one press")
		}
	})
}

// A wish for a kind of news ends with the consent that it rests on: what was wanted months ago does
// not come again because another kind is wanted now.
func TestAWithdrawnConsentEndsWhatRestedOnIt(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		subscribe(s, c, "promotion")
		announced := func(subject string) bool {
			words := map[string]notice.Words{"en": {Subject: subject, Text: "One."}}
			_, err := s.Notices.Announce(t.Context(), musa.Actor{Role: musa.RoleOperator}, "promotion", words)
			must(t, err)
			return slices.ContainsFunc(s.Post(c.Email), func(m rigs.Mail) bool { return m.Subject == subject })
		}
		if !announced("wanted") {
			t.Error("what was asked for twice does not come")
		}
		c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/consents", musatest.Order{"marketing": "no"}), nil)
		c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{"news": musatest.Order{"page": "yes"}}}), nil)
		if announced("withdrawn") {
			t.Error("news on the page brought back the mails of another kind")
		}
		subscribe(s, c, "promotion")
		if !announced("wanted again") {
			t.Error("what was asked for anew does not come")
		}
	})
}

// What waits for an hour of a server that is down comes once; what was stopped meanwhile does not.
func TestNewsThatWereStoppedWhileTheyWaitedDoNotLeave(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	stops, stays := s.Member(), s.Member()
	for _, c := range []*musatest.Client{stops, stays} {
		c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{"news": musatest.Order{"mail": "yes"},
			"survey": musatest.Order{"page": "yes"}}}), nil) // which keeps the consent of both
		_, secret, _ := strings.Cut(s.Mail(c.Email).Link("for=list"), "#")
		c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/lists/confirm", musatest.Order{"secret": secret}), nil)
	}
	s.Mails.Stop()
	words := map[string]notice.Words{"en": {Subject: "too late", Text: "One."}}
	if _, err := s.Notices.Announce(t.Context(), musa.Actor{Role: musa.RoleOperator}, "news", words); err != nil {
		t.Fatal(err)
	}
	s.Post(stops.Email)
	stops.Want(http.StatusOK, stops.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{"news": musatest.Order{"mail": "no"}}}), nil)
	s.Mails.Start()
	left := func(c *musatest.Client) bool {
		return slices.ContainsFunc(s.Mails.To(c.Email), func(m rigs.Mail) bool { return m.Subject == "too late" })
	}
	for range 30 { // until the next try is due
		s.Clock.Turn(time.Hour)
		s.Post(stays.Email)
	}
	if !left(stays) {
		t.Error("it never reached who did not stop it")
	}
	if left(stops) {
		t.Error("it left though it was stopped")
	}
}
