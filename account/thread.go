package account

import (
	"context"
	"fmt"
	"time"

	"musa"
	"musa/db"
)

// threadFor is how long the link in a mail leads to an answer.
const threadFor = 30 * 24 * time.Hour

// AnswerLink leads somebody without an account to what support answered, as its voucher holds it.
type AnswerLink struct {
	Email    string        `json:"email"`
	Language string        `json:"language,omitempty"`
	Thread   musa.ThreadID `json:"thread"`
}

// OrderAnswer makes the voucher by which somebody without an account reads what support answered:
// whoever has the address that they gave may. The mail about it names the voucher.
func (a *Accounts) OrderAnswer(ctx context.Context, tx db.Tx, owner musa.SubjectID, l AnswerLink) (musa.VoucherID, error) {
	return a.order(ctx, tx, order{For: owner, Purpose: musa.VoucherThread, Content: l})
}

// OpenAnswer begins a session of the guest who holds a thread, for whoever has the secret from the
// mail. It opens that thread alone: an address that was mistyped leads somebody else here. It works
// once. ErrGone for a secret that is wrong, used or too old.
func (a *Accounts) OpenAnswer(ctx context.Context, v Visitor, secret string) (Guest, musa.ThreadID, error) {
	if err := a.guessed(ctx, v); err != nil {
		return Guest{}, "", err
	}
	var (
		g    Guest
		link AnswerLink
	)
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		link = AnswerLink{}
		s, err := a.redeem(ctx, tx, musa.VoucherThread, secret, &link)
		if err != nil {
			return err
		}
		if s.State != musa.SubjectActive || s.Kind != musa.SubjectGuest {
			return linkOver() // they have an account now, and sign in
		}
		g = Guest{Token: newToken(), Subject: s.ID, Tier: s.Tier, Expires: a.expires(tx.Now, s.Tier)}
		if err := tx.InsertSession(ctx, db.Session{ID: musa.NewSessionID(tx.Now.Time()), Subject: s.ID, Digest: a.digest(g.Token),
			Created: tx.Now, LastSeen: tx.Now, Expires: g.Expires, Thread: link.Thread}); err != nil {
			return err
		}
		if err := tx.TouchSubject(ctx, s.ID); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "answer_opened", Role: musa.RoleSubject, Subject: s.ID, Object: string(link.Thread)})
	})
	if err != nil {
		return Guest{}, "", fmt.Errorf("open an answer: %w", err)
	}
	return g, link.Thread, nil
}
