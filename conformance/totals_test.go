package conformance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/policies"
	"musa/policy"
)

// dump is every row of some tables in text, sorted.
func dump(t *testing.T, s *musatest.Studio, tables ...string) string {
	t.Helper()
	var lines []string
	for _, table := range tables {
		found, err := s.DB.SQL().Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		names, err := found.Columns()
		if err != nil {
			t.Fatal(err)
		}
		row, at := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			at[i] = &row[i]
		}
		for found.Next() {
			if err := found.Scan(at...); err != nil {
				t.Fatal(err)
			}
			line := table
			for _, v := range row {
				if raw, ok := v.([]byte); ok {
					v = string(raw)
				}
				line += fmt.Sprintf("|%v", v)
			}
			lines = append(lines, line)
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// working is a day on which enough people worked for a total, some of them at what too few
// did, and a day on which too few worked at all.
type working struct {
	*musatest.Studio
	t      *testing.T
	leaver *musatest.Client // of the first day
	marks  []string         // what leads to somebody: ids, instants, addresses
	job    string           // one of the marks, of a job
	first  time.Time        // when its people worked
	second time.Time
	total  string // what the operator was told of both days
	rows   string // and what is stored of them
}

// busy is a number of people, the least group that these presets count.
const busy = 20

func (w *working) work(g *musatest.Client, picture []byte, kind string) {
	w.t.Helper()
	j := g.Await(g.Enhance(g.Upload("cat.png", picture).ID, musatest.Order{"kind": kind}).ID)
	if j.State != string(musa.JobSucceeded) {
		w.t.Fatalf("a job %s", j.State)
	}
	w.job = j.ID
	w.marks = append(w.marks, j.ID, j.Inputs[0].ID, j.Outputs[0].ID, string(g.Subject()))
	for _, at := range []*time.Time{j.Created, j.Started, j.Ended} {
		w.marks = append(w.marks, strconv.FormatInt(at.UnixMilli(), 10), strconv.FormatInt(at.Unix(), 10), at.Format("15:04"))
	}
}

// over turns the clock to when the day is counted, and looks on both sides.
func (w *working) over() {
	w.t.Helper()
	counted := w.Clock.Now().UTC().Truncate(day).Add(day + 10*time.Minute)
	before := dump(w.t, w.Studio, "usage_totals", "usage_days")
	for _, to := range []time.Time{counted.Add(-time.Second), counted} {
		if dump(w.t, w.Studio, "usage_totals", "usage_days") != before {
			w.t.Error("a day was counted before it was over")
		}
		w.Clock.Turn(to.Sub(w.Clock.Now()))
		if err := w.Usage.Step(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *working) told() string {
	w.t.Helper()
	return fmt.Sprintf("%+v", fetched[api.Usage](w.t, w.Studio.Staff(w.t, musa.RoleOperator), "/api/admin/usage?days=400").Totals)
}

func worked(t *testing.T, s *musatest.Studio) *working {
	t.Helper()
	w := &working{Studio: s, t: t, leaver: person(s, musa.TierMember), marks: []string{"127.0.0.1", "cat.png"}}
	picture := noise(t, 16)
	people := []*musatest.Client{w.leaver}
	for len(people) < busy {
		people = append(people, s.Guest())
	}
	w.first = s.Clock.Now()
	for i, g := range people {
		w.work(g, picture, string(musa.KindEnhance))
		if i < 3 {
			w.work(g, picture, string(musa.KindUpscale))
		}
	}
	w.over()
	s.Clock.Turn(5 * time.Hour)
	w.second = s.Clock.Now()
	for _, g := range people[1:] {
		w.work(g, picture, string(musa.KindEnhance))
	}
	w.over()
	u := fetched[api.Usage](t, s.Staff(t, musa.RoleOperator), "/api/admin/usage")
	if len(u.Totals) != 1 || u.Totals[0].Day != w.first.UTC().Format(time.DateOnly) || u.Totals[0].Kind != string(musa.KindEnhance) ||
		u.Totals[0].Jobs < 0 || u.Days != 2 || u.MinGroup != busy || u.Epsilon != 1 {
		t.Fatalf("of %d people at one kind, 3 at another, and %d the day after, the totals are %+v", busy, busy-1, u)
	}
	people[1].Problem(http.StatusNotFound, people[1].Do(http.MethodGet, "/api/admin/usage", nil))
	slices.Sort(w.marks)
	w.marks = slices.Compact(w.marks)
	w.total, w.rows = w.told(), dump(t, s, "usage_totals", "usage_days")
	w.leadsToNobody()
	return w
}

// leadsToNobody scans the tables of totals for anything of those who worked.
func (w *working) leadsToNobody() {
	w.t.Helper()
	rows := dump(w.t, w.Studio, "usage_totals", "usage_days")
	for _, mark := range w.marks {
		if strings.Contains(rows, mark) {
			w.t.Errorf("the totals hold %q", mark)
		}
	}
	if w.Clock.Now().Before(musatest.Months(w.first, 12)) && !strings.Contains(dump(w.t, w.Studio, "jobs"), w.job) {
		w.t.Error("the scan does not find what is there")
	}
}

// unchanged compares the totals with those of the first count.
func (w *working) unchanged(when string) {
	w.t.Helper()
	if now := dump(w.t, w.Studio, "usage_totals", "usage_days"); now != w.rows {
		w.t.Errorf("%s the totals are\n%s\nand were\n%s", when, now, w.rows)
	}
	w.leadsToNobody()
}

// leaves erases the account of one who was counted, wholly.
func (w *working) leaves() {
	w.t.Helper()
	id := w.leaver.Subject()
	closing := shut(w.leaver)
	turnTo(w.t, w.Studio, *closing.Erased)
	w.Studio.Step()
	if n := rows(w.t, w.Studio, "subjects WHERE id = '"+string(id)+"' AND state <> 'erased'"); n != 0 {
		w.t.Fatal("the account is still there")
	}
	w.unchanged("after an erasure")
	if now := w.told(); now != w.total {
		w.t.Errorf("after an erasure the operator is told %s, before it %s", now, w.total)
	}
}

// tenYears turns the clock, with retention at work.
func (w *working) tenYears() {
	w.t.Helper()
	for to := w.Clock.Now(); to.Before(w.first.AddDate(10, 0, 1)); {
		to = to.AddDate(1, 0, 0)
		turnTo(w.t, w.Studio, to)
		if err := w.Usage.Step(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.unchanged("ten years later")
}

// TestTotals: what is counted over enough people stays, whoever of them goes.
func TestTotals(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-20", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			w := worked(t, s)
			w.leaves()
			w.tenYears()
		})
	})
	conformance.Kept(t, "W-37", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "workspace"}, func(t *testing.T, s *musatest.Studio) {
			w := worked(t, s)
			w.leaves()
			// Rows that lead to a person: of the first day at their end, the younger ones stay.
			at := func(when time.Time) int { return rows(t, s, fmt.Sprintf("jobs WHERE created = %d", when.UnixMilli())) }
			turnTo(t, s, musatest.Months(w.first, 12).Add(-time.Second))
			if n := at(w.first); n < busy {
				t.Errorf("a second before its end %d rows of the first day are there", n)
			}
			turnTo(t, s, musatest.Months(w.first, 12))
			if n := at(w.first); n != 0 {
				t.Errorf("at its end %d rows of the first day are left", n)
			}
			if n := at(w.second); n != busy-1 {
				t.Errorf("of the younger %d rows %d are there", busy-1, n)
			}
			w.unchanged("when the rows are gone")
			w.tenYears()
		})
	})
}

// TestMessages: conversations are not there yet; their rule is.
func TestMessages(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "C-23", "a message's end is reckoned as twelve months by itself, and people are told that none is collected", func(t *testing.T) {
		doc, err := policies.Load("conversational", nil)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2028, 2, 1, 13, 30, 0, 0, time.UTC)
		message := policy.Item{Category: musa.CategoryConversation, Tier: musa.TierMember, Created: musa.At(at)}
		end := doc.End(message)
		if !end.At.Time().Equal(musatest.Months(at, 12)) {
			t.Errorf("a message of %v ends %v", at, end.At.Time())
		}
		message.JobEnded = musa.At(at.AddDate(0, 11, 0)) // the conversation is still in use
		if again := doc.End(message); again.At != end.At {
			t.Errorf("in a conversation that goes on it ends %v", again.At.Time())
		}
		s := musatest.New(t, musatest.Rig{Policy: "conversational"})
		told := ""
		for _, section := range fetched[api.Policy](t, s.Guest(), "/api/policy").Sections {
			for _, line := range section.Sentences {
				if line.Path == "categories.conversation.collected" {
					told = line.Text
				}
			}
		}
		if !strings.Contains(told, "no conversations") {
			t.Errorf("people are told of conversations: %q", told)
		}
		message.Tier = musa.TierGuest
		if end := doc.End(message); !end.At.Time().Equal(at.Add(day)) {
			t.Errorf("a guest's message of %v ends %v", at, end.At.Time())
		}
	})
}
