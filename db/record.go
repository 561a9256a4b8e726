package db

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	Former        musa.Tier   // the tier that its owner lost, while that still counts
	Grace         musa.Millis // before which the loss shortens nothing
	Closed        musa.Millis // when its owner's account was closed
}

var recordTable = Table{Name: "records", Category: musa.CategoryPrompt,
	Columns: columns(musa.CategoryPrompt, "id", "owner", "category", "job", "asset", "tier", "created", "choice", "due", "rule",
		"ordered", "ends", "reason", "state", "policy_version", "erased", "receipt", "former", "grace", "closed"), Owner: "owner",
	Edges: []Edge{{"owner", "subjects", Follow}, {"job", "jobs", Keep}, {"asset", "assets", Follow}, {"receipt", "receipts", Keep}}}

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

// RecordOpening is all that opening a record needs. Secret and SubjectKey are empty once
// the key is destroyed.
type RecordOpening struct {
	Record
	Secret     Secret
	SubjectKey []byte // wrapped under the instance's key
}

// RecordsOfJob lists a job's records by id, with their secrets and their owner's wrapped
// key, in one query.
func (tx Tx) RecordsOfJob(ctx context.Context, job musa.JobID) ([]RecordOpening, error) {
	list, err := tx.recordOpenings(ctx, "r.job = ? AND r.job <> ''", job)
	return list, wrapf(missing(err), "records of job %s", job)
}

// RecordOpening finds a record in any state with all that opening it needs; musa.ErrNotFound.
func (tx Tx) RecordOpening(ctx context.Context, id musa.RecordID) (RecordOpening, error) {
	list, err := tx.recordOpenings(ctx, "r.id = ?", id)
	if err == nil && len(list) == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return RecordOpening{}, wrapf(missing(err), "record %s", id)
	}
	return list[0], nil
}

// OpeningsOf lists an owner's active records of a category older than after ("" for all),
// newest first, with all that opening them needs.
func (tx Tx) OpeningsOf(ctx context.Context, owner musa.SubjectID, c musa.Category, after musa.RecordID, limit int) ([]RecordOpening, error) {
	list, err := tx.recordOpenings(ctx, `r.id IN (SELECT id FROM records WHERE owner = ? AND category = ? AND state = 'active'
		AND (id < ? OR '' = ?) ORDER BY id DESC LIMIT ?)`, owner, c, after, after, limit)
	slices.Reverse(list)
	return list, wrapf(missing(err), "records of %s", owner)
}

func (tx Tx) recordOpenings(ctx context.Context, where string, args ...any) (list []RecordOpening, err error) {
	found, err := tx.bun.QueryContext(ctx, `SELECT r.id, r.owner, r.category, r.job, r.asset, r.tier, r.created, r.choice, r.due, r.rule,
		r.ordered, r.ends, r.reason, r.state, r.policy_version, r.erased, r.receipt, r.former, r.grace, r.closed,
		COALESCE(s.subject, ''), s.wrapped, s.sealed, k.wrapped
		FROM records AS r LEFT JOIN secrets AS s ON s.id = r.id AND length(s.wrapped) > 0
		LEFT JOIN subject_keys AS k ON k.subject = r.owner AND length(k.wrapped) > 0
		WHERE `+where+` ORDER BY r.id`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var o RecordOpening
		r, s := &o.Record, &o.Secret
		if err := found.Scan(&r.ID, &r.Owner, &r.Category, &r.Job, &r.Asset, &r.Tier, &r.Created, &r.Choice, &r.Due, &r.Rule,
			&r.Ordered, &r.Ends, &r.Reason, &r.State, &r.PolicyVersion, &r.Erased, &r.Receipt, &r.Former, &r.Grace, &r.Closed,
			&s.Subject, &s.Wrapped, &s.Sealed, &o.SubjectKey); err != nil {
			return nil, err
		}
		s.ID = string(r.ID)
		list = append(list, o)
	}
	return list, found.Err()
}

// RecordsOfAsset lists an asset's records by id.
func (tx Tx) RecordsOfAsset(ctx context.Context, asset musa.AssetID) ([]Record, error) {
	var list []Record
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE asset = ? AND asset <> '' ORDER BY id", asset)
	return list, wrapf(err, "records of asset %s", asset)
}

// FeedbackOn lists the active records of what people thought of some pictures.
func (tx Tx) FeedbackOn(ctx context.Context, assets []musa.AssetID) ([]musa.RecordID, error) {
	if len(assets) == 0 {
		return nil, nil
	}
	var ids []musa.RecordID
	err := tx.get(ctx, &ids, "SELECT id FROM records WHERE asset IN (?) AND asset <> '' AND category = ? AND state = 'active'", bun.List(assets), musa.CategoryFeedback)
	return ids, wrapf(err, "feedback on %d assets", len(assets))
}
