package policy_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"musa"
	"musa/policy"
)

const lawful = `
policy: test
version: 2026-11-22.1
regimes: {gdpr: {where: [EEA, GB]}, ccpa: {where: [US-CA]}}
tiers: {member: {account: true}}
roles: {instance: {operator: [], support: [help], moderator: [moderate], compliance: [hold]}}
categories:
  account: {is: user.name}
  output: {is: user.content.private}
  interaction: {is: user.behavior}
  support: {is: user.contact.email}
  evidence: {is: user.content.private}
purposes:
  deliver: {basis: contract, uses: [output, account]}
  answer_rights: {basis: legal_obligation, uses: [output, account]}
  prove: {basis: legal_obligation, uses: [output]}
  hold: {basis: legal_obligation, uses: [output, evidence]}
  help: {basis: contract, uses: [support]}
  sign_in: {basis: contract, uses: [account]}
  notify: {basis: contract, uses: [account]}
  moderate: {basis: legitimate_interest, uses: [output]}
  secure: {basis: legitimate_interest, uses: [output]}
  analyze: {basis: {default: legitimate_interest, gdpr: consent}, consent: analytics, uses: [interaction]}
  share: {basis: consent, consent: publish, uses: [output]}
  train: {basis: legitimate_interest, consent: training, uses: [output]}
  sell: {basis: consent, consent: commercial, uses: [output]}
  vague: {basis: consent, uses: [output]}
consents:
  analytics: {mode: {default: opt_out, gdpr: opt_in}}
  publish: {mode: opt_in, scope: asset}
  training: {mode: opt_in, scope: [subject, asset]}
  commercial: {mode: opt_in, scope: asset, requires: training}
retention:
  - {for: [output, interaction, support, evidence], from: created, keep: 24h}
  - {for: [account], from: account_closed, keep: 3y, restricted: true}
`

func TestDecideHonoursStanding(t *testing.T) {
	t.Parallel()
	d := parse(t, lawful)
	purpose := func(p musa.Purpose) func(*policy.Facts) { return func(f *policy.Facts) { f.Purpose = p } }
	with := func(turns ...func(*policy.Facts)) func(*policy.Facts) {
		return func(f *policy.Facts) {
			for _, turn := range turns {
				turn(f)
			}
		}
	}
	agrees := func(names ...string) func(*policy.Facts) { return func(f *policy.Facts) { f.Consents = names } }
	objects := func(to ...musa.Purpose) func(*policy.Facts) { return func(f *policy.Facts) { f.Objections = to } }
	in := func(region string) func(*policy.Facts) { return func(f *policy.Facts) { f.Region = region } }
	system := func(f *policy.Facts) { f.Actor.Role = musa.RoleSystem }
	restricted := func(f *policy.Facts) { f.Restricted = true }
	clicks := func(f *policy.Facts) { f.Item.Category = musa.CategoryInteraction; f.Actor.Role = musa.RoleSystem }
	account := func(f *policy.Facts) { f.Item.Category = musa.CategoryAccount }
	closed := func(f *policy.Facts) { f.Item.Closed = made }
	cases := []struct {
		name string
		turn func(*policy.Facts)
		want policy.Reason
	}{
		{"an interest", with(purpose("secure"), system), policy.ReasonNone},
		{"an interest, objected to", with(purpose("secure"), system, objects("secure")), policy.ReasonObjected},
		{"another was objected to", with(purpose("secure"), system, objects("moderate")), policy.ReasonNone},
		{"a contract cannot be objected to", objects("deliver"), policy.ReasonNone},
		{"nor can the law", with(purpose("prove"), objects("prove")), policy.ReasonNone},

		{"consent", with(purpose("share"), agrees("publish:as_1")), policy.ReasonNone},
		{"none", purpose("share"), policy.ReasonConsent},
		{"another consent", with(purpose("share"), agrees("training", "commercial:as_1")), policy.ReasonConsent},
		{"for another item", with(purpose("share"), agrees("publish:as_2")), policy.ReasonConsent},
		{"for everything, where it has to be for one", with(purpose("share"), agrees("publish")), policy.ReasonConsent},
		{"for everything", with(purpose("train"), agrees("training")), policy.ReasonNone},
		{"for one", with(purpose("train"), agrees("training:as_1")), policy.ReasonNone},
		{"an interest whose consent is asked first", purpose("train"), policy.ReasonConsent},
		{"consented, and objected to", with(purpose("train"), agrees("training"), objects("train")), policy.ReasonObjected},
		{"a consent that requires another", with(purpose("sell"), agrees("commercial:as_1", "training")), policy.ReasonNone},
		{"without the other", with(purpose("sell"), agrees("commercial:as_1")), policy.ReasonConsent},
		{"the other alone", with(purpose("sell"), agrees("training")), policy.ReasonConsent},
		{"a basis that names no consent", with(purpose("vague"), agrees("", "vague")), policy.ReasonConsent},

		{"opt-out, in the US", with(purpose("analyze"), clicks, in("US")), policy.ReasonNone},
		{"opt-out, in California", with(purpose("analyze"), clicks, in("US-CA")), policy.ReasonNone},
		{"opted out", with(purpose("analyze"), clicks, in("US"), objects("analyze")), policy.ReasonObjected},
		{"opt-in, in Germany", with(purpose("analyze"), clicks, in("DE")), policy.ReasonConsent},
		{"opt-in, in a part of Germany", with(purpose("analyze"), clicks, in("DE-BY")), policy.ReasonConsent},
		{"opt-in, in Britain", with(purpose("analyze"), clicks, in("GB")), policy.ReasonConsent},
		{"opted in", with(purpose("analyze"), clicks, in("DE"), agrees("analytics")), policy.ReasonNone},
		{"nobody knows where", with(purpose("analyze"), clicks), policy.ReasonConsent},
		{"nobody knows where, opted in", with(purpose("analyze"), clicks, agrees("analytics")), policy.ReasonNone},

		{"restricted", restricted, policy.ReasonRestricted},
		{"restricted, by the program", with(restricted, purpose("secure"), system), policy.ReasonRestricted},
		{"restricted, one's own request", with(restricted, purpose("answer_rights")), policy.ReasonNone},
		{"restricted, at the door", with(restricted, account, purpose("sign_in")), policy.ReasonNone},
		{"restricted, told of it", with(restricted, account, purpose("notify"), system), policy.ReasonNone},
		{"restricted, heard", with(restricted, purpose("help"), func(f *policy.Facts) { f.Item.Category = musa.CategorySupport }), policy.ReasonNone},
		{"a closed one, at the door", with(account, closed, purpose("sign_in")), policy.ReasonRestricted},
		{"restricted, a proof", with(restricted, purpose("prove")), policy.ReasonNone},
		{"restricted, consented", with(restricted, purpose("train"), agrees("training")), policy.ReasonRestricted},
		{"restricted, another's", with(restricted, func(f *policy.Facts) { f.Actor.Subject = "su_bob" }), policy.ReasonForeign},
		{"consent wanted, another's", with(purpose("share"), func(f *policy.Facts) { f.Actor.Subject = "su_bob" }), policy.ReasonForeign},

		{"an open account", account, policy.ReasonNone},
		{"a closed one", with(account, closed), policy.ReasonRestricted},
		{"a closed one, for a request", with(account, closed, purpose("answer_rights")), policy.ReasonNone},
		{"a closed one at its end", with(account, closed, func(f *policy.Facts) { f.Now = made + 1096*day }), policy.ReasonDue},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := facts()
			f.Item.Tier, f.Actor.Tier = musa.TierMember, musa.TierMember
			c.turn(&f)
			g := d.Decide(f)
			if g.Reason() != c.want || g.Allowed() != (c.want == policy.ReasonNone) {
				t.Fatalf("reason %d; want %d", g.Reason(), c.want)
			}
			var p *musa.Problem
			if err := g.Err(); !g.Allowed() && (!errors.As(err, &p) || p.Public == "" || p.Code == "") {
				t.Errorf("%v is no problem", err)
			}
		})
	}
}

func TestStandingAllocatesNothing(t *testing.T) {
	d, f := parse(t, lawful), facts()
	f.Item.Tier, f.Purpose, f.Region = musa.TierMember, "sell", "DE"
	f.Consents, f.Objections = []string{"publish:as_2", "commercial:as_1", "training"}, []musa.Purpose{"secure"}
	if n := testing.AllocsPerRun(100, func() { sink = d.Decide(f) }); n != 0 || !sink.Allowed() {
		t.Errorf("%v allocations, allowed %v", n, sink.Allowed())
	}
}

func TestAccounted(t *testing.T) {
	t.Parallel()
	d := parse(t, lawful)
	cases := []struct {
		name    string
		actor   musa.Actor
		purpose musa.Purpose
		c       musa.Category
		want    bool
	}{
		{"one's own", musa.Actor{Subject: "su_ann", Role: musa.RoleSubject}, "deliver", "output", false},
		{"the program for its owner", musa.Actor{Subject: "su_ann", Role: musa.RoleSystem}, "moderate", "output", false},
		{"a moderator", musa.Actor{Subject: "su_mo", Role: musa.RoleModerator}, "moderate", "output", true},
		{"a moderator's own", musa.Actor{Subject: "su_ann", Role: musa.RoleModerator}, "moderate", "output", true},
		{"support", musa.Actor{Subject: "su_so", Role: musa.RoleSupport}, "help", "support", true},
		{"a hold", musa.Actor{Subject: "su_co", Role: musa.RoleCompliance}, "hold", "evidence", true},
		{"what was refused", musa.Actor{Subject: "su_mo", Role: musa.RoleModerator}, "deliver", "output", false},
	}
	for _, c := range cases {
		f := facts()
		f.Actor, f.Purpose, f.Item.Category, f.Item.Tier = c.actor, c.purpose, c.c, musa.TierMember
		if g := d.Decide(f); g.Accounted() != c.want {
			t.Errorf("%s: accounted %v (reason %d)", c.name, g.Accounted(), g.Reason())
		}
	}
	if (policy.Grant{}).Accounted() {
		t.Error("the zero Grant was accounted")
	}
}

func TestChoicesAndTierLoss(t *testing.T) {
	t.Parallel()
	d := parse(t, shape(t))
	cases := []struct {
		c      musa.Category
		tier   musa.Tier
		offer  []string
		keep   string
		notice time.Duration
	}{
		{musa.CategoryOutput, musa.TierPaid, []string{"3d", "14d"}, "3d", 24 * time.Hour},
		{musa.CategoryOriginal, musa.TierPaid, []string{"3d", "14d"}, "3d", 24 * time.Hour},
		{musa.CategoryOutput, musa.TierGuest, nil, "", 0},
		{musa.CategoryOutput, "gold", nil, "", 0},
		{musa.CategoryDevice, musa.TierPaid, nil, "", 0},
		{"diary", musa.TierPaid, nil, "", 0},
	}
	for _, c := range cases {
		offer, keep, setBy := d.Choices(c.c, c.tier)
		var said []string
		for _, s := range offer {
			said = append(said, s.String())
		}
		if !slices.Equal(said, c.offer) || keep.String() != c.keep || setBy.Has("subject") != (c.offer != nil) {
			t.Errorf("%s in %s: %v, %v by %v", c.c, c.tier, offer, keep, setBy)
		}
		notice, shortens := d.TierLoss(c.c, c.tier)
		if notice != c.notice || shortens != (c.notice > 0) {
			t.Errorf("%s loses %s: %v %v", c.c, c.tier, notice, shortens)
		}
	}
}
