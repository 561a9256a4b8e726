package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// UsageTotal is how much was made on one day, over enough people that it tells of none.
//
// Category: usage_total.
type UsageTotal struct {
	bun.BaseModel `bun:"table:usage_totals"`

	Day   string       `bun:",pk"` // UTC, "2026-11-22"
	Kind  musa.JobKind `bun:",pk"`
	Model string       `bun:",pk"`
	Jobs  int64
}

var usageTotalTable = Table{Name: "usage_totals", Category: musa.CategoryUsageTotal,
	Columns: columns(musa.CategoryUsageTotal, "day", "kind", "model", "jobs")}

// UsageDay says that a day was counted, once.
//
// Category: usage_total.
type UsageDay struct {
	bun.BaseModel `bun:"table:usage_days"`

	Day     string `bun:",pk"`
	Counted musa.Millis
}

var usageDayTable = Table{Name: "usage_days", Category: musa.CategoryUsageTotal, Columns: columns(musa.CategoryUsageTotal, "day", "counted")}

// Made is how many jobs of one kind a person had done by one model.
type Made struct {
	Kind   musa.JobKind
	Model  string
	Author musa.SubjectID
	Jobs   int64
}

// MadeByPerson lists what succeeded from one instant to before another, by kind, model and person. What
// ended while its owner or its author had the interaction log off is not counted, then or later, nor
// is what the owner has restricted the use of.
// A job that came with an import was never attempted here.
func (tx Tx) MadeByPerson(ctx context.Context, from, to musa.Millis) ([]Made, error) {
	var list []Made
	err := tx.get(ctx, &list, `SELECT kind, model, author, COUNT(*) AS jobs FROM jobs
		WHERE ended > 0 AND ended >= ? AND ended < ? AND state = 'succeeded' AND attempt > 0
		AND NOT EXISTS (SELECT 1 FROM choices AS c WHERE c.subject IN (jobs.owner, jobs.author) AND c.name = 'interaction_log'
			AND c.given = ? AND c.at <= jobs.ended AND (c.superseded = 0 OR c.superseded > jobs.ended))
		AND NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id IN (jobs.owner, jobs.author) AND s.restricted > 0)
		GROUP BY kind, model, author`, from, to, false)
	return list, wrapf(err, "what was made")
}

// NextJobEnd is when the first job ended at or after an instant; 0 when none has.
func (tx Tx) NextJobEnd(ctx context.Context, from musa.Millis) (musa.Millis, error) {
	var at musa.Millis
	err := tx.get(ctx, &at, "SELECT COALESCE(MIN(ended), 0) FROM jobs WHERE ended > 0 AND ended >= ?", from)
	return at, wrapf(err, "next end of a job")
}

// LastUsageDay is the latest day that was counted; empty before the first.
func (tx Tx) LastUsageDay(ctx context.Context) (string, error) {
	var day string
	err := tx.get(ctx, &day, "SELECT COALESCE(MAX(day), '') FROM usage_days")
	return day, wrapf(err, "last counted day")
}

// CountUsage stores a day's totals, once: it says false when the day was counted before.
func (tx Tx) CountUsage(ctx context.Context, day string, totals []UsageTotal) (bool, error) {
	n, err := tx.exec(ctx, "INSERT INTO usage_days (day, counted) VALUES (?, ?) ON CONFLICT (day) DO NOTHING", day, tx.Now)
	if err != nil || n == 0 || len(totals) == 0 {
		return n > 0, wrapf(err, "count %s", day)
	}
	return true, wrapf(tx.insert(ctx, &totals), "totals of %s", day)
}

// UsageTotals lists the totals of the days from one to another, both included.
func (tx Tx) UsageTotals(ctx context.Context, from, to string) ([]UsageTotal, error) {
	var list []UsageTotal
	err := tx.get(ctx, &list, "SELECT * FROM usage_totals WHERE day >= ? AND day <= ? ORDER BY day, kind, model", from, to)
	return list, wrapf(err, "usage totals")
}

// UsageDays lists the days that were counted from one to another, both included.
func (tx Tx) UsageDays(ctx context.Context, from, to string) ([]string, error) {
	var list []string
	err := tx.get(ctx, &list, "SELECT day FROM usage_days WHERE day >= ? AND day <= ? ORDER BY day", from, to)
	return list, wrapf(err, "counted days")
}
