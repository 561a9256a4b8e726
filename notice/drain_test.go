package notice_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/rigs"
	"musa/notice"
)

// arrived are the ids of the mails that the mail server took, in its order.
func arrived(s *musatest.Studio) (ids []musa.MailID) {
	for _, m := range s.Mails.Mails() {
		id, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-ID"), "<>"), "@")
		ids = append(ids, musa.MailID(id))
	}
	return ids
}

func step(s *musatest.Studio) {
	s.T.Helper()
	if err := s.Notices.Step(s.T.Context()); err != nil {
		s.T.Fatal(err)
	}
}

// outbox is where every mail stands.
func outbox(s *musatest.Studio) map[musa.MailID]notice.Queued {
	s.T.Helper()
	list, err := s.Notices.Queue(s.T.Context(), musa.Actor{Role: musa.RoleOperator}, "", "", 500)
	if err != nil {
		s.T.Fatal(err)
	}
	all := map[musa.MailID]notice.Queued{}
	for _, m := range list {
		all[m.ID] = m
	}
	return all
}

// Who waits longest is served first, also where the rows lie in another order.
func TestMailsLeaveInTheOrderOfTheirDue(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		c := s.Member()
		const mails = 50
		for range mails {
			letter(s, c)
		}
		var want []musa.MailID
		for id, m := range outbox(s) {
			if m.Kind == notice.FactorChanged {
				want = append(want, id)
			}
		}
		slices.SortFunc(want, func(a, b musa.MailID) int { return strings.Compare(string(b), string(a)) })
		rows := s.OwnSQL()
		defer rows.Close()
		for i, id := range want {
			q := fmt.Sprintf("UPDATE mails SET next = %d WHERE id = '%s'", musa.At(s.Clock.Now().Add(time.Duration(i-mails)*time.Millisecond)), id)
			if _, err := rows.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		step(s)
		got := arrived(s)
		if got = got[len(got)-mails:]; !slices.Equal(got, want) {
			t.Errorf("left as %v\nwere due as %v", got, want)
		}
	})
}

// What the other side cannot bear about one mail delays no other.
func TestAMailThatBreaksTheLineDelaysNoOther(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		bad, good := s.Member(), s.Member()
		s.Mails.FaultOf(bad.Email, rigs.SMTPHangsUp)
		letter(s, bad)
		letter(s, good)
		if n := came(s, good); n != 1 {
			t.Errorf("%d mails to who stands behind in the line, want 1", n)
		}
		s.Mails.FaultOf(bad.Email, rigs.SMTPTakes)
		s.Clock.Turn(time.Minute)
		if n := came(s, bad); n != 1 {
			t.Errorf("%d mails at the second try", n)
		}
	})
}

// A mail that cannot be written waits by itself, and is tried again.
func TestAMailThatCannotBeWrittenDelaysNoOther(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Member()
	config := s.Notices.Config
	broken := errors.New("the record cannot be read")
	config.Find = map[string]notice.Finder{notice.Invite: func(context.Context, db.Tx, db.Mail) (notice.Addressee, error) {
		return notice.Addressee{Email: c.Email}, broken
	}}
	n, err := notice.New(config)
	if err != nil {
		t.Fatal(err)
	}
	order(s, db.Mail{Subject: c.Subject(), Kind: notice.Invite})
	letter(s, c)
	if err := n.Step(t.Context()); err != nil {
		t.Errorf("the step fails: %v", err)
	}
	if n := came(s, c); n != 1 {
		t.Errorf("%d of the mails behind it came, want 1", n)
	}
	for _, m := range outbox(s) {
		if m.Kind == notice.Invite && (m.State != musa.MailWaiting || m.Code != "fault" || m.Next != musa.At(s.Clock.Now().Add(time.Minute))) {
			t.Errorf("it stands as %+v", m)
		}
	}
	broken = nil
	s.Clock.Turn(time.Minute)
	if err := n.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Post(c.Email)); got != 3 { // of the sign-up, and both
		t.Errorf("%d mails in the end, want 3", got)
	}
}

// waited is an hour as a studio lives it, minute by minute: people sign up, ask for a password and
// are told things, while their mails meet a server that is down, then asks to come back later, then
// takes them.
type waited struct {
	s       *musatest.Studio
	members []*musatest.Client
	reset   *musatest.Client
}

// minute orders what belongs to one minute of the hour.
func (w *waited) minute(n int) {
	w.s.T.Helper()
	switch n {
	case 0:
		w.reset.Want(http.StatusAccepted, w.reset.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": w.reset.Email}), nil)
	case 1:
		if _, err := w.s.Notices.Announce(w.s.T.Context(), musa.Actor{Role: musa.RoleOperator}, "news", map[string]notice.Words{"en": {Subject: "what is new", Text: "One."}}); err != nil {
			w.s.T.Fatal(err)
		}
	}
	if n%7 == 0 {
		g := w.s.Guest()
		w.s.SignUp(g, fmt.Sprintf("late%d@example.net", n))
	}
	letter(w.s, w.members[n%len(w.members)])
}

// pass sends what is due now and looks that what arrived is what was due, the longest due first.
func (w *waited) pass() {
	w.s.T.Helper()
	before, had := outbox(w.s), len(arrived(w.s))
	step(w.s)
	var last musa.Millis
	for _, id := range arrived(w.s)[had:] {
		due := before[id].Next
		if due == 0 { // it was ordered by this very step
			due = musa.At(w.s.Clock.Now())
		}
		if due < last || due > musa.At(w.s.Clock.Now()) {
			w.s.T.Errorf("a mail that was due at %d left at %d after one that was due at %d", due, musa.At(w.s.Clock.Now()), last)
		}
		last = due
	}
}

// An hour without a mail server loses nothing and doubles nothing: each mail arrives once, in the
// order in which they were due, and the links in them work as long as they say.
func TestAnHourWithoutAMailServer(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, s *musatest.Studio) {
		w := &waited{s: s, members: []*musatest.Client{s.Member(), s.Member(), s.Member()}, reset: s.Member()}
		subscribe(s, w.members[0], "news")
		before, told := len(s.Mails.Mails()), len(s.Mails.To(w.reset.Email))
		s.Mails.Stop()
		for n := range 60 {
			switch n {
			case 45:
				s.Mails.Start()
				s.Mails.Fault(rigs.SMTPLater)
			case 52:
				s.Mails.Fault(rigs.SMTPLaterData)
			}
			w.minute(n)
			w.pass()
			s.Clock.Turn(time.Minute)
		}
		if n := len(s.Mails.Mails()); n != before {
			t.Fatalf("%d mails arrived while nothing was taken", n-before)
		}
		s.Mails.Fault(rigs.SMTPTakes)
		works := false
		for range 2 * 60 {
			w.pass()
			if !works && len(s.Mails.To(w.reset.Email)) > told { // its hour begins as it comes
				nobody := &musatest.Client{T: t, Base: s.URL}
				nobody.Want(http.StatusNoContent, nobody.Do(http.MethodPost, "/api/accounts/reset/confirm",
					musatest.Order{"secret": s.Secret(w.reset.Email), "password": "another " + musatest.Password}), nil)
				works = true
			}
			s.Clock.Turn(time.Minute)
		}
		if !works {
			t.Error("the reset never came")
		}
		ids := arrived(s)
		slices.Sort(ids)
		if len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Error("a mail arrived twice")
		}
		const want = 60 + 9 + 1 + 1 + 1 // letters, sign-ups, news, the reset, and the word that it was used
		if n := len(ids) - before; n != want {
			t.Errorf("%d mails arrived, %d were ordered", n, want)
		}
		for id, m := range outbox(s) {
			if m.State != musa.MailSent {
				t.Errorf("%s: %+v", id, m)
			}
		}
	})
}

// subscribe has somebody ask for a kind of mail and answer from their address.
func subscribe(s *musatest.Studio, c *musatest.Client, kind string) {
	s.T.Helper()
	c.Want(http.StatusOK, c.Do(http.MethodPut, "/api/me/mails", musatest.Order{"kinds": musatest.Order{kind: musatest.Order{"mail": "yes"}}}), nil)
	_, secret, _ := strings.Cut(s.Mail(c.Email).Link("for=list"), "#")
	c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/lists/confirm", musatest.Order{"secret": secret}), nil)
}
