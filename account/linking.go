package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"musa"
	"musa/db"
)

func (a *Accounts) link(ctx context.Context, by musa.Actor, j joinSeal) (Welcome, error) {
	if err := a.personal(ctx, by); err != nil {
		return Welcome{}, err
	}
	var w Welcome
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		w = Welcome{}
		known, err := tx.LoginBy(ctx, musa.LoginProvider, j.Handle)
		switch {
		case err == nil && known.Subject == by.Subject:
			w.Linked = known.ID
			return nil
		case err == nil:
			return &musa.Problem{Kind: musa.ErrConflict, Code: "provider_taken",
				Public: "Somebody signs in here with that identity already: it belongs to another account. Sign in with it, and unlink it there first."}
		case !errors.Is(err, musa.ErrNotFound):
			return err
		}
		if w.Linked, err = a.addProvider(ctx, tx, by.Subject, j); err != nil {
			return err
		}
		return a.factorChanged(ctx, tx, by, "provider_linked")
	})
	if err != nil {
		return Welcome{}, fmt.Errorf("link provider with %s: %w", by.Subject, err)
	}
	return w, nil
}

// proveBy proves that the session's person is there, where the identity is one of theirs. A provider
// that does not say when they signed in to it, as GitHub, may have answered by a session that is open
// there anyway: it proves nothing to an account that has a password or a passkey.
func (a *Accounts) proveBy(ctx context.Context, by musa.Actor, j joinSeal) (w Welcome, err error) {
	if err := provable(by); err != nil {
		return w, err
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		l, err := tx.LoginBy(ctx, musa.LoginProvider, j.Handle)
		if errors.Is(err, musa.ErrNotFound) || err == nil && l.Subject != by.Subject {
			return &musa.Problem{Kind: musa.ErrRefused, Code: "provider_other",
				Public: "This is not an identity that signs in to your account. Choose the one that is linked with it."}
		}
		if err != nil {
			return err
		}
		if shown, err := j.proves(ctx, tx, by.Subject); err != nil || !shown {
			return errors.Join(err, providerWeak())
		}
		w.Proved = l.ID
		return errors.Join(tx.TouchLogin(ctx, l.ID), tx.ProveSession(ctx, by.Session))
	})
	if err != nil {
		return Welcome{}, fmt.Errorf("prove %s: %w", by.Session, err)
	}
	return w, nil
}

// proves says whether coming by an identity shows that its person is there: the provider says that
// they signed in to it just now, or nothing else of theirs could show it.
func (j joinSeal) proves(ctx context.Context, tx db.Tx, id musa.SubjectID) (bool, error) {
	if j.fresh {
		return true, nil
	}
	logins, err := tx.LoginsOf(ctx, id)
	return !slices.ContainsFunc(logins, func(l db.Login) bool { return l.Kind == musa.LoginPassword || l.Kind == musa.LoginPasskey }), err
}

func providerWeak() error {
	return &musa.Problem{Kind: musa.ErrRefused, Code: "provider_weak",
		Public: "This provider does not say that you signed in there just now, so it does not show that it is you. Use your password or your passkey."}
}

func (a *Accounts) addProvider(ctx context.Context, tx db.Tx, subject musa.SubjectID, j joinSeal) (musa.LoginID, error) {
	l := db.Login{ID: musa.NewLoginID(a.Clock()), Subject: subject, Kind: musa.LoginProvider, Handle: j.Handle, Created: tx.Now, Used: tx.Now}
	err := tx.InsertLogin(ctx, l)
	if errors.Is(err, musa.ErrConflict) {
		return "", &musa.Problem{Kind: musa.ErrConflict, Code: "provider_taken", Public: "This identity just came to another account. Sign in with it."}
	}
	if err != nil {
		return "", err
	}
	return l.ID, a.Vault.SealOwn(ctx, tx, subject, string(l.ID), providerSeal{j.Provider})
}
