package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"musa"
	"musa/policy"
)

// terms is a version as the oracle sees it: hours for each tier, and what paying members may
// choose instead.
type terms struct {
	guest, member, paid int
	choices             []int
	effective           musa.Millis
}

func (x terms) text(n int) string {
	choices := ""
	for _, c := range x.choices {
		choices += fmt.Sprintf(", %dh", c)
	}
	return fmt.Sprintf(`
policy: test
version: 2026-11-22.%d
tiers: {guest: {account: false}, member: {account: true}, paid: {account: true}}
categories: {output: {is: user.content.private}}
retention:
  - {for: [output], tier: guest, from: created, keep: %dh}
  - {for: [output], tier: member, from: created, keep: %dh}
  - {for: [output], tier: paid, from: created, keep: %dh, choices: [%dh%s], set_by: subject}
`, n, x.guest, x.member, x.paid, x.paid, choices)
}

func (x terms) ref(n int) string { return fmt.Sprintf("test/2026-11-22.%d", n) }

func adopt(t testing.TB, versions ...terms) *policy.Versions {
	t.Helper()
	var list []policy.Adoption
	for n, x := range versions {
		list = append(list, policy.Adoption{Doc: parse(t, x.text(n)), Published: x.effective - hour, Effective: x.effective})
	}
	v, err := policy.NewVersions(list...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVersions(t *testing.T) {
	t.Parallel()
	first := terms{guest: 24, member: 48, paid: 48, choices: []int{168}, effective: made - 100*day}
	longer := terms{guest: 240, member: 480, paid: 480, choices: []int{960}, effective: made + 10*hour}
	shorter := terms{guest: 12, member: 12, paid: 12, choices: []int{24}, effective: made + 20*hour}
	week, month := 7*24*time.Hour, 960*time.Hour
	cases := []struct {
		name     string
		versions []terms
		item     policy.Item
		at       musa.Millis
		version  int // whose rule it is
	}{
		{"its own version", []terms{first}, policy.Item{Tier: "guest"}, made + day, 0},
		{"a later one never lengthens", []terms{first, longer}, policy.Item{Tier: "guest"}, made + day, 0},
		{"a later one shortens, not before its effect", []terms{first, shorter}, policy.Item{Tier: "guest"}, made + 20*hour, 1},
		{"and by no more than it says", []terms{first, shorter}, policy.Item{Tier: "member", Created: made + 15*hour}, made + 27*hour, 1},
		{"the shortest of three", []terms{first, shorter, longer}, policy.Item{Tier: "guest"}, made + 20*hour, 1},
		{"own version's tier lengthens", []terms{first, longer}, policy.Item{Tier: "member"}, made + 2*day, 0},
		{"own version's choice lengthens", []terms{first}, policy.Item{Tier: "paid", Choice: week}, made + 7*day, 0},
		{"a later version's choice does not", []terms{first, longer}, policy.Item{Tier: "paid", Choice: month}, made + 2*day, 0},
		{"a choice that the later one takes away", []terms{first, longer}, policy.Item{Tier: "paid", Choice: week}, made + 7*day, 0},
		{"made under the later one", []terms{first, longer}, policy.Item{Tier: "guest", Created: made + 10*hour, Version: longer.ref(1)}, made + 250*hour, 1},
		{"of a version that nobody knows", []terms{first, longer}, policy.Item{Tier: "guest", Version: "other/1"}, made + day, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, i := adopt(t, c.versions...), c.item
			i.Category = "output"
			if i.Created == 0 {
				i.Created = made
			}
			if i.Version == "" {
				i.Version = first.ref(0)
			}
			end := v.End(i)
			if end.At != c.at || end.Version != first.ref(c.version) || end.Path == "" || end.Words == "" {
				t.Errorf("ends %d h after by %s (%s); want %d h", (end.At-made)/hour, end.Version, end.Words, (c.at-made)/hour)
			}
		})
	}
}

func TestVersionsInForce(t *testing.T) {
	t.Parallel()
	a, b := terms{24, 24, 24, nil, made}, terms{12, 12, 12, nil, made + day}
	v := adopt(t, a, b)
	for _, c := range []struct {
		now     musa.Millis
		version int
		pending bool
	}{{made - day, 0, true}, {made, 0, true}, {made + day - 1, 0, true}, {made + day, 1, false}} {
		next, pending := v.Pending(c.now)
		if got := v.InForce(c.now).Ref(); got != a.ref(c.version) || pending != c.pending {
			t.Errorf("at %d: %s in force, pending %v", c.now-made, got, pending)
		}
		if pending && next.Doc.Ref() != a.ref(1) {
			t.Errorf("%s is next", next.Doc.Ref())
		}
	}
	if _, ok := v.Of("test/1999-01-01.1"); ok {
		t.Error("found a version that never was")
	}
	if d, ok := v.Of(a.ref(1)); !ok || d.Ref() != a.ref(1) || len(v.List()) != 2 {
		t.Error("lost a version")
	}
	if _, err := policy.NewVersions(); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("no version at all: %v", err)
	}
	if d := v.InForce(made); policy.Only(d).InForce(0) != d {
		t.Error("the only version was not always in force")
	}
}

// A version that is taken up again after another is that version; what was made the first
// time keeps what was promised then, and what the other one shortened stays short.
func TestVersionsTakenUpAgain(t *testing.T) {
	t.Parallel()
	long, short := terms{guest: 48, member: 48, paid: 48}, terms{guest: 5, member: 5, paid: 5}
	a, b := parse(t, long.text(0)), parse(t, short.text(1))
	v, err := policy.NewVersions(policy.Adoption{Doc: a, Effective: made}, policy.Adoption{Doc: b, Effective: made + day},
		policy.Adoption{Doc: a, Effective: made + 2*day})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ created, at musa.Millis }{
		{made, made + day},                  // shortened at b's effect
		{made + 2*day, made + 4*day},        // made when a held again
		{made + day - hour, made + 28*hour}, // by b's five hours
	} {
		i := policy.Item{Category: "output", Tier: "guest", Created: c.created, Version: a.Ref()}
		if got := v.End(i).At; got != c.at {
			t.Errorf("made %d h after, ends %d h after; want %d", (c.created-made)/hour, (got-made)/hour, (c.at-made)/hour)
		}
	}
}

func drawTerms(t *rapid.T) terms {
	hours := rapid.IntRange(0, 60)
	x := terms{guest: hours.Draw(t, "guest"), member: hours.Draw(t, "member"), paid: hours.Draw(t, "paid"),
		effective: made + hour*musa.Millis(rapid.IntRange(-50, 50).Draw(t, "effective"))}
	x.choices = append(x.choices, rapid.SliceOfNDistinct(rapid.IntRange(61, 70), 0, 2, rapid.ID[int]).Draw(t, "choices")...)
	return x
}

func drawItem(t *rapid.T, versions []terms) policy.Item {
	own := rapid.IntRange(0, len(versions)-1).Draw(t, "own")
	tier := rapid.SampledFrom([]musa.Tier{"guest", "member", "paid"})
	i := policy.Item{Category: "output", Tier: tier.Draw(t, "tier"), Version: versions[own].ref(own),
		Created: versions[own].effective + hour*musa.Millis(rapid.IntRange(0, 40).Draw(t, "created")),
		Choice:  time.Duration(rapid.IntRange(0, 70).Draw(t, "choice")) * time.Hour}
	if rapid.IntRange(0, 2).Draw(t, "lost") == 0 {
		i.Former = tier.Draw(t, "former")
		i.Grace = i.Created + hour*musa.Millis(rapid.IntRange(-5, 80).Draw(t, "grace"))
	}
	return i
}

// oracle says when an item ends as the shape's comment does, and knows no code of ours.
func oracle(versions []terms, i policy.Item) musa.Millis {
	keep := func(x terms, tier musa.Tier) musa.Millis {
		switch tier {
		case "guest":
			return i.Created + hour*musa.Millis(x.guest)
		case "member":
			return i.Created + hour*musa.Millis(x.member)
		}
		if h := int(i.Choice / time.Hour); slices.Contains(x.choices, h) {
			return i.Created + hour*musa.Millis(h)
		}
		return i.Created + hour*musa.Millis(x.paid)
	}
	one := func(x terms) musa.Millis {
		if i.Former == "" || i.Former == i.Tier {
			return keep(x, i.Tier)
		}
		return min(keep(x, i.Former), max(keep(x, i.Tier), i.Grace))
	}
	own := 0
	for i.Version != versions[own].ref(own) {
		own++
	}
	end := one(versions[own])
	for n, x := range versions {
		// In the order of effect, and of one moment in the order given.
		if x.effective > versions[own].effective || (x.effective == versions[own].effective && n > own) {
			end = min(end, max(one(x), x.effective))
		}
	}
	return end
}

func TestVersionsAgreeWithAnOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		versions := make([]terms, rapid.IntRange(1, 5).Draw(r, "versions"))
		for n := range versions {
			versions[n] = drawTerms(r)
		}
		i := drawItem(r, versions)
		end := adopt(t, versions...).End(i)
		if want := oracle(versions, i); end.At != want {
			r.Fatalf("ends %d h after its making by %s, want %d h", (end.At-i.Created)/hour, end.Version, (want-i.Created)/hour)
		}
	})
}

// One version more never lengthens, and shortens nothing before it takes effect.
func TestALaterVersionNeverLengthens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		versions := make([]terms, rapid.IntRange(1, 4).Draw(r, "versions"))
		for n := range versions {
			versions[n] = drawTerms(r)
		}
		i := drawItem(r, versions)
		next := drawTerms(r)
		for _, x := range versions {
			next.effective = max(next.effective, x.effective)
		}
		before := adopt(t, versions...).End(i).At
		after := adopt(t, append(versions, next)...).End(i).At
		if after > before {
			r.Fatalf("lengthened by %d h", (after-before)/hour)
		}
		if after < min(before, next.effective) {
			r.Fatalf("ends %d h before the new version takes effect", (next.effective-after)/hour)
		}
	})
}

func TestALostTier(t *testing.T) {
	t.Parallel()
	d := parse(t, terms{guest: 12, member: 48, paid: 96, choices: []int{168}}.text(0))
	cases := []struct {
		name         string
		tier, former musa.Tier
		grace        musa.Millis
		choice       time.Duration
		at           musa.Millis
	}{
		{"nothing lost", "guest", "", 0, 0, made + 12*hour},
		{"grace over before the shorter end", "guest", "paid", made + 5*hour, 0, made + 12*hour},
		{"grace after the shorter end", "guest", "paid", made + 30*hour, 0, made + 30*hour},
		{"grace after the longer end", "guest", "paid", made + 200*hour, 0, made + 96*hour},
		{"no grace", "guest", "paid", 0, 0, made + 12*hour},
		{"grace holds a choice of the former tier", "member", "paid", made + 100*hour, 168 * time.Hour, made + 100*hour},
		{"a tier gained lengthens nothing while the former counts", "paid", "guest", made + 30*hour, 0, made + 12*hour},
		{"lost and come back", "paid", "paid", made + hour, 0, made + 96*hour},
	}
	for _, c := range cases {
		i := policy.Item{Category: "output", Created: made, Tier: c.tier, Former: c.former, Grace: c.grace, Choice: c.choice}
		if got := d.End(i).At; got != c.at {
			t.Errorf("%s: ends %d h after, want %d h", c.name, (got-made)/hour, (c.at-made)/hour)
		}
	}
}
