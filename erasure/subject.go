package erasure

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
)

// Subject erases an owner with all that is theirs, within the caller's transaction: every
// item's key, then the owner's own, which opens all of them. Open jobs end. What remains
// are tombstones under a pseudonym. Call Drop with the returned ids after the commit.
func (e *Eraser) Subject(ctx context.Context, tx db.Tx, id musa.SubjectID) (gone []string, err error) {
	if err := tx.AbandonJobs(ctx, id); err != nil {
		return nil, err
	}
	items, err := tx.ActiveItems(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("items of %s: %w", id, err)
	}
	// Without receipts of their own: nobody is left who could hold them.
	list := make([]db.Erasure[musa.AssetID], len(items.Assets))
	for i, a := range items.Assets {
		list[i].Item = a
		gone = append(gone, string(a))
	}
	if _, err := tx.EraseAssets(ctx, list...); err != nil {
		return nil, fmt.Errorf("erase assets of %s: %w", id, err)
	}
	if err := tx.WaiveReceipts(ctx, id); err != nil {
		return nil, err
	}
	if err := e.Records(ctx, tx, items.Records); err != nil {
		return nil, err
	}
	if err := tx.DropLedger(ctx, id); err != nil {
		return nil, err
	}
	if _, err := tx.EraseSubject(ctx, id); err != nil {
		return nil, fmt.Errorf("erase %s: %w", id, err)
	}
	return append(gone, string(id)), tx.AppendAudit(ctx, db.AuditEvent{Action: "subject_erased", Role: musa.RoleSystem, Object: string(id)})
}
