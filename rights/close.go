package rights

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/erasure"
	"musa/policy"
	"musa/queue"
	"musa/studio"
)

// mailClosing is the kind of mail that tells of a closing.
const mailClosing = "closing"

// Closing is how an account's closing stands; zero for one that is open.
type Closing struct {
	Closed  musa.Millis    // when it was closed
	Until   musa.Millis    // undo until; everything but the account's own data goes then
	Erased  musa.Millis    // when the account's own data goes
	Receipt musa.ReceiptID // stands in the log once all of it is gone
	// Capability opens the receipt without an account, also when nothing else of it is left:
	// base64url of 32 bytes. Whoever closes has to keep it.
	Capability string
}

// Close ends a person's account: open jobs are cancelled, everything is hidden now and goes
// when the policy's grace is over, and so do the sessions. Closing twice changes nothing.
// GDPR art. 17, promise E-19.
func (r *Rights) Close(ctx context.Context, by musa.Actor) (Closing, error) {
	if err := by.May(musa.ActOwn); err != nil {
		return Closing{}, err
	}
	var (
		out   Closing
		ended ended
	)
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		var fresh bool
		if out, ended, fresh, err = r.shut(ctx, tx, by); err != nil || !fresh {
			return err
		}
		request := r.received(tx, by, RightErasure)
		request.State, request.Answered, request.Outcome = musa.CaseAnswered, tx.Now, OutcomeClosed
		return tx.InsertCase(ctx, request)
	})
	if err != nil {
		return Closing{}, fmt.Errorf("close %s: %w", by.Subject, err)
	}
	r.spread(ended.gone, ended.cancelled)
	return out, nil
}

// ended is what has to be cut everywhere after a commit.
type ended struct {
	gone      []string
	cancelled []musa.JobID
}

// shut closes the actor's account in the caller's transaction; fresh is false where it was closed
// before, and then nothing changes. The caller spreads what ended.
func (r *Rights) shut(ctx context.Context, tx db.Tx, by musa.Actor) (out Closing, e ended, fresh bool, err error) {
	s, err := tx.Subject(ctx, by.Subject)
	if err != nil {
		return out, e, false, err
	}
	if s.State == musa.SubjectClosed {
		out, err = r.closing(ctx, tx, s)
		return out, e, false, err
	}
	if s.State != musa.SubjectActive && s.State != musa.SubjectSuspended {
		return out, e, false, musa.ErrGone
	}
	if err := r.Policy().Decide(policy.Ask(tx.Now, by, musa.PurposeAnswerRights, erasure.AccountItem(s))).Err(); err != nil {
		return out, e, false, err
	}
	if e.gone, e.cancelled, err = r.stop(ctx, tx, s.ID); err != nil {
		return out, e, false, err
	}
	e.gone = append(e.gone, string(s.ID)) // an export that is being made breaks off
	s.Closed, s.Receipt = tx.Now, musa.NewReceiptID(tx.Now.Time())
	until := r.until(s)
	s.Ends = r.ends(s, until)
	key, err := r.Eraser.Promise(ctx, tx, s)
	if err != nil {
		return out, e, false, err
	}
	if err := errors.Join(tx.CloseSubject(ctx, s, until), r.tellClosing(ctx, tx, s, until)); err != nil {
		return out, e, false, err
	}
	out = Closing{Closed: s.Closed, Until: until, Erased: s.Ends, Receipt: s.Receipt, Capability: base64.RawURLEncoding.EncodeToString(key[:])}
	return out, e, true, tx.AppendAudit(ctx, db.AuditEvent{Action: "account_closed", Role: by.Role, Subject: by.Subject, Object: string(s.ID)})
}

// tellClosing mails to a person that their account was closed: by them, or by somebody who sat at
// their session, so that they can take it back in time. Where the policy gives no time for that, their
// address goes with the rest at once, and no mail finds it.
func (r *Rights) tellClosing(ctx context.Context, tx db.Tx, s db.Subject, until musa.Millis) error {
	if s.Kind != musa.SubjectPerson || until <= tx.Now {
		return nil
	}
	return tx.QueueMail(ctx, db.Mail{Subject: s.ID, Kind: mailClosing, Object: string(s.Receipt), Once: mailClosing + "/" + string(s.Receipt)})
}

// Closing tells a person how the closing of their account stands; zero while it is open.
func (r *Rights) Closing(ctx context.Context, by musa.Actor) (Closing, error) {
	var out Closing
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, by.Subject)
		if err != nil || s.State != musa.SubjectClosed {
			return err
		}
		out, err = r.closing(ctx, tx, s)
		return err
	})
	if err != nil {
		return Closing{}, fmt.Errorf("closing of %s: %w", by.Subject, err)
	}
	return out, nil
}

func (r *Rights) closing(ctx context.Context, tx db.Tx, s db.Subject) (Closing, error) {
	wrapped, err := tx.SubjectKey(ctx, s.ID)
	if err != nil {
		return Closing{}, err
	}
	key, err := r.Vault.ReceiptKey(s.ID, wrapped, s.Receipt)
	if err != nil {
		return Closing{}, err
	}
	defer key.Zero()
	return Closing{Closed: s.Closed, Until: r.until(s), Erased: s.Ends, Receipt: s.Receipt, Capability: base64.RawURLEncoding.EncodeToString(key[:])}, nil
}

// Reopen takes a closing back while its grace lasts; ErrGone after.
func (r *Rights) Reopen(ctx context.Context, by musa.Actor) error {
	if err := by.May(musa.ActOwn); err != nil {
		return err
	}
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, by.Subject)
		if err != nil {
			return err
		}
		if s.State == musa.SubjectActive {
			return nil
		}
		if s.State != musa.SubjectClosed || tx.Now >= r.until(s) {
			return &musa.Problem{Kind: musa.ErrGone, Code: "undo_over", Public: "It is too late to undo: this account is closed and what was in it is erased."}
		}
		if _, err := tx.ReopenSubject(ctx, s.ID, r.until(s)); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "account_reopened", Role: by.Role, Subject: by.Subject, Object: string(s.ID)})
	})
	if err != nil {
		return fmt.Errorf("reopen %s: %w", by.Subject, err)
	}
	return nil
}

// stop cancels what a person's account still does, and names what has to be cut.
func (r *Rights) stop(ctx context.Context, tx db.Tx, id musa.SubjectID) (gone []string, cancelled []musa.JobID, err error) {
	jobs, err := tx.OpenJobsOf(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	for _, j := range jobs {
		ok, err := tx.CancelJob(ctx, j.ID)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		if err := tx.Release(ctx, j.Owner, j.ID, j.Held); err != nil {
			return nil, nil, err
		}
		// Whose turn is next does not matter: all of theirs end here.
		if _, err := studio.Settle(ctx, tx, r.Versions(), j); err != nil {
			return nil, nil, err
		}
		cancelled = append(cancelled, j.ID)
	}
	items, err := tx.ActiveItems(ctx, id)
	for _, a := range items.Assets {
		gone = append(gone, string(a))
	}
	return gone, cancelled, err
}

// spread cuts readers and stops runners everywhere. A loss is made good by the sweeps.
func (r *Rights) spread(gone []string, cancelled []musa.JobID) {
	if err := r.Eraser.Drop(gone); err != nil {
		r.Log.Warn("broadcast notice", "kind", queue.NoticeDrop, "err", err)
	}
	for _, id := range cancelled {
		if err := r.Queue.Broadcast(queue.Notice{Kind: queue.NoticeCancel, IDs: []string{string(id)}}); err != nil {
			r.Log.Warn("broadcast notice", "kind", queue.NoticeCancel, "err", err)
		}
		r.Queue.Report(queue.Progress{Job: id, State: musa.JobCancelled})
	}
	if err := r.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDue}); err != nil {
		r.Log.Warn("broadcast notice", "kind", queue.NoticeDue, "err", err)
	}
}

// until is when the time to think again ends, by the version in force at the closing.
func (r *Rights) until(s db.Subject) musa.Millis {
	return s.Closed.Add(r.Versions().Grace(s.Closed))
}

// ends is when the account's own data goes: by the policy's rule for closed accounts, and of
// a guest, of whom nothing has to be kept, with the rest.
func (r *Rights) ends(s db.Subject, until musa.Millis) musa.Millis {
	if s.Kind == musa.SubjectGuest {
		return until
	}
	return max(until, r.Versions().End(erasure.AccountItem(s)).At)
}
