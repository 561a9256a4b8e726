package db

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// Record is a sealed item without a blob: a prompt, a job's parameters. Its content is
// its Secret's sealed part.
//
// Category: as the row says (prompt, history, …).
type Record struct {
	bun.BaseModel `bun:"table:records"`

	ID            musa.RecordID `bun:",pk"`
	Owner         musa.SubjectID
	Category      musa.Category
	Job           musa.JobID   // may be empty
	Asset         musa.AssetID // may be empty
	Tier          musa.Tier
	Created       musa.Millis
	Choice        int64
	Due           musa.Millis
	Rule          string
	Ordered       musa.Millis
	Ends          musa.Millis // the earlier of Due and Ordered; computed when stored
	Reason        musa.EndReason
	State         musa.AssetState
	PolicyVersion string
	Erased        musa.Millis
	Receipt       musa.ReceiptID
}

var recordTable = Table{Name: "records", Category: musa.CategoryPrompt,
	Columns: columns(musa.CategoryPrompt, "id", "owner", "category", "job", "asset", "tier", "created", "choice", "due", "rule",
		"ordered", "ends", "reason", "state", "policy_version", "erased", "receipt")}

// InsertRecord adds a record with its sealed content.
func (tx Tx) InsertRecord(ctx context.Context, r Record, s Secret) error {
	r.Ends = earliest(r.Due, r.Ordered)
	if err := tx.insert(ctx, &r); err != nil {
		return fmt.Errorf("insert record %s: %w", r.ID, err)
	}
	s.ID, s.Subject = string(r.ID), r.Owner
	return tx.insertSecret(ctx, s)
}

// Record finds a record in any state; musa.ErrNotFound. In a Write its row stays
// locked until the end.
func (tx Tx) Record(ctx context.Context, id musa.RecordID) (Record, error) {
	var r Record
	err := tx.get(ctx, &r, "SELECT * FROM records WHERE id = ? ?", id, tx.locked(forUpdate))
	return r, wrapf(err, "record %s", id)
}

// RecordsOfJob lists a job's records by id.
func (tx Tx) RecordsOfJob(ctx context.Context, job musa.JobID) ([]Record, error) {
	var list []Record
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE job = ? AND job <> '' ORDER BY id", job)
	return list, wrapf(err, "records of job %s", job)
}

// RecordsOfAsset lists an asset's records by id.
func (tx Tx) RecordsOfAsset(ctx context.Context, asset musa.AssetID) ([]Record, error) {
	var list []Record
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE asset = ? AND asset <> '' ORDER BY id", asset)
	return list, wrapf(err, "records of asset %s", asset)
}

// RecordsOf lists an owner's active records older than after ("" for all), newest
// first.
func (tx Tx) RecordsOf(ctx context.Context, owner musa.SubjectID, after musa.RecordID, limit int) ([]Record, error) {
	var list []Record
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE owner = ? AND state = 'active' ? ORDER BY id DESC LIMIT ?", owner, older, limit)
	return list, wrapf(err, "records of %s", owner)
}

// SaveRecord stores the columns that shape an active record's life; musa.ErrGone when
// it is no longer active.
func (tx Tx) SaveRecord(ctx context.Context, r Record) error {
	n, err := tx.exec(ctx, `UPDATE records SET tier = ?, choice = ?, due = ?, rule = ?, ordered = ?, ends = ?, reason = ?,
		policy_version = ? WHERE id = ? AND state = 'active'`,
		r.Tier, r.Choice, r.Due, r.Rule, r.Ordered, earliest(r.Due, r.Ordered), r.Reason, r.PolicyVersion, r.ID)
	if err == nil && n == 0 {
		if _, err = tx.Record(ctx, r.ID); err == nil {
			err = musa.ErrGone
		}
	}
	return wrapf(err, "save record %s", r.ID)
}
