package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
	"musa/ledger"
)

// DropLedger forgets an owner's account and its entries.
func (tx Tx) DropLedger(ctx context.Context, subject musa.SubjectID) error {
	var both script
	both.add("DELETE FROM ledger_entries WHERE subject = ?", subject)
	both.add("DELETE FROM ledger_accounts WHERE subject = ?", subject)
	return wrapf(tx.run(ctx, both), "drop ledger of %s", subject)
}

// DetachLedger gives an owner's account and its entries to a pseudonym that leads to nobody,
// and takes the jobs out of them. It returns when the last entry was made, 0 when there is
// none.
func (tx Tx) DetachLedger(ctx context.Context, subject musa.SubjectID) (last musa.Millis, err error) {
	nobody := musa.NewSubjectID(tx.Now.Time())
	if err := tx.get(ctx, &last, "SELECT COALESCE(MAX(created), 0) FROM ledger_entries WHERE subject = ?", subject); err != nil {
		return 0, wrapf(err, "entries of %s", subject)
	}
	if _, err := tx.exec(ctx, "UPDATE ledger_entries SET subject = ?, job = '' WHERE subject = ?", nobody, subject); err != nil {
		return 0, wrapf(err, "detach entries of %s", subject)
	}
	_, err = tx.exec(ctx, "UPDATE ledger_accounts SET subject = ? WHERE subject = ?", nobody, subject)
	return last, wrapf(err, "detach account of %s", subject)
}

// settled leaves out an entry whose job has one as young as an instant: what a job set aside
// must not go before what it spent.
const settled = "NOT EXISTS (SELECT 1 FROM ledger_entries AS y WHERE y.job = e.job AND y.job <> '' AND y.created >= ?0)"

// OldEntries lists up to limit accounts with entries made before an instant: of owners in
// the tier, or for an empty tier those that lead to nobody.
func (tx Tx) OldEntries(ctx context.Context, tier musa.Tier, before musa.Millis, limit int) ([]musa.SubjectID, error) {
	whose := "NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = e.subject)"
	if tier != "" {
		whose = "EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = e.subject AND s.tier = ?1)"
	}
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, "SELECT DISTINCT e.subject FROM ledger_entries AS e WHERE e.created < ?0 AND e.kind <> 'carry' AND "+settled+" AND "+whose+" LIMIT ?2",
		before, tier, limit)
	return ids, wrapf(err, "old entries")
}

// FoldEntries replaces an account's entries made before an instant by one that carries their
// sum, so that the account still adds up. An account that leads to nobody and has nothing
// else goes.
func (tx Tx) FoldEntries(ctx context.Context, subject musa.SubjectID, before musa.Millis) error {
	if _, err := tx.Account(ctx, subject); err != nil { // its row stays locked
		return err
	}
	var old []LedgerEntry
	err := tx.get(ctx, &old, "SELECT * FROM ledger_entries AS e WHERE e.subject = ?1 AND (e.kind = 'carry' OR e.created < ?0 AND "+settled+")", before, subject)
	if err != nil || len(old) == 0 {
		return wrapf(err, "entries of %s", subject)
	}
	carried := LedgerEntry{ID: musa.NewEntryID(tx.Now.Time(), ledger.KindCarry.Step()), Subject: subject, Kind: ledger.KindCarry}
	ids := make([]musa.EntryID, len(old))
	for i, e := range old {
		ids[i] = e.ID
		carried.Amount, carried.Held, carried.Created = carried.Amount+e.Amount, carried.Held+e.Held, max(carried.Created, e.Created)
	}
	if _, err := tx.exec(ctx, "DELETE FROM ledger_entries WHERE id IN (?)", bun.List(ids)); err != nil {
		return wrapf(err, "drop old entries of %s", subject)
	}
	gone, err := tx.exec(ctx, `DELETE FROM ledger_accounts WHERE subject = ?0 AND NOT EXISTS (SELECT 1 FROM subjects AS s WHERE s.id = ?0)
		AND NOT EXISTS (SELECT 1 FROM ledger_entries AS e WHERE e.subject = ?0)`, subject)
	if err == nil && gone == 0 {
		err = tx.insert(ctx, &carried)
	}
	return wrapf(err, "carry entries of %s", subject)
}
