package account

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
)

// LedgerEntry is one line of the ledger, as its owner sees it: the balance is the sum of all amounts, what is held
// the sum of all that was.
type LedgerEntry = db.LedgerEntry

// Ledger lists what moved an owner's credits, newest first, after the last one of the page before,
// or from the newest for "". Promise O-06.
func (a *Accounts) Ledger(ctx context.Context, by musa.Actor, after musa.EntryID, limit int) ([]LedgerEntry, error) {
	var list []LedgerEntry
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.EntriesOf(ctx, by.Subject, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger of %s: %w", by.Subject, err)
	}
	return list, nil
}
