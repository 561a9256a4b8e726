package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"musa"
	"musa/db"
)

func queue(t testing.TB, s *store, m db.Mail) {
	t.Helper()
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.QueueMail(ctx, m) })
}

func claim(t testing.TB, s *store) (list []db.Mail) {
	t.Helper()
	write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.ClaimMails(ctx, 10, time.Minute)
		return err
	})
	return list
}

func TestAMailIsOneClaimersUntilTheEndOfItsClaim(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		queue(t, s, db.Mail{Subject: "su_a", Kind: "policy", Object: "v2", Once: "policy v2"})
		queue(t, s, db.Mail{Subject: "su_a", Kind: "policy", Object: "v2", Once: "policy v2"})
		queue(t, s, db.Mail{Subject: "su_b", Kind: "policy", Object: "v2", Once: "policy v2"})
		queue(t, s, db.Mail{Subject: "su_b", Kind: "reset"})
		queue(t, s, db.Mail{Subject: "su_b", Kind: "reset"})
		first := claim(t, s)
		if len(first) != 4 {
			t.Fatalf("%d mails claimed, want 4: one of two with the same Once, and two without", len(first))
		}
		s.turn(start + 59_999)
		if again := claim(t, s); len(again) != 0 {
			t.Errorf("%d mails claimed that are another's", len(again))
		}
		s.turn(start + 60_000)
		second := claim(t, s)
		if len(second) != 4 || second[0].Tries != 2 {
			t.Fatalf("after the claim's end: %+v", second)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if ok, err := tx.LeaveMail(ctx, first[0], time.Minute); ok || err != nil {
				t.Errorf("a claim that is over lets the mail leave: %v %v", ok, err)
			}
			return nil
		})
	})
}

func TestAMailThatLeftIsNeverClaimedAgain(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		queue(t, s, db.Mail{Subject: "su_a", Kind: "reset"})
		m := claim(t, s)[0]
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if ok, err := tx.LeaveMail(ctx, m, time.Minute); !ok || err != nil {
				t.Errorf("leave: %v %v", ok, err)
			}
			return nil
		})
		lose := func() (n int) {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
				n, err = tx.LoseMails(ctx, tx.Now)
				return err
			})
			return n
		}
		s.turn(start + 59_999)
		if n := lose(); n != 0 {
			t.Error("lost while its sender may live")
		}
		s.turn(start + 24*3600_000)
		if n, list := lose(), claim(t, s); n != 1 || len(list) != 0 {
			t.Errorf("lost %d, claimed %d", n, len(list))
		}
		// Its sender lived after all.
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if ok, err := tx.SentMail(ctx, m); !ok || err != nil {
				t.Errorf("sent: %v %v", ok, err)
			}
			return tx.RetryMail(ctx, m, tx.Now, "late")
		})
		err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.AgainMail(ctx, m.ID) })
		if !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("what was sent is sent again: %v", err)
		}
	})
}

func TestMailsGoOnBothSidesOfTheirEnds(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		queue(t, s, db.Mail{Subject: "su_a", Kind: "reset"})
		queue(t, s, db.Mail{Subject: "su_b", Kind: "reset"})
		var sent db.Mail
		s.turn(start + 10)
		for _, m := range claim(t, s) {
			if m.Subject == "su_b" {
				sent = m
			}
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.SentMail(ctx, sent)
			return err
		})
		for _, c := range []struct {
			made, sent musa.Millis
			want       int
		}{{start, start + 10, 0}, {start, start + 11, 1}, {start, start + 99, 0}, {start + 1, 0, 1}} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				n, err := tx.DropMails(ctx, c.made, c.sent, 10)
				if n != c.want {
					t.Errorf("made before %d, sent before %d: %d went, want %d", c.made-start, c.sent-start, n, c.want)
				}
				return err
			})
		}
	})
}
