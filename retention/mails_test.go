package retention_test

import (
	"context"
	"testing"
	"time"

	"musa/db"
	"musa/musatest"
)

// A note of a mail goes a week after the mail left, and one that never left thirty days after it
// was ordered: there a millisecond before, gone at it. Policy: mail 7d from sent, 30d from created.
func TestMailsEndBySendingAndByMaking(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	write(t, s, func(ctx context.Context, tx db.Tx) error {
		for _, once := range []string{"leaves", "stays"} {
			if err := tx.QueueMail(ctx, db.Mail{Subject: "su_1", Kind: "case", Once: once}); err != nil {
				return err
			}
		}
		return nil
	})
	s.Clock.Turn(time.Hour)
	write(t, s, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.ClaimMails(ctx, 10, time.Minute)
		for _, m := range list {
			if m.Once == "leaves" {
				_, err = tx.SentMail(ctx, m)
			}
		}
		return err
	})
	const day = 24 * time.Hour
	for _, c := range []struct {
		turn time.Duration
		want int
	}{{7*day - time.Millisecond, 2}, {time.Millisecond, 1}, {23*day - time.Hour - time.Millisecond, 1}, {time.Millisecond, 0}} {
		s.Clock.Turn(c.turn)
		must(t, s.Keeper.Sweep(t.Context()))
		var n int
		if err := s.DB.SQL().QueryRow("SELECT COUNT(*) FROM mails").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != c.want {
			t.Errorf("%v later: %d notes of mails, want %d", c.turn, n, c.want)
		}
	}
}
