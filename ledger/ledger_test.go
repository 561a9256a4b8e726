package ledger_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"musa"
	"musa/ledger"
)

// Whatever is posted in whatever order, nothing goes below zero and the figures are
// the sums of the entries; a refusal changes nothing.
func TestFiguresAreSums(t *testing.T) {
	t.Parallel()
	verbs := []func(ledger.Account, int64) (ledger.Account, ledger.Entry, error){
		ledger.Grant, ledger.Hold, ledger.Capture, ledger.Release, ledger.Refund, ledger.Charge,
	}
	rapid.Check(t, func(t *rapid.T) {
		var a, sum ledger.Account
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			n := rapid.OneOf(rapid.Int64Range(-3, 40), rapid.Just(int64(math.MaxInt64))).Draw(t, "n")
			next, entry, err := rapid.SampledFrom(verbs).Draw(t, "verb")(a, n)
			if err != nil {
				if next != a || entry != (ledger.Entry{}) {
					t.Fatalf("a refusal changed %+v to %+v", a, next)
				}
				continue
			}
			a, sum = next, ledger.Account{Balance: sum.Balance + entry.Amount, Held: sum.Held + entry.Held}
			if a.Balance < 0 || a.Held < 0 || a != sum {
				t.Fatalf("account %+v, sums %+v", a, sum)
			}
		}
	})
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verb func(ledger.Account, int64) (ledger.Account, ledger.Entry, error)
		n    int64
		want ledger.Account
		err  error
	}{
		"grant":                    {ledger.Grant, 5, ledger.Account{Balance: 15, Held: 4}, nil},
		"refund":                   {ledger.Refund, 5, ledger.Account{Balance: 15, Held: 4}, nil},
		"hold all":                 {ledger.Hold, 10, ledger.Account{Balance: 0, Held: 14}, nil},
		"hold one too many":        {ledger.Hold, 11, ledger.Account{Balance: 10, Held: 4}, musa.ErrUnaffordable},
		"hold nothing":             {ledger.Hold, 0, ledger.Account{Balance: 10, Held: 4}, nil},
		"hold less than nothing":   {ledger.Hold, -1, ledger.Account{Balance: 10, Held: 4}, musa.ErrInvalid},
		"capture all":              {ledger.Capture, 4, ledger.Account{Balance: 10}, nil},
		"capture one too many":     {ledger.Capture, 5, ledger.Account{Balance: 10, Held: 4}, musa.ErrConflict},
		"release all":              {ledger.Release, 4, ledger.Account{Balance: 14}, nil},
		"release one too many":     {ledger.Release, 5, ledger.Account{Balance: 10, Held: 4}, musa.ErrConflict},
		"charge all":               {ledger.Charge, 10, ledger.Account{Held: 4}, nil},
		"charge one too many":      {ledger.Charge, 11, ledger.Account{Balance: 10, Held: 4}, musa.ErrUnaffordable},
		"grant more than there is": {ledger.Grant, math.MaxInt64, ledger.Account{Balance: 10, Held: 4}, musa.ErrInvalid},
	} {
		got, _, err := c.verb(ledger.Account{Balance: 10, Held: 4}, c.n)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
