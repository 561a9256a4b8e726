package conformance_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
)

func member(t *testing.T, s *musatest.Studio) *musatest.Client {
	t.Helper()
	g := s.Guest()
	s.SetTier(g, musa.TierMember)
	return g.In(t)
}

func uploaded(t *testing.T, g *musatest.Client, fields ...string) api.Asset {
	t.Helper()
	return g.In(t).Upload("cat.png", photos.Read(t, "chelsea.png"), fields...)
}

func originalWorkedOn(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := s.Guest()
	start := s.Clock.Now()
	a := uploaded(t, g)
	s.Clock.Turn(time.Hour)
	g.Made(a.ID, nil)
	return start.Add(day), sealedLeft(t, s, a.ID)
}

func originalUnused(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	a := uploaded(t, s.Guest())
	return s.Clock.Now().Add(day), sealedLeft(t, s, a.ID)
}

func originalSaved(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	a := uploaded(t, member(t, s), "save", "true")
	return s.Clock.Now().Add(7 * day), sealedLeft(t, s, a.ID)
}

func outputOf(tier musa.Tier, keep time.Duration) func(*testing.T, *musatest.Studio) (time.Time, func(*testing.T) int) {
	return func(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
		g := s.Guest()
		if tier != musa.TierGuest {
			s.SetTier(g, tier)
		}
		out := g.Made(uploaded(t, g).ID, nil)
		return s.Clock.Now().Add(keep), sealedLeft(t, s, out.ID)
	}
}

func recordOf(c musa.Category) func(*testing.T, *musatest.Studio) (time.Time, func(*testing.T) int) {
	return func(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
		g := member(t, s)
		out := g.Made(uploaded(t, g).ID, musatest.Order{"prompt": "make it warmer"})
		var id string
		err := s.DB.SQL().QueryRowContext(t.Context(), fmt.Sprintf("SELECT id FROM records WHERE category = '%s' AND job = '%s'", c, out.Job)).Scan(&id)
		if err != nil {
			t.Fatal(err)
		}
		return s.Clock.Now().Add(7 * day), sealedLeft(t, s, id)
	}
}

func guestAway(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	id := s.Guest().Subject()
	return s.Clock.Now().Add(30 * day), rowsLeft(s, fmt.Sprintf("subject_keys WHERE subject = '%s' AND length(wrapped) > 0", id),
		fmt.Sprintf("subjects WHERE id = '%s' AND state <> 'erased'", id), fmt.Sprintf("sessions WHERE subject = '%s'", id))
}

func guestPaid(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := s.Guest()
	id := g.Subject()
	g.Made(uploaded(t, g).ID, nil)
	strange := "subject = '%s' OR subject NOT IN (SELECT id FROM subjects)"
	return s.Clock.Now().Add(30 * day), rowsLeft(s, fmt.Sprintf("ledger_accounts WHERE "+strange, id), fmt.Sprintf("ledger_entries WHERE "+strange, id))
}

func closed(t *testing.T, g *musatest.Client) (c api.Closing) {
	t.Helper()
	g.Want(http.StatusAccepted, g.Do(http.MethodPost, "/api/me/erasure", nil), &c)
	return c
}

func accountClosed(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := member(t, s)
	id := g.Subject()
	closed(t, g)
	return musatest.Months(s.Clock.Now().UTC(), 12), rowsLeft(s, fmt.Sprintf("subject_keys WHERE subject = '%s' AND length(wrapped) > 0", id),
		fmt.Sprintf("subjects WHERE id = '%s' AND state <> 'erased'", id))
}

// accountLeft is an account whose closing never comes.
func accountLeft(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := member(t, s)
	id := g.Subject()
	if err := s.Accounts.GiveRole(t.Context(), id, musa.RoleCompliance); err != nil {
		t.Fatal(err)
	}
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("subject_keys WHERE subject = '%s' AND length(wrapped) > 0", id),
		fmt.Sprintf("subjects WHERE id = '%s' AND state <> 'erased'", id), fmt.Sprintf("roles WHERE subject = '%s'", id))
}

// credentialClosed ends when the closing can no longer be undone.
func credentialClosed(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := member(t, s)
	id := g.Subject()
	return *closed(t, g).Undo, rowsLeft(s, fmt.Sprintf("sessions WHERE subject = '%s'", id))
}

// memberPaid keeps entries ten years, for two of which somebody could have asked after them.
func memberPaid(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := member(t, s)
	g.Made(uploaded(t, g).ID, nil)
	return musatest.Months(s.Clock.Now().UTC(), 120), rowsLeft(s, "ledger_accounts", "ledger_entries")
}

func jobLogged(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := member(t, s)
	out := g.Made(uploaded(t, g).ID, nil)
	end := musatest.Months(s.Clock.Now().UTC(), 12)
	return end, rowsLeft(s, fmt.Sprintf("jobs WHERE id = '%s'", out.Job), fmt.Sprintf("job_inputs WHERE job = '%s'", out.Job))
}

// audited fills a segment: they are forgotten whole, when the last of one is over.
func audited(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	for range 8 {
		err := s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			for range db.AuditSegment / 8 {
				if err := tx.AppendAudit(ctx, db.AuditEvent{Action: "seen", Role: musa.RoleSystem, Object: "as_x"}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Step()
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("audit_events WHERE seq <= %d", db.AuditSegment))
}

func receipted(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	g := s.Guest()
	a := uploaded(t, g)
	s.Clock.Turn(day)
	s.Step()
	id := g.Asset(a.ID).Receipt
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("receipts WHERE id = '%s'", id))
}

func evidenceHeld(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	staff, err := s.Accounts.AddStaff(t.Context(), musa.RoleCompliance)
	if err != nil {
		t.Fatal(err)
	}
	officer := &musatest.Client{T: t, Base: s.URL, Token: staff.Token}
	var h api.Hold
	officer.Want(http.StatusCreated, officer.Do(http.MethodPost, "/api/admin/holds",
		map[string]string{"asset": uploaded(t, s.Guest()).ID, "reason": "a warrant"}), &h)
	var id string
	if err := s.DB.SQL().QueryRowContext(t.Context(), "SELECT evidence FROM holds").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return musatest.Months(s.Clock.Now().UTC(), 24), sealedLeft(t, s, id)
}
