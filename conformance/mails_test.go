package conformance_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/musatest/rigs"
	"musa/notice"
)

// both runs a test in a studio of a preset on each kind of store.
func both(t *testing.T, preset string, f func(t *testing.T, s *musatest.Studio)) {
	t.Helper()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			f(t, musatest.New(t, musatest.Rig{Stores: stores, Policy: preset}))
		})
	}
}

func agreement(c *musatest.Client) (a api.Agreement) {
	c.T.Helper()
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/acceptance", nil), &a)
	return a
}

// uses is what somebody does who uses the service: bringing a picture.
func uses(t *testing.T, c *musatest.Client) api.Asset {
	t.Helper()
	return c.Upload("mine.jpg", photos.Read(t, photos.Names()[0]))
}

// wantAccepted looks that acceptance of both versions in force was recorded at an instant.
func wantAccepted(t *testing.T, s *musatest.Studio, a api.Agreement, at time.Time) {
	t.Helper()
	doc := s.InForce()
	for _, v := range []struct {
		what string
		have api.Accepted
		want string
	}{{"policy", a.Policy, doc.Ref()}, {"terms", a.Terms, doc.Terms.Version}} {
		if v.have.Version != v.want || v.want == "" || v.have.At == nil || !v.have.At.Equal(at) || v.have.Via != "use" {
			t.Errorf("%s: accepted %+v, want version %q by use at %v", v.what, v.have, v.want, at)
		}
	}
}

// firstUse is: nothing is accepted by reading, exporting or erasing; the first picture accepts
// policy and terms, each with its version and the time, once.
func firstUse(t *testing.T, s *musatest.Studio, g *musatest.Client) {
	t.Helper()
	for _, path := range []string{"/privacy", "/privacy/versions", "/terms", "/api/policy", "/api/acceptance", "/api/me", "/api/assets"} {
		if a := g.Do(http.MethodGet, path, nil); a.Status != http.StatusOK {
			t.Fatalf("%s answers %d", path, a.Status)
		}
	}
	if a := g.Do(http.MethodGet, "/api/me/export", nil); a.Status != http.StatusOK {
		t.Fatalf("export answers %d: %s", a.Status, a.Body)
	}
	if a := agreement(g); a.Policy.At != nil || a.Terms.At != nil {
		t.Errorf("reading and exporting accepted: %+v", a)
	}
	began := s.Clock.Now()
	uses(t, g)
	wantAccepted(t, s, agreement(g), began)
	s.Clock.Turn(time.Minute)
	uses(t, g)
	wantAccepted(t, s, agreement(g), began)
	if n := rows(t, s, "choices WHERE name IN ('policy', 'terms') AND subject = '"+string(g.Subject())+"'"); n != 2 {
		t.Errorf("%d acceptances recorded, want one of the policy and one of the terms", n)
	}
}

func TestUsingIsAccepting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, preset string }{{"E-31", "enhancer"}, {"P-27", "professional"}} {
		conformance.Kept(t, c.id, func(t *testing.T) {
			both(t, c.preset, func(t *testing.T, s *musatest.Studio) { firstUse(t, s, s.Guest()) })
		})
	}
}

// A later version is posted with its date; going on is what accepts it.
func TestGoingOnAcceptsTheNextVersion(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "W-26", func(t *testing.T) {
		both(t, "workspace", func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			uses(t, g)
			effective := s.Clock.Now().UTC().AddDate(0, 0, 2).Truncate(24 * time.Hour)
			ref, text := revised(t, "workspace", effective.Format(time.DateOnly)+".7", effective, "Example Workspace", "Example Workspace Ltd")
			s.Publish(text)
			uses(t, g)
			if a := agreement(g); a.Policy.Version == ref {
				t.Fatalf("accepted before its day: %+v", a)
			}
			s.Clock.Turn(effective.Sub(s.Clock.Now()))
			if page := string(g.Do(http.MethodGet, "/privacy/versions", nil).Body); !strings.Contains(page, effective.Format(time.DateOnly)) {
				t.Error("the page of versions does not name the day")
			}
			if a := agreement(g); a.Policy.Version != ref || a.Policy.At != nil {
				t.Errorf("accepted by reading: %+v", a.Policy)
			}
			uses(t, g)
			a := agreement(g)
			if a.Policy.Version != ref || a.Policy.At == nil || !a.Policy.At.Equal(s.Clock.Now()) {
				t.Errorf("accepted by going on: %+v", a.Policy)
			}
			if n := rows(t, s, "choices WHERE name = 'policy' AND subject = '"+string(g.Subject())+"'"); n != 2 {
				t.Errorf("%d acceptances of the policy stand, want the former and the new", n)
			}
		})
	})
}

func TestWhoDeclinesIsLedOut(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "W-28", func(t *testing.T) {
		both(t, "workspace", func(t *testing.T, s *musatest.Studio) {
			nobody := &musatest.Client{T: t, Base: s.URL}
			a := nobody.Do(http.MethodGet, "/api/acceptance", nil)
			var stated api.Agreement
			nobody.Want(http.StatusOK, a, &stated)
			if len(a.Header.Values("Set-Cookie")) > 0 || stated.Terms.Version == "" || stated.Accept != "by_use" {
				t.Errorf("a visitor who asks: %+v, cookies %q", stated, a.Header.Values("Set-Cookie"))
			}
			g := s.Guest()
			before := rows(t, s, "subjects")
			var answer api.Answered
			said := g.Do(http.MethodPost, "/api/me/acceptance", musatest.Order{"answer": "no"})
			g.Want(http.StatusOK, said, &answer)
			if answer.Leave == nil || answer.Policy.At != nil || answer.Terms.At != nil || len(said.Header.Values("Set-Cookie")) > 0 {
				t.Fatalf("declined: %s", said.Body)
			}
			if rows(t, s, "subjects") != before || rows(t, s, "jobs") != 0 || rows(t, s, "choices") != 0 || rows(t, s, "addresses") != 0 {
				t.Error("declining made something")
			}
			if a := g.Do(http.MethodGet, answer.Leave.Export, nil); a.Status != http.StatusOK {
				t.Errorf("the way out with what is theirs: %d", a.Status)
			}
			g.Want(http.StatusAccepted, g.Do(http.MethodPost, answer.Leave.Erase, nil), nil)
			firstUse(t, s, s.Guest())
		})
	})
}

// about counts the mails to somebody whose subject holds words.
func about(s *musatest.Studio, c *musatest.Client, words string) (list []rigs.Mail) {
	s.T.Helper()
	for _, m := range s.Post(c.Email) {
		if strings.Contains(m.Subject, words) {
			list = append(list, m)
		}
	}
	return list
}

const policyMail = "changes its privacy policy"

// told publishes a change of words and one that matters, and looks who hears of it, also where
// the node that tells dies half-way.
func told(t *testing.T, s *musatest.Studio, preset, name string) {
	t.Helper()
	people := []*musatest.Client{s.Member(), s.Member(), s.Member()}
	guest := s.Guest()
	now := s.Clock.Now()
	_, text := revised(t, preset, now.Format(time.DateOnly)+".91", now, name, name+" Ltd")
	s.Publish(text)
	for _, c := range people {
		if n := len(about(s, c, policyMail)); n != 0 {
			t.Fatalf("%d mails about a change of words", n)
		}
	}
	if a := agreement(guest); a.Change != nil {
		t.Errorf("a banner about a change of words: %+v", a.Change)
	}
	ref, text := revised(t, preset, now.Format(time.DateOnly)+".92", now, name, name+" Ltd", "from: sent, keep: 7d", "from: sent, keep: 9d")
	s.Publish(text)
	reached, release := s.Mails.Hold()
	dying, stop := context.WithCancel(t.Context())
	died := make(chan error, 1)
	go func() { died <- s.Notices.Step(dying) }()
	select {
	case <-reached:
	case err := <-died:
		t.Fatalf("the first node told nobody: %v", err)
	}
	stop()
	release()
	if err := <-died; err != nil && dying.Err() == nil {
		t.Fatal(err)
	}
	next, err := notice.New(s.Notices.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Turn(time.Hour)
	if err := next.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range people {
		list := about(s, c, policyMail)
		if len(list) != 1 {
			t.Fatalf("%d mails about a change that matters", len(list))
		}
		if m := list[0]; m.Header.Get("List-Unsubscribe") != "" || !strings.Contains(m.Text, "cannot be switched off") || !strings.Contains(m.Text, "9 days") {
			t.Errorf("the mail does not say what changes, or why it came:\n%s", m.Text)
		}
	}
	a := agreement(guest)
	if a.Change == nil || a.Change.To != ref || len(a.Change.Why) == 0 || len(a.Change.Changes) == 0 {
		t.Fatalf("no banner: %+v", a.Change)
	}
	uses(t, guest)
	wantAccepted(t, s, agreement(guest), s.Clock.Now())
	if a := agreement(guest); a.Change != nil {
		t.Error("the banner stays for who went on")
	}
}

func TestWhatMattersIsTold(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-41", func(t *testing.T) {
		both(t, "conversational", func(t *testing.T, s *musatest.Studio) { told(t, s, "conversational", "Example Conversation") })
	})
}

func TestTermsAreAcceptedWithTheirVersion(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-40", func(t *testing.T) {
		both(t, "conversational", func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			page := text(t, &musatest.Client{T: t, Base: s.URL}, "/")
			wantWords(t, "the page where pictures are made", page, `href="/terms"`)
			if a := agreement(g); a.Terms.Version == "" || a.Terms.At != nil || a.AnswersForContent != "subject" {
				t.Errorf("before the first picture: %+v", a)
			}
			at := s.Clock.Now()
			uses(t, g)
			wantAccepted(t, s, agreement(g), at)
		})
	})
}
