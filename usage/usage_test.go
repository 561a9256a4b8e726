package usage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/policies"
	"musa/usage"
)

// noon is the middle of a day on which people work.
var noon = time.Date(2027, 2, 10, 12, 0, 0, 0, time.UTC)

// on runs a test on both stores, under a document whose line on totals is the given one.
func on(t *testing.T, line string, test func(t *testing.T, s *musatest.Studio)) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: document(t, line)})
			s.Clock.Turn(noon.Sub(s.Clock.Now()))
			test(t, s)
		})
	}
}

// document is the studio preset with another line on totals.
func document(t *testing.T, line string) string {
	t.Helper()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(doc.YAML()), "\n")
	found := false
	for i, l := range lines {
		if strings.HasPrefix(l, "  usage_total:") {
			lines[i], found = "  usage_total: "+line, true
		}
	}
	if !found {
		t.Fatal("the preset has no line on usage_total")
	}
	return strings.Join(lines, "\n")
}

const (
	exact = "{is: [system.operations], personal: false, min_group: 20}"
	noisy = "{is: [system.operations], personal: false, min_group: 20, noise: {epsilon: 1.0, per: month}}"
)

func counter(s *musatest.Studio, noise io.Reader) *usage.Counter {
	return usage.New(usage.Config{DB: s.House.DB, Versions: s.Versions, Clock: s.Clock.Now, Log: s.Log, Noise: noise})
}

// made adds jobs that people had done now: people·each of a kind by a model.
func made(t *testing.T, s *musatest.Studio, kind musa.JobKind, model string, people ...musa.SubjectID) {
	t.Helper()
	err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, p := range people {
			j := db.Job{ID: musa.NewJobID(tx.Now.Time()), Owner: p, Author: p, Kind: kind, Model: model, State: musa.JobSucceeded, Attempt: 1, Created: tx.Now, Ended: tx.Now}
			if err := tx.InsertJob(ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tamper(t *testing.T, s *musatest.Studio, statement string) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	if _, err := own.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func people(n int) []musa.SubjectID {
	ids := make([]musa.SubjectID, n)
	for i := range ids {
		ids[i] = musa.SubjectID(fmt.Sprintf("su_%026d", i))
	}
	return ids
}

func report(t *testing.T, c *usage.Counter) usage.Report {
	t.Helper()
	r, err := c.Report(t.Context(), musa.Actor{Role: musa.RoleOperator}, 400)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func step(t *testing.T, c *usage.Counter) {
	t.Helper()
	if err := c.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func said(r usage.Report) (words []string) {
	for _, t := range r.Totals {
		words = append(words, fmt.Sprintf("%s %s/%s %d", t.Day, t.Kind, t.Model, t.Jobs))
	}
	return words
}

func wantTotals(t *testing.T, c *usage.Counter, want ...string) {
	t.Helper()
	if got := said(report(t, c)); strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("totals %q, want %q", got, want)
	}
}

// A day is counted once, ten minutes after its end and not before. Promises E-20, W-37.
func TestADayIsCountedOnce(t *testing.T) {
	on(t, exact, func(t *testing.T, s *musatest.Studio) {
		c := counter(s, nil)
		made(t, s, musa.KindEnhance, "fine", people(20)...)
		made(t, s, musa.KindEnhance, "fine", people(3)...)
		s.Clock.Turn(12*time.Hour + 10*time.Minute - time.Millisecond)
		step(t, c)
		wantTotals(t, c)
		s.Clock.Turn(time.Millisecond)
		step(t, c)
		wantTotals(t, c, "2027-02-10 enhance/fine 23")
		step(t, c)
		step(t, counter(s, nil))
		wantTotals(t, c, "2027-02-10 enhance/fine 23")
		s.Clock.Turn(12 * time.Hour)
		made(t, s, musa.KindUpscale, "fine", people(25)...)
		s.Clock.Turn(24 * time.Hour)
		step(t, c)
		wantTotals(t, c, "2027-02-10 enhance/fine 23", "2027-02-11 upscale/fine 25")
	})
}

// A group under the threshold is told with others, if together they are enough people;
// else it is not told. One person's many jobs are no group.
func TestSmallGroupsAreFolded(t *testing.T) {
	on(t, exact, func(t *testing.T, s *musatest.Studio) {
		c := counter(s, nil)
		made(t, s, musa.KindEnhance, "fine", people(20)...)
		made(t, s, musa.KindUpscale, "fast", people(19)...)
		for range 30 {
			made(t, s, musa.KindEdit, "fine", people(1)...)
		}
		s.Clock.Turn(24 * time.Hour)
		made(t, s, musa.KindUpscale, "fast", people(12)...)
		made(t, s, musa.KindEdit, "fine", people(20)[12:]...)
		s.Clock.Turn(24 * time.Hour)
		step(t, c)
		wantTotals(t, c, "2027-02-10 enhance/fine 20", "2027-02-11 other/ 20")
		if r := report(t, c); r.Days != 2 || r.MinGroup != 20 || r.Epsilon != 0 || r.Spent != 0 {
			t.Errorf("report %+v", r)
		}
	})
}

// What did not succeed is no use of the studio.
func TestOnlyWhatSucceededCounts(t *testing.T) {
	on(t, exact, func(t *testing.T, s *musatest.Studio) {
		c := counter(s, nil)
		made(t, s, musa.KindEnhance, "fine", people(20)...)
		tamper(t, s, "UPDATE jobs SET state = 'failed' WHERE author = 'su_00000000000000000000000000'")
		s.Clock.Turn(24 * time.Hour)
		step(t, c)
		wantTotals(t, c)
	})
}

// While the policy says that totals are not collected, nothing is counted, and later
// nothing is counted of that time.
func TestNothingIsCountedWhereItIsNotCollected(t *testing.T) {
	on(t, "{is: [system.operations], personal: false, collected: false}", func(t *testing.T, s *musatest.Studio) {
		c := counter(s, nil)
		made(t, s, musa.KindEnhance, "fine", people(40)...)
		s.Clock.Turn(24 * time.Hour)
		step(t, c)
		for _, table := range []string{"usage_totals", "usage_days"} {
			var n int
			if err := s.House.DB.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s holds %d rows: %v", table, n, err)
			}
		}
	})
}

// Totals are the same before and after everybody in them is erased, and ten years later. A
// walk over the raw table finds nobody. Promise E-20.
func TestTotalsOutliveEverybody(t *testing.T) {
	on(t, exact, func(t *testing.T, s *musatest.Studio) {
		c := counter(s, nil)
		made(t, s, musa.KindEnhance, "fine", people(21)...)
		s.Clock.Turn(24 * time.Hour)
		step(t, c)
		before := said(report(t, c))
		s.Clock.Turn(365 * 24 * time.Hour)
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := s.House.DB.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM jobs").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d jobs are left: %v", left, err)
		}
		s.Clock.Turn(9 * 365 * 24 * time.Hour)
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := s.House.DB.SQL().QueryContext(t.Context(), "SELECT day, kind, model, jobs FROM usage_totals")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var after []string
		for rows.Next() {
			var total usage.Total
			if err := rows.Scan(&total.Day, &total.Kind, &total.Model, &total.Jobs); err != nil {
				t.Fatal(err)
			}
			after = append(after, said(usage.Report{Totals: []usage.Total{total}})...)
		}
		if err := rows.Err(); err != nil || strings.Join(after, ",") != strings.Join(before, ",") || len(after) != 1 {
			t.Errorf("ten years later %q, before %q: %v", after, before, err)
		}
	})
}

// Over many draws a published total is off the true one as the declared budget makes it: a
// discrete Laplace distribution of a month's share for the day. Promise W-11.
func TestNoiseIsWhatThePolicyDeclares(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: document(t, noisy)})
	s.Clock.Turn(noon.Sub(s.Clock.Now()))
	c := counter(s, rand.NewChaCha8([32]byte{1}))
	const draws, truth = 280, 400
	made(t, s, musa.KindEnhance, "fine", people(200)...)
	made(t, s, musa.KindEnhance, "fine", people(200)...)
	var sum, square float64
	for range draws {
		tamper(t, s, fmt.Sprintf("UPDATE jobs SET ended = %d", musa.At(s.Clock.Now())))
		s.Clock.Turn(24 * time.Hour)
		step(t, c)
	}
	r := report(t, c)
	if len(r.Totals) != draws {
		t.Fatalf("%d totals, want %d", len(r.Totals), draws)
	}
	for _, total := range r.Totals {
		off := float64(total.Jobs - truth)
		sum, square = sum+off, square+off*off
	}
	// Months of 28 to 31 days: the deviation is √2·days/ε, about 43.
	mean, deviation := sum/draws, math.Sqrt(square/draws)
	if math.Abs(mean) > 4*43/math.Sqrt(draws) || deviation < 34 || deviation > 53 {
		t.Errorf("noise of mean %.1f and deviation %.1f, want 0 and 43", mean, deviation)
	}
	if r.Epsilon != 1 || r.Per != "month" || r.Spent <= 0 || r.Spent > 1 {
		t.Errorf("budget %v a %s, spent %v", r.Epsilon, r.Per, r.Spent)
	}
}

// Without noise where noise is declared nothing is published.
func TestADrawThatFailsPublishesNothing(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: document(t, noisy)})
	s.Clock.Turn(noon.Sub(s.Clock.Now()))
	c := counter(s, strings.NewReader("too short"))
	made(t, s, musa.KindEnhance, "fine", people(30)...)
	s.Clock.Turn(24 * time.Hour)
	if err := c.Step(t.Context()); err == nil {
		t.Error("counted without noise")
	}
	wantTotals(t, c)
	step(t, counter(s, rand.NewChaCha8([32]byte{2})))
	if r := report(t, c); len(r.Totals) != 1 {
		t.Errorf("%d totals, want 1", len(r.Totals))
	}
}

func TestOnlyTheOperatorReadsTotals(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := counter(s, nil)
	for _, role := range []musa.Role{musa.RoleSubject, musa.RoleSupport, ""} {
		if _, err := c.Report(t.Context(), musa.Actor{Subject: "su_1", Role: role}, 7); !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("as %q: %v", role, err)
		}
	}
	for _, days := range []int{0, 401} {
		if _, err := c.Report(t.Context(), musa.Actor{Role: musa.RoleOperator}, days); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("%d days: %v", days, err)
		}
	}
}
