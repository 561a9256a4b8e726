package support

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/account"
	"musa/db"
	"musa/rights"
)

// mailAnswer is the kind of mail that says that an answer waits.
const mailAnswer = "thread"

// tell orders the mail that an answer waits: to an account's own address, or to the one that
// somebody without an account gave, with a link that opens the thread. A guest who gave none
// finds the answer in the studio.
func (d *Desk) tell(ctx context.Context, tx db.Tx, t *Thread) error {
	s, err := tx.Subject(ctx, t.Subject)
	if err != nil {
		return err
	}
	m := db.Mail{Subject: t.Subject, Kind: mailAnswer, Object: string(t.ID), Once: fmt.Sprintf("answer %s %d", t.ID, len(t.Messages))}
	if s.Kind == musa.SubjectGuest {
		if t.Email == "" {
			return nil
		}
		v, err := d.Accounts.OrderAnswer(ctx, tx, t.Subject, account.AnswerLink{Email: t.Email, Language: t.Language, Thread: t.ID})
		if err != nil {
			return err
		}
		m.Object = string(v)
	}
	return tx.QueueMail(ctx, m)
}

// Request enters what a thread says as a request about a right, received when it was first said,
// and says so in the thread. It is tracked like one made by self-service. Promise P-26.
func (d *Desk) Request(ctx context.Context, by musa.Actor, id musa.ThreadID, right string) (musa.CaseID, error) {
	var made musa.CaseID
	_, err := d.handle(ctx, by, id, "to enter it as a request", func(ctx context.Context, tx db.Tx, t *Thread) error {
		if _, err := musa.ParseCaseID(t.Object); err == nil {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "entered", Public: "This thread was entered as a request before."}
		}
		words := ""
		for _, m := range t.Messages {
			if m.From == FromPerson {
				words = m.Words
				break
			}
		}
		var err error
		made, err = d.Rights.Enter(ctx, tx, by, rights.Letter{Subject: t.Subject, Right: right, Words: words, Received: t.Created})
		if err != nil {
			return err
		}
		t.Object, t.State, t.Unread, t.Updated = string(made), musa.ThreadAnswered, FromPerson, tx.Now
		return errors.Join(t.add(Message{At: tx.Now, From: FromStaff, Words: fmt.Sprintf("Your request was entered (%s, %s). You can follow it under your requests.", right, made)}), d.tell(ctx, tx, t))
	})
	return made, err
}
