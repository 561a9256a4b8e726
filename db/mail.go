package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"musa"
)

// Mail waits to be sent, or was. It holds no address and no text: both are made when it goes out.
//
// Category: mail.
type Mail struct {
	bun.BaseModel `bun:"table:mails"`

	ID      musa.MailID    `bun:",pk"`
	Subject musa.SubjectID // to whom
	Kind    string         // of the policy's mails, or of the program's own
	Object  string         // what it is about: a voucher, a thread, a version
	Once    string         // a second one with the same is not made; may be empty
	State   musa.MailState
	Created musa.Millis
	Next    musa.Millis // waiting: when it is tried; sending: when it counts as lost
	Tries   int64       // raised by each claim; fences what the sender may say of it
	Sent    musa.Millis
	Code    string // why the last try failed
}

var mailTable = Table{Name: "mails", Category: musa.CategoryMail, Columns: columns(musa.CategoryMail, "id", "subject", "kind", "object", "once", "state", "created", "next", "tries", "sent", "code"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// QueueMail orders a mail in the transaction of its cause: Subject, Kind and what else it takes
// are the caller's. A second one to the same subject with the same Once is not made, and that is
// no error.
func (tx Tx) QueueMail(ctx context.Context, m Mail) error {
	_, err := tx.exec(ctx, `INSERT INTO mails (id, subject, kind, object, once, state, created, next, tries, sent, code)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '') ON CONFLICT DO NOTHING`,
		musa.NewMailID(tx.Now.Time()), m.Subject, m.Kind, m.Object, m.Once, musa.MailWaiting, tx.Now, tx.Now)
	return wrapf(err, "queue mail to %s", m.Subject)
}

// ClaimMails gives up to limit mails that are due to the caller alone, for a while: one that
// is not told of again until then is due again. They come in the order of their due.
func (tx Tx) ClaimMails(ctx context.Context, limit int, ttl time.Duration) ([]Mail, error) {
	var list []Mail
	err := tx.get(ctx, &list, "SELECT * FROM mails WHERE state = 'waiting' AND next <= ? ORDER BY next, id LIMIT ? ?", tx.Now, limit, tx.locked(skipLocked))
	if err != nil || len(list) == 0 {
		return nil, wrapf(err, "claim mails")
	}
	ids := make([]musa.MailID, len(list))
	for i := range list {
		list[i].Next, list[i].Tries, ids[i] = tx.Now.Add(ttl), list[i].Tries+1, list[i].ID
	}
	_, err = tx.exec(ctx, "UPDATE mails SET next = ?, tries = tries + 1 WHERE id IN (?)", tx.Now.Add(ttl), bun.List(ids))
	return list, wrapf(err, "claim mails")
}

// MailsToDo says whether a mail waits that is due, or left and was not told of in time.
func (tx Tx) MailsToDo(ctx context.Context) (bool, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state = 'waiting' AND next <= ?0 LIMIT 1) AS w)
		+ (SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state = 'sending' AND next <= ?0 LIMIT 1) AS s)`, tx.Now)
	return n > 0, wrapf(err, "mails to do")
}

// LeaveMail marks that the other side is about to get the mail. Commit it before: a mail that
// left is never claimed again. It says false when the claim is over, or the mail gone.
func (tx Tx) LeaveMail(ctx context.Context, m Mail, ttl time.Duration) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE mails SET state = 'sending', next = ? WHERE id = ? AND tries = ? AND state = 'waiting' AND next > ?",
		tx.Now.Add(ttl), m.ID, m.Tries, tx.Now)
	return n == 1, wrapf(err, "mail %s leaves", m.ID)
}

// SentMail notes that the other side took it, whatever was thought of it meanwhile. It says
// false when the mail is gone.
func (tx Tx) SentMail(ctx context.Context, m Mail) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE mails SET state = 'sent', sent = ?, code = '' WHERE id = ? AND tries = ?", tx.Now, m.ID, m.Tries)
	return n == 1, wrapf(err, "mail %s sent", m.ID)
}

// RetryMail returns a mail that the other side surely has not taken to those that wait.
func (tx Tx) RetryMail(ctx context.Context, m Mail, next musa.Millis, code string) error {
	_, err := tx.exec(ctx, "UPDATE mails SET state = 'waiting', next = ?, code = ? WHERE id = ? AND tries = ? AND state <> 'sent'", next, code, m.ID, m.Tries)
	return wrapf(err, "retry mail %s", m.ID)
}

// EndMail stores that a mail is not tried any more: failed, or unsure.
func (tx Tx) EndMail(ctx context.Context, m Mail, state musa.MailState, code string) error {
	_, err := tx.exec(ctx, "UPDATE mails SET state = ?, code = ? WHERE id = ? AND tries = ? AND state <> 'sent'", state, code, m.ID, m.Tries)
	return wrapf(err, "end mail %s", m.ID)
}

// LoseMails makes what left by an instant, and was not told of since, unsure, and says how many.
func (tx Tx) LoseMails(ctx context.Context, by musa.Millis) (int, error) {
	n, err := tx.exec(ctx, "UPDATE mails SET state = 'unsure', code = 'crash' WHERE state = 'sending' AND next <= ?", by)
	return n, wrapf(err, "lose mails")
}

// FreeMails makes what was claimed for its first try, and had not left, due at once. Only who is
// alone with the store may call it: the claims are of the dead.
func (tx Tx) FreeMails(ctx context.Context) error {
	_, err := tx.exec(ctx, "UPDATE mails SET next = ? WHERE state = 'waiting' AND next > ? AND tries > 0 AND code = ''", tx.Now, tx.Now)
	return wrapf(err, "free mails")
}

// AgainMail has a mail that failed, or is unsure, tried once more. musa.ErrNotFound for another.
func (tx Tx) AgainMail(ctx context.Context, id musa.MailID) error {
	n, err := tx.exec(ctx, "UPDATE mails SET state = 'waiting', next = ?, code = '' WHERE id = ? AND state IN ('failed', 'unsure')", tx.Now, id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "send mail %s again", id)
}

// Mails lists mails in a state, or in all for "", older than after ("" for all), newest first.
func (tx Tx) Mails(ctx context.Context, state musa.MailState, after musa.MailID, limit int) ([]Mail, error) {
	var list []Mail
	err := tx.get(ctx, &list, "SELECT * FROM mails WHERE (? = '' OR state = ?) AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?",
		string(state), state, string(after), after, limit)
	return list, wrapf(err, "mails")
}

// DropMails forgets up to limit mails that were made before one instant, or sent before another.
func (tx Tx) DropMails(ctx context.Context, made, sent musa.Millis, limit int) (int, error) {
	n, err := tx.exec(ctx, `DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE created < ? OR (sent > 0 AND sent < ?) LIMIT ? ?)`,
		made, sent, limit, tx.locked(skipLocked))
	return n, wrapf(err, "drop old mails")
}
