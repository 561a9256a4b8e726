package retention_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/retention"
)

const week = 7 * 24 * time.Hour

func actor(c *musatest.Client) musa.Actor {
	return musa.Actor{Subject: c.Subject(), Role: musa.RoleSubject}
}

// choose is what a person does in their settings, after a look at the forecast, which has to
// be what then comes.
func choose(t *testing.T, s *musatest.Studio, c *musatest.Client, keep time.Duration) retention.Forecast {
	t.Helper()
	by := actor(c)
	told, err := s.Keeper.Forecast(t.Context(), by, by.Subject, retention.Change{Choice: &keep})
	if err != nil {
		t.Fatal(err)
	}
	did, err := s.Keeper.Change(t.Context(), by, by.Subject, retention.Change{Choice: &keep})
	if err != nil {
		t.Fatal(err)
	}
	if told.Now != did.Now || told.Sooner != did.Sooner || told.Later != did.Later || len(told.Moments) != len(did.Moments) {
		t.Errorf("told %+v, did %+v", told, did)
	}
	return did
}

func settings(t *testing.T, s *musatest.Studio, c *musatest.Client) retention.Settings {
	t.Helper()
	got, err := s.Keeper.Settings(t.Context(), actor(c))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func counted(t *testing.T, s *musatest.Studio, query string) (n int) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	if err := own.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Exactly the policy's choices are offered, 48 hours preselected; another length and another
// tier are refused. Promise C-20.
func TestSettingsOfferThePolicysChoices(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		for _, tier := range []musa.Tier{musa.TierGuest, musa.TierMember} {
			if tier != musa.TierGuest {
				s.SetTier(g, tier)
			}
			if got := settings(t, s, g); got.Tier != tier || len(got.Offers) != 0 {
				t.Errorf("%s is offered %+v", tier, got)
			}
			refuse(t, s, actor(g), g, retention.Change{Choice: new(week)}, musa.ErrRefused, "choice_none")
		}
		s.SetTier(g, musa.TierPaid)
		made(t, g)
		got := settings(t, s, g).Offers
		if len(got) != 1 || len(got[0].Choices) != 2 || got[0].Choices[0].String() != "48h" || got[0].Choices[1].String() != "7d" ||
			got[0].Default.String() != "48h" || got[0].Chosen.String() != "48h" || got[0].Items != 3 {
			t.Fatalf("paid is offered %+v", got)
		}
		refuse(t, s, actor(g), g, retention.Change{Choice: new(49 * time.Hour)}, musa.ErrRefused, "choice_not_offered")
		choose(t, s, g, week)
		if got := settings(t, s, g).Offers[0].Chosen.String(); got != "7d" {
			t.Errorf("7d was chosen, and %s is shown", got)
		}
	})
}

func refuse(t *testing.T, s *musatest.Studio, by musa.Actor, of *musatest.Client, c retention.Change, kind error, code string) {
	t.Helper()
	id := of.Subject()
	_, told := s.Keeper.Forecast(t.Context(), by, id, c)
	_, did := s.Keeper.Change(t.Context(), by, id, c)
	for _, err := range []error{told, did} {
		var p *musa.Problem
		if !errors.Is(err, kind) || (code != "" && (!errors.As(err, &p) || p.Code != code || p.Public == "")) {
			t.Errorf("refused by %v, want %v %s", err, kind, code)
		}
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g, other, member := s.Guest(), s.Guest(), s.Guest()
	s.SetTier(member, musa.TierMember)
	operator := musa.Actor{Role: musa.RoleOperator}
	for _, c := range []struct {
		by     musa.Actor
		of     *musatest.Client
		change retention.Change
		kind   error
		code   string
	}{
		{actor(other), g, retention.Change{Choice: new(week)}, musa.ErrNotFound, ""},
		{actor(g), g, retention.Change{Tier: musa.TierPaid}, musa.ErrRefused, "tier_not_yours"},
		{actor(other), g, retention.Change{Tier: musa.TierPaid}, musa.ErrNotFound, ""},
		{operator, g, retention.Change{Choice: new(week)}, musa.ErrRefused, "choice_personal"},
		{operator, g, retention.Change{Tier: "gold"}, musa.ErrInvalid, "tier_unknown"},
		{operator, member, retention.Change{Tier: musa.TierGuest}, musa.ErrRefused, "tier_without_account"},
		{operator, g, retention.Change{}, musa.ErrInvalid, "change_one"},
		{operator, g, retention.Change{Choice: new(week), Tier: musa.TierPaid}, musa.ErrInvalid, "change_one"},
	} {
		refuse(t, s, c.by, c.of, c.change, c.kind, c.code)
	}
	if _, err := s.Keeper.Change(t.Context(), operator, musa.NewSubjectID(s.Clock.Now()), retention.Change{Tier: musa.TierPaid}); !errors.Is(err, musa.ErrNotFound) {
		t.Errorf("an unknown person's tier: %v", err)
	}
}

// What only others may set is not offered to the person, whatever it lets them choose from.
func TestAChoiceThatAnotherMakes(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: another(t, "2026-11-22.109", "set_by: [subject]", "set_by: [workspace]")})
	g := s.Guest()
	s.SetTier(g, musa.TierPaid)
	if got := settings(t, s, g); len(got.Offers) != 0 {
		t.Errorf("offered %+v", got.Offers)
	}
	refuse(t, s, actor(g), g, retention.Change{Choice: new(week)}, musa.ErrRefused, "choice_none")
}

// A choice bears on what exists: it lengthens, and shortens, and what is over by it goes at
// the next step. Promises C-20, E-18.
func TestAChoiceBearsOnWhatExists(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		s.SetTier(g, musa.TierPaid)
		old := made(t, g)
		if f := choose(t, s, g, week); f.Later != 3 || f.Sooner+f.Now != 0 {
			t.Errorf("7 days: %+v", f)
		}
		wantEnd(t, g, old, begin.Add(week))
		s.Clock.Turn(3 * 24 * time.Hour)
		g.Want(http.StatusOK, g.Content(string(old)), nil)
		young := made(t, g)
		if f := choose(t, s, g, 48*time.Hour); f.Now != 3 || f.Sooner != 3 || f.Later != 0 || len(f.Moments) != 1 || f.Moments[0].Items != 3 {
			t.Errorf("48 hours: %+v", f)
		}
		g.Problem(http.StatusGone, g.Content(string(old)))
		s.Step()
		if got := g.Asset(string(old)).State; got != string(musa.AssetPurged) {
			t.Errorf("after the next step it is %q", got)
		}
		goesAt(t, s, g, young, begin.Add(5*24*time.Hour))
	})
}

// What has reached its end is not called back by a longer choice or a better tier, though
// its key still waits to be destroyed.
func TestNothingIsRevived(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		s.SetTier(g, musa.TierPaid)
		out := made(t, g)
		s.Clock.Turn(48 * time.Hour)
		if f := choose(t, s, g, week); f.Now+f.Sooner+f.Later != 0 {
			t.Errorf("a choice after the end: %+v", f)
		}
		g.Problem(http.StatusGone, g.Content(string(out)))
		s.Step()
		if got := g.Asset(string(out)).State; got != string(musa.AssetPurged) {
			t.Errorf("it is %q", got)
		}
	})
}

// Losing the plan shortens after the promised notice, never at once, and says so; what the
// lower tier keeps for longer than that has its time. Promise C-20.
func TestALostTierShortensAfterNotice(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		s.SetTier(g, musa.TierPaid)
		choose(t, s, g, week)
		old := made(t, g)
		s.Clock.Turn(3 * 24 * time.Hour)
		lost := s.Clock.Now()
		young := made(t, g)
		f := s.SetTier(g, musa.TierMember)
		if f.Now != 0 || f.Sooner != 6 || f.Notice != musa.At(lost.Add(24*time.Hour)) {
			t.Errorf("foreseen %+v", f)
		}
		wantEnd(t, g, old, lost.Add(24*time.Hour))
		wantEnd(t, g, young, lost.Add(48*time.Hour))
		got := settings(t, s, g)
		if got.Former != musa.TierPaid || got.Grace != f.Notice || len(got.Notices) != 2 ||
			got.Notices[0].At != f.Notice || got.Notices[0].Items != 3 || got.Notices[1].Items != 3 {
			t.Errorf("announced %+v", got)
		}
		fresh := made(t, g)
		wantEnd(t, g, fresh, lost.Add(48*time.Hour))
		goesAt(t, s, g, old, begin.Add(4*24*time.Hour))
		if got := settings(t, s, g); got.Former != "" || got.Grace != 0 {
			t.Errorf("after the grace %+v", got)
		}
		if err := s.Keeper.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := counted(t, s, "SELECT COUNT(*) FROM subjects WHERE former <> '' OR lagging > 0"); n != 0 {
			t.Errorf("%d people still have a former tier after its grace", n)
		}
		goesAt(t, s, g, young, lost.Add(48*time.Hour))
	})
}

// A plan that comes back within the grace brings the time back that it gives.
func TestATierThatComesBack(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		s.SetTier(g, musa.TierPaid)
		choose(t, s, g, week)
		out := made(t, g)
		s.Clock.Turn(3 * 24 * time.Hour)
		s.SetTier(g, musa.TierMember)
		s.Clock.Turn(23 * time.Hour)
		if f := s.SetTier(g, musa.TierPaid); f.Later != 3 || f.Notice != 0 {
			t.Errorf("foreseen %+v", f)
		}
		goesAt(t, s, g, out, begin.Add(week))
	})
}

// Where the policy does not let a loss shorten, what exists keeps the time of its tier.
func TestALostTierThatShortensNothing(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: another(t, "2026-11-22.109", ", on_tier_loss: {shorten: true, notice: 24h}", "")})
	g, begin := s.Guest(), s.Clock.Now()
	s.SetTier(g, musa.TierPaid)
	choose(t, s, g, week)
	out := made(t, g)
	if f := s.SetTier(g, musa.TierMember); f.Now+f.Sooner+f.Later != 0 || f.Notice != 0 {
		t.Errorf("foreseen %+v", f)
	}
	wantEnd(t, g, made(t, g), begin.Add(48*time.Hour))
	goesAt(t, s, g, out, begin.Add(week))
}

// A guest who gets a plan is a person: what they have lives longer, and they are no longer
// forgotten for staying away.
func TestAGuestBecomesAPerson(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		saved := musa.AssetID(g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true").ID)
		if f := s.SetTier(g, musa.TierMember); f.Later != 1 || f.Now+f.Sooner != 0 {
			t.Errorf("foreseen %+v", f)
		}
		wantEnd(t, g, saved, begin.Add(48*time.Hour))
		if n := counted(t, s, "SELECT COUNT(*) FROM subjects WHERE kind = 'person' AND tier = 'member'"); n != 1 {
			t.Errorf("%d members are persons", n)
		}
		if n := counted(t, s, "SELECT COUNT(*) FROM audit_events WHERE action = 'tier_changed'"); n != 1 {
			t.Errorf("%d changes of tier were recorded", n)
		}
		s.SetTier(g, musa.TierMember)
		if n := counted(t, s, "SELECT COUNT(*) FROM audit_events WHERE action = 'tier_changed'"); n != 1 {
			t.Error("a change to the same tier was recorded")
		}
		s.Clock.Turn(31 * 24 * time.Hour)
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := counted(t, s, "SELECT COUNT(*) FROM subjects WHERE state = 'active'"); n != 1 {
			t.Error("a person was forgotten like a guest")
		}
	})
}

// The owner's row is the truth: a change whose process died before the items followed is
// finished by the next that looks, and only once it is old enough to be nobody's.
func TestItemsFollowAfterACrash(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g, begin := s.Guest(), s.Clock.Now()
		out := made(t, g)
		own := s.OwnSQL()
		defer own.Close()
		if _, err := own.Exec(strings.ReplaceAll("UPDATE subjects SET tier = 'paid', kind = 'person', choice = 604800000, changes = 1, lagging = NOW",
			"NOW", "(SELECT MAX(created) FROM assets)")); err != nil {
			t.Fatal(err)
		}
		s.Clock.Turn(10*time.Second - time.Millisecond)
		for _, want := range []time.Duration{24 * time.Hour, week} {
			if err := s.Keeper.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantEnd(t, g, out, begin.Add(want))
			s.Clock.Turn(time.Millisecond)
		}
		if n := counted(t, s, "SELECT COUNT(*) FROM subjects WHERE lagging > 0"); n != 0 {
			t.Error("it is still looked after")
		}
	})
}

// Nothing is born with the tier of a moment ago, however changes and uploads meet.
func TestNothingIsBornWithAStaleTier(t *testing.T) {
	onStores(t, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		s.SetTier(g, musa.TierMember)
		data := photos.Read(t, "chelsea.png")
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				for range 5 {
					a := g.Upload("cat.png", data, "save", "true")
					g.Enhance(a.ID, nil)
				}
			})
		}
		for i := range 10 {
			s.SetTier(g, []musa.Tier{musa.TierPaid, musa.TierMember}[i%2])
		}
		wait.Wait()
		s.SetTier(g, musa.TierPaid)
		for _, table := range []string{"assets", "records"} {
			if n := counted(t, s, "SELECT COUNT(*) FROM "+table+" WHERE state = 'active' AND tier <> 'paid'"); n != 0 {
				t.Errorf("%d of the %s have another tier than their owner", n, table)
			}
		}
	})
}
