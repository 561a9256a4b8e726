package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
	"musa/ledger"
)

// LedgerAccount is where an owner's credits stand.
//
// Category: payment.
type LedgerAccount struct {
	bun.BaseModel `bun:"table:ledger_accounts"`

	Subject musa.SubjectID `bun:",pk"`
	Balance int64          // free to spend; the sum of all amounts
	Held    int64          // set aside for open jobs; the sum of all held
}

var accountTable = Table{Name: "ledger_accounts", Category: musa.CategoryPayment,
	Columns: columns(musa.CategoryPayment, "subject", "balance", "held"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Detach}}}

// LedgerEntry is one change of an account. A job has each kind at most once.
//
// Category: payment.
type LedgerEntry struct {
	bun.BaseModel `bun:"table:ledger_entries"`

	ID      musa.EntryID `bun:",pk"`
	Subject musa.SubjectID
	Job     musa.JobID // may be empty
	Kind    ledger.Kind
	Amount  int64 // signed effect on the balance
	Held    int64 // signed effect on what is held
	Created musa.Millis
}

var entryTable = Table{Name: "ledger_entries", Category: musa.CategoryPayment,
	Columns: columns(musa.CategoryPayment, "id", "subject", "job", "kind", "amount", "held", "created"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Detach}, {"job", "jobs", Detach}}}

// Account tells where an owner's credits stand, zero when none were ever granted. In a
// Write its row stays locked until the end.
func (tx Tx) Account(ctx context.Context, subject musa.SubjectID) (ledger.Account, error) {
	var a ledger.Account
	err := tx.bun.QueryRowContext(ctx, "SELECT balance, held FROM ledger_accounts WHERE subject = ? ?", subject, tx.locked(forUpdate)).
		Scan(&a.Balance, &a.Held)
	if err = missing(err); isMissing(err) {
		err = nil
	}
	return a, wrapf(err, "account of %s", subject)
}

// Grant adds credits, and the account when it is new.
func (tx Tx) Grant(ctx context.Context, subject musa.SubjectID, n int64) error {
	_, err := tx.exec(ctx, "INSERT INTO ledger_accounts (subject, balance, held) VALUES (?, 0, 0) ON CONFLICT (subject) DO NOTHING", subject)
	if err != nil {
		return wrapf(err, "open account of %s", subject)
	}
	return tx.post(ctx, subject, "", n, ledger.Grant)
}

// Hold sets credits aside for a job, in the transaction that adds it;
// musa.ErrUnaffordable.
func (tx Tx) Hold(ctx context.Context, subject musa.SubjectID, job musa.JobID, n int64) error {
	return tx.post(ctx, subject, job, n, ledger.Hold)
}

// Capture spends credits held for a job, in the transaction that stores its result.
// musa.ErrConflict when the job captured before.
func (tx Tx) Capture(ctx context.Context, subject musa.SubjectID, job musa.JobID, n int64) error {
	return tx.post(ctx, subject, job, n, ledger.Capture)
}

// Release frees credits held for a job, in the transaction that ends it.
// musa.ErrConflict when the job released before.
func (tx Tx) Release(ctx context.Context, subject musa.SubjectID, job musa.JobID, n int64) error {
	return tx.post(ctx, subject, job, n, ledger.Release)
}

// Refund gives back credits that a job spent.
func (tx Tx) Refund(ctx context.Context, subject musa.SubjectID, job musa.JobID, n int64) error {
	return tx.post(ctx, subject, job, n, ledger.Refund)
}

// Charge spends credits at once; musa.ErrUnaffordable.
func (tx Tx) Charge(ctx context.Context, subject musa.SubjectID, job musa.JobID, n int64) error {
	return tx.post(ctx, subject, job, n, ledger.Charge)
}

type posting func(ledger.Account, int64) (ledger.Account, ledger.Entry, error)

func (tx Tx) post(ctx context.Context, subject musa.SubjectID, job musa.JobID, n int64, by posting) error {
	have, err := tx.Account(ctx, subject)
	if err != nil {
		return err
	}
	next, entry, err := by(have, n)
	if err != nil {
		return wrapf(err, "account of %s", subject)
	}
	row := LedgerEntry{ID: musa.NewEntryID(tx.Now.Time(), entry.Kind.Step()), Subject: subject, Job: job,
		Kind: entry.Kind, Amount: entry.Amount, Held: entry.Held, Created: tx.Now}
	// A statement that fails ends the whole transaction on PostgreSQL, also for a caller to whom a
	// second entry is no harm.
	entered, err := tx.insertNew(ctx, &row)
	if err == nil && entered == 0 {
		err = musa.ErrConflict
	}
	if err != nil {
		return wrapf(err, "%s for job %s", entry.Kind, job)
	}
	if next == have {
		return nil
	}
	changed, err := tx.exec(ctx, "UPDATE ledger_accounts SET balance = ?, held = ? WHERE subject = ?", next.Balance, next.Held, subject)
	if err == nil && changed == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "account of %s", subject)
}

// EntriesOf lists an owner's entries older than after ("" for all), newest first.
func (tx Tx) EntriesOf(ctx context.Context, subject musa.SubjectID, after musa.EntryID, limit int) ([]LedgerEntry, error) {
	var list []LedgerEntry
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM ledger_entries WHERE subject = ? ? ORDER BY id DESC LIMIT ?", subject, older, limit)
	return list, wrapf(err, "entries of %s", subject)
}

// LedgerFault is an account whose figures are not the sums of its entries.
type LedgerFault struct {
	Subject            musa.SubjectID
	Balance, Held      int64
	SumAmount, SumHeld int64
}

// LedgerFaults finds up to limit accounts that do not add up.
func (tx Tx) LedgerFaults(ctx context.Context, limit int) ([]LedgerFault, error) {
	var list []LedgerFault
	err := tx.get(ctx, &list, `SELECT subject, CAST(SUM(b) AS BIGINT) AS balance, CAST(SUM(h) AS BIGINT) AS held,
		CAST(SUM(ea) AS BIGINT) AS sum_amount, CAST(SUM(eh) AS BIGINT) AS sum_held FROM (
			SELECT subject, balance AS b, held AS h, 0 AS ea, 0 AS eh FROM ledger_accounts
			UNION ALL SELECT subject, 0, 0, SUM(amount), SUM(held) FROM ledger_entries GROUP BY subject
		) AS sums GROUP BY subject HAVING SUM(b) <> SUM(ea) OR SUM(h) <> SUM(eh) ORDER BY subject LIMIT ?`, limit)
	return list, wrapf(err, "ledger faults")
}
