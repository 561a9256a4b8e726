package notice_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/rigs"
	"musa/notice"
)

// letter is a mail of the service to a member, once the mails of the sign-up are through.
func letter(s *musatest.Studio, c *musatest.Client) {
	order(s, db.Mail{Subject: c.Subject(), Kind: notice.FactorChanged, Object: "totp_on"})
}

func order(s *musatest.Studio, list ...db.Mail) {
	s.T.Helper()
	err := s.DB.Write(s.T.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, m := range list {
			if err := tx.QueueMail(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.T.Fatal(err)
	}
}

// queued is the one mail that is neither sent nor of a sign-up.
func queued(s *musatest.Studio) notice.Queued {
	s.T.Helper()
	list, err := s.Notices.Queue(s.T.Context(), musa.Actor{Role: musa.RoleOperator}, "", "", 100)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, m := range list {
		if m.Kind == notice.FactorChanged {
			return m
		}
	}
	s.T.Fatal("the mail is gone")
	return notice.Queued{}
}

func on(t *testing.T, f func(t *testing.T, s *musatest.Studio)) {
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			f(t, musatest.New(t, musatest.Rig{Stores: stores}))
		})
	}
}

// came counts the mails about the account's ways in.
func came(s *musatest.Studio, c *musatest.Client) (n int) {
	for _, m := range s.Post(c.Email) {
		if strings.HasPrefix(m.Subject, "A way into your account") {
			n++
		}
	}
	return n
}

// A fault that leaves no doubt that nothing arrived is tried again; the mail comes once.
func TestAFaultDelaysAMailAndNeitherLosesNorDoublesIt(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		for _, f := range []struct {
			fault rigs.SMTPFault
			code  string
		}{{rigs.SMTPLater, "451"}, {rigs.SMTPLaterData, "451"}, {rigs.SMTPHangsUp, "connection"}} {
			before := came(s, c)
			s.Mails.Fault(f.fault)
			letter(s, c)
			if n := came(s, c); n != before {
				t.Fatalf("fault %d: %d came", f.fault, n-before)
			}
			if m := queued(s); m.State != musa.MailWaiting || m.Code != f.code || m.Next != musa.At(s.Clock.Now().Add(time.Minute)) {
				t.Fatalf("fault %d: %+v", f.fault, m)
			}
			s.Mails.Fault(rigs.SMTPTakes)
			s.Clock.Turn(time.Minute - time.Millisecond)
			if n := came(s, c); n != before {
				t.Fatalf("fault %d: tried before its time", f.fault)
			}
			s.Clock.Turn(time.Millisecond)
			if n := came(s, c); n != before+1 {
				t.Fatalf("fault %d: %d came after the pause", f.fault, n-before)
			}
			s.Clock.Turn(24 * time.Hour)
			if n := came(s, c); n != before+1 {
				t.Fatalf("fault %d: it came again a day later", f.fault)
			}
		}
	})
}

// The server took the text and its answer was lost: nobody knows, so only an operator sends again.
func TestAMailThatMayHaveArrivedIsAnOperatorsToSendAgain(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		s.Mails.Fault(rigs.SMTPDisappears)
		letter(s, c)
		if n := came(s, c); n != 1 {
			t.Fatalf("%d came", n)
		}
		s.Mails.Fault(rigs.SMTPTakes)
		s.Clock.Turn(72 * time.Hour)
		if n := came(s, c); n != 1 {
			t.Fatalf("it was sent again by itself: %d came", n)
		}
		m := queued(s)
		if m.State != musa.MailUnsure {
			t.Fatalf("%+v", m)
		}
		if err := s.Notices.Again(t.Context(), musa.Actor{Role: musa.RoleOperator}, m.ID); err != nil {
			t.Fatal(err)
		}
		list := s.Post(c.Email)
		if n := came(s, c); n != 2 {
			t.Fatalf("%d came after the operator sent it again", n)
		}
		ids := map[string]int{}
		for _, m := range list {
			ids[m.Header.Get("Message-ID")]++
		}
		if len(ids) != len(list)-1 {
			t.Errorf("the second bears another Message-ID than the first, so no mailbox can tell: %v", ids)
		}
	})
}

func TestAMailThatIsRefusedFailsAtOnceAndOneThatWaitsInTheEnd(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Member()
	s.Mails.Fault(rigs.SMTPRefuses)
	letter(s, c)
	came(s, c)
	if m := queued(s); m.State != musa.MailFailed || m.Code != "550" {
		t.Fatalf("refused: %+v", m)
	}
	s.Mails.Stop()
	s.Clock.Turn(time.Second) // so that it is the later one
	began := s.Clock.Now()
	letter(s, c)
	for came(s, c); queued(s).State == musa.MailWaiting; came(s, c) {
		if s.Clock.Now().Sub(began) > 5*24*time.Hour {
			t.Fatal("tried for longer than five days")
		}
		s.Clock.Turn(time.Hour)
	}
	if over := s.Clock.Now().Sub(began); queued(s).State != musa.MailFailed || over < 4*24*time.Hour {
		t.Errorf("given up after %v: %+v", over, queued(s))
	}
}

// Several nodes drain one outbox.
func TestManyNodesSendEachMailOnce(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		other, err := notice.New(s.Notices.Config)
		if err != nil {
			t.Fatal(err)
		}
		const mails = 45
		list := make([]db.Mail, mails)
		for i := range list {
			list[i] = db.Mail{Subject: c.Subject(), Kind: notice.FactorChanged, Object: "totp_on"}
		}
		order(s, list...)
		var wait sync.WaitGroup
		for _, n := range []*notice.Notices{s.Notices, other, s.Notices, other} {
			wait.Go(func() {
				if err := n.Step(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		ids := map[string]bool{}
		for _, m := range s.Mails.To(c.Email) {
			ids[m.Header.Get("Message-ID")] = true
		}
		if n := came(s, c); n != mails || len(ids) != mails+1 {
			t.Errorf("%d mails came, %d different in all; %d were ordered", n, len(ids), mails)
		}
	})
}

// Whoever writes a name or an address cannot write a header.
func TestNoHeaderIsInjected(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Member()
	for _, to := range []notice.Addressee{
		{Email: "a@example.org\r\nBcc: spy@example.org"},
		{Email: "a@example.org>\r\nRCPT TO:<spy@example.org"},
		{Email: "a@example.org, spy@example.org"},
		{Email: "Spy <spy@example.org>"},
		{Email: "fine@example.org", Name: "x\r\nBcc: spy@example.org\r\n\r\nhello"},
	} {
		config := s.Notices.Config
		config.Find = map[string]notice.Finder{notice.Invite: func(context.Context, db.Tx, db.Mail) (notice.Addressee, error) { return to, nil }}
		n, err := notice.New(config)
		if err != nil {
			t.Fatal(err)
		}
		order(s, db.Mail{Subject: c.Subject(), Kind: notice.Invite})
		if err := n.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range s.Mails.Mails() {
		if m.Header.Get("Bcc") != "" || strings.Contains(strings.Join(m.To, " "), "spy") {
			t.Errorf("somebody else is written to:\n%s", m.Raw)
		}
	}
	if n := len(s.Mails.To("fine@example.org")); n != 1 {
		t.Errorf("%d mails to the address that is fine", n)
	}
}

// dialled leads every name to the studio's own mail server.
func dialled(s *musatest.Studio) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(s.Mails.URL, "smtp://"))
	}
}

func TestNoMailGoesInClearToAnotherMachine(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Member()
	config := s.Notices.Config
	config.Mail.URL, config.Mail.Dial = "smtp://name:password@mail.example.org", dialled(s)
	n, err := notice.New(config)
	if err != nil {
		t.Fatal(err)
	}
	letter(s, c)
	asked := s.Mails.Asked()
	if err := n.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := queued(s); m.State != musa.MailWaiting || m.Code != "tls" || s.Mails.Asked() != asked {
		t.Errorf("%+v, asked %d times", m, s.Mails.Asked()-asked)
	}
}

func TestSettingsThatCannotSendAreNamed(t *testing.T) {
	t.Parallel()
	fine := notice.Mail{URL: "smtp://mail.example.org", From: "studio@example.org", Site: "https://studio.example"}
	for _, c := range []struct {
		field string
		spoil func(*notice.Mail)
	}{
		{"smtp", func(m *notice.Mail) { m.URL = "http://mail.example.org" }},
		{"smtp", func(m *notice.Mail) { m.URL = "mail.example.org" }},
		{"mail-from", func(m *notice.Mail) { m.From = "" }},
		{"mail-from", func(m *notice.Mail) { m.From = "a@example.org\nBcc: b@example.org" }},
		{"public-url", func(m *notice.Mail) { m.Site = "" }},
	} {
		m := fine
		c.spoil(&m)
		_, err := notice.New(notice.Config{Mail: m})
		var p *musa.Problem
		if !asProblem(err, &p) || p.Field != c.field {
			t.Errorf("%+v: %v, want a problem of %s", m, err, c.field)
		}
	}
	if _, err := notice.New(notice.Config{Mail: fine}); err != nil {
		t.Error(err)
	}
}
