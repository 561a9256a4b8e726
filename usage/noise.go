package usage

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// terms are what the policy's line on usage_total says.
type terms struct {
	minGroup int
	epsilon  float64 // the budget per period; 0 for no noise
	per      string
	begins   time.Time // the period's first day
	days     int       // in the period
}

// readTerms reads the line as it bears on a day; false where nothing is collected.
func readTerms(doc *policy.Document, at time.Time) (terms, bool) {
	line, ok := doc.Categories.Get(string(musa.CategoryUsageTotal))
	if !ok || line.Collected.Off() {
		return terms{}, false
	}
	t := terms{minGroup: max(line.MinGroup.Value(), 2), per: line.Noise.Per}
	if line.Noise.Epsilon != "" {
		// The linter refused what is no number.
		t.epsilon, _ = strconv.ParseFloat(line.Noise.Epsilon, 64)
	}
	year, month, date := at.UTC().Date()
	var ends time.Time
	switch t.per {
	case "day":
		t.begins = time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
		ends = t.begins.AddDate(0, 0, 1)
	case "year":
		t.begins = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		ends = t.begins.AddDate(1, 0, 0)
	default:
		t.begins = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		ends = t.begins.AddDate(0, 1, 0)
	}
	t.days = int(ends.Sub(t.begins) / day)
	return t, true
}

// perDay is one day's share of the budget.
func (t terms) perDay() float64 { return t.epsilon / float64(t.days) }

// publish makes totals of groups. Those with too few people are told together, if together
// they are enough, and else not at all. A job is in one total only, so each total may spend
// the whole share of the day.
func (t terms) publish(began time.Time, groups map[group]*tally, noise io.Reader) ([]db.UsageTotal, error) {
	told := map[group]*tally{}
	for g, made := range groups {
		if len(made.people) < t.minGroup {
			g = group{kind: KindOther}
		}
		add(told, g, *made)
	}
	var list []db.UsageTotal
	for g, made := range told {
		if len(made.people) >= t.minGroup {
			list = append(list, db.UsageTotal{Day: began.Format(time.DateOnly), Kind: g.kind, Model: g.model, Jobs: made.jobs})
		}
	}
	// In the order of the table, so that the same noise gives the same totals.
	slices.SortFunc(list, func(a, b db.UsageTotal) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Model, b.Model))
	})
	for i := range list {
		off, err := laplace(t.perDay(), noise)
		if err != nil {
			return nil, err
		}
		list[i].Jobs = max(0, list[i].Jobs+off)
	}
	return list, nil
}

// laplace draws from the discrete Laplace distribution, P(n) ~ exp(-epsilon·|n|), as the
// difference of two geometric draws. 0 for an epsilon of 0, which stands for no noise.
func laplace(epsilon float64, noise io.Reader) (int64, error) {
	if epsilon <= 0 {
		return 0, nil
	}
	var raw [16]byte
	if _, err := io.ReadFull(noise, raw[:]); err != nil {
		return 0, fmt.Errorf("draw noise: %w", err)
	}
	return geometric(epsilon, raw[:8]) - geometric(epsilon, raw[8:]), nil
}

// geometric is how often something of chance exp(-epsilon) happens in a row.
func geometric(epsilon float64, raw []byte) int64 {
	const fine = 1 << 53
	uniform := (float64(binary.BigEndian.Uint64(raw)>>11) + 1) / fine // over 0, at most 1
	return int64(math.Floor(-math.Log(uniform) / epsilon))
}
