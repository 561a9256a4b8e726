package db_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
)

// Each thing that an operator can mend is said in words, without what was submitted.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noise, file := filepath.Join(dir, "noise.db"), filepath.Join(dir, "file")
	for _, name := range []string{noise, file} {
		if err := os.WriteFile(name, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	for code, c := range map[string]db.Config{
		"database_unset":       {},
		"database_scheme":      {URL: "mysql://secretpassword@host/x"},
		"database_url":         {URL: "postgres://u:secretpassword@host:notaport/x"},
		"database_unreachable": {URL: "postgres://u:secretpassword@127.0.0.1:1/x", Dial: refused},
		"data_unwritable":      {Path: filepath.Join(file, "musa.db")},
		"database_damaged":     {Path: noise},
	} {
		c.Clock = time.Now
		_, err := db.Open(t.Context(), c)
		var p *musa.Problem
		if !errors.As(err, &p) || p.Code != code || p.Public == "" {
			t.Errorf("want %s, got %v", code, err)
		} else if strings.Contains(p.Public+p.Error(), "secretpassword") {
			t.Errorf("%s tells the password", code)
		}
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		version := "INSERT INTO schema_versions (version_id, is_applied) VALUES (99, true)"
		s.tamper(t, version)
		_, err := db.Open(t.Context(), s.conf)
		var p *musa.Problem
		if !errors.As(err, &p) || p.Code != "schema_newer" {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnotherNodeMayOpenAtTheSameTime(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		now, err := s.join(t).Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Since(now).Abs(); off > time.Minute {
			t.Errorf("the database's clock is off by %v", off)
		}
	})
}

func TestThePoolForOthersCannotWrite(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		if _, err := s.SQL().ExecContext(t.Context(), "DELETE FROM subjects"); err == nil {
			t.Error("it wrote")
		}
		err := s.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.TakeLease(ctx, "x", "y", time.Second)
			return err
		})
		var p *musa.Problem
		if !errors.As(err, &p) || p.Code != "database_read_only" {
			t.Errorf("writing in a Read gives %v", err)
		}
	})
}

func TestAReadDoesNotOutliveItsLimit(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		began := time.Now()
		err := s.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			<-ctx.Done()
			_, err := tx.Living(ctx)
			return err
		})
		var p *musa.Problem
		if !errors.As(err, &p) || p.Code != "read_too_long" {
			t.Errorf("got %v", err)
		}
		limit := time.Second
		if s.Dialect() == db.PostgreSQL {
			limit *= 5
		}
		if took := time.Since(began); took < limit*9/10 || took > 2*limit+4*time.Second {
			t.Errorf("it took %v", took)
		}
		if errors.Is(err, context.Canceled) {
			t.Errorf("it reads as if its caller had gone: %v", err)
		}
	})
}

// A caller who goes away is the reason that is told, also where the driver has rolled the
// transaction back before it was asked to commit.
func TestCalledOff(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		for name, run := range map[string]func(context.Context, func(context.Context, db.Tx) error) error{
			"write": s.Write, "chore": s.Chore, "read": s.Read,
		} {
			ctx, leave := context.WithCancel(t.Context())
			err := run(ctx, func(context.Context, db.Tx) error {
				leave()
				time.Sleep(100 * time.Millisecond) // the driver rolls back in its own time
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want the caller's end", name, err)
			}
		}
	})
}

// All of one transaction happens at one instant, though the clock goes on.
func TestOneNowPerTransaction(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			s.turn(start + 1000)
			if tx.Now != start {
				t.Errorf("now is %d", tx.Now)
			}
			return nil
		})
	})
}

func TestSessions(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		who := s.person(t)
		one := db.Session{ID: musa.NewSessionID(start.Time()), Subject: who, Digest: []byte("digest"), Created: start, LastSeen: start, Expires: start + 10}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.InsertSession(ctx, one) })
		for _, c := range []struct {
			at   musa.Millis
			want error
		}{{start + 9, nil}, {start + 10, musa.ErrNotFound}} {
			s.turn(c.at)
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				session, subject, err := tx.SessionByDigest(ctx, []byte("digest"))
				if !errors.Is(err, c.want) || err == nil && (session.ID != one.ID || subject.ID != who || subject.Tier != musa.TierMember || session.Expires != one.Expires) {
					t.Errorf("at %d: %+v of %+v, %v", c.at-start, session, subject, err)
				}
				return nil
			})
		}
		s.turn(start + 9)
		twin := one
		twin.ID = musa.NewSessionID(start.Time())
		if err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.InsertSession(ctx, twin) }); !errors.Is(err, musa.ErrConflict) {
			t.Errorf("a second session of one token gives %v", err)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(tx.TouchSession(ctx, one.ID, start+20), tx.TouchSubject(ctx, who))
		})
		for at, want := range map[musa.Millis]int{start + 19: 0, start + 20: 1} {
			s.turn(at)
			err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				n, err := tx.DropExpiredSessions(ctx, 10)
				if n != want {
					t.Errorf("at %d %d expired", at-start, n)
				}
				return errors.Join(err, errors.New("roll back"))
			})
			if err == nil {
				t.Error("it committed")
			}
		}
		for seen, want := range map[musa.Millis]int{start + 8: 0, start + 9: 1} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				list, err := tx.IdleSubjects(ctx, musa.TierMember, seen, 10)
				if len(list) != want {
					t.Errorf("last seen by %d: %d", seen-start, len(list))
				}
				return err
			})
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if ok, err := tx.EraseSubject(ctx, who); !ok || err != nil {
				t.Errorf("erase says %v, %v", ok, err)
			}
			if ok, err := tx.EraseSubject(ctx, who); ok || err != nil {
				t.Errorf("erasing again says %v, %v", ok, err)
			}
			if _, err := tx.SubjectKey(ctx, who); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("its key gives %v", err)
			}
			list, err := tx.SessionsOf(ctx, who)
			if len(list) != 0 {
				t.Errorf("it still has sessions %v", list)
			}
			return err
		})
	})
}

func TestPoliciesAreImmutable(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		publish := func(version, text string, effective musa.Millis) error {
			return s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return tx.PublishPolicy(ctx, db.PolicyVersion{Version: version, SHA256: []byte(text), Document: text, Effective: effective})
			})
		}
		if err := errors.Join(publish("1", "a", start), publish("1", "a", start), publish("2", "b", start+10)); err != nil {
			t.Fatal(err)
		}
		var p *musa.Problem
		if err := publish("1", "other", start); !errors.As(err, &p) || p.Code != "policy_changed" {
			t.Errorf("other bytes under one version give %v", err)
		}
	})
}

func TestTheInstanceRemembersItsKeyset(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		err := s.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Instance(ctx, "a")
			return err
		})
		if !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("a new database gives %v", err)
		}
		for _, keyset := range []string{"a", "b"} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				i, err := tx.Instance(ctx, keyset)
				if i.Keyset != "a" {
					t.Errorf("keyset is %s", i.Keyset)
				}
				return err
			})
		}
	})
}
