package support

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// DeskQuery says which threads the staff see; a zero field leaves nothing out.
type DeskQuery struct {
	State musa.ThreadState
	Kind  musa.ThreadKind
	After musa.ThreadID // the last of the page before
	Limit int
}

// Desk lists everybody's threads for the staff, the oldest first, without what was said.
func (d *Desk) Desk(ctx context.Context, by musa.Actor, q DeskQuery) ([]Thread, error) {
	if err := staffed(by, musa.RoleSupport, musa.RoleOperator); err != nil {
		return nil, err
	}
	var list []Thread
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Threads(ctx, db.ThreadFilter(q))
		list, err = d.heads(ctx, tx, rows, err)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list threads: %w", err)
	}
	return list, nil
}

// Open shows a thread to the staff, for a reason that is entered first and that its person sees
// (GET /api/me/disclosures).
func (d *Desk) Open(ctx context.Context, by musa.Actor, id musa.ThreadID, reason string) (Thread, error) {
	if err := checkReason(reason); err != nil {
		return Thread{}, err
	}
	return d.handle(ctx, by, id, reason, func(_ context.Context, _ db.Tx, t *Thread) error {
		if t.Unread == FromStaff {
			t.Unread = unreadNobody
		}
		return nil
	})
}

func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > maxReason {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "reason_needed", Field: "reason",
			Public: fmt.Sprintf("Say in one to %d characters why: it is entered, and its owner is shown that it was opened.", maxReason)}
	}
	return nil
}

// Answer adds the staff's words. A mail says that an answer waits, and nothing of it.
func (d *Desk) Answer(ctx context.Context, by musa.Actor, id musa.ThreadID, words string) (Thread, error) {
	if err := checkWords("words", words, maxWords); err != nil {
		return Thread{}, err
	}
	return d.handle(ctx, by, id, "to answer", func(ctx context.Context, tx db.Tx, t *Thread) error {
		t.State, t.Unread, t.Updated = musa.ThreadAnswered, FromPerson, tx.Now
		if err := t.add(Message{At: tx.Now, From: FromStaff, Words: words}); err != nil {
			return err
		}
		return d.tell(ctx, tx, t)
	})
}

// Done closes a thread for the staff. Its person can take it up again.
func (d *Desk) Done(ctx context.Context, by musa.Actor, id musa.ThreadID) (Thread, error) {
	return d.handle(ctx, by, id, "to close it", func(_ context.Context, tx db.Tx, t *Thread) error {
		t.State, t.Updated = musa.ThreadClosed, tx.Now
		return nil
	})
}

// handle enters that the staff open a thread, opens it, changes it and stores what changed.
func (d *Desk) handle(ctx context.Context, by musa.Actor, id musa.ThreadID, why string, change func(context.Context, db.Tx, *Thread) error) (Thread, error) {
	var out Thread
	if err := staffed(by, musa.RoleSupport); err != nil {
		return out, err
	}
	var grant policy.Grant
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		_, _, grant, err = d.helping(ctx, tx, by, id)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("thread %s: %w", id, err)
	}
	use, err := d.Vault.Enter(ctx, by, grant, why)
	if err != nil {
		return out, fmt.Errorf("thread %s: %w", id, err)
	}
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t, o, grant, err := d.helping(ctx, tx, by, id)
		if err != nil {
			return err
		}
		locked, err := vault.LockedRecord(o)
		if err != nil {
			return err
		}
		var c Conversation
		if err := use.OpenRecord(locked, &c); err != nil {
			return err
		}
		out = d.threadOf(t, o.Record, c)
		if err := change(ctx, tx, &out); err != nil {
			return err
		}
		if len(out.Messages) != len(c.Messages) {
			sealed, err := d.Vault.Reseal(grant, locked, out.Conversation)
			if err != nil {
				return err
			}
			if err := tx.ReplaceSealed(ctx, string(t.Record), sealed); err != nil {
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

// helping finds a thread with its record, and asks the policy whether a member of the staff may
// open it for help.
func (d *Desk) helping(ctx context.Context, tx db.Tx, by musa.Actor, id musa.ThreadID) (t db.Thread, o db.RecordOpening, grant policy.Grant, err error) {
	if t, err = tx.Thread(ctx, id); err != nil {
		return t, o, grant, err
	}
	o, grant, err = d.opening(ctx, tx, by, t.Record)
	return t, o, grant, err
}

// opening finds a record with all that opening it for help needs.
func (d *Desk) opening(ctx context.Context, tx db.Tx, by musa.Actor, id musa.RecordID) (o db.RecordOpening, grant policy.Grant, err error) {
	if o, err = tx.RecordOpening(ctx, id); err != nil {
		return o, grant, err
	}
	grant = d.Policy().Decide(policy.Facts{Now: tx.Now, Actor: by, Purpose: musa.PurposeHelp, Item: vault.RecordItem(o.Record)})
	if err := grant.Err(); err != nil {
		return o, grant, err
	}
	if o.State != musa.AssetActive {
		return o, grant, fmt.Errorf("record %s: %w", id, musa.ErrGone)
	}
	return o, grant, nil
}
