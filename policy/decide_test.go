package policy_test

import (
	"errors"
	"testing"
	"time"

	"musa"
	"musa/policy"
)

const base = `
policy: test
version: 2026-11-22.1
tiers: {guest: {account: false}, member: {account: true}, paid: {account: true}}
roles: {instance: {operator: [], support: [help], moderator: [moderate]}}
categories:
  original: {is: user.content.private}
  output: {is: user.content.private}
  history: {is: user.content.private}
  safe: {is: user.content.private}
  payment: {is: user.payment}
  mail: {is: user.contact.email}
  support: {is: user.contact.email}
  feedback: {is: user.content.private, collected: false}
  usage_total: {is: system.operations, personal: false}
purposes:
  generate: {basis: contract, uses: [original, output]}
  deliver: {basis: contract, uses: [original, output, safe, feedback]}
  help: {basis: contract, uses: [support]}
  moderate: {basis: legitimate_interest, uses: [output]}
  personal: {basis: {default: contract, gdpr: consent}, uses: [history]}
  book_keep: {basis: legal_obligation, uses: [payment]}
  improve: {basis: none_anonymous, uses: [usage_total]}
retention:
  - {for: [original], from: job_ended, keep: 0s, unless: saved}
  - {for: [original], from: created, keep: 1h, unless: [saved, in_use]}
  - {for: [original], when: saved, same_as: output}
  - {for: [output, history], tier: guest, from: created, keep: 24h}
  - {for: [output, history], tier: member, from: created, keep: 48h}
  - {for: [output, history], tier: paid, from: created, keep: 48h, choices: [48h, 7d, 1mo]}
  - {for: [safe], tier: [member, paid], from: account_closed, keep: 0s}
  - {for: [payment], from: transaction, keep: 7y, minimum: true, law: tax}
  - {for: [payment], from: account_closed, keep: 0s}
  - {for: [mail], from: sent, keep: 7d}
  - {for: [support, feedback], from: last_seen, keep: 30d}
  - {for: [usage_total], keep: indefinite}
`

const (
	second = musa.Millis(1000)
	hour   = 3600 * second
	day    = 24 * hour
)

var made = musa.At(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))

func parse(t testing.TB, src string) *policy.Document {
	t.Helper()
	d, err := policy.Parse("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func facts() policy.Facts {
	return policy.Facts{
		Now:     made + hour,
		Actor:   musa.Actor{Subject: "su_ann", Tier: musa.TierGuest, Role: musa.RoleSubject},
		Purpose: musa.PurposeDeliver,
		Item:    policy.Item{ID: "as_1", Owner: "su_ann", Category: musa.CategoryOutput, Tier: musa.TierGuest, Created: made},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	d := parse(t, base)
	cases := []struct {
		name string
		turn func(*policy.Facts)
		want policy.Reason
		kind error
	}{
		{"owner", func(*policy.Facts) {}, policy.ReasonNone, nil},
		{"another's", func(f *policy.Facts) { f.Actor.Subject = "su_bob" }, policy.ReasonForeign, musa.ErrNotFound},
		{"another's, also when due", func(f *policy.Facts) { f.Actor.Subject = "su_bob"; f.Now = made + 25*hour }, policy.ReasonForeign, musa.ErrNotFound},
		{"nobody's", func(f *policy.Facts) { f.Actor.Subject, f.Item.Owner = "", "" }, policy.ReasonForeign, musa.ErrNotFound},
		{"no role", func(f *policy.Facts) { f.Actor.Role = "" }, policy.ReasonRole, musa.ErrRefused},
		{"undeclared purpose", func(f *policy.Facts) { f.Purpose = "train" }, policy.ReasonPurpose, musa.ErrRefused},
		{"no purpose", func(f *policy.Facts) { f.Purpose = "" }, policy.ReasonPurpose, musa.ErrRefused},
		{"category not used", func(f *policy.Facts) { f.Item.Category = musa.CategoryPayment }, policy.ReasonPurpose, musa.ErrRefused},
		{"undeclared category", func(f *policy.Facts) { f.Item.Category = "diary" }, policy.ReasonPurpose, musa.ErrRefused},
		{"consent not shown", func(f *policy.Facts) { f.Purpose, f.Item.Category = "personal", musa.CategoryHistory }, policy.ReasonConsent, musa.ErrRefused},
		{"a millisecond before its end", func(f *policy.Facts) { f.Now = made + day - 1 }, policy.ReasonNone, nil},
		{"at its end", func(f *policy.Facts) { f.Now = made + day }, policy.ReasonDue, musa.ErrGone},
		{"stored end is earlier, before", func(f *policy.Facts) { f.Item.Stored = made + 2*hour; f.Now = made + 2*hour - 1 }, policy.ReasonNone, nil},
		{"stored end is earlier, at", func(f *policy.Facts) { f.Item.Stored = made + 2*hour; f.Now = made + 2*hour }, policy.ReasonDue, musa.ErrGone},
		{"stored end is later", func(f *policy.Facts) { f.Item.Stored = made + 9*day; f.Now = made + day }, policy.ReasonDue, musa.ErrGone},
		{"about to be made", func(f *policy.Facts) { f.Item.New = true; f.Now = made }, policy.ReasonNone, nil},
		{"about to be made, not collected", func(f *policy.Facts) { f.Item.New, f.Item.Category = true, musa.CategoryFeedback }, policy.ReasonUnmade, musa.ErrRefused},
		{"not collected, but there", func(f *policy.Facts) { f.Item.Category = musa.CategoryFeedback }, policy.ReasonNone, nil},
		{"a tier without a rule", func(f *policy.Facts) { f.Item.Category = musa.CategorySafe }, policy.ReasonEndless, musa.ErrRefused},
		{"an unknown tier", func(f *policy.Facts) { f.Item.Tier = "gold" }, policy.ReasonEndless, musa.ErrRefused},
		{"runner for its owner", func(f *policy.Facts) { f.Actor.Role, f.Purpose = musa.RoleSystem, musa.PurposeGenerate }, policy.ReasonNone, nil},
		{"runner for another", func(f *policy.Facts) {
			f.Actor = musa.Actor{Subject: "su_bob", Role: musa.RoleSystem}
			f.Purpose = musa.PurposeGenerate
		}, policy.ReasonForeign, musa.ErrNotFound},
		{"the system does not deliver", func(f *policy.Facts) { f.Actor.Role = musa.RoleSystem }, policy.ReasonRole, musa.ErrRefused},
		{"the system opens nothing due", func(f *policy.Facts) {
			f.Actor.Role, f.Purpose, f.Now = musa.RoleSystem, musa.PurposeGenerate, made+day
		}, policy.ReasonDue, musa.ErrGone},
		{"operator", func(f *policy.Facts) { f.Actor = musa.Actor{Subject: "su_op", Role: musa.RoleOperator} }, policy.ReasonForeign, musa.ErrNotFound},
		{"moderator", func(f *policy.Facts) {
			f.Actor, f.Purpose = musa.Actor{Subject: "su_mo", Role: "moderator"}, "moderate"
		}, policy.ReasonNone, nil},
		{"moderator, for what is not theirs", func(f *policy.Facts) { f.Actor = musa.Actor{Subject: "su_mo", Role: "moderator"} }, policy.ReasonForeign, musa.ErrNotFound},
		{"owner as moderator", func(f *policy.Facts) { f.Purpose = "moderate" }, policy.ReasonRole, musa.ErrRefused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := facts()
			c.turn(&f)
			g := d.Decide(f)
			if g.Reason() != c.want || g.Allowed() != (c.want == policy.ReasonNone) {
				t.Fatalf("reason %d, allowed %v; want %d", g.Reason(), g.Allowed(), c.want)
			}
			err := g.Err()
			if c.kind == nil {
				if err != nil || !g.Covers(f.Item.Owner, f.Item.Category, f.Item.ID) {
					t.Fatalf("granted, but err %v", err)
				}
				return
			}
			var p *musa.Problem
			if !errors.As(err, &p) || !errors.Is(err, c.kind) || p.Public == "" || p.Code == "" {
				t.Fatalf("error %v; want a problem of kind %v", err, c.kind)
			}
			if g.Covers(f.Item.Owner, f.Item.Category, f.Item.ID) {
				t.Error("a refusal covers its item")
			}
		})
	}
}

func TestZeroGrantAndZeroDocumentRefuse(t *testing.T) {
	t.Parallel()
	var g policy.Grant
	if g.Allowed() || g.Covers("", "", "") || !errors.Is(g.Err(), musa.ErrRefused) {
		t.Error("the zero Grant opens something")
	}
	var d policy.Document
	if d.Decide(facts()).Allowed() {
		t.Error("a document that nobody parsed allows something")
	}
}

func TestGrantCoversOnlyItsItem(t *testing.T) {
	t.Parallel()
	g := parse(t, base).Decide(facts())
	if g.Until() != made+day || g.Purpose() != musa.PurposeDeliver {
		t.Errorf("until %d for %s", g.Until(), g.Purpose())
	}
	for _, other := range []struct {
		owner musa.SubjectID
		c     musa.Category
		id    string
	}{{"su_bob", "output", "as_1"}, {"su_ann", "original", "as_1"}, {"su_ann", "output", "as_2"}, {"su_ann", "output", ""}} {
		if g.Covers(other.owner, other.c, other.id) {
			t.Errorf("covers %v", other)
		}
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	d := parse(t, base)
	cases := []struct {
		name string
		item policy.Item
		at   musa.Millis
		path string
	}{
		{"unused original", policy.Item{Category: "original", Created: made}, made + hour, "retention[1]"},
		{"original in use", policy.Item{Category: "original", Created: made, InUse: true}, 0, ""},
		{"original used again", policy.Item{Category: "original", Created: made, InUse: true, JobEnded: made + 5}, 0, ""},
		{"original, job done", policy.Item{Category: "original", Created: made, JobEnded: made + 5}, made + 5, "retention[0]"},
		{"original, job done late", policy.Item{Category: "original", Created: made, JobEnded: made + 2*hour}, made + hour, "retention[1]"},
		{"saved original", policy.Item{Category: "original", Created: made, JobEnded: made + 5, Saved: true}, made + day, "retention[2] (as retention[3])"},
		{"saved original in use", policy.Item{Category: "original", Created: made, Saved: true, InUse: true}, made + day, "retention[2] (as retention[3])"},
		{"guest output", policy.Item{Category: "output", Created: made}, made + day, "retention[3]"},
		{"guest's choice counts for nothing", policy.Item{Category: "output", Created: made, Choice: 7 * 24 * time.Hour}, made + day, "retention[3]"},
		{"member output", policy.Item{Category: "output", Created: made, Tier: musa.TierMember}, made + 2*day, "retention[4]"},
		{"paid output", policy.Item{Category: "output", Created: made, Tier: musa.TierPaid}, made + 2*day, "retention[5]"},
		{"paid, a choice offered", policy.Item{Category: "output", Created: made, Tier: musa.TierPaid, Choice: 7 * 24 * time.Hour}, made + 7*day, "retention[5]"},
		{"paid, a month from 31 January", policy.Item{Category: "output", Created: made, Tier: musa.TierPaid, Choice: 30 * 24 * time.Hour}, made + 28*day, "retention[5]"},
		{"paid, a choice not offered", policy.Item{Category: "output", Created: made, Tier: musa.TierPaid, Choice: 8 * 24 * time.Hour}, made + 2*day, "retention[5]"},
		{"safe of an open account", policy.Item{Category: "safe", Created: made, Tier: musa.TierPaid}, 0, ""},
		{"safe of a closed account", policy.Item{Category: "safe", Created: made, Tier: musa.TierPaid, Closed: made + 9}, made + 9, "retention[6]"},
		{"a legal minimum beats a maximum", policy.Item{Category: "payment", Created: made, Closed: made + day}, musa.At(time.Date(2033, 1, 31, 12, 0, 0, 0, time.UTC)), "retention[7]"},
		{"a maximum after the minimum", policy.Item{Category: "payment", Created: made, Closed: made + 9000*day}, made + 9000*day, "retention[8]"},
		{"mail that was never sent", policy.Item{Category: "mail", Created: made}, 0, ""},
		{"totals", policy.Item{Category: "usage_total", Created: made}, 0, ""},
		{"last seen", policy.Item{Category: "support", Created: made, LastSeen: made + day}, made + 31*day, "retention[10]"},
		{"unknown category", policy.Item{Category: "diary", Created: made}, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.item.Tier == "" {
				c.item.Tier = musa.TierGuest
			}
			got := d.End(c.item)
			if got.At != c.at || got.Path != c.path || got.Words == "" {
				t.Errorf("ends %d by %q (%s); want %d by %q", got.At-made, got.Path, got.Words, c.at-made, c.path)
			}
		})
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	d, f := parse(t, base), facts()
	if n := testing.AllocsPerRun(100, func() { sink = d.Decide(f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	f.Now = made + day
	if n := testing.AllocsPerRun(100, func() { sink = d.Decide(f) }); n != 0 {
		t.Errorf("%v allocations for a refusal", n)
	}
}

var sink policy.Grant

func BenchmarkDecide(b *testing.B) {
	d, f := parse(b, base), facts()
	for name, item := range map[string]policy.Item{
		"output": f.Item,
		"saved": {ID: "as_1", Owner: "su_ann", Category: musa.CategoryOriginal, Tier: musa.TierPaid,
			Created: made, Saved: true, Choice: 30 * 24 * time.Hour},
	} {
		b.Run(name, func(b *testing.B) {
			f := f
			f.Item = item
			b.ReportAllocs()
			for b.Loop() {
				sink = d.Decide(f)
			}
			if !sink.Allowed() {
				b.Fatal("refused")
			}
		})
	}
}
