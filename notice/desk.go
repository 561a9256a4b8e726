package notice

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
)

// Queued is a mail as the operator sees it: no address, no words.
type Queued struct {
	ID            musa.MailID
	Kind          string
	State         musa.MailState
	Created, Next musa.Millis
	Tries         int64
	Sent          musa.Millis
	Code          string
}

// Queue lists mails in a state ("" for all) older than after, newest first. musa.ErrNotFound for
// who does not run the instance.
func (n *Notices) Queue(ctx context.Context, by musa.Actor, state musa.MailState, after musa.MailID, limit int) ([]Queued, error) {
	if by.Role != musa.RoleOperator {
		return nil, musa.ErrNotFound
	}
	var out []Queued
	err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.Mails(ctx, state, after, limit)
		out = make([]Queued, len(list))
		for i, m := range list {
			out[i] = Queued{m.ID, m.Kind, m.State, m.Created, m.Next, m.Tries, m.Sent, m.Code}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mails: %w", err)
	}
	return out, nil
}

// Again has a mail that failed, or of which nobody knows whether it arrived, sent once more: that
// somebody may get it twice is the operator's decision. musa.ErrNotFound for another.
func (n *Notices) Again(ctx context.Context, by musa.Actor, id musa.MailID) error {
	if by.Role != musa.RoleOperator {
		return musa.ErrNotFound
	}
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.AgainMail(ctx, id); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "mail_again", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return fmt.Errorf("send mail %s again: %w", id, err)
	}
	return nil
}
