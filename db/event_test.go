package db_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"musa"
	"musa/audit"
	"musa/db"
)

// signer signs in the name of the test's instance.
func signer(t testing.TB) (note.Signer, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := audit.NewSigner("studio.example", private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.VerifierKey("studio.example", public)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

// did records n events and chains them in batches.
func (s *store) did(t testing.TB, n, batch int, by note.Signer) {
	t.Helper()
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		for i := range n {
			if err := tx.AppendAudit(ctx, db.AuditEvent{Action: "asset.erase", Role: musa.RoleSystem, Subject: "su_1",
				Object: fmt.Sprint("as_", i), Sealed: []byte("sealed")}); err != nil {
				return err
			}
		}
		return nil
	})
	for chained := -1; chained != 0; {
		write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
			chained, err = tx.SequenceAudit(ctx, batch, by)
			return err
		})
	}
}

// verify checks the stored chain against a head that was copied before.
func (s *store) verify(t testing.TB, copied, key string) error {
	t.Helper()
	head, err := audit.OpenHead([]byte(copied), key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = audit.Verify(audit.Head{}, s.AuditEvents(context.Background(), 0), head)
	return err
}

func (s *store) head(t testing.TB) (h db.AuditHead) {
	t.Helper()
	read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
		h, err = tx.AuditHead(ctx)
		return err
	})
	return h
}

func TestAChangedOrCutChainIsNamed(t *testing.T) {
	t.Parallel()
	changes := map[string]struct {
		statement string
		seq       int64
	}{
		"one byte of a sealed part": {"UPDATE audit_events SET sealed = %s WHERE seq = 5", 5},
		"one letter of an action":   {"UPDATE audit_events SET action = 'asset.erasf' WHERE seq = 3", 3},
		"a hash":                    {"UPDATE audit_events SET hash = prev WHERE seq = 7", 7},
		"one taken out":             {"DELETE FROM audit_events WHERE seq = 4", 4},
		"the last one cut off":      {"DELETE FROM audit_events WHERE seq = 10", 10},
		"all cut off":               {"DELETE FROM audit_events", 1},
	}
	for _, dialect := range both {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := open(t, dialect)
			by, key := signer(t)
			s.did(t, 10, 4, by)
			head := s.head(t)
			if head.Seq != 10 {
				t.Fatalf("head is %d", head.Seq)
			}
			if err := s.verify(t, head.Note, key); err != nil {
				t.Fatalf("an untouched chain: %v", err)
			}
			literal := "CAST('sealee' AS BLOB)"
			if dialect == db.PostgreSQL {
				literal = "'sealee'::bytea"
			}
			s.tamper(t, "CREATE TABLE copy AS SELECT * FROM audit_events")
			for name, c := range changes {
				statement := c.statement
				if name == "one byte of a sealed part" {
					statement = fmt.Sprintf(statement, literal)
				}
				s.tamper(t, statement)
				var fault *audit.Fault
				if err := s.verify(t, head.Note, key); !errors.As(err, &fault) || fault.Seq != c.seq {
					t.Errorf("%s: %v, want a fault at %d", name, err, c.seq)
				}
				s.tamper(t, "DELETE FROM audit_events")
				s.tamper(t, "INSERT INTO audit_events SELECT * FROM copy")
			}
			if err := s.verify(t, head.Note, key); err != nil {
				t.Errorf("the chain that was put back: %v", err)
			}
		})
	}
}

func TestAuditSegmentsGoWhole(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		by, key := signer(t)
		s.did(t, db.AuditSegment+10, 3000, by)
		if n, oldest := s.loose(t); n != 0 || oldest != 0 {
			t.Errorf("%d events are loose since %d", n, oldest)
		}
		drop := func(before musa.Millis) (n int) {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
				n, err = tx.DropAuditSegment(ctx, before)
				return err
			})
			return n
		}
		if n := drop(start); n != 0 {
			t.Errorf("%d events went before their end", n)
		}
		if n := drop(start + 1); n != db.AuditSegment {
			t.Errorf("%d events went", n)
		}
		if n := drop(start + 1); n != 0 {
			t.Errorf("%d events of an open segment went", n)
		}
		var heads []db.AuditHead
		read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
			heads, err = tx.AuditHeads(ctx, 0, 10)
			return err
		})
		if len(heads) != 2 || heads[0].Seq != db.AuditSegment {
			t.Fatalf("heads are %v", heads)
		}
		from, err := audit.OpenHead([]byte(heads[0].Note), key)
		if err != nil {
			t.Fatal(err)
		}
		to, err := audit.OpenHead([]byte(heads[1].Note), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(from, s.AuditEvents(t.Context(), from.Seq), to); err != nil {
			t.Errorf("the rest of the chain: %v", err)
		}
	})
}

// On a quiet server a segment ends with its day, and one that nothing follows is closed by an
// event of its own: the log does not live on because little happens.
func TestAuditSegmentsOfQuietDays(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		const day = musa.Millis(24 * 60 * 60 * 1000)
		by, key := signer(t)
		left := func() (n int) {
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				page, err := tx.AuditPage(ctx, 0, 100)
				n = len(page)
				return err
			})
			return n
		}
		drop := func(before musa.Millis) {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.DropAuditSegment(ctx, before)
				return err
			})
			s.did(t, 0, 100, by)
		}
		s.did(t, 3, 100, by)
		s.turn(start + day)
		s.did(t, 2, 100, by)
		s.turn(start + 800*day)
		drop(start)
		if n := left(); n != 5 {
			t.Errorf("%d events are left before any end, want 5", n)
		}
		drop(start + 1)
		if n := left(); n != 2 {
			t.Errorf("%d events are left when the first day has ended, want 2", n)
		}
		drop(start + day) // not yet
		if n := left(); n != 2 {
			t.Errorf("%d events are left before the second day's end, want 2", n)
		}
		drop(start + day + 1) // closes the last segment
		drop(start + day + 1)
		if n := left(); n != 1 {
			t.Errorf("%d events are left, want the one that closed", n)
		}
		var to, from db.AuditHead
		read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
			if to, err = tx.AuditHead(ctx); err == nil {
				from, err = tx.AuditHeadBefore(ctx, to.Seq)
			}
			return err
		})
		base, err := audit.OpenHead([]byte(from.Note), key)
		if err != nil {
			t.Fatal(err)
		}
		end, err := audit.OpenHead([]byte(to.Note), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(base, s.AuditEvents(t.Context(), base.Seq), end); err != nil || end.Seq != 6 {
			t.Errorf("what is left, up to %d: %v", end.Seq, err)
		}
	})
}

func (s *store) loose(t testing.TB) (n int, oldest musa.Millis) {
	t.Helper()
	read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
		n, oldest, err = tx.LooseAudit(ctx)
		return err
	})
	return n, oldest
}
