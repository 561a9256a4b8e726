package notice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// Times of the outbox.
const (
	batch   = 20
	claimed = 10 * time.Minute // within which a claimed mail has to leave
	leaving = 5 * time.Minute  // within which the other side's answer is known
	// patience is how long one is tried at most, where the policy does not end it before
	// (RFC 5321 § 4.5.4.1 asks for four to five days).
	patience = 5 * 24 * time.Hour
)

// lostSooner is the instant up to which a mail that leaves is lost when its process is known to be dead.
func lostSooner(now musa.Millis) musa.Millis { return now.Add(leaving) }

// pauses before each further try; the last one repeats.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}

// send sends all that is due.
func (n *Notices) send(ctx context.Context) error {
	if n.post == nil || !n.letOut() {
		return nil
	}
	for ctx.Err() == nil {
		var due bool
		err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			due, err = tx.MailsToDo(ctx)
			return err
		})
		if err != nil || !due {
			return err
		}
		var list []db.Mail
		err = n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if _, err = tx.LoseMails(ctx, tx.Now); err != nil {
				return err
			}
			list, err = tx.ClaimMails(ctx, batch, claimed)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		if err := n.deliver(ctx, list); err != nil {
			return err
		}
	}
	return nil
}

// letOut says whether the policy in force names mail as infrastructure, or a processor that the
// server belongs to. It says so once in the log where it does not.
func (n *Notices) letOut() bool {
	out := n.declared(n.inForce())
	n.mu.Lock()
	defer n.mu.Unlock()
	if !out && !n.quiet {
		n.Log.Warn("mails wait: the policy in force names neither mail as infrastructure nor the server as a processor for notices")
	}
	n.quiet = !out
	return out
}

func (n *Notices) declared(doc *policy.Document) bool {
	if doc.Infrastructure.Has("mail") {
		return true
	}
	for _, e := range doc.Processors {
		if e.Value.Hosts.Has(strings.ToLower(n.post.host)) && e.Value.For.Has(string(musa.PurposeNotify)) {
			return true
		}
	}
	return false
}

func (n *Notices) inForce() *policy.Document { return n.Versions().InForce(musa.At(n.Clock())) }

// deliver carries claimed mails to the server. Where a line breaks, the mail that it broke at waits
// for another try, and those behind it go over another line: what the other side cannot bear about
// one mail delays no other.
func (n *Notices) deliver(ctx context.Context, list []db.Mail) error {
	for len(list) > 0 {
		t, code, err := n.post.open(ctx)
		if err != nil {
			n.Log.Warn("mails wait", "code", code, "mails", len(list), "err", err)
			return n.putBack(context.WithoutCancel(ctx), list, code)
		}
		carried, err := n.carry(ctx, t, list)
		t.close()
		if err != nil {
			return err
		}
		list = list[carried:]
	}
	return nil
}

// putBack has mails wait that surely did not leave.
func (n *Notices) putBack(ctx context.Context, list []db.Mail, code string) error {
	for _, m := range list {
		if err := n.settle(ctx, m, outcome{later, code}); err != nil {
			return err
		}
	}
	return nil
}

// carry sends mails over one line for as long as it holds, and says of how many is known what
// became of them.
func (n *Notices) carry(ctx context.Context, t *talk, list []db.Mail) (int, error) {
	// What becomes of a mail is stored also when the program is about to end.
	store := context.WithoutCancel(ctx)
	for i, m := range list {
		if ctx.Err() != nil {
			return len(list), n.putBack(store, list[i:], "closing")
		}
		o, err := n.one(store, t, m)
		if err != nil {
			return i, err
		}
		if err := n.settle(store, m, o); err != nil {
			return i, err
		}
		if o.code == "connection" {
			return i + 1, nil
		}
		if o.what != taken {
			if err := t.client.Reset(); err != nil {
				n.Log.Warn("mail server", "step", "reset", "err", err)
				return i + 1, nil
			}
		}
	}
	return len(list), nil
}

// one sends one mail. Everything that can fail without the other side comes before it leaves.
func (n *Notices) one(ctx context.Context, t *talk, m db.Mail) (outcome, error) {
	l, err := n.letter(ctx, m)
	switch {
	case errors.Is(err, errSettled):
		return outcome{refused, "settled"}, nil
	case errors.Is(err, musa.ErrNotFound), errors.Is(err, musa.ErrGone):
		return outcome{refused, "nobody"}, nil
	case errors.Is(err, musa.ErrRefused):
		return outcome{refused, "not_allowed"}, nil
	case errors.Is(err, musa.ErrInvalid):
		return outcome{refused, "unwritable"}, nil
	case err != nil:
		// Of this mail alone, or of the store, which then says so when the outcome is kept.
		n.Log.Error("a mail cannot be written", "step", "letter", "err", err)
		return outcome{later, "fault"}, nil
	}
	if o := t.ask(n.post.from.Address, l.to); o.what != taken {
		return o, nil
	}
	var left bool
	err = n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		left, err = tx.LeaveMail(ctx, m, leaving)
		return err
	})
	if err != nil || !left {
		return outcome{later, "claim"}, err
	}
	return t.say(l.text), nil
}

// settle stores what became of a try.
func (n *Notices) settle(ctx context.Context, m db.Mail, o outcome) error {
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		switch {
		case o.what == taken:
			_, err := tx.SentMail(ctx, m)
			return err
		case o.what == unknown:
			return tx.EndMail(ctx, m, musa.MailUnsure, o.code)
		case o.what == refused:
			return tx.EndMail(ctx, m, musa.MailFailed, o.code)
		}
		next := tx.Now.Add(pauses[min(int(m.Tries), len(pauses))-1])
		if next >= n.until(m) {
			return tx.EndMail(ctx, m, musa.MailFailed, o.code)
		}
		// What its link is good for has not left, so it waits along.
		return errors.Join(tx.RetryMail(ctx, m, next, o.code), tx.KeepVoucher(ctx, musa.VoucherID(m.Object), next.Add(time.Hour)))
	})
	if err != nil {
		return fmt.Errorf("settle mail %s: %w", m.ID, err)
	}
	return nil
}

// until is when a mail's time is over: what the policy keeps of it, or patience.
func (n *Notices) until(m db.Mail) musa.Millis {
	v := n.Versions()
	end := v.End(policy.Item{Category: musa.CategoryMail, Tier: musa.TierGuest, Created: m.Created, Version: v.InForce(m.Created).Ref()}).At
	if tired := m.Created.Add(patience); end == 0 || tired < end {
		return tired
	}
	return end
}
