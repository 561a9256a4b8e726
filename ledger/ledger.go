// Package ledger is the arithmetic of credits: grant, hold, capture, release, refund,
// charge. It promises that an account never goes below zero and that its figures equal
// the sums of its entries. It is pure; package db stores what it returns, in one
// transaction with the cause.
//
// It knows no prices, no currencies and no clock.
package ledger

import (
	"fmt"
	"math"

	"musa"
)

// Kind is what an entry does.
type Kind string

// The kinds of entry.
const (
	KindGrant   Kind = "grant"   // credits come in
	KindHold    Kind = "hold"    // set aside for a job
	KindCapture Kind = "capture" // what was set aside is spent
	KindRelease Kind = "release" // what was set aside comes back
	KindRefund  Kind = "refund"  // what was spent comes back
	KindCharge  Kind = "charge"  // spent at once, or taken back
	KindCarry   Kind = "carry"   // the sum of entries whose time to be kept is over
)

// Step is the place of a kind among those of one instant: what has to be there before another
// comes first.
func (k Kind) Step() byte {
	switch k {
	case KindCarry, KindGrant:
		return 0
	case KindHold:
		return 1
	case KindRefund:
		return 3
	}
	return 2
}

// Account is where an owner's credits stand.
type Account struct {
	Balance int64 // free to spend
	Held    int64 // set aside for open jobs
}

// Entry is one change: Account.Balance is the sum of all Amounts, Account.Held the sum
// of all Held.
type Entry struct {
	Kind   Kind
	Amount int64 // signed effect on Balance
	Held   int64 // signed effect on Held
}

// Grant adds n credits.
func Grant(a Account, n int64) (Account, Entry, error) { return a.post(KindGrant, n, n, 0) }

// Refund gives back n credits that were spent.
func Refund(a Account, n int64) (Account, Entry, error) { return a.post(KindRefund, n, n, 0) }

// Hold sets n credits aside; musa.ErrUnaffordable when fewer are free.
func Hold(a Account, n int64) (Account, Entry, error) { return a.post(KindHold, n, -n, n) }

// Capture spends n of the credits set aside; musa.ErrConflict when fewer are.
func Capture(a Account, n int64) (Account, Entry, error) { return a.post(KindCapture, n, 0, -n) }

// Release frees n of the credits set aside; musa.ErrConflict when fewer are.
func Release(a Account, n int64) (Account, Entry, error) { return a.post(KindRelease, n, n, -n) }

// Charge spends n credits at once; musa.ErrUnaffordable when fewer are free.
func Charge(a Account, n int64) (Account, Entry, error) { return a.post(KindCharge, n, -n, 0) }

// post applies one entry of n credits. n is never negative; zero is a valid price.
func (a Account) post(kind Kind, n, amount, held int64) (Account, Entry, error) {
	switch {
	case n < 0:
		return a, Entry{}, fmt.Errorf("%s of a negative number: %w", kind, musa.ErrInvalid)
	case amount > 0 && a.Balance > math.MaxInt64-amount, held > 0 && a.Held > math.MaxInt64-held:
		return a, Entry{}, fmt.Errorf("%s: the account is full: %w", kind, musa.ErrInvalid)
	case a.Balance+amount < 0:
		return a, Entry{}, fmt.Errorf("%s: %w", kind, musa.ErrUnaffordable)
	case a.Held+held < 0:
		return a, Entry{}, fmt.Errorf("%s of more than is held: %w", kind, musa.ErrConflict)
	}
	return Account{Balance: a.Balance + amount, Held: a.Held + held}, Entry{Kind: kind, Amount: amount, Held: held}, nil
}
