package account

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
)

// Login is a way to sign in, as its person sees it.
type Login struct {
	ID      musa.LoginID
	Kind    musa.LoginKind
	Name    string // what its person called a passkey; a provider's name
	Created musa.Millis
	Used    musa.Millis // 0 for never
}

// Logins is how somebody gets in, the oldest way first.
type Logins struct {
	Ways []Login
	// Recovery is how many recovery codes are left.
	Recovery int
}

// Logins lists the ways into the actor's account.
func (a *Accounts) Logins(ctx context.Context, by musa.Actor) (Logins, error) {
	var out Logins
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		out = Logins{}
		list, err := tx.LoginsOf(ctx, by.Subject)
		if err != nil {
			return err
		}
		for _, l := range list {
			if l.Kind == musa.LoginRecovery {
				out.Recovery++
				continue
			}
			w := Login{ID: l.ID, Kind: l.Kind, Created: l.Created, Used: l.Used}
			if w.Name, err = a.loginName(ctx, tx, by, l); err != nil {
				return err
			}
			out.Ways = append(out.Ways, w)
		}
		return nil
	})
	if err != nil {
		return Logins{}, fmt.Errorf("logins of %s: %w", by.Subject, err)
	}
	return out, nil
}

func (a *Accounts) loginName(ctx context.Context, tx db.Tx, by musa.Actor, l db.Login) (string, error) {
	var s struct {
		Name     string `json:"name"`
		Provider string `json:"provider"`
	}
	if l.Kind != musa.LoginPasskey && l.Kind != musa.LoginProvider {
		return "", nil
	}
	err := a.Vault.OpenOwn(ctx, tx, by, musa.PurposeSignIn, musa.CategoryCredential, string(l.ID), &s)
	return s.Name + s.Provider, err
}

// opens says whether a kind of login lets somebody in by itself.
func opens(k musa.LoginKind) bool {
	return k == musa.LoginPassword || k == musa.LoginPasskey || k == musa.LoginProvider
}

// DropLogin ends a way to sign in, but never the last one. The person has to have proved who they
// are; musa.ErrNotFound for another's.
func (a *Accounts) DropLogin(ctx context.Context, by musa.Actor, id musa.LoginID) error {
	if err := a.personal(ctx, by); err != nil {
		return err
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, by.Subject); err != nil { // locks: of two at once one sees the other's
			return err
		}
		list, err := tx.LoginsOf(ctx, by.Subject)
		if err != nil {
			return err
		}
		var found *db.Login
		ways := 0
		for _, l := range list {
			if l.ID == id {
				found = &l
			} else if opens(l.Kind) {
				ways++
			}
		}
		if err := droppable(found, ways); err != nil {
			return err
		}
		return errors.Join(tx.DropLogin(ctx, id), a.factorChanged(ctx, tx, by, string(found.Kind)+"_removed"))
	})
	if err != nil {
		return fmt.Errorf("drop login %s: %w", id, err)
	}
	return nil
}

func droppable(l *db.Login, others int) error {
	switch {
	case l == nil || l.Kind == musa.LoginRecovery:
		return musa.ErrNotFound
	case l.Kind == musa.LoginTOTP:
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "login_totp",
			Public: "An authenticator app is switched off together with its recovery codes (DELETE /api/me/totp)."}
	case others == 0:
		return &musa.Problem{Kind: musa.ErrConflict, Code: "login_last",
			Public: "This is your only way in. Add another first: a passkey, a password or a provider."}
	}
	return nil
}
