package retention

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"musa"
	"musa/db"
)

// Figures is how well the policy's times were kept lately: what stands beside the promises
// on the privacy page. It counts, and leads to nobody.
type Figures struct {
	At            musa.Millis // when it was taken
	Overdue       int         // pictures, records and closed accounts whose end has come and whose key is still there
	OldestOverdue time.Duration
	// Erased30d counts the pictures whose keys were destroyed, Purged30d those whose bytes
	// went as well, in the 30 days before At, to ten minutes.
	Erased30d, Purged30d int
	// KeyP99 and PurgeP99 are what 99 of 100 of those pictures did not exceed, from their end
	// to the destruction of the key and to the removal of the bytes. Rounded up.
	KeyP99, PurgeP99 time.Duration
	LastBackup       musa.Millis // the age of the last whole copy of the store; 0 for none
	Rehearsed        musa.Millis // when a copy was last restored to try it; 0 for never
}

const (
	figuresAge  = 10 * time.Second
	figuresDays = 30 * 24 * time.Hour
	// figuresSlot is how finely the 30 days are kept, figuresMinute how finely what just went:
	// while a million go in ten minutes, no minute is counted again and again.
	figuresSlot   = 10 * time.Minute
	figuresMinute = time.Minute
	// figuresPage is how many assets one look counts: a look is short, however many went at once.
	figuresPage = 50_000
	// figuresSettle is how late a transaction's own instant may be seen by another node.
	figuresSettle = 2 * time.Minute
)

// lags counts assets by a lag in milliseconds.
type lags map[int64]int

// figures is what was counted so far. A minute that is over never changes, so it is counted
// once; only the last ones are looked at again.
type figures struct {
	mu    sync.Mutex
	last  Figures              // guarded by mu
	slots map[musa.Millis]slot // what is over, by the slot's beginning; guarded by mu
	next  musa.Millis          // minutes before it are in slots; guarded by mu
	open  slot                 // what went since; guarded by mu
}

type slot struct{ key, purge lags }

func newSlot() slot { return slot{key: lags{}, purge: lags{}} }

// Figures takes the figures, at most every ten seconds. It may be called from any number
// of goroutines: those that come meanwhile wait for the same ones.
func (k *Keeper) Figures(ctx context.Context) (Figures, error) {
	f := &k.figures
	f.mu.Lock()
	defer f.mu.Unlock()
	now := musa.At(k.Clock())
	if f.last.At > 0 && now >= f.last.At && now < f.last.At.Add(figuresAge) {
		return f.last, nil
	}
	fresh := Figures{At: now}
	since := slotOf(now.Add(-figuresDays)) + slotLength
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		late, err := tx.Overdue(ctx, now)
		if err != nil {
			return err
		}
		fresh.Overdue = late.Assets + late.Records + late.Subjects
		if late.Oldest > 0 {
			fresh.OldestOverdue = now.Time().Sub(late.Oldest.Time())
		}
		if fresh.Erased30d, err = tx.ErasedAssets(ctx, since); err != nil {
			return err
		}
		copies, err := tx.BackupTimes(ctx)
		fresh.LastBackup, fresh.Rehearsed = copies.Finished, copies.Rehearsed
		return err
	})
	if err != nil {
		return Figures{}, fmt.Errorf("figures: %w", err)
	}
	if err := k.count(ctx, f, since, now); err != nil {
		return Figures{}, fmt.Errorf("figures: %w", err)
	}
	f.sum(&fresh)
	f.last = fresh
	return fresh, nil
}

const (
	slotLength   = musa.Millis(figuresSlot / time.Millisecond)
	minuteLength = musa.Millis(figuresMinute / time.Millisecond)
)

func slotOf(at musa.Millis) musa.Millis { return at / slotLength * slotLength }

// count brings the slots up to now, by short looks. After an error nothing has changed.
func (k *Keeper) count(ctx context.Context, f *figures, since, now musa.Millis) error {
	settled := now.Add(-figuresSettle) / minuteLength * minuteLength
	if f.slots == nil || settled < f.next { // at first, or the clock was turned back
		f.slots, f.next = map[musa.Millis]slot{}, 0
	}
	var found []db.Lag
	for at := max(since, f.next); at > 0; {
		err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			page, next, err := tx.Lags(ctx, db.LagPage{From: at, Slot: minuteLength, Limit: figuresPage})
			found, at = append(found, page...), next
			return err
		})
		if err != nil {
			return err
		}
	}
	maps.DeleteFunc(f.slots, func(begin musa.Millis, _ slot) bool { return begin < since })
	f.next, f.open = settled, newSlot()
	for _, l := range found {
		into := f.open
		if begin := slotOf(l.Slot); l.Slot < settled {
			if _, there := f.slots[begin]; !there {
				f.slots[begin] = newSlot()
			}
			into = f.slots[begin]
		}
		into.key[l.Key] += l.Assets
		into.purge[l.Purge] += l.Assets
	}
	return nil
}

func (f *figures) sum(into *Figures) {
	all := newSlot()
	all.key.add(f.open.key)
	all.purge.add(f.open.purge)
	for _, s := range f.slots {
		all.key.add(s.key)
		all.purge.add(s.purge)
	}
	for _, n := range all.key {
		into.Purged30d += n
	}
	into.Erased30d += into.Purged30d
	into.KeyP99, into.PurgeP99 = all.key.p99(into.Purged30d), all.purge.p99(into.Purged30d)
}

func (l lags) add(other lags) {
	for ms, n := range other {
		l[ms] += n
	}
}

// p99 is the smallest lag that 99 of 100 of n did not exceed.
func (l lags) p99(n int) time.Duration {
	within := 0
	for _, ms := range slices.Sorted(maps.Keys(l)) {
		if within += l[ms]; within*100 >= n*99 {
			return time.Duration(ms) * time.Millisecond
		}
	}
	return 0
}
