package rights_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/audit"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
)

const day = 24 * time.Hour

// graceful is the preset with an hour to take a closing back, and accounts kept for three
// days after it.
func graceful(t *testing.T) string {
	t.Helper()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc.YAML())
	for old, fresh := range map[string]string{
		"grace: 0s": "grace: 1h",
		"tier: [member, paid], from: account_closed, keep: 30d": "tier: [member, paid], from: account_closed, keep: 3d",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("the preset no longer says %q", old)
		}
		text = strings.Replace(text, old, fresh, 1)
	}
	return text
}

// A member's account: hidden at closing, taken back a millisecond before the grace is over
// and not after; then only the residue is left, and at the policy's end that goes, too,
// with a receipt that its capability opens. Promises E-19, C-22, E-21.
func TestAClosedAccount(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: graceful(t)})
			g := s.Guest()
			s.SetTier(g, musa.TierMember)
			a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			out := g.Made(a.ID, nil)
			id := g.Subject()
			closing := shut(t, g)
			g.Problem(http.StatusGone, g.Content(a.ID))
			g.Problem(http.StatusForbidden, g.Post("cat.png", photos.Read(t, "chelsea.png")))
			if r := receipt(t, g, closing); r.Statement.What != audit.WhatClosed || r.Logged {
				t.Errorf("while it closes the receipt says %q, logged: %v", r.Statement.What, r.Logged)
			}
			if r := receipt(t, g, closing); r.Expected == nil || closing.Erased == nil || !r.Expected.Equal(*closing.Erased) {
				t.Errorf("while it closes the receipt expects its data to go at %v, the closing says %v", r.Expected, closing.Erased)
			}
			s.Clock.Turn(time.Hour - time.Millisecond)
			s.Step()
			g.Want(http.StatusNoContent, g.Do(http.MethodDelete, "/api/me/erasure", nil), nil)
			g.Want(http.StatusOK, g.Content(a.ID), nil)
			g.Want(http.StatusOK, g.Content(out.ID), nil)

			closing = shut(t, g)
			s.Clock.Turn(time.Hour)
			g.Problem(http.StatusUnauthorized, g.Do(http.MethodDelete, "/api/me/erasure", nil))
			s.Step()
			sweep(t, s)
			if left := residue(t, s, id); left != "closed" {
				t.Errorf("when the grace is over the account is %s", left)
			}
			s.Clock.Turn(3*day - time.Hour - time.Millisecond)
			s.Step()
			if left := residue(t, s, id); left != "closed" {
				t.Errorf("a millisecond before its end the account is %s", left)
			}
			s.Clock.Turn(time.Millisecond)
			s.Step()
			s.Step()
			if left := residue(t, s, id); left != "erased" {
				t.Errorf("at its end the account is %s", left)
			}
			r := receipt(t, g, closing)
			if r.Statement.What != audit.WhatErased || r.Statement.Item != string(id) || !r.Logged {
				t.Errorf("the receipt says %+v, logged: %v", r.Statement, r.Logged)
			}
			if len(r.Statement.Counts) < 2 || len(r.Statement.Kept) < 2 || r.Statement.Kept[0].Category != musa.CategoryPayment {
				t.Errorf("the receipt counts %v and keeps %v", r.Statement.Counts, r.Statement.Kept)
			}
			if _, err := audit.VerifyReceipt(r.Receipt, r.Verifier); err != nil {
				t.Errorf("verify the receipt: %v", err)
			}
			payments(t, s, id, r.Statement.Kept[0].Until)
		})
	}
}

// A guest's account goes at once when the policy gives no grace.
func TestAGuestCloses(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	id := g.Subject()
	closing := shut(t, g)
	g.Problem(http.StatusUnauthorized, g.Do(http.MethodGet, "/api/me", nil))
	s.Step()
	s.Step()
	if left := residue(t, s, id); left != "erased" {
		t.Errorf("the account is %s", left)
	}
	r := receipt(t, g, closing)
	for _, k := range r.Statement.Kept {
		if k.Category == musa.CategoryPayment || k.Until == 0 {
			t.Errorf("of a guest stays %+v", k)
		}
	}
	if !r.Logged {
		t.Errorf("the receipt: %+v", r)
	}
}

// The time to take a closing back is the one that counted when the account was closed, at the door
// as everywhere.
func TestAShorterGraceDoesNotShutTheDoorOnWhoClosedBefore(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: graceful(t)})
			m := s.Member()
			shut(t, m)
			s.Clock.Turn(time.Minute)
			next := strings.Replace(graceful(t), "grace: 1h", "grace: 1m", 1)
			s.Publish(strings.Replace(next, s.InForce().Version, "2026-11-22.70", 1))
			s.Clock.Turn(50 * time.Minute)
			in := func() musatest.Answer {
				return m.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": m.Email, "password": musatest.Password})
			}
			m.Want(http.StatusOK, in(), nil)
			s.Clock.Turn(9 * time.Minute)
			m.Problem(http.StatusUnauthorized, in())
		})
	}
}

// A person hears of each closing of their account by mail, while they can take it back: somebody
// else may have closed it.
func TestAClosingIsMailed(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: graceful(t)})
			m := s.Member()
			before := len(s.Post(m.Email))
			for n := range 2 {
				shut(t, m)
				again := shut(t, m)
				until := again.Undo.UTC().Format("2 January 2006, 15:04 UTC")
				list := s.Post(m.Email)
				text := strings.Join(strings.Fields(list[len(list)-1].Text), " ")
				if len(list) != before+n+1 || !strings.Contains(text, "Until "+until+" you can") {
					t.Errorf("after closing number %d there are %d mails, the last says %q", n+1, len(list)-before, list[len(list)-1].Text)
				}
				m.Want(http.StatusNoContent, m.Do(http.MethodDelete, "/api/me/erasure", nil), nil)
			}
			for n := range 2 { // and closed again, which is told of once
				shut(t, m)
				m.Want(http.StatusNoContent, m.Do(http.MethodDelete, "/api/me/erasure", nil), nil)
				if n > 0 {
					shut(t, m)
				}
				if got := len(s.Post(m.Email)) - before; got != 2+n {
					t.Errorf("a closing that was taken back before its mail left is told of: %d mails, want %d", got, 2+n)
				}
			}
		})
	}
}

func shut(t *testing.T, g *musatest.Client) api.Closing {
	t.Helper()
	var c api.Closing
	g.Want(http.StatusAccepted, g.Do(http.MethodPost, "/api/me/erasure", nil), &c)
	if c.Capability == "" || c.Receipt == "" {
		t.Fatalf("closed with %+v", c)
	}
	return c
}

func receipt(t *testing.T, g *musatest.Client, c api.Closing) api.Receipt {
	t.Helper()
	var r api.Receipt
	nobody := &musatest.Client{T: t, Base: g.Base}
	nobody.Want(http.StatusOK, nobody.Do(http.MethodGet, "/api/receipts/"+c.Receipt+"?key="+c.Capability, nil), &r)
	return r
}

func sweep(t *testing.T, s *musatest.Studio) {
	t.Helper()
	if err := s.Keeper.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// residue says in which state the account is, and fails the test when more is left of it than
// the policy lists.
func residue(t *testing.T, s *musatest.Studio, id musa.SubjectID) string {
	t.Helper()
	var sub db.Subject
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		if sub, err = tx.Subject(ctx, id); err != nil {
			return err
		}
		items, err := tx.ActiveItems(ctx, id)
		if err != nil {
			return err
		}
		if len(items.Assets)+len(items.Records) > 0 {
			t.Errorf("of the account %d pictures and %d records are left", len(items.Assets), len(items.Records))
		}
		_, err = tx.SubjectKey(ctx, id)
		if erased := sub.State == musa.SubjectErased; erased != errors.Is(err, musa.ErrNotFound) {
			t.Errorf("the account is %s, and its key: %v", sub.State, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if sub.LastSeen != 0 || sub.Choice != 0 || sub.Former != "" {
		t.Errorf("of the account is left %+v", sub)
	}
	return string(sub.State)
}

// payments looks at the ledger that the law keeps: under nobody's name, adding up, until its
// own end and not longer.
func payments(t *testing.T, s *musatest.Studio, id musa.SubjectID, until musa.Millis) {
	t.Helper()
	count := func(query string, args ...any) (n int) {
		if err := s.House.DB.SQL().QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count("SELECT COUNT(*) FROM ledger_entries WHERE subject = $1 OR job <> ''", id); n != 0 {
		t.Errorf("%d entries still lead to somebody", n)
	}
	before := count("SELECT COUNT(*) FROM ledger_entries")
	if before == 0 {
		t.Error("no payment was kept")
	}
	s.Clock.Turn(until.Time().Sub(s.Clock.Now()) - time.Second)
	sweep(t, s)
	if n := count("SELECT COUNT(*) FROM ledger_accounts"); n != 1 {
		t.Errorf("a second before the end of the last entry there are %d accounts", n)
	}
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		faults, err := tx.LedgerFaults(ctx, 10)
		if len(faults) > 0 {
			t.Errorf("the ledger does not add up: %+v", faults)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Turn(time.Second)
	sweep(t, s)
	if n := count("SELECT COUNT(*) FROM ledger_entries") + count("SELECT COUNT(*) FROM ledger_accounts"); n != 0 {
		t.Errorf("at the end of the last entry %d rows are left", n)
	}
}
