package notice_test

import (
	"context"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"musa"
	"musa/db"
	"musa/lang"
	"musa/musatest"
	"musa/musatest/rigs"
	"musa/notice"
)

// mailsTo is a folder that every kind of mail is written to, to be looked at as its reader would.
var mailsTo = flag.String("mails", "", "write each kind of mail into this folder")

// everyKind has every kind of mail sent to somebody who reads a language.
func everyKind(t *testing.T, s *musatest.Studio, tag string) map[string]rigs.Mail {
	t.Helper()
	c := s.Member()
	c.Want(http.StatusOK, c.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"language": tag}), nil)
	subscribe(s, c, "news")
	subscribe(s, c, "survey")
	config := s.Notices.Config
	config.Find = map[string]notice.Finder{}
	for _, kind := range []string{notice.SignUp, notice.Reset, notice.Change, notice.Changed, notice.Invite} {
		config.Find[kind] = func(context.Context, db.Tx, db.Mail) (notice.Addressee, error) {
			return notice.Addressee{Email: c.Email, Language: tag, Secret: "musav_" + strings.Repeat("k", 43)}, nil
		}
	}
	n, err := notice.New(config)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]rigs.Mail{}
	take := func(name string) {
		t.Helper()
		before := len(s.Mails.To(c.Email))
		if err := n.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		list := s.Mails.To(c.Email)
		if len(list) != before+1 {
			t.Fatalf("%s: %d mails came", name, len(list)-before)
		}
		all[name] = list[before]
	}
	for _, kind := range []string{notice.SignUp, notice.SignUpKnown, notice.Reset, notice.Change, notice.Changed, notice.Invite, notice.Thread,
		notice.Case, notice.Suspended, notice.Breach} {
		order(s, db.Mail{Subject: c.Subject(), Kind: kind})
		take(kind)
	}
	order(s, db.Mail{Subject: c.Subject(), Kind: notice.Suspended, Object: "restored"})
	take("restored")
	order(s, db.Mail{Subject: c.Subject(), Kind: notice.FactorChanged, Object: "password_reset"})
	take(notice.FactorChanged)
	words := map[string]notice.Words{"en": {Subject: "A new way to enhance photographs", Text: "It is finer with faces.\n\nTry it in the studio."},
		"de": {Subject: "Ein neuer Weg, Fotos zu verbessern", Text: "Er ist feiner bei Gesichtern.\n\nProbieren Sie ihn im Studio."}}
	for _, kind := range []string{"news", notice.Service} {
		if _, err := s.Notices.Announce(t.Context(), musa.Actor{Role: musa.RoleOperator}, kind, words); err != nil {
			t.Fatal(err)
		}
		take(kind)
	}
	must(t, s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return s.Notices.TellSurvey(ctx, tx, "How is it?") }))
	take(notice.Survey)
	c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{"promotion": musatest.Order{"mail": "yes"}}}), nil)
	take(notice.List)
	s.Publish(changed(t, "2026-11-22.70", "keep: 48h", "keep: 72h", "from: sent, keep: 7d", "from: sent, keep: 9d", "grace: 0s", "grace: 72h"))
	take(notice.Policy)
	c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/me/erasure", nil), nil)
	take(notice.Closing)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every kind of mail is whole in every language: who writes and how to reach them, why it came, and
// whether it can be stopped; no word of the catalogue is missing, and both parts say the same.
func TestEveryMailIsWhole(t *testing.T) {
	t.Parallel()
	for _, words := range lang.All() {
		t.Run(words.Tag(), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Policy: changed(t, "2026-11-22.69", "grace: 0s", "grace: 72h")}) // a closing is mailed where there is time for it
			doc := s.InForce()
			for kind, m := range everyKind(t, s, words.Tag()) {
				wholeMail(t, kind, m, words)
				if m.Header.Get("Reply-To") != "<"+doc.Controller.Contact+">" {
					t.Errorf("%s is answered at %q", kind, m.Header.Get("Reply-To"))
				}
				for _, want := range []string{doc.Controller.Name, doc.Controller.Contact} {
					if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
						t.Errorf("%s does not say %q", kind, want)
					}
				}
			}
		})
	}
}

// key is the name of words that no catalogue has: it stands where they should.
var key = regexp.MustCompile(`\bmail\.[a-z]`)

func wholeMail(t *testing.T, kind string, m rigs.Mail, words *lang.Catalogue) {
	t.Helper()
	if *mailsTo != "" {
		name := filepath.Join(*mailsTo, words.Tag()+"-"+kind)
		must(t, os.WriteFile(name+".html", []byte(m.HTML), 0o600))
		must(t, os.WriteFile(name+".txt", []byte(m.Subject+"\n\n"+m.Text), 0o600))
	}
	if got := m.Header.Get("Content-Language"); got != words.Tag() {
		t.Errorf("%s came in %q", kind, got)
	}
	for _, part := range []string{m.Subject, m.Text, m.HTML} {
		if key.MatchString(strings.ReplaceAll(part, "mail.test", "")) || strings.ContainsAny(part, "{}") && part != m.HTML {
			t.Errorf("%s lacks words: %s", kind, part)
		}
	}
	stop := strings.Contains(m.Text, words.T("mail.stop", nil))
	listed := kind == "news" || kind == notice.Survey
	if stop != listed || strings.Contains(m.Text, words.T("mail.nostop", nil)) == listed || (m.Header.Get("List-Unsubscribe") != "") != listed {
		t.Errorf("%s: can be stopped %v, says %s", kind, listed, m.Text)
	}
}
