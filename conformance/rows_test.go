package conformance_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
)

const day = 24 * time.Hour

// TestIdleGuests: a guest who stays away is erased with all that is theirs, credits and
// session included.
func TestIdleGuests(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "P-17", "guests end thirty days after they were last seen", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "studio"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
			s.Clock.Turn(30*day - time.Second)
			sweep(t, s)
			if n := rowsOf(t, s, "subject_keys"); n != 1 {
				t.Fatalf("a second before the end there are %d subject keys, want 1", n)
			}
			s.Clock.Turn(time.Second)
			sweep(t, s)
			for _, table := range []string{"subject_keys", "secrets", "sessions", "ledger_entries", "ledger_accounts"} {
				if n := rowsOf(t, s, table); n != 0 {
					t.Errorf("after the end table %s holds %d rows of the guest", table, n)
				}
			}
			g.Want(http.StatusUnauthorized, g.Do(http.MethodGet, "/api/me", nil), nil)
		})
	})
}

func sweep(t *testing.T, s *musatest.Studio) {
	t.Helper()
	if err := s.Keeper.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Step()
}

// rowsOf counts live rows by SQL of its own. An emptied key is no key.
func rowsOf(t *testing.T, s *musatest.Studio, table string) int {
	t.Helper()
	where := ""
	if table == "subject_keys" || table == "secrets" {
		where = " WHERE length(wrapped) > 0"
	}
	var n int
	if err := s.House.DB.SQL().QueryRow("SELECT COUNT(*) FROM " + table + where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
