package conformance_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/proof"
)

// brought is a saved upload and what was made of it, at one instant.
func brought(t *testing.T, g *musatest.Client) (up, out api.Asset) {
	t.Helper()
	up = g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	out = g.Made(up.ID, musatest.Order{"prompt": "make it warmer"})
	return g.Asset(up.ID), out
}

// wantEnds checks that pictures and the history of their job are shown to end then.
func wantEnds(t *testing.T, g *musatest.Client, end time.Time, items ...api.Asset) {
	t.Helper()
	for _, it := range items {
		a := g.Asset(it.ID)
		if a.Ends == nil || !a.Ends.Equal(end) || a.EndsText == "" || a.EndsRule == "" {
			t.Fatalf("the %s is said to end %v (%q, %q), want %v", a.Kind, a.Ends, a.EndsText, a.EndsRule, end)
		}
		if a.Job == "" {
			continue
		}
		if j := g.Job(a.Job); j.Ends == nil || !j.Ends.Equal(end) || j.Prompt == "" || j.Plan == nil {
			t.Fatalf("the history is said to end %v, want %v; prompt and plan are there: %v, %v", j.Ends, end, j.Prompt != "", j.Plan != nil)
		}
	}
}

// goAt turns the clock to a second before the end of items, where all of them open, and to
// the end itself, where none does, before anything has stepped. After a step neither keys nor
// bytes nor small forms are found in any file of the deployment, and receipts tell of all.
func goAt(t *testing.T, s *musatest.Studio, g *musatest.Client, end time.Time, items ...api.Asset) {
	t.Helper()
	var ids, jobs []string
	for _, it := range items {
		if ids = append(ids, it.ID); it.Job != "" {
			jobs = append(jobs, it.Job)
		}
	}
	s.Clock.Turn(end.Add(-time.Second).Sub(s.Clock.Now()))
	s.Step()
	for _, id := range ids {
		g.Want(http.StatusOK, g.Content(id), nil)
	}
	for _, id := range jobs {
		if g.Job(id).Prompt == "" {
			t.Fatal("the history is gone a second before its end")
		}
	}
	traces, err := s.Eraser.Proof.Record(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	scanner := proof.NewScanner(traces...)
	control(t, scanner, s)
	s.Clock.Turn(time.Second)
	for _, id := range ids {
		wantGone(t, g, id)
		g.Problem(http.StatusGone, g.Do(http.MethodGet, "/api/assets/"+id+"/content?role=thumb", nil))
	}
	for _, id := range jobs {
		if j := g.Job(id); j.Prompt != "" || j.Plan != nil || j.Ends != nil {
			t.Fatal("the history opens after its end")
		}
	}
	s.Step()
	for _, id := range ids {
		if a := g.Asset(id); a.State != "purged" || a.Name != "" {
			t.Fatalf("a step after its end the %s is %q", a.Kind, a.State)
		}
		wantReceipt(t, g, id)
	}
	for _, hit := range scan(t, scanner, s) {
		t.Errorf("after the purge: %v", hit)
	}
}

// person is somebody of a tier, by the operator's door.
func person(s *musatest.Studio, t musa.Tier) *musatest.Client {
	s.T.Helper()
	g := s.Guest()
	if t != musa.TierGuest {
		s.SetTier(g, t)
	}
	return g
}

// wantOffer checks what the settings offer for results: default, chosen and the choices, or
// nothing at all.
func wantOffer(t *testing.T, g *musatest.Client, want string) {
	t.Helper()
	got := ""
	for _, o := range fetched[api.Keeping](t, g, "/api/me/retention").Offers {
		if strings.Contains(strings.Join(o.Categories, " "), string(musa.CategoryOutput)) {
			got += o.Default + " " + o.Chosen + " of " + strings.Join(o.Choices, " ")
		}
	}
	if got != want {
		t.Fatalf("the settings offer %q, want %q", got, want)
	}
}

func keepFor(span string) map[string]string { return map[string]string{"keep": span} }

func choose(g *musatest.Client, span string) (f api.Forecast) {
	g.T.Helper()
	g.Want(http.StatusOK, g.Do(http.MethodPut, "/api/me/retention", keepFor(span)), &f)
	return f
}

func preview(g *musatest.Client, span string) (f api.Forecast) {
	g.T.Helper()
	g.Want(http.StatusOK, g.Do(http.MethodPost, "/api/me/retention/preview", keepFor(span)), &f)
	return f
}

// refuses checks that a choice is neither previewed nor taken.
func refuses(g *musatest.Client, span string) {
	g.T.Helper()
	g.Problem(http.StatusForbidden, g.Do(http.MethodPost, "/api/me/retention/preview", keepFor(span)))
	g.Problem(http.StatusForbidden, g.Do(http.MethodPut, "/api/me/retention", keepFor(span)))
}

// warnedOf checks that a person is told of a lost tier: when the first goes, and not before
// the notice is over.
func warnedOf(t *testing.T, g *musatest.Client, former musa.Tier, at time.Time) {
	t.Helper()
	me := fetched[api.Me](t, g, "/api/me")
	if me.Former != string(former) || me.Grace == nil || len(me.Notices) == 0 || me.Notices[0].Items == 0 {
		t.Fatalf("nobody is told of the lost tier: %+v", me)
	}
	if !me.Notices[0].At.Equal(at) || at.Before(*me.Grace) {
		t.Fatalf("told that something goes %v, with a notice until %v; want %v", me.Notices[0].At, me.Grace, at)
	}
}

// TestEnhancerSettings: results and history stay as the person set, within what paid credits
// allow.
func TestEnhancerSettings(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-18", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			guest, m, p := s.Guest(), person(s, musa.TierMember), person(s, musa.TierPaid)
			wantOffer(t, guest, "")
			wantOffer(t, m, "48h 48h of 24h 48h 7d")
			wantOffer(t, p, "7d 7d of 24h 48h 7d 30d")
			refuses(guest, "24h")
			refuses(m, "30d")
			start := s.Clock.Now()
			up, out := brought(t, p)
			wantEnds(t, p, start.Add(7*day), up, out)

			// The person is told before a choice shortens anything, and nothing changed by asking.
			f := preview(p, "24h")
			if f.Sooner < 4 || f.Now != 0 || len(f.Moments) == 0 || !f.Moments[0].At.Equal(start.Add(day)) {
				t.Errorf("the preview of a shorter time says %+v", f)
			}
			wantEnds(t, p, start.Add(7*day), up, out)
			if f := choose(p, "30d"); f.Later < 4 || f.Sooner != 0 {
				t.Errorf("a longer time does %+v", f)
			}
			wantOffer(t, p, "7d 30d of 24h 48h 7d 30d")
			wantEnds(t, p, start.Add(30*day), up, out)
			if me := fetched[api.Me](t, p, "/api/me"); len(me.Notices) != 0 {
				t.Errorf("without a loss the person is warned: %+v", me.Notices)
			}

			// The credits are used up after ten days: the member's 48 hours are over, and yet
			// nothing goes before the notice of 72 hours.
			s.Clock.Turn(10 * day)
			told := s.SetTier(p, musa.TierMember)
			end := start.Add(13 * day)
			if told.Now != 0 || told.Sooner < 4 || !told.Notice.Time().Equal(end) {
				t.Errorf("the operator is told %+v", told)
			}
			warnedOf(t, p, musa.TierPaid, end)
			wantEnds(t, p, end, up, out)

			// What is over by a choice goes with it, as the preview says.
			late, made := brought(t, m)
			s.Clock.Turn(30 * time.Hour)
			if f := preview(m, "24h"); f.Now < 4 || f.Sooner != 0 {
				t.Errorf("the preview of a time that is over says %+v", f)
			}
			m.Want(http.StatusOK, m.Content(made.ID), nil)
			choose(m, "24h")
			wantGone(t, m, late.ID)
			wantGone(t, m, made.ID)
			goAt(t, s, p, end, up, out)
		})
	})
}

// TestMembers: members' uploads and results stay 48 hours.
func TestMembers(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-19", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
			m := person(s, musa.TierMember)
			end := s.Clock.Now().Add(48 * time.Hour)
			up, out := brought(t, m)
			loose := m.Upload("dog.png", photos.Read(t, "chelsea.png"))
			wantEnds(t, m, end, up, out, loose)
			op := s.Staff(t, musa.RoleOperator)
			wantQueue(t, op, api.Cleanup{})
			goAt(t, s, m, end, up, out, loose)
			wantQueue(t, op, api.Cleanup{Entered: 3, Purged: 3})
		})
	})
}

// TestPayingMembersChoose: 48 hours or 7 days, for those who pay.
func TestPayingMembersChoose(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-20", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
			guest, m := s.Guest(), person(s, musa.TierMember)
			for _, who := range []*musatest.Client{guest, m} {
				wantOffer(t, who, "")
				refuses(who, "48h")
				refuses(who, "7d")
			}
			p, default48, loser := person(s, musa.TierPaid), person(s, musa.TierPaid), person(s, musa.TierPaid)
			wantOffer(t, p, "48h 48h of 48h 7d")
			refuses(p, "30d")
			start := s.Clock.Now()
			up, out := brought(t, p)
			wantEnds(t, p, start.Add(48*time.Hour), up, out)
			choose(p, "7d")
			wantOffer(t, p, "48h 7d of 48h 7d")
			wantEnds(t, p, start.Add(7*day), up, out)
			other, second := brought(t, default48)
			kept, lost := brought(t, loser)
			choose(loser, "7d")
			goAt(t, s, default48, start.Add(48*time.Hour), other, second)

			// Losing the plan on the sixth day leaves a day, and says so.
			s.Clock.Turn(start.Add(5 * day).Sub(s.Clock.Now()))
			s.SetTier(loser, musa.TierMember)
			warnedOf(t, loser, musa.TierPaid, start.Add(6*day))
			wantEnds(t, loser, start.Add(6*day), kept, lost)
			wantOffer(t, loser, "")
			refuses(loser, "7d")
			goAt(t, s, loser, start.Add(6*day), kept, lost)
			goAt(t, s, p, start.Add(7*day), up, out)
		})
	})
}

// TestPlans: what is made stays by the plan, the person's choice and the policy in force, of
// which the shortest wins.
func TestPlans(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "W-16", "by plan and by the person's choice, the shortest rule wins, then gone", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "workspace"}, func(t *testing.T, s *musatest.Studio) {
			m, p, narrow, loser := person(s, musa.TierMember), person(s, musa.TierPaid), person(s, musa.TierPaid), person(s, musa.TierPaid)
			wantOffer(t, m, "30d 30d of 7d 30d")
			wantOffer(t, p, "90d 90d of 7d 30d 90d 1y")
			refuses(m, "90d")
			start := s.Clock.Now()
			ofM, madeM := brought(t, m)
			ofP, madeP := brought(t, p)
			ofN, madeN := brought(t, narrow)
			ofL, madeL := brought(t, loser)
			wantEnds(t, m, start.Add(30*day), ofM, madeM)
			wantEnds(t, p, start.Add(90*day), ofP, madeP)
			choose(narrow, "7d")
			wantEnds(t, narrow, start.Add(7*day), ofN, madeN)
			goAt(t, s, narrow, start.Add(7*day), ofN, madeN)
			s.Clock.Turn(start.Add(10 * day).Sub(s.Clock.Now()))
			m.Subject() // who looks in now and then stays signed in
			s.SetTier(loser, musa.TierMember)
			wantEnds(t, loser, start.Add(30*day), ofL, madeL) // the plan's end comes after the notice
			choose(p, "1y")
			wantEnds(t, p, musatest.Months(start, 12), ofP, madeP)

			// A shorter rule of a later version wins over plan and choice, from its day on.
			_, shorter := revised(t, "workspace", s.Clock.Now().Format(time.DateOnly)+".9", s.Clock.Now().Add(40*day), "keep: 90d, choices: [7d, 30d, 90d, 1y]", "keep: 15d, choices: [7d, 15d]")
			s.Publish(shorter)
			if err := s.Keeper.Reckon(t.Context()); err != nil {
				t.Fatal(err)
			}
			versions := fetched[api.Versions](t, p, "/api/policy/versions").Versions
			effect := *versions[len(versions)-1].Since
			if !effect.After(s.Clock.Now().Add(30 * day)) {
				t.Fatalf("the shorter version takes effect %v", effect)
			}
			wantEnds(t, p, effect, ofP, madeP)
			goAt(t, s, m, start.Add(30*day), ofM, madeM)
			wantGone(t, loser, ofL.ID)
			wantEnds(t, p, effect, ofP, madeP)
			goAt(t, s, p, effect, ofP, madeP)
		})
	})
}
