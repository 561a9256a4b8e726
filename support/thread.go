package support

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/account"
	"musa/db"
	"musa/vault"
)

// Letter begins a thread.
type Letter struct {
	Kind  musa.ThreadKind
	Words string
	// Email is where answers go, of somebody without an account; may be empty.
	Email string
	// Language is the one that they read, for the mail about the answer; may be empty.
	Language string
	// Object is the job or picture that it is about; may be empty.
	Object string
	report *Report
}

// check brings a letter into the form in which it is kept.
func (l *Letter) check() (err error) {
	if l.Kind == "" {
		l.Kind = musa.ThreadQuestion
	}
	if !slices.Contains(Kinds(), l.Kind) {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "kind_unknown", Field: "kind", Public: "A thread is a question, or about privacy, account, fault or child."}
	}
	if l.Object != "" && !isObject(l.Object) {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "object_unknown", Field: "object", Public: "Give the id of a job or a picture of yours, or leave it out."}
	}
	if l.Email != "" {
		if l.Email, err = account.Address(l.Email); err != nil {
			return err
		}
	}
	return checkWords("words", l.Words, maxWords)
}

func isObject(id string) bool {
	_, job := musa.ParseJobID(id)
	_, asset := musa.ParseAssetID(id)
	return job == nil || asset == nil
}

// Write begins a thread of the actor's own. Promise P-04.
func (d *Desk) Write(ctx context.Context, by musa.Actor, l Letter) (Thread, error) {
	if err := errors.Join(own(by), l.check()); err != nil {
		return Thread{}, err
	}
	if err := d.Accounts.Limit(ctx, "support", string(by.Subject), writesPerHour, time.Hour); err != nil {
		return Thread{}, err
	}
	return d.begin(ctx, by, l)
}

// Stranger is somebody new who wrote without an account. Token is shown once: with it, or with
// the link in the mail, they read the answer.
type Stranger struct {
	Thread
	Token   string
	Expires musa.Millis
}

// WriteAs takes a letter of somebody without a session: a new guest holds it, whoever has the
// address already. The network, in any form, bounds how often, and never the address: whoever knows
// another's must not keep them from writing. Promise O-12.
func (d *Desk) WriteAs(ctx context.Context, network string, l Letter) (Stranger, error) {
	if err := l.check(); err != nil {
		return Stranger{}, err
	}
	if err := d.Accounts.Limit(ctx, "support", "network "+network, strangersPerDay, day); err != nil {
		return Stranger{}, err
	}
	g, err := d.Accounts.Admit(ctx)
	if err != nil {
		return Stranger{}, err
	}
	t, err := d.begin(ctx, musa.Actor{Subject: g.Subject, Tier: g.Tier, Role: musa.RoleSubject}, l)
	return Stranger{Thread: t, Token: g.Token, Expires: g.Expires}, err
}

func (d *Desk) begin(ctx context.Context, by musa.Actor, l Letter) (Thread, error) {
	var out Thread
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if n, err := tx.CountThreads(ctx, by.Subject); err != nil || n >= maxOpen {
			return errors.Join(err, tooMany(n))
		}
		if err := ownObject(ctx, tx, by, l.Object); err != nil {
			return err
		}
		c := Conversation{Version: conversationVersion, Email: l.Email, Report: l.report}
		if l.Email != "" {
			c.Language = l.Language
		}
		if err := c.add(Message{At: tx.Now, From: FromPerson, Words: l.Words}); err != nil {
			return err
		}
		r, err := d.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: musa.PurposeHelp, Category: musa.CategorySupport, Content: c})
		if err != nil {
			return err
		}
		t := db.Thread{ID: musa.NewThreadID(tx.Now.Time()), Subject: by.Subject, Kind: l.Kind, State: musa.ThreadOpen,
			Created: tx.Now, Updated: tx.Now, Unread: FromStaff, Object: l.Object, Record: r.ID}
		out = d.threadOf(t, r, c)
		return errors.Join(tx.InsertThread(ctx, t), audit(ctx, tx, by, "thread_begun", t.ID))
	})
	if err != nil {
		return Thread{}, fmt.Errorf("begin a thread of %s: %w", by.Subject, err)
	}
	return out, nil
}

func tooMany(n int) error {
	if n < maxOpen {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrLimited, Code: "threads_many", Public: "Many threads of yours are open. Go on in one of them, or close what is done."}
}

// ownObject refuses what a thread names that is not its writer's.
func ownObject(ctx context.Context, tx db.Tx, by musa.Actor, object string) error {
	var owner musa.SubjectID
	if id, err := musa.ParseJobID(object); err == nil {
		j, err := tx.Job(ctx, id)
		if err != nil && !errors.Is(err, musa.ErrNotFound) {
			return err
		}
		owner = j.Owner
	} else if id, err := musa.ParseAssetID(object); err == nil {
		a, err := tx.Asset(ctx, id)
		if err != nil && !errors.Is(err, musa.ErrNotFound) {
			return err
		}
		owner = a.Owner
	} else {
		return nil
	}
	if owner != by.Subject {
		return &musa.Problem{Kind: musa.ErrNotFound, Code: "object_unknown", Field: "object", Public: "There is no such job or picture of yours."}
	}
	return nil
}

func audit(ctx context.Context, tx db.Tx, by musa.Actor, action string, id musa.ThreadID) error {
	return tx.AppendAudit(ctx, db.AuditEvent{Action: action, Role: by.Role, Subject: by.Subject, Object: string(id)})
}

// Threads lists the actor's own, newest first, without what was said.
func (d *Desk) Threads(ctx context.Context, by musa.Actor, after musa.ThreadID, limit int) ([]Thread, error) {
	var list []Thread
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.ThreadsOf(ctx, by.Subject, after, limit)
		list, err = d.heads(ctx, tx, rows, err)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("threads of %s: %w", by.Subject, err)
	}
	return list, nil
}

// heads are threads without what was said in them, with their ends.
func (d *Desk) heads(ctx context.Context, tx db.Tx, rows []db.Thread, err error) ([]Thread, error) {
	if err != nil {
		return nil, err
	}
	list := make([]Thread, 0, len(rows))
	for _, t := range rows {
		r, err := tx.Record(ctx, t.Record)
		if err != nil {
			return nil, err
		}
		list = append(list, d.threadOf(t, r, Conversation{}))
	}
	return list, nil
}

// Thread shows one of the actor's own and notes that they read it; ErrNotFound for another's.
func (d *Desk) Thread(ctx context.Context, by musa.Actor, id musa.ThreadID) (Thread, error) {
	return d.turn(ctx, by, id, func(t *Thread, _ musa.Millis) error {
		if t.Unread == FromPerson {
			t.Unread = unreadNobody
		}
		return nil
	})
}

// Say adds to a thread of the actor's own; one that was closed is open again.
func (d *Desk) Say(ctx context.Context, by musa.Actor, id musa.ThreadID, words string) (Thread, error) {
	if err := checkWords("words", words, maxWords); err != nil {
		return Thread{}, err
	}
	if err := d.Accounts.Limit(ctx, "support", string(by.Subject), writesPerHour, time.Hour); err != nil {
		return Thread{}, err
	}
	return d.turn(ctx, by, id, func(t *Thread, now musa.Millis) error {
		t.State, t.Unread, t.Updated = musa.ThreadOpen, FromStaff, now
		return t.add(Message{At: now, From: FromPerson, Words: words})
	})
}

// Close ends a thread of the actor's own. It can be taken up again by saying something.
func (d *Desk) Close(ctx context.Context, by musa.Actor, id musa.ThreadID) (Thread, error) {
	return d.turn(ctx, by, id, func(t *Thread, now musa.Millis) error {
		t.State, t.Unread, t.Updated = musa.ThreadClosed, unreadNobody, now
		return nil
	})
}

// turn opens one of the actor's own threads, changes it and stores what changed.
func (d *Desk) turn(ctx context.Context, by musa.Actor, id musa.ThreadID, change func(t *Thread, now musa.Millis) error) (Thread, error) {
	var out Thread
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t, err := ownThread(ctx, tx, by, id)
		if err != nil {
			return err
		}
		var c Conversation
		r, err := d.Vault.Read(ctx, tx, by, musa.PurposeHelp, t.Record, &c)
		if err != nil {
			return err
		}
		out = d.threadOf(t, r, c)
		if err := change(&out, tx.Now); err != nil {
			return err
		}
		if len(out.Messages) != len(c.Messages) {
			if err := d.Vault.Rewrite(ctx, tx, by, musa.PurposeHelp, t.Record, out.Conversation); err != nil {
				return err
			}
		}
		if out.Thread == t {
			return nil
		}
		return tx.SaveThread(ctx, out.Thread)
	})
	if err != nil {
		return Thread{}, fmt.Errorf("thread %s: %w", id, err)
	}
	return out, nil
}

func ownThread(ctx context.Context, tx db.Tx, by musa.Actor, id musa.ThreadID) (db.Thread, error) {
	if err := own(by); err != nil {
		return db.Thread{}, err
	}
	t, err := tx.Thread(ctx, id)
	if err == nil && t.Subject != by.Subject {
		err = musa.ErrNotFound
	}
	return t, err
}

// Drop erases a thread of the actor's own at once, with all that was said.
func (d *Desk) Drop(ctx context.Context, by musa.Actor, id musa.ThreadID) error {
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t, err := ownThread(ctx, tx, by, id)
		if err != nil {
			return err
		}
		return errors.Join(d.Eraser.Records(ctx, tx, []musa.RecordID{t.Record}), audit(ctx, tx, by, "thread_erased", id))
	})
	if err != nil {
		return fmt.Errorf("erase thread %s: %w", id, err)
	}
	return nil
}
