package consent_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/musatest"
	"musa/policies"
	"musa/policy"
)

// on runs a test on both stores, under the preset that trains.
func on(t *testing.T, test func(t *testing.T, s *musatest.Studio, by musa.Actor)) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "conversational"})
			g := s.Guest()
			test(t, s, musa.Actor{Subject: g.Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject})
		})
	}
}

func give(t *testing.T, s *musatest.Studio, by musa.Actor, name string, a consent.Answer) error {
	t.Helper()
	return s.Consents.Choose(t.Context(), by, map[string]consent.Answer{name: a}, consent.ViaSettings)
}

func now(t *testing.T, s *musatest.Studio, by musa.Actor) musa.Standing {
	t.Helper()
	st, err := s.Consents.Now(t.Context(), by.Subject)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A yes counts from its commit on, a no from its own; all of it stays written, with version,
// time and way, and nothing that was said is changed.
func TestEveryWordStays(t *testing.T) {
	on(t, func(t *testing.T, s *musatest.Studio, by musa.Actor) {
		if got := now(t, s, by); len(got.Consents) != 0 {
			t.Fatalf("before any word %v is allowed", got.Consents)
		}
		for i, a := range []consent.Answer{consent.Yes, consent.Yes, consent.No, consent.Yes} {
			s.Clock.Turn(time.Minute)
			if err := give(t, s, by, "marketing", a); err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(now(t, s, by).Consents, "marketing"); got != (a == consent.Yes) {
				t.Errorf("after word %d it is allowed: %v", i, got)
			}
		}
		list, err := s.Consents.History(t.Context(), by, "", 10)
		if err != nil || len(list) != 3 { // the second yes said nothing new
			t.Fatalf("%d words are written, want 3: %v", len(list), err)
		}
		for i, w := range list {
			last := i == 0
			if w.Version != s.InForce().Ref() || w.At == 0 || w.Via != consent.ViaSettings || (w.Ended == 0) != last {
				t.Errorf("word %d: %+v", i, w)
			}
		}
		if list[1].Ended != list[0].At || list[2].Ended != list[1].At {
			t.Error("a word does not end when the next was said")
		}
	})
}

// Words said at once come one after the other: exactly one is the last, and the standing is it.
func TestWordsAtOnce(t *testing.T) {
	on(t, func(t *testing.T, s *musatest.Studio, by musa.Actor) {
		var wait sync.WaitGroup
		for i := range 12 {
			wait.Go(func() {
				if err := give(t, s, by, "marketing", consent.Answer(i%2)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		list, err := s.Consents.History(t.Context(), by, "", 50)
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		var given bool
		for _, w := range list {
			if w.Ended == 0 {
				last, given = last+1, w.Given
			}
		}
		if last != 1 || slices.Contains(now(t, s, by).Consents, "marketing") != given {
			t.Errorf("%d last words of %d, standing %v", last, len(list), now(t, s, by).Consents)
		}
		check(t, s, by)
	})
}

// check compares the stored standing with what the choices say.
func check(t *testing.T, s *musatest.Studio, by musa.Actor) {
	t.Helper()
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		want, err := s.Consents.Standing(ctx, tx, by.Subject)
		if got := now(t, s, by); !slices.Equal(got.Consents, want.Consents) || !slices.Equal(got.Objections, want.Objections) {
			t.Errorf("stored is %+v, the choices say %+v", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A consent that requires another is not given without it, goes with it, and does not come
// back with it.
func TestAConsentThatRequiresAnother(t *testing.T) {
	on(t, func(t *testing.T, s *musatest.Studio, by musa.Actor) {
		item := asset(t, s, by)
		choose := func(answers map[string]consent.Answer) error {
			return s.Consents.ChooseFor(t.Context(), by, item, answers, consent.ViaSettings)
		}
		if err := choose(map[string]consent.Answer{"training_commercial": consent.Yes}); !errors.Is(err, musa.ErrRefused) {
			t.Errorf("alone: %v, want refused", err)
		}
		if err := choose(map[string]consent.Answer{"training_commercial": consent.Yes, "training": consent.Yes}); err != nil {
			t.Fatalf("both at once: %v", err)
		}
		want := []string{"training:" + string(item), "training_commercial:" + string(item)}
		if got := now(t, s, by).Consents; !slices.Equal(got, want) {
			t.Errorf("allowed %v, want %v", got, want)
		}
		for _, a := range []consent.Answer{consent.No, consent.Yes} {
			if err := choose(map[string]consent.Answer{"training": a}); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(now(t, s, by).Consents, want[1]) {
				t.Errorf("after %v the dependent consent stands", a)
			}
		}
		check(t, s, by)
	})
}

// asset is a picture of somebody's, as a row.
func asset(t *testing.T, s *musatest.Studio, by musa.Actor) musa.AssetID {
	t.Helper()
	a := db.Asset{ID: musa.NewAssetID(s.Clock.Now()), Owner: by.Subject, Author: by.Subject, Category: musa.CategoryOutput, State: musa.AssetActive,
		Tier: by.Tier, Created: musa.At(s.Clock.Now())}
	err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.InsertAsset(ctx, a, db.Secret{Wrapped: []byte("k"), Sealed: []byte("s")})
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// Nobody chooses for another, about what is another's, or what nobody asks.
func TestWordsThatAreRefused(t *testing.T) {
	on(t, func(t *testing.T, s *musatest.Studio, by musa.Actor) {
		other := musa.Actor{Subject: s.Guest().Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
		staff, viewer := by, by
		staff.Role = musa.RoleSupport
		viewer.Person, viewer.Member = other.Subject, musa.MemberViewer
		for name, c := range map[string]struct {
			by   musa.Actor
			name string
			item musa.AssetID
			want error
		}{
			"unknown":        {by, "nothing", "", musa.ErrInvalid},
			"on notice":      {by, "essential", "", musa.ErrInvalid},
			"without item":   {by, "training_commercial", "", musa.ErrInvalid},
			"with item":      {by, "marketing", asset(t, s, by), musa.ErrInvalid},
			"another's item": {other, "training", asset(t, s, by), musa.ErrNotFound},
			"by staff":       {staff, "marketing", "", musa.ErrRefused},
			"by a viewer":    {viewer, "marketing", "", musa.ErrRefused},
		} {
			err := s.Consents.ChooseFor(t.Context(), c.by, c.item, map[string]consent.Answer{c.name: consent.Yes}, consent.ViaSettings)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	})
}

// The policy and the terms are accepted once under each version.
func TestAcceptance(t *testing.T) {
	on(t, func(t *testing.T, s *musatest.Studio, by musa.Actor) {
		accept := func() {
			err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return s.Consents.Accept(ctx, tx, by.Subject, consent.ViaUse)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		accept()
		accept()
		st, err := s.Consents.State(t.Context(), by)
		if err != nil || len(st.Accepted) != 2 || st.Accepted[0].Version != s.InForce().Ref() || st.Accepted[1].Version != s.InForce().Terms.Version {
			t.Errorf("accepted %+v: %v", st.Accepted, err)
		}
		if list, err := s.Consents.History(t.Context(), by, "", 10); err != nil || len(list) != 2 {
			t.Errorf("%d words after two acceptances: %v", len(list), err)
		}
	})
}

// Of the matrix of mode, word and signal: what a purpose may do.
func TestTheSignal(t *testing.T) {
	t.Parallel()
	doc := sharing(t)
	for _, c := range []struct {
		name, region string
		said         []string // consents given
		objected     bool
		signal       bool
		want         bool
	}{
		{"opt-in, silent", "DE", nil, false, false, false},
		{"opt-in, yes", "DE", []string{"analytics"}, false, false, true},
		{"opt-in, yes, signal", "DE", []string{"analytics"}, false, true, false},
		{"opt-out, silent", "US-CA", nil, false, false, true},
		{"opt-out, silent, signal", "US-CA", nil, false, true, false},
		{"opt-out, yes, signal", "US-CA", []string{"analytics"}, false, true, false},
		{"opt-out, no", "US-CA", nil, true, false, false},
		{"region unknown, silent", "", nil, false, false, false},
		{"region unknown, yes", "", []string{"analytics"}, false, false, true},
	} {
		st := musa.Standing{Consents: c.said, Region: c.region}
		if c.objected {
			st.Objections = []musa.Purpose{"analyze"}
		}
		kept := slices.Clone(st.Consents)
		if c.signal {
			st = consent.Signal(doc, st)
		}
		by := musa.Actor{Subject: "su_1", Role: musa.RoleSystem, Tier: musa.TierMember, Standing: st}
		item := policy.Item{Owner: "su_1", Category: musa.CategoryInteraction, Tier: musa.TierMember, Created: 1}
		g := doc.Decide(policy.Ask(2, by, "analyze", item))
		if g.Allowed() != c.want {
			t.Errorf("%s: allowed %v (%v)", c.name, g.Allowed(), g.Err())
		}
		if !slices.Equal(kept, c.said) {
			t.Errorf("%s: the signal changed what was said", c.name)
		}
	}
}

// sharing is a document with a consent that people may only opt out of where the law lets it.
func sharing(t *testing.T) *policy.Document {
	t.Helper()
	text := `extends: studio
policy: counting
version: 2026-11-22.1
effective: 2026-11-22
controller: {name: Example, contact: privacy@example.org, country: DE, site: https://example.org}
categories:
  interaction: {is: [user.behavior], collected: true}
purposes:
  analyze: {basis: {default: legitimate_interest, gdpr: consent}, consent: analytics, uses: [interaction]}
consents:
  analytics: {mode: {default: opt_out, gdpr: opt_in}, gpc: refuse, when_off: quality_may_suffer}
`
	doc, err := policies.Parse("./counting.yaml", func(string) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// A signal of somebody who never said anything is their no where the policy would go on until
// one came; an explicit yes stays written.
func TestASignalIsEntered(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: string(sharing(t).YAML())})
	silent := musa.Actor{Subject: s.Guest().Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
	said := musa.Actor{Subject: s.Guest().Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
	if err := give(t, s, said, "analytics", consent.Yes); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, by := range []musa.Actor{silent, said} {
			by.Standing = now(t, s, by)
			heard, err := s.Consents.Hear(t.Context(), by)
			if err != nil || !slices.Contains(heard.Standing.Objections, "analyze") || slices.Contains(heard.Standing.Consents, "analytics") {
				t.Errorf("in the request %+v: %v", heard.Standing, err)
			}
		}
	}
	list, err := s.Consents.History(t.Context(), silent, "", 10)
	if err != nil || len(list) != 1 || list[0].Given || list[0].Via != consent.ViaSignal {
		t.Errorf("of the silent one: %+v, %v", list, err)
	}
	if got := now(t, s, said); !slices.Contains(got.Consents, "analytics") {
		t.Errorf("the yes is gone: %+v", got)
	}
}

// The cookie holds choices and nothing else, and what it cannot mean is no choice.
func TestTheCookie(t *testing.T) {
	t.Parallel()
	doc := sharing(t)
	value := consent.EncodeCookie(doc, map[string]consent.Answer{"marketing": consent.No, "preferences": consent.Yes, "essential": consent.Yes, "other": consent.Yes})
	if value != "1.preferences-yes.marketing-no" {
		t.Errorf("the cookie says %q", value)
	}
	got := consent.DecodeCookie(doc, value)
	if len(got) != 2 || got["preferences"] != consent.Yes {
		t.Errorf("it reads %v", got)
	}
	for _, bad := range []string{"", "2.marketing-yes", "marketing-yes", "1.marketing", "1.marketing-maybe", "1.essential-yes", "1..-yes", "1.unknown-yes"} {
		if got := consent.DecodeCookie(doc, bad); len(got) != 0 {
			t.Errorf("%q reads as %v", bad, got)
		}
	}
}

// What was superseded is forgotten when the policy's time for it is over, and not before; the
// last word stays.
func TestProofEnds(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			s.SetTier(g, musa.TierMember)
			by := musa.Actor{Subject: g.Subject(), Tier: musa.TierMember, Role: musa.RoleSubject}
			for _, a := range []consent.Answer{consent.Yes, consent.No} {
				s.Clock.Turn(time.Minute)
				if err := give(t, s, by, "marketing", a); err != nil {
					t.Fatal(err)
				}
			}
			end := musatest.Months(s.Clock.Now().UTC(), 36)
			s.Clock.Turn(end.Sub(s.Clock.Now()) - time.Millisecond)
			for _, want := range []int{2, 1} {
				if err := s.Keeper.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				if list, err := s.Consents.History(t.Context(), by, "", 10); err != nil || len(list) != want {
					t.Errorf("at %v there are %d words, want %d: %v", s.Clock.Now(), len(list), want, err)
				}
				s.Clock.Turn(time.Millisecond)
			}
		})
	}
}
