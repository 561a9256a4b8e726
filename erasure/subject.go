package erasure

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/audit"
	"musa/db"
)

// Subject erases an owner with all that follows them in the graph that the tables declare,
// within the caller's transaction: every item's key, and their own, which opens all of them.
// Open jobs end. What remains are tombstones under a pseudonym, and what the law keeps, which
// leads to nobody. A receipt that was promised at the closing says so. db.ErrHeld while
// something of theirs is being copied for a hold: try again. Call Drop with the returned ids
// after the commit.
func (e *Eraser) Subject(ctx context.Context, tx db.Tx, id musa.SubjectID) (gone []string, err error) {
	s, err := tx.Subject(ctx, id)
	if err != nil || s.State == musa.SubjectErased {
		return nil, err
	}
	items, err := tx.LockItems(ctx, id)
	if err != nil {
		return nil, err
	}
	gone = make([]string, 0, len(items.Assets)+1)
	for _, a := range items.Assets {
		gone = append(gone, string(a))
	}
	kept, err := e.payments(ctx, tx, s)
	if err != nil {
		return nil, err
	}
	if s.Receipt != "" {
		stay, err := e.kept(ctx, tx, s)
		if err != nil {
			return nil, err
		}
		if err := e.fulfil(ctx, tx, s, append(kept, stay...)); err != nil {
			return nil, err
		}
	}
	if err := tx.WaiveReceipts(ctx, id); err != nil {
		return nil, err
	}
	if _, err := tx.EraseSubject(ctx, id); err != nil {
		return nil, fmt.Errorf("erase %s: %w", id, err)
	}
	if err := e.note(ctx, tx, string(id)); err != nil {
		return nil, err
	}
	return append(gone, string(id)), tx.AppendAudit(ctx, db.AuditEvent{Action: "subject_erased", Role: musa.RoleSystem, Object: string(id)})
}

// payments ends an owner's open jobs, and drops their credits or keeps them under nobody's
// name where a law demands it. Promises E-21, P-30.
func (e *Eraser) payments(ctx context.Context, tx db.Tx, s db.Subject) ([]audit.Kept, error) {
	rule, ok := minimum(e.Policy(), s.Tier)
	jobs, err := tx.OpenJobsOf(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if _, err := tx.CancelJob(ctx, j.ID); err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		// A ledger that does not add up is for musa verify to tell, and no reason to keep anybody.
		if err := tx.Release(ctx, s.ID, j.ID, j.Held); err != nil && !errors.Is(err, musa.ErrConflict) {
			return nil, err
		}
	}
	if !ok {
		return nil, tx.DropLedger(ctx, s.ID)
	}
	last, err := tx.DetachLedger(ctx, s.ID)
	if err != nil || last == 0 || rule.Keep.After(last) <= tx.Now {
		return nil, err
	}
	end := e.Policy().End(payment(s.Tier, last))
	return []audit.Kept{{Category: musa.CategoryPayment, Until: end.At, Rule: end.Path}}, nil
}

// note enters what is erased for the backup target's journal, where there is one.
func (e *Eraser) note(ctx context.Context, tx db.Tx, ids ...string) error {
	if e.Journal == nil {
		return nil
	}
	return tx.NoteErased(ctx, ids...)
}
