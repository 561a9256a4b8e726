package account

import (
	"context"
	"errors"
	"fmt"

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

// proveBy proves that the session's person is there, where the identity is one of theirs.
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
		w.Proved = l.ID
		return errors.Join(tx.TouchLogin(ctx, l.ID), tx.ProveSession(ctx, by.Session))
	})
	if err != nil {
		return Welcome{}, fmt.Errorf("prove %s: %w", by.Session, err)
	}
	return w, nil
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
