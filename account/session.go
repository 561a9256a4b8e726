package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"musa"
	"musa/db"
)

// Session is one device that is signed in, as its person sees it.
type Session struct {
	ID       musa.SessionID
	Current  bool // the one that asks
	Created  musa.Millis
	LastSeen musa.Millis // to a few minutes
	Expires  musa.Millis
	Device   Device // empty once its own end has come, and for a guest
}

// Sessions lists the actor's live sessions, the newest first.
func (a *Accounts) Sessions(ctx context.Context, by musa.Actor) ([]Session, error) {
	person := by
	if by.Person != "" {
		person.Subject = by.Person
	}
	var out []Session
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.SessionsOf(ctx, person.Subject)
		out = make([]Session, 0, len(list))
		for _, s := range list {
			one := Session{ID: s.ID, Current: s.ID == by.Session, Created: s.Created, LastSeen: s.LastSeen, Expires: s.Expires}
			if one.Device, err = a.deviceOf(ctx, tx, person, s.Device); err != nil {
				return err
			}
			out = append(out, one)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sessions of %s: %w", by.Subject, err)
	}
	return out, nil
}

// deviceOf opens what is known of a device; nothing where its end has come.
func (a *Accounts) deviceOf(ctx context.Context, tx db.Tx, by musa.Actor, id musa.RecordID) (d Device, err error) {
	if id == "" {
		return d, nil
	}
	_, err = a.Vault.Read(ctx, tx, by, musa.PurposeSignIn, id, &d)
	if errors.Is(err, musa.ErrGone) || errors.Is(err, musa.ErrNotFound) || errors.Is(err, musa.ErrRefused) {
		return Device{}, nil
	}
	return d, err
}

// EndSession signs one of the actor's devices out; musa.ErrNotFound for another's.
func (a *Accounts) EndSession(ctx context.Context, by musa.Actor, id musa.SessionID) error {
	person := by.Subject
	if by.Person != "" {
		person = by.Person
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Session(ctx, id)
		if err == nil && s.Subject != person {
			err = musa.ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.DropSession(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("end %s: %w", id, err)
	}
	return nil
}

// SignOut ends the session of somebody who has another way in. To others (a guest, staff that just
// began) their token is all that leads to what is theirs: it goes on to work where they keep it.
func (a *Accounts) SignOut(ctx context.Context, by musa.Actor) error {
	if by.Session == "" {
		return nil
	}
	person := by.Subject
	if by.Person != "" {
		person = by.Person
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		logins, err := tx.LoginsOf(ctx, person)
		if err != nil || !slices.ContainsFunc(logins, func(l db.Login) bool { return opens(l.Kind) }) {
			return err
		}
		return tx.DropSession(ctx, by.Session)
	})
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return fmt.Errorf("sign out of %s: %w", by.Session, err)
	}
	return nil
}

// EndOthers signs all of the actor's devices out but this one, and says how many.
func (a *Accounts) EndOthers(ctx context.Context, by musa.Actor) (n int, err error) {
	person := by.Subject
	if by.Person != "" {
		person = by.Person
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		n, err = tx.DropSessionsOf(ctx, person, by.Session)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions of %s: %w", by.Subject, err)
	}
	return n, nil
}

// renewed notes the device of a session again, where what was known of it has come to its end.
func (a *Accounts) renewed(ctx context.Context, tx db.Tx, s db.Session, owner db.Subject, v Visitor) error {
	if owner.Kind != musa.SubjectPerson || s.Device == "" {
		return nil
	}
	r, err := tx.Record(ctx, s.Device)
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return err
	}
	if err == nil && r.State == musa.AssetActive && (r.Ends == 0 || r.Ends > tx.Now) {
		return nil
	}
	id, err := a.noteDevice(ctx, tx, self(owner), v)
	if err != nil || id == "" {
		return err
	}
	return tx.SetDevice(ctx, s.ID, id)
}
