//go:build e2e

package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
	"musa/vault"
)

// The size of the simulated world.
const (
	worldYears  = 3
	worldItems  = 100_000
	worldPeople = 150
	worldHolds  = 25
	worldSteps  = 1000
)

// One world is enough, and as much as a minute holds.
func init() { flag.Set("rapid.checks", "1") }

// TestThreeYears lives through three years of a studio: people come into other tiers, choose
// and order erasures, versions are published, things are held and released. At each step what
// is alive, and until when, is exactly what the oracle says.
func TestThreeYears(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t, rapid.Uint64().Draw(r, "seed"))
		for n := range worldSteps {
			w.step(n)
			if t.Failed() {
				r.Fatalf("the world parted from its oracle at step %d", n)
			}
		}
		w.tell()
	})
}

type person struct {
	id     musa.SubjectID
	tier   musa.Tier
	choice time.Duration
	key    []byte
}

type world struct {
	t        *testing.T
	s        *musatest.Studio
	dice     *mathrand.Rand
	rest     string // the lines of the policy's retention that do not vary
	editions []edition
	people   []*person
	alive    map[string]*thing
	begun    time.Time
	until    time.Time
	made     int
	picture  []byte
	clerks   [2]musa.Actor
	holds    map[musa.HoldID]*thing
	count    map[string]int
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, dice: mathrand.New(mathrand.NewPCG(seed, 3)), alive: map[string]*thing{}, holds: map[musa.HoldID]*thing{}, count: map[string]int{}}
	_, text, err := policies.Source("studio", os.ReadFile)
	w.must(err)
	_, list, _ := strings.Cut(string(text), "\nretention:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list + "\n") {
		if !strings.Contains(line, "original") && !strings.Contains(line, "output") {
			w.rest += line
		}
	}
	clock := musatest.NewClock()
	first := w.edition(clock.Now(), 0)
	w.s = musatest.New(t, musatest.Rig{Clock: clock, Policy: w.document(first)})
	first.ref, first.effective = w.s.InForce().Ref(), clock.Now().UnixMilli()
	w.editions = []edition{first}
	w.begun = clock.Now()
	w.until = w.begun.AddDate(worldYears, 0, 0)
	for range worldPeople {
		w.admit()
	}
	w.picture = photos.Read(t, "chelsea.png")
	for i := range w.clerks {
		w.clerks[i] = musa.Actor{Subject: musa.NewSubjectID(clock.Now()), Role: musa.RoleCompliance}
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) now() musa.Millis { return musa.At(w.s.Clock.Now()) }

func (w *world) pick(d ...time.Duration) time.Duration { return d[w.dice.IntN(len(d))] }

const day = 24 * time.Hour

// edition makes one up, published now and in effect a while later.
func (w *world) edition(now time.Time, n int) edition {
	e := edition{worked: w.pick(0, time.Hour, day), unused: w.pick(time.Hour, 6*time.Hour, 2*day),
		guest: w.pick(6*time.Hour, day, 3*day), member: w.pick(day, 2*day, 10*day), paid: w.pick(2*day, 4*day),
		longer: w.pick(7*day, 14*day, 30*day), notice: w.pick(0, day, 3*day)}
	e.published = fmt.Sprintf("%s.%d", now.UTC().Format(time.DateOnly), n+1)
	e.documented = now.UTC().Add(w.pick(0, 0, 5*day, 30*day)).Format(time.DateOnly)
	if n == 0 {
		e.documented = now.UTC().Format(time.DateOnly)
	}
	return e
}

func (w *world) document(e edition) string {
	return strings.Replace(e.document(), "%UNVARIED%", w.rest, 1)
}

func (w *world) admit() {
	now := w.s.Clock.Now()
	p := &person{id: musa.NewSubjectID(now), tier: musa.TierGuest}
	var err error
	p.key, err = w.s.Eraser.Vault.NewSubject(p.id)
	w.must(err)
	w.must(w.s.DB.Write(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.InsertSubject(ctx, db.Subject{ID: p.id, Kind: musa.SubjectGuest, Tier: p.tier, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now}, p.key)
	}))
	w.people = append(w.people, p)
}

// step turns the clock, has the studio do what is due, compares, and lets things happen.
func (w *world) step(n int) {
	w.turn(n)
	musatest.Again(w.t, func() error { return w.s.Keeper.Step(w.t.Context()) })
	w.bury()
	w.compare()
	w.create(worldItems * (n + 1) / worldSteps)
	for range 3 {
		w.change()
	}
	if n%60 == 59 {
		w.publish()
	}
	if n*worldHolds/worldSteps != (n+1)*worldHolds/worldSteps {
		w.hold()
	}
	if n%40 == 39 {
		musatest.Again(w.t, func() error { return w.s.Keeper.CatchUp(w.t.Context()) })
	}
}

// turn goes on by a while, and often to the very millisecond, or the one before, at which
// something is due.
func (w *world) turn(n int) {
	now := w.s.Clock.Now()
	step := w.until.Sub(now) / time.Duration(worldSteps-n)
	step = time.Duration(w.dice.Int64N(int64(2*step) + 1)).Truncate(time.Millisecond)
	if w.dice.IntN(3) == 0 {
		var next int64
		for _, i := range w.alive {
			if e := w.ends(i); e > now.UnixMilli() && (next == 0 || e < next) {
				next = e
			}
		}
		if next > 0 {
			step = time.UnixMilli(next - w.dice.Int64N(2)).Sub(now)
		}
	}
	w.s.Clock.Turn(max(step, 0))
}

// bury takes out of the oracle's world what is over.
func (w *world) bury() {
	now := int64(w.now())
	for id, i := range w.alive {
		if e := w.ends(i); e > 0 && e <= now {
			delete(w.alive, id)
			w.count["ended"]++
		}
	}
}

// compare holds what is alive, and until when, against the oracle.
func (w *world) compare() {
	seen := 0
	for table, query := range []string{"SELECT id, ends FROM assets WHERE state = 'active'", "SELECT id, ends FROM records WHERE state = 'active' AND ends > 0"} {
		rows, err := w.s.DB.SQL().QueryContext(w.t.Context(), query)
		w.must(err)
		for rows.Next() {
			var id string
			var ends int64
			w.must(rows.Scan(&id, &ends))
			i := w.alive[id]
			switch {
			case i == nil:
				w.t.Errorf("%s is alive until %d, the oracle has it gone (now %d)", id, ends, w.now())
			case i.row != table || ends != w.ends(i):
				w.t.Errorf("%s ends %d, the oracle says %d: %+v", id, ends, w.ends(i), *i)
			}
			seen++
		}
		w.must(errors.Join(rows.Err(), rows.Close()))
	}
	if seen != len(w.alive) {
		w.t.Errorf("%d things are alive, the oracle has %d", seen, len(w.alive))
	}
}

// create makes things until so many were made.
func (w *world) create(upto int) {
	v := w.s.Versions()
	var things []*thing
	w.must(w.s.DB.Write(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		things = nil
		for range upto - w.made {
			owner := w.dice.IntN(len(w.people))
			i := &thing{owner: owner, created: int64(tx.Now), tier: w.people[owner].tier, choice: w.people[owner].choice, edition: w.inForce(int64(tx.Now))}
			things = append(things, i)
			if err := w.insert(ctx, tx, v, i); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, i := range things {
		w.alive[i.id] = i
		w.made++
		w.count[string(i.kind)]++
	}
}

// inForce is the edition that decides at an instant.
func (w *world) inForce(at int64) int {
	n := 0
	for i, e := range w.editions {
		if e.effective <= at {
			n = i
		}
	}
	return n
}

// insert adds a row as the studio does. One in six is a picture, the rest are records; what
// would open them is noise, since nobody looks inside.
func (w *world) insert(ctx context.Context, tx db.Tx, v *policy.Versions, i *thing) error {
	var secret db.Secret
	secret.Wrapped = make([]byte, 60)
	rand.Read(secret.Wrapped)
	id := w.people[i.owner].id
	if w.dice.IntN(6) > 0 {
		i.kind = []musa.Category{musa.CategoryPrompt, musa.CategoryHistory}[w.dice.IntN(2)]
		r := []db.Record{{ID: musa.NewRecordID(tx.Now.Time()), Owner: id, Category: i.kind, State: musa.AssetActive}}
		if err := vault.BelongRecords(ctx, tx, v, r); err != nil {
			return err
		}
		i.id, i.row = string(r[0].ID), 1
		return tx.InsertRecord(ctx, r[0], secret)
	}
	i.kind = []musa.Category{musa.CategoryOutput, musa.CategoryOriginal}[w.dice.IntN(2)]
	i.saved = i.kind == musa.CategoryOriginal && w.dice.IntN(2) == 0
	a := db.Asset{ID: musa.NewAssetID(tx.Now.Time()), Owner: id, Author: id, Category: i.kind, State: musa.AssetActive, Saved: i.saved}
	if err := vault.Belong(ctx, tx, v, &a); err != nil {
		return err
	}
	i.id = string(a.ID)
	return tx.InsertAsset(ctx, a, secret)
}

// any is some living thing that fits, or nil.
func (w *world) any(fits func(*thing) bool) *thing {
	ids := make([]string, 0, len(w.alive))
	for id := range w.alive {
		ids = append(ids, id)
	}
	slices.Sort(ids) // so that the seed tells all
	for range 30 {
		if len(ids) == 0 {
			break
		}
		if i := w.alive[ids[w.dice.IntN(len(ids))]]; fits(i) && !w.past(i) {
			return i
		}
	}
	return nil
}

// past says that an item's end has come though it is not buried yet: nothing touches it.
func (w *world) past(i *thing) bool {
	e := w.ends(i)
	return e > 0 && e <= int64(w.now())
}

func (w *world) owner(i *thing) musa.Actor {
	p := w.people[i.owner]
	return musa.Actor{Subject: p.id, Tier: p.tier, Role: musa.RoleSubject}
}

// tell sums up, so that a world in which nothing happened is seen.
func (w *world) tell() {
	w.t.Logf("%v until %v: %v", w.begun.Format(time.DateOnly), w.s.Clock.Now().Format(time.DateOnly), w.count)
	for _, what := range []string{"ended", "tier", "choice", "ordered", "undone", "saved", "used", "let go", "published", "held", "released"} {
		if w.count[what] == 0 {
			w.t.Errorf("in three years nothing was %s", what)
		}
	}
}
