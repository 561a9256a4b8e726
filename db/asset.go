package db

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"musa"
)

// TombstoneLife is how long an owner sees that an asset was theirs and why it went.
const TombstoneLife = 30 * 24 * time.Hour

// Asset is one picture, with the course of its life. What opens it is its Secret.
//
// Category: original or output, as the row says.
type Asset struct {
	bun.BaseModel `bun:"table:assets"`

	ID            musa.AssetID `bun:",pk"`
	Owner         musa.SubjectID
	Author        musa.SubjectID
	Category      musa.Category
	State         musa.AssetState
	Tier          musa.Tier
	Job           musa.JobID // that made it; empty for an upload
	Created       musa.Millis
	JobEnded      musa.Millis // when the last job that used it ended
	Saved         bool
	Uses          int         // open jobs that use it
	Choice        int64       // ms that the owner chose, 0 for the rule's default
	Due           musa.Millis // the policy's end, 0 for none
	Rule          string      // path of the policy line that set Due
	Ordered       musa.Millis // the owner's own moment of erasure, 0 for none
	Ends          musa.Millis // the earlier of Due and Ordered; computed when stored
	Reason        musa.EndReason
	PolicyVersion string
	Bytes         int64 // sealed size, counted against the quota
	Erased        musa.Millis
	Purged        musa.Millis
	Receipt       musa.ReceiptID
	Former        musa.Tier   // the tier that its owner lost, while that still counts
	Grace         musa.Millis // before which the loss shortens nothing
	Closed        musa.Millis // when its owner's account was closed
	Commercial    bool        // its owner says that it is used commercially
	Picked        int64       // ms that the owner chose for it alone, 0 for what they chose for everything
}

var assetTable = Table{Name: "assets", Category: musa.CategoryOriginal,
	Columns: columns(musa.CategoryOriginal, "id", "owner", "author", "category", "state", "tier", "job", "created", "job_ended",
		"saved", "uses", "choice", "due", "rule", "ordered", "ends", "reason", "policy_version", "bytes", "erased", "purged", "receipt",
		"former", "grace", "closed", "commercial", "picked"), Owner: "owner",
	Edges: []Edge{{"owner", "subjects", Follow}, {"author", "subjects", Keep}, {"job", "jobs", Keep}, {"receipt", "receipts", Keep}}}

// earliest is the sooner of two instants, of which 0 is none.
func earliest(a, b musa.Millis) musa.Millis {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// InsertAsset adds an asset and what opens it.
func (tx Tx) InsertAsset(ctx context.Context, a Asset, s Secret) error {
	a.Ends = earliest(a.Due, a.Ordered)
	if err := tx.insert(ctx, &a); err != nil {
		return fmt.Errorf("insert asset %s: %w", a.ID, err)
	}
	s.ID, s.Subject = string(a.ID), a.Owner
	return tx.insertSecret(ctx, s)
}

// Asset finds an asset in any state; musa.ErrNotFound. In a Write its row stays locked
// until the end.
func (tx Tx) Asset(ctx context.Context, id musa.AssetID) (Asset, error) {
	var a Asset
	if err := tx.get(ctx, &a, "SELECT * FROM assets WHERE id = ? ?", id, tx.locked(forUpdate)); err != nil {
		return Asset{}, fmt.Errorf("asset %s: %w", id, err)
	}
	return a, nil
}

// Opening is all that opening an asset needs. Secret and SubjectKey are empty once the
// key is destroyed.
type Opening struct {
	Asset      Asset
	Secret     Secret
	SubjectKey []byte // wrapped under the instance's key
}

// AssetWithSecret finds an asset, its secret and its owner's wrapped key in one query;
// musa.ErrNotFound.
func (tx Tx) AssetWithSecret(ctx context.Context, id musa.AssetID) (Opening, error) {
	o := Opening{Secret: Secret{ID: string(id)}}
	a, s := &o.Asset, &o.Secret
	err := tx.bun.QueryRowContext(ctx, `SELECT a.id, a.owner, a.author, a.category, a.state, a.tier, a.job, a.created, a.job_ended,
		a.saved, a.uses, a.choice, a.due, a.rule, a.ordered, a.ends, a.reason, a.policy_version, a.bytes, a.erased, a.purged,
		a.receipt, a.former, a.grace, a.closed, a.commercial, a.picked, COALESCE(s.subject, ''), s.wrapped, s.sealed, k.wrapped
		FROM assets AS a LEFT JOIN secrets AS s ON s.id = a.id AND length(s.wrapped) > 0
		LEFT JOIN subject_keys AS k ON k.subject = a.owner AND length(k.wrapped) > 0
		WHERE a.id = ?`, id).Scan(
		&a.ID, &a.Owner, &a.Author, &a.Category, &a.State, &a.Tier, &a.Job, &a.Created, &a.JobEnded,
		&a.Saved, &a.Uses, &a.Choice, &a.Due, &a.Rule, &a.Ordered, &a.Ends, &a.Reason, &a.PolicyVersion, &a.Bytes, &a.Erased, &a.Purged,
		&a.Receipt, &a.Former, &a.Grace, &a.Closed, &a.Commercial, &a.Picked, &s.Subject, &s.Wrapped, &s.Sealed, &o.SubjectKey)
	if err != nil {
		return Opening{}, fmt.Errorf("open asset %s: %w", id, missing(err))
	}
	return o, nil
}

// AssetsOf lists an owner's assets older than after ("" for all), newest first: the
// active ones and the tombstones of the last 30 days.
func (tx Tx) AssetsOf(ctx context.Context, owner musa.SubjectID, after musa.AssetID, limit int) ([]Asset, error) {
	var list []Asset
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM assets WHERE owner = ? AND (state = 'active' OR erased > ?) ? ORDER BY id DESC LIMIT ?",
		owner, tx.Now.Add(-TombstoneLife), older, limit)
	return list, wrapf(err, "assets of %s", owner)
}

// AssetsOfJob lists what a job made, in the order it was made.
func (tx Tx) AssetsOfJob(ctx context.Context, job musa.JobID) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, "SELECT * FROM assets WHERE job = ? AND job <> '' ORDER BY id", job)
	return list, wrapf(err, "assets of job %s", job)
}

// Stored sums the sealed bytes of an owner's active assets, for the quota.
func (tx Tx) Stored(ctx context.Context, owner musa.SubjectID) (int64, error) {
	var sum int64
	err := tx.get(ctx, &sum, "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM assets WHERE owner = ? AND state = 'active'", owner)
	return sum, wrapf(err, "bytes of %s", owner)
}

// SaveAsset stores the columns that shape an active asset's life: tier, saved, choice,
// due, rule, ordered (and with them ends), reason, policy version, bytes, former tier,
// grace, closing, commercial use, pick. State, uses
// and the ends of jobs have their own verbs. musa.ErrGone when it is no longer active.
func (tx Tx) SaveAsset(ctx context.Context, a Asset) error {
	n, err := tx.exec(ctx, `UPDATE assets SET tier = ?, saved = ?, choice = ?, due = ?, rule = ?, ordered = ?, ends = ?,
		reason = ?, policy_version = ?, bytes = ?, former = ?, grace = ?, closed = ?, commercial = ?, picked = ? WHERE id = ? AND state = 'active'`,
		a.Tier, a.Saved, a.Choice, a.Due, a.Rule, a.Ordered, earliest(a.Due, a.Ordered), a.Reason, a.PolicyVersion, a.Bytes,
		a.Former, a.Grace, a.Closed, a.Commercial, a.Picked, a.ID)
	if err == nil && n == 0 {
		if _, err = tx.Asset(ctx, a.ID); err == nil {
			err = musa.ErrGone
		}
	}
	return wrapf(err, "save asset %s", a.ID)
}

// DropPicks has all of an owner's pictures follow what is chosen for everything.
func (tx Tx) DropPicks(ctx context.Context, owner musa.SubjectID) error {
	_, err := tx.exec(ctx, "UPDATE assets SET picked = 0 WHERE owner = ? AND picked > 0", owner)
	return wrapf(err, "drop picks of %s", owner)
}
