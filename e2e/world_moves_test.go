//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/policies"
	"musa/retention"
	"musa/rights"
	"musa/studio"
	"musa/vault"
)

// change lets something happen.
func (w *world) change() {
	switch w.dice.IntN(6) {
	case 0:
		w.promote()
	case 1:
		w.choose()
	case 2:
		w.order()
	case 3:
		w.keep()
	case 4:
		w.use()
	case 5:
		w.unuse()
	}
}

// promote brings a guest into an account, or a person into the other tier.
func (w *world) promote() {
	n := w.dice.IntN(len(w.people))
	p := w.people[n]
	to := musa.TierMember
	if p.tier == musa.TierMember {
		to = musa.TierPaid
	}
	_, err := w.s.Keeper.Change(w.t.Context(), musa.Actor{Role: musa.RoleOperator}, p.id, retention.Change{Tier: to})
	w.must(err)
	p.tier = to
	w.count["tier"]++
	w.followed(n)
}

// choose has a paying person choose one of what is offered.
func (w *world) choose() {
	n := w.dice.IntN(len(w.people))
	p := w.people[n]
	if p.tier != musa.TierPaid {
		return
	}
	e := w.editions[w.inForce(int64(w.now()))]
	c := w.pick(e.paid, e.longer)
	_, err := w.s.Keeper.Change(w.t.Context(), musa.Actor{Subject: p.id, Tier: p.tier, Role: musa.RoleSubject}, p.id, retention.Change{Choice: &c})
	w.must(err)
	p.choice = c
	w.count["choice"]++
	w.followed(n)
}

func (w *world) followed(person int) {
	for _, i := range w.alive {
		if i.owner == person && i.kind != musa.CategoryEvidence && !w.past(i) {
			w.follow(i, w.people[person], int64(w.now()))
		}
	}
}

// order has an owner delete a picture, and sometimes think again.
func (w *world) order() {
	i := w.any(func(i *thing) bool {
		return i.row == 0 && i.ordered == 0 && i.job == "" && i.kind != musa.CategoryEvidence
	})
	if i == nil {
		return
	}
	until, err := w.s.Rights.Erase(w.t.Context(), w.owner(i), musa.AssetID(i.id), rights.Alone)
	w.must(err)
	w.count["ordered"]++
	if w.dice.IntN(3) == 0 {
		w.must(w.s.Rights.Undo(w.t.Context(), w.owner(i), musa.AssetID(i.id)))
		w.count["undone"]++
		return
	}
	i.ordered = int64(until)
}

// keep has an owner save an original, or let it go.
func (w *world) keep() {
	i := w.any(func(i *thing) bool { return i.kind == musa.CategoryOriginal && i.ordered == 0 && i.job == "" })
	if i == nil {
		return
	}
	a := db.Asset{}
	w.must(w.s.DB.Write(w.t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		if a, err = tx.Asset(ctx, musa.AssetID(i.id)); err != nil {
			return err
		}
		a.Saved = !i.saved
		vault.SetEnd(w.s.Versions(), tx.Now, &a)
		return tx.SaveAsset(ctx, a)
	}))
	i.saved = !i.saved
	w.count["saved"]++
}

// use begins a job that uses an original.
func (w *world) use() {
	i := w.any(func(i *thing) bool { return i.kind == musa.CategoryOriginal && i.ordered == 0 && i.job == "" })
	if i == nil {
		return
	}
	id := musa.NewJobID(w.s.Clock.Now())
	w.must(w.s.DB.Write(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		j := db.Job{ID: id, Owner: w.people[i.owner].id, State: musa.JobQueued, Lane: "nowhere", Created: tx.Now}
		if err := tx.InsertJob(ctx, j, musa.AssetID(i.id)); err != nil {
			return err
		}
		a, err := tx.Asset(ctx, musa.AssetID(i.id))
		if err != nil {
			return err
		}
		vault.SetEnd(w.s.Versions(), tx.Now, &a)
		return tx.SaveAsset(ctx, a)
	}))
	i.job = id
	w.count["used"]++
}

// unuse ends a job.
func (w *world) unuse() {
	i := w.any(func(i *thing) bool { return i.job != "" })
	if i == nil {
		return
	}
	w.must(w.s.DB.Write(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		if ok, err := tx.CancelJob(ctx, i.job); err != nil || !ok {
			return errors.Join(err, fmt.Errorf("cancelled: %v", ok))
		}
		j, err := tx.Job(ctx, i.job)
		if err == nil {
			_, err = studio.Settle(ctx, tx, w.s.Versions(), j)
		}
		return err
	}))
	i.job, i.worked = "", int64(w.now())
	w.count["let go"]++
}

// publish takes up another version, now or for a later day.
func (w *world) publish() {
	now := w.s.Clock.Now()
	e := w.edition(now, len(w.editions))
	doc, err := policies.Parse("./edition.yaml", w.read(e))
	w.must(err)
	if faults := doc.Lint(); len(faults) > 0 {
		w.t.Fatal(faults)
	}
	w.must(w.s.House.Publish(w.t.Context(), doc))
	e.ref = doc.Ref()
	e.effective = now.UnixMilli()
	if d, err := time.Parse(time.DateOnly, e.documented); err == nil && d.After(now) {
		e.effective = d.UnixMilli()
	}
	// Versions count in the order in which they take effect.
	at := len(w.editions)
	for at > 0 && w.editions[at-1].effective > e.effective {
		at--
	}
	if at < len(w.editions) {
		for _, i := range w.alive {
			if i.edition >= at {
				i.edition++
			}
		}
	}
	w.editions = slices.Insert(w.editions, at, e)
	musatest.Again(w.t, func() error { return w.s.Keeper.Reckon(w.t.Context()) })
	w.count["published"]++
}

func (w *world) read(e edition) func(string) ([]byte, error) {
	return func(string) ([]byte, error) { return []byte(w.document(e)), nil }
}

// hold uploads a real picture, whose copy is held; and releases one that was held before.
func (w *world) hold() {
	a := w.s.Guest().Upload("cat.png", w.picture)
	var row db.Asset
	w.must(w.s.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		row, err = tx.Asset(ctx, musa.AssetID(a.ID))
		return err
	}))
	now, owner := int64(w.now()), len(w.people)
	w.people = append(w.people, &person{id: row.Owner, tier: row.Tier})
	w.alive[a.ID] = &thing{id: a.ID, owner: owner, kind: musa.CategoryOriginal, created: now, tier: row.Tier, edition: w.inForce(now)}
	h, err := w.s.Keeper.OpenHold(w.t.Context(), w.clerks[0], retention.HoldOrder{Asset: row.ID, Reason: "a claim"})
	w.must(err)
	e := &thing{id: string(h.Evidence), owner: owner, kind: musa.CategoryEvidence, created: now, edition: w.inForce(now)}
	w.alive[e.id] = e
	w.holds[h.ID] = e
	w.count["held"]++
	if w.dice.IntN(3) > 0 {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(w.holds)) {
		e := w.holds[id]
		if _, ok := w.alive[e.id]; !ok || e.ordered > 0 {
			continue
		}
		for _, by := range w.clerks {
			_, err := w.s.Keeper.ReleaseHold(w.t.Context(), by, id)
			w.must(err)
		}
		e.ordered = now
		w.count["released"]++
		return
	}
}
