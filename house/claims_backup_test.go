package house_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"musa/blob/files"
	"musa/house"
	"musa/musatest"
)

// Backups are claimed only with a target, and while copy and rehearsal are at most half
// their time late.
func TestBackupsAreClaimedInTime(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			c := s.Config
			target, err := files.New(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			c.Backup = house.Backup{Target: target, Name: "test"}
			h, err := house.New(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			terms := s.InForce().Lifecycle.Backup
			claims := func(want bool, when string) {
				t.Helper()
				if h.Claims.Test(t.Context()); h.Claims.Passing()["backups"] != want {
					t.Errorf("%s: backups pass: %v", when, !want)
				}
			}
			claims(false, "before the first copy")
			now := s.Clock.Now().UnixMilli()
			plant := "INSERT INTO backups (id, started, finished, row_count, blob_count, bytes, rehearsed, code) VALUES "
			tamper(t, s, plant+strings.ReplaceAll("('bk_1', NOW, NOW, 1, 1, 1, 0, '')", "NOW", strconv.FormatInt(now, 10)))
			claims(false, "before the first rehearsal")
			tamper(t, s, "UPDATE backups SET rehearsed = "+strconv.FormatInt(now, 10))
			claims(true, "with both")
			s.Clock.Turn(terms.Every.Duration() * 3 / 2)
			claims(true, "half its time late")
			s.Clock.Turn(time.Millisecond)
			claims(false, "later than that")
			s.Claims.Test(t.Context())
			if s.Claims.Passing()["backups"] {
				t.Error("claimed without a target")
			}
		})
	}
}

// Without a target for backups nothing says that any are made, on the page and by the API.
func TestBackupsThatAreNotSetUp(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	for _, path := range []string{"/privacy", "/api/policy", "/privacy/record.md"} {
		said := string(s.Guest().Do(http.MethodGet, path, nil).Body)
		if path == "/api/policy" {
			_, said, _ = strings.Cut(said, `"sections"`) // the document itself stands before
		}
		if strings.Contains(said, "lifecycle.backup") || !strings.Contains(said, "security.caveat") && path != "/privacy/record.md" {
			t.Errorf("%s without a backup target: backups %v", path, strings.Contains(said, "lifecycle.backup"))
		}
	}
}
