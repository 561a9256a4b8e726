package support

import (
	"context"
	"fmt"
	"strings"

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
		if t.Case != "" {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "entered", Public: "This thread was entered as a request before."}
		}
		var words []string
		for _, m := range t.Messages {
			if m.From == FromPerson {
				words = append(words, m.Words)
			}
		}
		s, err := tx.Subject(ctx, t.Subject)
		if err != nil {
			return err
		}
		made, err = d.Rights.Enter(ctx, tx, by, rights.Letter{Subject: t.Subject, Right: right, Words: strings.Join(words, "\n\n"), Received: t.Created})
		if err != nil {
			return err
		}
		t.Case, t.State, t.Unread, t.Updated = made, musa.ThreadAnswered, FromPerson, tx.Now
		if t.Object == "" {
			t.Object = string(made)
		}
		if err := t.add(Message{At: tx.Now, From: FromStaff, Entered: right}); err != nil || s.Kind != musa.SubjectGuest {
			return err // who has an account was told of the request, and needs no second mail
		}
		return d.tell(ctx, tx, t)
	})
	return made, err
}
