package account

import (
	"context"

	"musa"
	"musa/db"
)

// Newcomer is what a guest says who makes an account without an e-mail address of theirs: by a
// passkey, or by a provider.
type Newcomer struct {
	Origin
	Person
}

// admissible screens a newcomer before anything of them is kept.
func (a *Accounts) admissible(ctx context.Context, by musa.Actor, n Newcomer, from Visitor) (newcomer, error) {
	n.Email = "" // which nobody confirmed
	asked := n.Person
	asked.Email = "nobody@example.org" // what the policy requires of accounts by e-mail
	if err := a.fields(asked); err != nil {
		return newcomer{}, err
	}
	if line, ok := a.Policy().Tiers.Get(string(musa.TierMember)); !ok || !line.Account.On() {
		return newcomer{}, &musa.Problem{Kind: musa.ErrRefused, Code: "accounts_refused", Public: "This studio's policy lets nobody have an account."}
	}
	place, err := a.screen(ctx, by, from, n.Origin)
	if err != nil {
		return newcomer{}, err
	}
	return newcomer{Person: n.Person, Region: place}, nil
}

// joined makes the guest a person and signs them in anew. The caller adds their login.
func (a *Accounts) joined(ctx context.Context, tx db.Tx, by musa.Actor, n newcomer, from Visitor) (Entry, error) {
	guest, err := tx.Subject(ctx, by.Subject)
	if err != nil {
		return Entry{}, err
	}
	person, err := a.become(ctx, tx, guest, n)
	if err != nil {
		return Entry{}, err
	}
	return a.enter(ctx, tx, person, from)
}
