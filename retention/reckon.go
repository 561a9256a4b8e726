package retention

import (
	"context"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

const (
	// page is how many items one transaction reckons.
	page = 500
	// reckonEvery bounds how late a reckoning begins after a version was taken up.
	reckonEvery = 500 * time.Millisecond
	// reckonLease is the right of one node to reckon; each page renews it.
	reckonLease, reckonTerm = "reckon", 30 * time.Second
	// settled is after how long every node that lives works by a version that was taken up:
	// what one of them made until then may carry an end of the versions before.
	settled = 3 * time.Second
	// longestMaking is how long ago the id of what is stored now may have been made.
	longestMaking = 15 * time.Minute
)

// Reckoning is how far what exists was reckoned by one taking up of a version.
type Reckoning struct {
	Version              string
	Published, Effective musa.Millis
	Looked, Total        int64 // Total is an estimate until Finished
	Shortened            int64
	Finished             musa.Millis // 0 while it runs
}

// Reckoning lists them all, the first taken up first, for the operator.
func (k *Keeper) Reckoning(ctx context.Context) ([]Reckoning, error) {
	var list []db.Adoption
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.Adoptions(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reckonings: %w", err)
	}
	out := make([]Reckoning, len(list))
	for i, a := range list {
		out[i] = Reckoning{Version: a.Version, Published: a.Published, Effective: a.Effective, Looked: a.Looked,
			Total: max(a.Total, a.Looked), Shortened: a.Shortened, Finished: a.Finished}
	}
	return out, nil
}

// Reckon shortens the stored ends of what exists by each version that was taken up since,
// also by one that is yet to take effect: then to its effect at the soonest. It never
// lengthens one. It goes on where the last node left off, one node at a time, and it has
// finished with a version once no node can store by those before it.
//
// Reads do not wait for it: they honour the version in force at each open. What it moves is
// when the key goes, and what people are told before.
func (k *Keeper) Reckon(ctx context.Context) error {
	var open []db.Adoption
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		open, err = tx.OpenReckonings(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("open reckonings: %w", err)
	}
	for _, a := range open {
		if !k.knows(a) {
			return nil // this node takes it up in a moment
		}
		if err := k.reckon(ctx, a.Seq); err != nil {
			return fmt.Errorf("reckon by %s: %w", a.Version, err)
		}
	}
	return nil
}

func (k *Keeper) knows(a db.Adoption) bool {
	return slices.ContainsFunc(k.Versions().List(), func(v policy.Adoption) bool {
		return v.Doc.Ref() == a.Version && v.Effective == a.Effective
	})
}

// mark is an item up to which all were looked at.
type mark struct {
	asset  musa.AssetID
	record musa.RecordID
}

// reckon looks at all that exists and then, when all nodes know of the version, once more at
// what is new. Its way through the second look is not stored: that is short.
func (k *Keeper) reckon(ctx context.Context, seq int64) error {
	var fresh *mark
	for ctx.Err() == nil {
		var next *mark
		done := false
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			mine, err := tx.TakeLease(ctx, reckonLease, k.Eraser.Node, reckonTerm)
			if done = !mine; err != nil || !mine {
				return err
			}
			a, err := tx.Adoption(ctx, seq)
			if done = a.Finished > 0; err != nil || done {
				return err
			}
			if fresh == nil {
				next, done, err = k.firstLook(ctx, tx, &a)
			} else {
				next, done, err = k.lastLook(ctx, tx, &a, *fresh)
			}
			if err != nil {
				return err
			}
			return tx.SaveReckoning(ctx, a)
		})
		if err != nil || done {
			return err
		}
		fresh = next
	}
	return ctx.Err()
}

// firstLook takes the next page of all that exists. After the last it gives the mark from
// which the last look begins, or stops because it is too soon for that.
func (k *Keeper) firstLook(ctx context.Context, tx db.Tx, a *db.Adoption) (next *mark, done bool, err error) {
	if a.Looked == 0 {
		if a.Total, err = tx.Living(ctx); err != nil {
			return nil, false, err
		}
	}
	m := mark{a.NextAsset, a.NextRecord}
	looked, shortened, err := k.reckonPage(ctx, tx, &m)
	if err != nil {
		return nil, false, err
	}
	a.NextAsset, a.NextRecord = m.asset, m.record
	a.Looked, a.Shortened = a.Looked+looked, a.Shortened+shortened
	if looked > 0 {
		return nil, false, nil
	}
	if tx.Now < a.Published.Add(settled) {
		return nil, true, nil
	}
	since := a.Published.Time().Add(-longestMaking)
	return &mark{musa.AssetIDsSince(since), musa.RecordIDsSince(since)}, false, nil
}

// lastLook takes the next page of what is new, and after the last finishes the reckoning.
func (k *Keeper) lastLook(ctx context.Context, tx db.Tx, a *db.Adoption, m mark) (next *mark, done bool, err error) {
	looked, shortened, err := k.reckonPage(ctx, tx, &m)
	if err != nil {
		return nil, false, err
	}
	a.Shortened += shortened
	if looked == 0 {
		a.Total, a.Finished = a.Looked, tx.Now
	}
	return &m, looked == 0, nil
}

// reckonPage reckons the next items after a mark, and moves that.
func (k *Keeper) reckonPage(ctx context.Context, tx db.Tx, m *mark) (looked, shortened int64, err error) {
	assets, err := tx.LivingAssets(ctx, db.Whose{After: string(m.asset), Limit: page})
	if err != nil {
		return 0, 0, err
	}
	var records []db.Record
	if len(assets) == 0 {
		if records, err = tx.LivingRecords(ctx, db.Whose{After: string(m.record), Limit: page}); err != nil {
			return 0, 0, err
		}
	}
	looked = int64(len(assets) + len(records))
	if len(assets) > 0 {
		m.asset = assets[len(assets)-1].ID
	}
	if len(records) > 0 {
		m.record = records[len(records)-1].ID
	}
	v := k.Versions()
	assets = slices.DeleteFunc(assets, func(x db.Asset) bool { return !sooner(v.End(vault.AssetItem(x)).At, x.Due) })
	records = slices.DeleteFunc(records, func(x db.Record) bool { return !sooner(v.End(vault.RecordItem(x)).At, x.Due) })
	return looked, int64(len(assets) + len(records)), vault.Reckon(ctx, tx, v, assets, records)
}

// sooner says that an end comes before another; 0 is none.
func sooner(at, other musa.Millis) bool { return at > 0 && (other == 0 || at < other) }
