package retention_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
	"musa/retention"
)

// onStores runs a test on SQLite with files and on PostgreSQL with S3.
func onStores(t *testing.T, test func(t *testing.T, s *musatest.Studio)) {
	t.Helper()
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			test(t, musatest.New(t, musatest.Rig{Stores: stores}))
		})
	}
}

// another is the studio preset as another version, with pairs of old and new words in it.
func another(t *testing.T, version string, words ...string) string {
	t.Helper()
	was, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	text := string(was.YAML())
	for i, pairs := 0, append([]string{"version: " + was.Version, "version: " + version}, words...); i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the preset does not say %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

const (
	guests = "tier: [guest], from: created, keep: 24h"
	payers = "keep: 48h, choices: [48h, 7d]"
)

// made is a result of a new picture.
func made(t *testing.T, c *musatest.Client) musa.AssetID {
	t.Helper()
	return musa.AssetID(c.Made(c.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil).ID)
}

// wantEnd checks when an asset ends, as its owner is told.
func wantEnd(t *testing.T, c *musatest.Client, id musa.AssetID, want time.Time) {
	t.Helper()
	if a := c.Asset(string(id)); a.Ends == nil || !a.Ends.Equal(want) {
		t.Errorf("it ends at %v, want %v", a.Ends, want)
	}
}

// goesAt turns the clock to both sides of an instant: there before, gone and purged at it.
func goesAt(t *testing.T, s *musatest.Studio, c *musatest.Client, id musa.AssetID, at time.Time) {
	t.Helper()
	s.Clock.Turn(at.Sub(s.Clock.Now()) - time.Second)
	s.Step()
	c.Want(http.StatusOK, c.Content(string(id)), nil)
	s.Clock.Turn(time.Second)
	c.Problem(http.StatusGone, c.Content(string(id)))
	s.Step()
	if got := c.Asset(string(id)).State; got != string(musa.AssetPurged) {
		t.Errorf("at its end it is %q", got)
	}
}

func reckon(t *testing.T, s *musatest.Studio) retention.Reckoning {
	t.Helper()
	if err := s.Keeper.Reckon(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := s.Keeper.Reckoning(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list[len(list)-1]
}

// Under a version that keeps for a shorter time the key goes at the new end, not at the
// stored one. The last look waits until every node knows of the version.
func TestAShorterVersionErasesSooner(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		out := made(t, g)
		s.Publish(another(t, "2026-11-22.101", guests, "tier: [guest], from: created, keep: 2h"))
		if r := reckon(t, s); r.Finished != 0 || r.Shortened != 3 { // the result, the prompt and the history
			t.Errorf("at once: %+v", r)
		}
		wantEnd(t, g, out, begin.Add(2*time.Hour))
		s.Clock.Turn(3 * time.Second)
		if r := reckon(t, s); r.Finished == 0 || r.Shortened != 3 || r.Looked != r.Total || r.Total < 3 {
			t.Errorf("when all nodes know: %+v", r)
		}
		goesAt(t, s, g, out, begin.Add(2*time.Hour))
	})
}

// Nobody reads what the version in force has ended, before anything is reckoned.
func TestTheGuardDoesNotWaitForTheReckoning(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		out := made(t, g)
		s.Clock.Turn(2*time.Hour - time.Second)
		s.Publish(another(t, "2026-11-22.101", guests, "tier: [guest], from: created, keep: 2h"))
		g.Want(http.StatusOK, g.Content(string(out)), nil)
		s.Clock.Turn(time.Second)
		g.Problem(http.StatusGone, g.Content(string(out)))
	})
}

// A version that keeps for longer lengthens nothing that exists, neither by reckoning nor
// when the picture is touched.
func TestALongerVersionLengthensNothing(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
		s.Publish(another(t, "2026-11-22.101", guests, "tier: [guest], from: created, keep: 90h"))
		if r := reckon(t, s); r.Shortened != 0 || r.Looked != 1 {
			t.Errorf("reckoned %+v", r)
		}
		g.Want(http.StatusOK, g.Do(http.MethodPatch, "/api/assets/"+a.ID, map[string]bool{"saved": true}), nil)
		wantEnd(t, g, musa.AssetID(a.ID), begin.Add(24*time.Hour))
		wantEnd(t, g, made(t, g), begin.Add(90*time.Hour))
	})
}

// A version that is yet to take effect shortens what exists to its effect at the soonest,
// and decides from that very instant on.
func TestAPendingVersionDecidesFromItsDay(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now().UTC()
		day := begin.Truncate(24 * time.Hour).Add(24 * time.Hour)
		out := made(t, g)
		before := s.InForce().Ref()
		doc := s.Publish(another(t, "2026-11-22.101", "effective: 2026-11-22", "effective: "+day.Format(time.DateOnly),
			guests, "tier: [guest], from: created, keep: 1s"))
		reckon(t, s)
		end := day
		if limit := begin.Add(24 * time.Hour); end.After(limit) {
			end = limit
		}
		wantEnd(t, g, out, end)
		s.Clock.Turn(day.Sub(s.Clock.Now()) - time.Millisecond)
		if got := s.InForce().Ref(); got != before {
			t.Errorf("a moment before its day %s decides", got)
		}
		g.Want(http.StatusOK, g.Content(string(out)), nil)
		s.Clock.Turn(time.Millisecond)
		if got := s.InForce().Ref(); got != doc.Ref() {
			t.Errorf("on its day %s decides", got)
		}
		g.Problem(http.StatusGone, g.Content(string(out)))
	})
}

// After a crash the reckoning goes on from its mark: what was looked at is not again.
func TestAReckoningGoesOnAfterACrash(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		first := made(t, g)
		s.Clock.Turn(time.Second) // ids sort by time
		second := made(t, g)
		s.Step()                // the originals go
		s.Clock.Turn(time.Hour) // both are too old for the look at what is new
		s.Publish(another(t, "2026-11-22.101", guests, "tier: [guest], from: created, keep: 2h"))
		own := s.OwnSQL()
		defer own.Close()
		if _, err := own.Exec("UPDATE adoptions SET looked = 7, total = 9, next_asset = '" + string(first) + "' WHERE seq = (SELECT MAX(seq) FROM adoptions)"); err != nil {
			t.Fatal(err)
		}
		s.Clock.Turn(time.Minute)
		r := reckon(t, s)
		if r.Finished == 0 || r.Looked != 7+1+4 { // the second picture, and two records of each
			t.Errorf("reckoned %+v", r)
		}
		for id, want := range map[musa.AssetID]time.Duration{first: 24 * time.Hour, second: 2*time.Hour + time.Second} {
			a := g.Asset(string(id))
			if a.Ends == nil || !a.Ends.Equal(begin.Add(want)) {
				t.Errorf("%s ends at %v, want %v", id, a.Ends, begin.Add(want))
			}
		}
	})
}

// While another node holds the lease nothing is reckoned here.
func TestOneNodeReckonsAtATime(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		made(t, g)
		s.Publish(another(t, "2026-11-22.101", guests, "tier: [guest], from: created, keep: 2h"))
		own := s.OwnSQL()
		defer own.Close()
		if _, err := own.Exec("INSERT INTO leases (name, holder, until) VALUES ('reckon', 'another', 9000000000000000)"); err != nil {
			t.Fatal(err)
		}
		if r := reckon(t, s); r.Looked != 0 {
			t.Errorf("reckoned beside another: %+v", r)
		}
		if _, err := own.Exec("UPDATE leases SET until = 1 WHERE name = 'reckon'"); err != nil {
			t.Fatal(err)
		}
		if r := reckon(t, s); r.Shortened != 3 {
			t.Errorf("the lease was over: %+v", r)
		}
	})
}

// A choice may lengthen what exists, inside its own version; the version in force still
// bounds it.
func TestAChoiceLengthensInsideItsVersion(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		s.SetTier(g, musa.TierPaid)
		old := made(t, g)
		wantEnd(t, g, old, begin.Add(48*time.Hour))
		s.Publish(another(t, "2026-11-22.101", payers, "keep: 72h, choices: [72h, 30d]"))
		choose(t, s, g, 30*24*time.Hour)
		young := made(t, g)
		wantEnd(t, g, young, begin.Add(30*24*time.Hour))
		wantEnd(t, g, old, begin.Add(48*time.Hour)) // its own version offers no 30 days
		s.Publish(another(t, "2026-11-22.102", payers, "keep: 24h, choices: [24h, 7d]"))
		reckon(t, s)
		wantEnd(t, g, old, begin.Add(24*time.Hour))
		choose(t, s, g, 7*24*time.Hour)
		wantEnd(t, g, old, begin.Add(72*time.Hour)) // 7 days in its own and in the last, 72 hours in the one between
	})
}

// Previewed without being published, a version changes nothing, and tells what it would.
func TestAPreviewTellsWhatAVersionShortens(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		out := made(t, g)
		doc, err := policies.Parse("./other.yaml", func(string) ([]byte, error) {
			return []byte(another(t, "2026-11-22.101", guests, "tier: [guest], from: created, keep: 2h")), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		now := musa.At(begin)
		will, err := policy.NewVersions(append(s.Versions().List(), policy.Adoption{Doc: doc, Published: now, Effective: now})...)
		if err != nil {
			t.Fatal(err)
		}
		f, err := retention.Preview(t.Context(), s.DB, will, now)
		if err != nil || f.Now != 0 || f.Sooner != 3 || f.Later != 0 || len(f.Moments) != 1 || f.Moments[0].At != now.Add(2*time.Hour) {
			t.Errorf("foreseen %+v: %v", f, err)
		}
		wantEnd(t, g, out, begin.Add(24*time.Hour))
	})
}
