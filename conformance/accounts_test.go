package conformance_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/audit"
	"musa/conformance"
	"musa/musatest"
	"musa/proof"
)

// closes is what a preset says about closing an account: how long it can be taken back, and
// when the account's own data goes.
type closes struct {
	grace time.Duration
	ends  func(closed time.Time) time.Time
}

func shut(g *musatest.Client) (c api.Closing) {
	g.T.Helper()
	g.Want(http.StatusAccepted, g.Do(http.MethodPost, "/api/me/erasure", nil), &c)
	return c
}

// paper is the receipt of a closed account, as whoever closed it gets it without an account.
func paper(t *testing.T, s *musatest.Studio, c api.Closing) (r api.Receipt) {
	t.Helper()
	nobody := &musatest.Client{T: t, Base: s.URL}
	nobody.Want(http.StatusOK, nobody.Do(http.MethodGet, "/api/receipts/"+c.Receipt+"?key="+c.Capability, nil), &r)
	nobody.Problem(http.StatusUnauthorized, nobody.Do(http.MethodGet, "/api/receipts/"+c.Receipt, nil))
	return r
}

// turnTo turns the clock to an instant and does what retention does.
func turnTo(t *testing.T, s *musatest.Studio, to time.Time) {
	t.Helper()
	s.Clock.Turn(to.Sub(s.Clock.Now()))
	sweep(t, s)
	s.Step()
}

// rows counts what a query of its own finds.
func rows(t *testing.T, s *musatest.Studio, query string) (n int) {
	t.Helper()
	if err := s.DB.SQL().QueryRow("SELECT COUNT(*) FROM " + query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wantAccount looks whether an account is there, whole: its row and its key.
func wantAccount(t *testing.T, s *musatest.Studio, id musa.SubjectID, state string) {
	t.Helper()
	if rows(t, s, "subjects WHERE id = '"+string(id)+"' AND state = '"+state+"'") != 1 ||
		rows(t, s, "subject_keys WHERE subject = '"+string(id)+"' AND length(wrapped) > 0") != 1 {
		t.Fatalf("%v: the account is not there and %s", s.Clock.Now(), state)
	}
}

// end closes an account with things in it, takes that back in the last second that allows it,
// closes it again, and looks at both sides of each date that the person was given: what was
// in it goes when there is no way back, the account on its day, with a receipt that needs no
// account.
func (c closes) end(t *testing.T, s *musatest.Studio, m *musatest.Client) api.Receipt {
	t.Helper()
	id := m.Subject()
	up, out := brought(t, m)
	first := shut(m)
	wantGone(t, m, up.ID)
	s.Clock.Turn(c.grace - time.Second)
	s.Step()
	m.Want(http.StatusNoContent, m.Do(http.MethodDelete, "/api/me/erasure", nil), nil)
	wantAccount(t, s, id, "active")
	if a := m.Asset(up.ID); a.Ends.After(s.Clock.Now()) {
		m.Want(http.StatusOK, m.Content(out.ID), nil)
	} else {
		up, out = brought(t, m) // the plan ended them meanwhile
	}
	m.Want(http.StatusUnauthorized, (&musatest.Client{T: t, Base: s.URL}).Do(http.MethodGet, "/api/receipts/"+first.Receipt, nil), nil)

	closing, closed := shut(m), s.Clock.Now()
	if !closing.Closed.Equal(closed) || !closing.Undo.Equal(closed.Add(c.grace)) || !closing.Erased.Equal(c.ends(closed)) {
		t.Fatalf("closed %v with the dates %v, %v and %v, want %v and %v", closed, closing.Closed, closing.Undo, closing.Erased, closed.Add(c.grace), c.ends(closed))
	}
	if me := fetched[api.Me](t, m, "/api/me"); me.Closing == nil || !me.Closing.Erased.Equal(*closing.Erased) || !me.Closing.Undo.Equal(*closing.Undo) {
		t.Errorf("the account shows the countdown %+v", me.Closing)
	}
	wantGone(t, m, up.ID)
	wantGone(t, m, out.ID)
	pictures, account := scanner(t, s, up.ID, out.ID), scanner(t, s, string(id))
	control(t, pictures, s)
	turnTo(t, s, closing.Undo.Add(-time.Second))
	m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me", nil), nil)
	turnTo(t, s, *closing.Undo)
	m.Problem(http.StatusUnauthorized, m.Do(http.MethodDelete, "/api/me/erasure", nil))
	wantClean(t, s, pictures)

	turnTo(t, s, closing.Erased.Add(-time.Second))
	wantAccount(t, s, id, "closed")
	if r := paper(t, s, closing); r.Statement.What != audit.WhatClosed || r.Logged {
		t.Errorf("a second before its day the receipt says %q, logged: %v", r.Statement.What, r.Logged)
	}
	if hits := scan(t, account, s); len(hits) == 0 {
		t.Fatal("a second before its day the scan does not find the account's key")
	}
	turnTo(t, s, *closing.Erased)
	s.Step()
	if n := rows(t, s, "subjects WHERE id = '"+string(id)+"' AND state <> 'erased'"); n != 0 {
		t.Error("on its day the account is still there")
	}
	wantClean(t, s, account)
	r := paper(t, s, closing)
	if r.Statement.What != audit.WhatErased || r.Statement.Item != string(id) || !r.Logged || len(r.Statement.Counts) == 0 {
		t.Errorf("the receipt says %+v, logged: %v", r.Statement, r.Logged)
	}
	if _, err := audit.VerifyReceipt(r.Receipt, r.Verifier); err != nil {
		t.Errorf("the receipt does not prove itself: %v", err)
	}
	return r
}

func scanner(t *testing.T, s *musatest.Studio, ids ...string) *proof.Scanner {
	t.Helper()
	traces, err := s.Eraser.Proof.Record(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	return proof.NewScanner(traces...)
}

func wantClean(t *testing.T, s *musatest.Studio, of *proof.Scanner) {
	t.Helper()
	// A scrub of PostgreSQL has to wait for the transactions of other tests.
	for end := time.Now().Add(30 * time.Second); len(scan(t, of, s)) > 0 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		s.Step()
	}
	for _, hit := range scan(t, of, s) {
		t.Errorf("%v: %v", s.Clock.Now(), hit)
	}
}

func later(d time.Duration) func(time.Time) time.Time {
	return func(at time.Time) time.Time { return at.Add(d) }
}

// TestClosing: an account is there while it is active, and goes as long after its closing as
// the preset says.
func TestClosing(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-19", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			active := person(s, musa.TierMember)
			id := active.Subject()
			closes{7 * day, later(30 * day)}.end(t, s, person(s, musa.TierMember))
			for range 5 {
				turnTo(t, s, musatest.Months(s.Clock.Now(), 12))
				wantAccount(t, s, id, "active")
			}
		})
	})
	conformance.Kept(t, "W-31", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "workspace"}, func(t *testing.T, s *musatest.Studio) {
			ids := []musa.SubjectID{person(s, musa.TierMember).Subject(), person(s, musa.TierPaid).Subject()}
			closes{14 * day, later(60 * day)}.end(t, s, person(s, musa.TierPaid))
			for range 10 {
				turnTo(t, s, musatest.Months(s.Clock.Now(), 12))
			}
			for _, id := range ids {
				wantAccount(t, s, id, "active")
				if n := rows(t, s, "ledger_accounts WHERE subject = '"+string(id)+"' AND balance = 1000"); n != 1 {
					t.Error("after ten unused years the credits are gone")
				}
			}
		})
	})
	conformance.Part(t, "C-22", "only the listed rest is left, nobody opens it, and it goes after three years", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
			p := person(s, musa.TierPaid)
			id := p.Subject()
			choose(p, "7d")
			up, _ := brought(t, p)
			closing := shut(p)
			turnTo(t, s, *closing.Undo)
			wantAccount(t, s, id, "closed")
			rest := "subjects WHERE id = '" + string(id) + "' AND created = 0 AND last_seen = 0 AND choice = 0 AND former = '' AND grace = 0 AND closed > 0"
			if rows(t, s, rest) != 1 {
				t.Error("a closed account keeps more than its id and when it was closed")
			}
			for _, table := range []string{"sessions WHERE subject", "roles WHERE subject", "secrets WHERE length(wrapped) > 0 AND subject", "blobs AS b JOIN assets AS a ON a.id = b.asset WHERE a.owner"} {
				if n := rows(t, s, table+" = '"+string(id)+"'"); n != 0 {
					t.Errorf("a closed account keeps %d rows: %s", n, table)
				}
			}
			for _, role := range []musa.Role{musa.RoleOperator, musa.RoleCompliance} {
				by := s.Staff(t, role)
				by.Problem(http.StatusNotFound, by.Do(http.MethodGet, "/api/assets/"+up.ID+"/content", nil))
				if ans := by.Do(http.MethodPost, "/api/admin/holds", map[string]string{"asset": up.ID, "reason": "curiosity"}); ans.Status < http.StatusBadRequest {
					t.Errorf("%s holds what is left of a closed account", role)
				}
			}
			closes{72 * time.Hour, func(at time.Time) time.Time { return musatest.Months(at, 36) }}.end(t, s, person(s, musa.TierMember))
		})
	})
}

// TestPayments: what the law keeps of an erased account leads to nobody and has its own end.
func TestPayments(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "E-21", "credit entries stay under nobody's name until their own end", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			m := person(s, musa.TierMember)
			id := string(m.Subject())
			_, out := brought(t, m)
			entries := rows(t, s, "ledger_entries")
			if entries < 2 {
				t.Fatalf("before the erasure there are %d entries", entries)
			}
			closing := shut(m)
			last := s.Clock.Now()
			turnTo(t, s, *closing.Erased)
			s.Step()
			kept := paper(t, s, closing).Statement.Kept
			if len(kept) == 0 || kept[0].Category != musa.CategoryPayment || kept[0].Rule == "" || !kept[0].Until.Time().Equal(musatest.Months(last, 84)) {
				t.Fatalf("the receipt says that %+v is kept, want payments until %v", kept, musatest.Months(last, 84))
			}
			detached := func() {
				t.Helper()
				all := dump(t, s, "ledger_entries", "ledger_accounts")
				for what, mark := range map[string]string{"the account": id, "a job": out.Job, "a picture": out.ID} {
					if strings.Contains(all, mark) {
						t.Errorf("what is kept leads to %s", what)
					}
				}
				if n := rows(t, s, "ledger_entries"); n != entries {
					t.Errorf("%d entries are kept, want %d", n, entries)
				}
				if n := rows(t, s, "ledger_accounts AS a WHERE a.balance = (SELECT SUM(amount) FROM ledger_entries AS e WHERE e.subject = a.subject)"); n != 1 {
					t.Error("what is kept does not add up")
				}
			}
			detached()
			turnTo(t, s, kept[0].Until.Time().Add(-time.Second))
			detached()
			turnTo(t, s, kept[0].Until.Time())
			if n := rows(t, s, "ledger_entries") + rows(t, s, "ledger_accounts"); n != 0 {
				t.Errorf("at their end %d rows are left", n)
			}
		})
	})
}
