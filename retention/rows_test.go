package retention_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
)

// What is kept for calendar months is there a second before its end and gone at it, leap
// years included. Policy: generation_log 12mo, audit 24mo, each from its creation.
func TestRowsEndAfterCalendarMonths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ begins, jobs, papers string }{
		{"2027-11-22", "2028-11-22", "2029-11-22"}, // over the leap day
		{"2028-02-29", "2029-03-01", "2030-03-01"}, // on the leap day: with the last of 28 February
		{"2028-11-22", "2029-11-22", "2030-11-22"}, // behind the leap day
	} {
		t.Run(c.begins, func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{})
			turnTo(t, s, c.begins, 0)
			leave(t, s)
			bothSides(t, s, c.jobs, "jobs", "job_inputs")
			bothSides(t, s, c.papers, "receipts", "audit_events WHERE action = 'test'")
		})
	}
}

// A version that keeps the log of jobs for longer does so for new ones: what it found there goes
// when it was to.
func TestALongerVersionKeepsNoRowLonger(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	turnTo(t, s, "2027-11-22", 0)
	leave(t, s)
	const kept = "[generation_log, disclosure], from: created, keep: 12mo"
	s.Publish(another(t, "2026-11-22.121", kept, "[generation_log, disclosure], from: created, keep: 24mo"))
	bothSides(t, s, "2028-11-22", "jobs")
}

// Each who stayed away goes by themselves: one who cannot be erased keeps nobody else.
func TestWhoStayedAwayGoesOneByOne(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	first := s.Guest().Subject()
	s.Clock.Turn(time.Minute)
	second := s.Guest().Subject()
	own := s.OwnSQL()
	defer own.Close()
	exec := func(statement string) {
		if _, err := own.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TRIGGER stays BEFORE UPDATE ON subjects WHEN OLD.id = '" + string(first) + "' AND NEW.state = 'erased' BEGIN SELECT RAISE(ABORT, 'stays'); END")
	s.Clock.Turn(31 * 24 * time.Hour)
	if err := s.Keeper.Sweep(t.Context()); err == nil {
		t.Error("nobody is told of the one who cannot be erased")
	}
	for id, want := range map[musa.SubjectID]int{first: 0, second: 1} {
		if n := count(t, s, "subjects WHERE state = 'erased' AND id = '"+string(id)+"'"); n != want {
			t.Errorf("erased: %d, want %d", n, want)
		}
	}
	exec("DROP TRIGGER stays")
	sweep(t, s)
	if n := count(t, s, "subjects WHERE state = 'erased'"); n != 2 {
		t.Errorf("%d are erased when both can be, want 2", n)
	}
}

// A studio where nothing happens writes nothing: every commit costs its disk.
func TestAnIdleStudioWritesNothing(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	s.Guest()
	s.Step()
	sweep(t, s)
	own := s.OwnSQL()
	defer own.Close()
	own.SetMaxOpenConns(1) // the version is one connection's
	version := func() (n int) {
		if err := own.QueryRowContext(t.Context(), "PRAGMA data_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := version()
	for range 3 {
		s.Clock.Turn(time.Second)
		s.Step()
		sweep(t, s)
	}
	if after := version(); after != before {
		t.Errorf("its data changed from version %d to %d", before, after)
	}
}

func turnTo(t *testing.T, s *musatest.Studio, date string, off time.Duration) {
	t.Helper()
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Turn(day.Add(off).Sub(s.Clock.Now()))
}

// leave leaves a row of each kind: a job that ends an hour later, a receipt, and a whole
// segment of the audit log.
func leave(t *testing.T, s *musatest.Studio) {
	t.Helper()
	id := musa.NewJobID(s.Clock.Now())
	write(t, s, func(ctx context.Context, tx db.Tx) error {
		if err := tx.InsertJob(ctx, db.Job{ID: id, Owner: "su_1", State: musa.JobQueued, Lane: "none", Created: tx.Now}); err != nil {
			return err
		}
		for range db.AuditSegment {
			if err := tx.AppendAudit(ctx, db.AuditEvent{Action: "test"}); err != nil {
				return err
			}
		}
		return tx.InsertReceipts(ctx, db.Receipt{ID: musa.NewReceiptID(tx.Now.Time()), Subject: "su_1", Created: tx.Now, Leaf: make([]byte, 32)})
	})
	s.Step()
	s.Clock.Turn(time.Hour)
	write(t, s, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.CancelJob(ctx, id)
		return err
	})
}

func bothSides(t *testing.T, s *musatest.Studio, end string, tables ...string) {
	t.Helper()
	before := map[string]int{}
	for _, table := range tables {
		before[table] = count(t, s, table)
	}
	turnTo(t, s, end, -time.Second)
	sweep(t, s)
	for _, table := range tables {
		if n := count(t, s, table); n != before[table] {
			t.Errorf("a second before %s: %d rows of %s, want %d", end, n, table, before[table])
		}
	}
	turnTo(t, s, end, 0)
	sweep(t, s)
	for _, table := range tables {
		if n := count(t, s, table); n != 0 {
			t.Errorf("at %s: %d rows of %s are left", end, n, table)
		}
	}
}

func write(t *testing.T, s *musatest.Studio, f func(context.Context, db.Tx) error) {
	t.Helper()
	if err := s.House.DB.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func sweep(t *testing.T, s *musatest.Studio) {
	t.Helper()
	for range 2 { // the first closes the log's last segment, should all of it be old
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Eraser.Sequence(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func count(t *testing.T, s *musatest.Studio, table string) int {
	t.Helper()
	var n int
	if err := s.House.DB.SQL().QueryRowContext(t.Context(), fmt.Sprintf("SELECT COUNT(*) FROM %s", table)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
