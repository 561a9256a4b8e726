package account

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/vault"
)

// Person is what somebody said of themselves, as far as the policy collects it: the sealed record
// of their account.
type Person struct {
	Email    string `json:"email,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Profile  string `json:"profile,omitempty"`
	Language string `json:"language,omitempty"` // mails come in it; in English where it is empty
}

// Entry is a session that just began. Token is shown once and stored nowhere.
type Entry struct {
	Token   string
	Subject musa.SubjectID
	Tier    musa.Tier
	Expires musa.Millis
	// Factor is set instead where the second factor is missing: the secret to bring it with.
	Factor string
}

// self is a person acting for themselves, where what they brought (a password, the secret of a
// voucher) names them.
func self(s db.Subject) musa.Actor {
	return musa.Actor{Subject: s.ID, Tier: s.Tier, Role: musa.RoleSubject, Closed: s.Closed, Standing: s.Standing(),
		Suspended: s.State == musa.SubjectSuspended}
}

// newcomer is a guest who becomes a person, and what is known of them then.
type newcomer struct {
	Person  Person
	Region  string // where they live; empty where nobody said
	Address string // that was confirmed, in the form of Address; may be empty
}

// become makes a person of a guest in the caller's transaction: the same subject, with all that is
// theirs, in the tier of those who have an account. Their former sessions end, so that none that
// somebody else has a part in goes on. The caller adds a login, opens a session, and calls Settle
// after the commit. musa.ErrConflict where the address leads to another account meanwhile.
func (a *Accounts) become(ctx context.Context, tx db.Tx, s db.Subject, n newcomer) (db.Subject, error) {
	if s.Kind != musa.SubjectGuest || s.State != musa.SubjectActive {
		return s, fmt.Errorf("%s is no guest: %w", s.ID, musa.ErrConflict)
	}
	next, err := a.Promote(a.Policy(), s, musa.TierMember, tx.Now)
	if err != nil {
		return s, err
	}
	if err := tx.ChangeSubject(ctx, next); err != nil {
		return s, err
	}
	if n.Address != "" {
		if err := tx.InsertAddress(ctx, a.addressRow(s.ID, n.Address, tx.Now)); err != nil {
			return s, err
		}
	}
	if n.Region != "" {
		if err := tx.SetRegion(ctx, s.ID, n.Region); err != nil {
			return s, err
		}
		next.Region = n.Region
	}
	if err := a.fileProfile(ctx, tx, self(next), musa.PurposeSignIn, n.Person); err != nil {
		return s, err
	}
	if err := a.Consent.Accept(ctx, tx, s.ID, consent.ViaSignUp); err != nil {
		return s, err
	}
	if _, err := tx.DropSessionsOf(ctx, s.ID, ""); err != nil {
		return s, err
	}
	return next, tx.AppendAudit(ctx, db.AuditEvent{Action: "account_made", Role: musa.RoleSubject, Subject: s.ID, Object: string(s.ID)})
}

// Settle has all that is theirs follow somebody who just became a person; nobody ("") is nothing to
// do. Should it fail, the keeper catches up.
func (a *Accounts) Settle(ctx context.Context, id musa.SubjectID) error {
	if id == "" {
		return nil
	}
	return a.Follow(ctx, id)
}

// newGuest makes a guest without a session, for somebody who makes an account and was none yet.
func (a *Accounts) newGuest(ctx context.Context, tx db.Tx) (db.Subject, error) {
	s := db.Subject{ID: musa.NewSubjectID(tx.Now.Time()), Kind: musa.SubjectGuest, Tier: musa.TierGuest, State: musa.SubjectActive,
		Created: tx.Now, LastSeen: tx.Now, PolicyVersion: a.Policy().Ref()}
	wrapped, err := a.Vault.NewSubject(s.ID)
	if err != nil {
		return s, fmt.Errorf("key for %s: %w", s.ID, err)
	}
	if err := tx.InsertSubject(ctx, s, wrapped); err != nil {
		return s, err
	}
	return s, tx.Grant(ctx, s.ID, a.Allowance)
}

// enter opens a session for somebody who just proved who they are, with a token of its own: one
// that was there before is never taken on. A suspended account is entered, too: export, erasure and
// support stay open to its person, and nothing new is made in it (musa.Actor.Suspended).
func (a *Accounts) enter(ctx context.Context, tx db.Tx, s db.Subject, v Visitor) (Entry, error) {
	return a.open(ctx, tx, s, v, tx.Now)
}

// open is enter for a session whose person proved who they are at an instant, or never (0).
func (a *Accounts) open(ctx context.Context, tx db.Tx, s db.Subject, v Visitor, proved musa.Millis) (Entry, error) {
	e := Entry{Token: newToken(), Subject: s.ID, Tier: s.Tier, Expires: a.expires(tx.Now, s.Tier)}
	if s.State == musa.SubjectClosed {
		e.Expires = min(e.Expires, a.undoUntil(s))
		if e.Expires <= tx.Now {
			return Entry{}, wrongSignIn() // an account that is closed for good is none any more
		}
	}
	device, err := a.noteDevice(ctx, tx, self(s), v)
	if err != nil {
		return Entry{}, err
	}
	err = tx.InsertSession(ctx, db.Session{ID: musa.NewSessionID(tx.Now.Time()), Subject: s.ID, Digest: a.digest(e.Token),
		Created: tx.Now, LastSeen: tx.Now, Expires: e.Expires, Device: device, Proved: proved})
	if err != nil {
		return Entry{}, err
	}
	if err := tx.TouchSubject(ctx, s.ID); err != nil && !errors.Is(err, musa.ErrNotFound) {
		return Entry{}, err
	}
	return e, tx.AppendAudit(ctx, db.AuditEvent{Action: "signed_in", Role: musa.RoleSubject, Subject: s.ID, Object: string(s.ID)})
}

// undoUntil is until when the closing of an account can be taken back.
func (a *Accounts) undoUntil(s db.Subject) musa.Millis {
	return s.Closed.Add(a.Consent.Versions().Grace(s.Closed))
}

// fileProfile seals what a person said of themselves.
func (a *Accounts) fileProfile(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, p Person) error {
	_, err := a.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: purpose, Category: musa.CategoryAccount, Content: p})
	return err
}

// profileOf opens a person's record; musa.ErrNotFound where there is none.
func (a *Accounts) profileOf(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose) (p Person, id musa.RecordID, err error) {
	list, err := tx.OpeningsOf(ctx, by.Subject, musa.CategoryAccount, "", 1)
	if err != nil {
		return p, "", err
	}
	if len(list) == 0 {
		return p, "", fmt.Errorf("profile of %s: %w", by.Subject, musa.ErrNotFound)
	}
	_, err = a.Vault.Read(ctx, tx, by, purpose, list[0].ID, &p)
	return p, list[0].ID, err
}

// reader is a person as the program needs them to write to them; musa.ErrNotFound where there is
// none.
func (a *Accounts) reader(ctx context.Context, tx db.Tx, s db.Subject) (p Person, err error) {
	list, err := tx.OpeningsOf(ctx, s.ID, musa.CategoryAccount, "", 1)
	if err != nil || len(list) == 0 {
		return p, errors.Join(err, musa.ErrNotFound)
	}
	_, err = a.Vault.Read(ctx, tx, writer(s), musa.PurposeNotify, list[0].ID, &p)
	return p, err
}
