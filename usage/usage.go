// Package usage counts what was made, day by day, so that it leads to nobody.
//
// It promises that a total is written once, after its day is over; that it stands for at
// least as many different people as the policy says; that it is off the true count by noise
// of the budget that the policy declares; that it holds no id, no address and no time
// but its day; and that nothing is counted while the policy says that totals are not
// collected. What is written stays: it survives the erasure of everybody who is in it.
//
// The noise hides whether any one job was there. It does not hide how much all of a group
// made; that is what a total says.
package usage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// Config is what a Counter leans on. All fields are needed.
type Config struct {
	DB       *db.DB
	Versions func() *policy.Versions
	Clock    musa.Clock
	Log      *slog.Logger
	// Noise is where the noise is drawn from: crypto/rand.Reader, but in tests.
	Noise io.Reader
}

// Counter counts days.
type Counter struct{ Config }

// New makes a counter.
func New(c Config) *Counter { return &Counter{c} }

const (
	stepEvery = 10 * time.Minute
	// settle is how long after its end a day is counted, so that every transaction that
	// bears an instant of it has committed.
	settle = 10 * time.Minute
	day    = 24 * time.Hour
	// page is how much of a day one look takes.
	page = time.Hour
)

// Run counts each day soon after it is over, until ctx ends.
func (c *Counter) Run(ctx context.Context) error {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for {
		if err := c.Step(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("usage", "step", "count", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step counts every day that is over and was not counted. Days before the last one that
// was counted are past: nothing was collected then.
func (c *Counter) Step(ctx context.Context) error {
	var from musa.Millis
	err := c.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		last, err := tx.LastUsageDay(ctx)
		if err != nil || last == "" {
			return err
		}
		began, err := time.Parse(time.DateOnly, last)
		from = musa.At(began.Add(day))
		return err
	})
	for err == nil && ctx.Err() == nil {
		var began time.Time
		if began, err = c.next(ctx, from); err != nil || began.IsZero() {
			break
		}
		if err = c.count(ctx, began); err != nil {
			return fmt.Errorf("count %s: %w", began.Format(time.DateOnly), err)
		}
		from = musa.At(began.Add(day))
	}
	return err
}

// next is the beginning of the next day, UTC, with anything to count; zero when none is
// over.
func (c *Counter) next(ctx context.Context, from musa.Millis) (began time.Time, err error) {
	err = c.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		at, err := tx.NextJobEnd(ctx, from)
		if err != nil || at == 0 {
			return err
		}
		if first := at.Time().Truncate(day); !tx.Now.Time().Before(first.Add(day + settle)) {
			began = first
		}
		return nil
	})
	return began, err
}

// group is what a total is of.
type group struct {
	kind  musa.JobKind
	model string
}

// tally is what a group made, and who is in it.
type tally struct {
	jobs   int64
	people map[musa.SubjectID]struct{}
}

func (c *Counter) count(ctx context.Context, began time.Time) error {
	// The version that held when the day was over says whether and how it is counted.
	doc := c.Versions().InForce(musa.At(began.Add(day)))
	terms, collected := readTerms(doc, began)
	if !collected {
		return nil
	}
	groups := map[group]*tally{}
	for at := began; at.Before(began.Add(day)); at = at.Add(page) {
		var made []db.Made
		err := c.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			made, err = tx.MadeByPerson(ctx, musa.At(at), musa.At(at.Add(page)))
			return err
		})
		if err != nil {
			return err
		}
		for _, m := range made {
			add(groups, group{m.Kind, m.Model}, tally{m.Jobs, map[musa.SubjectID]struct{}{m.Author: {}}})
		}
	}
	totals, err := terms.publish(began, groups, c.Noise)
	if err != nil {
		return err
	}
	return c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.CountUsage(ctx, began.Format(time.DateOnly), totals)
		return err
	})
}

func add(groups map[group]*tally, g group, more tally) {
	t := groups[g]
	if t == nil {
		t = &tally{people: map[musa.SubjectID]struct{}{}}
		groups[g] = t
	}
	t.jobs += more.jobs
	for id := range more.people {
		t.people[id] = struct{}{}
	}
}

// Total is how many jobs succeeded on a day, in one group. Noise is in it.
type Total struct {
	Day   string // UTC
	Kind  musa.JobKind
	Model string
	Jobs  int64
}

// KindOther is the kind of a total over groups that are too small to be told apart.
const KindOther musa.JobKind = "other"

// Report is what was counted over some days.
type Report struct {
	Totals   []Total
	Days     int // that were counted, also those without any group that is large enough
	MinGroup int // the smallest number of people in a total, by the policy in force
	// Epsilon is the noise's budget per Per ("month"), by the policy in force; 0 for none.
	// Spent is how much of it the days of the current one have used.
	Epsilon, Spent float64
	Per            string
}

// mostDays bounds a report.
const mostDays = 400

// Report lists the totals of the last days, the newest last. Only who runs the instance may
// ask: musa.ErrNotFound for others. musa.ErrInvalid unless 1 ≤ days ≤ 400.
func (c *Counter) Report(ctx context.Context, by musa.Actor, days int) (Report, error) {
	if by.Role != musa.RoleOperator && by.Role != musa.RoleSystem {
		return Report{}, musa.ErrNotFound
	}
	if days < 1 || days > mostDays {
		return Report{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "days", Field: "days", Public: fmt.Sprintf("Ask for 1 to %d days.", mostDays)}
	}
	now := c.Clock().UTC()
	terms, collected := readTerms(c.Versions().InForce(musa.At(now)), now)
	r := Report{MinGroup: terms.minGroup, Epsilon: terms.epsilon, Per: terms.per}
	err := c.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		from, to := now.Add(-time.Duration(days)*day).Format(time.DateOnly), now.Format(time.DateOnly)
		list, err := tx.UsageTotals(ctx, from, to)
		for _, t := range list {
			r.Totals = append(r.Totals, Total{Day: t.Day, Kind: t.Kind, Model: t.Model, Jobs: t.Jobs})
		}
		counted, err2 := tx.UsageDays(ctx, from, to)
		r.Days = len(counted)
		if err := errors.Join(err, err2); err != nil || !collected {
			return err
		}
		spent, err := tx.UsageDays(ctx, terms.begins.Format(time.DateOnly), to)
		r.Spent = float64(len(spent)) * terms.perDay()
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("usage report: %w", err)
	}
	return r, nil
}
