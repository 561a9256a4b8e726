package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/db"
)

// How often a password may be tried for one address from one network, and from one network at all.
// Another network has tries of its own: nobody locks another out.
const (
	signInTries  = 10
	networkTries = 100
	signInWindow = 15 * time.Minute
)

// wrongSignIn is the one answer to an unknown address and a wrong password.
func wrongSignIn() error {
	return &musa.Problem{Kind: musa.ErrUnauthorized, Code: "sign_in_wrong",
		Public: "Address and password do not belong together. Try again, or ask for a new password (POST /api/accounts/reset)."}
}

// SignIn opens a session for the holder of an address who knows the password. Where a second
// factor is set up, the entry has no token but the secret to bring that factor with. A wrong
// password and an unknown address take the same time and get the same words: ErrUnauthorized.
func (a *Accounts) SignIn(ctx context.Context, v Visitor, email, password string) (Entry, error) {
	if err := a.Limit(ctx, "sign in from", v.Network(), networkTries, signInWindow); err != nil {
		return Entry{}, err
	}
	address, bad := Address(email)
	who := address + " " + v.Network()
	if err := a.Limit(ctx, "sign in", who, signInTries, signInWindow); err != nil {
		return Entry{}, err
	}
	if bad != nil || len(password) > 4*passwordMost {
		address, password = "", "" // as long as for anybody
	}
	kept, err := a.keptFor(ctx, address)
	if err != nil {
		return Entry{}, fmt.Errorf("sign in: %w", err)
	}
	right, err := a.matches(ctx, kept, password)
	if err != nil {
		return Entry{}, err
	}
	if !right {
		return Entry{}, wrongSignIn()
	}
	var e Entry
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		e, err = a.admitted(ctx, tx, v, address, *kept)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("sign in: %w", err)
	}
	return e, a.Forgive(ctx, "sign in", who)
}

// keptFor is the hash of the account that an address leads to; nil where there is none.
func (a *Accounts) keptFor(ctx context.Context, address string) (kept *Hash, err error) {
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		found, err := tx.AddressBy(ctx, a.digestOf(address))
		if errors.Is(err, musa.ErrNotFound) {
			return a.lookFor(ctx, tx)
		}
		if err != nil {
			return err
		}
		s, err := tx.Subject(ctx, found.Subject)
		if err != nil || s.State == musa.SubjectErased {
			return err
		}
		_, kept, err = a.passwordOf(ctx, tx, s)
		return err
	})
	return kept, err
}

// lookFor asks the database for nobody as it is asked for somebody who has a password: how long
// that takes tells nothing, either.
func (a *Accounts) lookFor(ctx context.Context, tx db.Tx) error {
	nobody := musa.NewSubjectID(a.Clock())
	_, sub := tx.Subject(ctx, nobody)
	_, logins := tx.LoginsOf(ctx, nobody)
	_, secret := tx.Secret(ctx, string(nobody))
	_, key := tx.SubjectKey(ctx, nobody)
	for _, err := range []error{sub, logins, secret, key} {
		if err != nil && !errors.Is(err, musa.ErrNotFound) {
			return err
		}
	}
	return nil
}

// admitted opens the session, unless the password was changed while it was compared.
func (a *Accounts) admitted(ctx context.Context, tx db.Tx, v Visitor, address string, matched Hash) (Entry, error) {
	found, err := tx.AddressBy(ctx, a.digestOf(address))
	if errors.Is(err, musa.ErrNotFound) {
		return Entry{}, wrongSignIn()
	}
	if err != nil {
		return Entry{}, err
	}
	s, err := tx.Subject(ctx, found.Subject)
	if err != nil {
		return Entry{}, err
	}
	login, kept, err := a.passwordOf(ctx, tx, s)
	if err != nil {
		return Entry{}, err
	}
	if kept == nil || !slices.Equal(kept.Key, matched.Key) {
		return Entry{}, wrongSignIn()
	}
	if err := tx.TouchLogin(ctx, login.ID); err != nil {
		return Entry{}, err
	}
	return a.pass(ctx, tx, s, v)
}

// pass opens a session for somebody whose first factor was right, or asks for the second.
func (a *Accounts) pass(ctx context.Context, tx db.Tx, s db.Subject, v Visitor) (Entry, error) {
	secret, err := a.halfway(ctx, tx, s.ID)
	if err != nil || secret != "" {
		return Entry{Factor: secret}, err
	}
	return a.enter(ctx, tx, s, v)
}
