package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/db"
)

// provedFor is how long a proof is good for dangerous acts.
const provedFor = 10 * time.Minute

// Proved refuses a dangerous act unless the session's person proved within the last ten minutes
// who they are. A guest passes: their session is all that they have; and so does a person who has
// no way to prove anything. A key of the API never does.
func (a *Accounts) Proved(ctx context.Context, by musa.Actor) error {
	if by.Tier == musa.TierGuest && by.Person == "" {
		return nil
	}
	if by.Session == "" {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "session_needed",
			Public: "No key of the API may do this. Sign in and do it there."}
	}
	person := by.Person
	if person == "" {
		person = by.Subject
	}
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Session(ctx, by.Session)
		if err != nil {
			return err
		}
		if s.Subject == person && s.Proved > 0 && tx.Now < s.Proved.Add(provedFor) {
			return nil
		}
		logins, err := tx.LoginsOf(ctx, person)
		if err != nil || !slices.ContainsFunc(logins, func(l db.Login) bool { return opens(l.Kind) }) {
			return err
		}
		return &musa.Problem{Kind: musa.ErrRefused, Code: "prove_first",
			Public: "This needs a fresh proof that it is you: give your password (POST /api/me/prove), use your passkey, or go to the provider that you sign in with, and repeat it within ten minutes."}
	})
	if err != nil {
		return fmt.Errorf("proof of %s: %w", by.Session, err)
	}
	return nil
}

// Prove proves by the password that the session's person is there.
func (a *Accounts) Prove(ctx context.Context, by musa.Actor, password string) error {
	if by.Session == "" || by.Tier == musa.TierGuest || by.Person != "" {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "account_needed", Public: "Only somebody who is signed in to their own account can prove who they are."}
	}
	who := string(by.Session) // from wherever: a session that was stolen moves, and locks no other out
	if err := a.Limit(ctx, "prove", who, signInTries, signInWindow); err != nil {
		return err
	}
	var kept *Hash
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, by.Subject)
		if err == nil {
			_, kept, err = a.passwordOf(ctx, tx, s)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("prove %s: %w", by.Session, err)
	}
	right, err := a.matches(ctx, kept, password)
	if err != nil {
		return err
	}
	if !right {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "password_wrong", Field: "password", Public: "This is not the password of this account. Try again, or reset it."}
	}
	if err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.ProveSession(ctx, by.Session) }); err != nil {
		return fmt.Errorf("prove %s: %w", by.Session, err)
	}
	return a.Forgive(ctx, "prove", who)
}
