package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Hold keeps a copy of an asset for compliance. While it is opening, the asset's key may not
// be destroyed; once it is held, the copy has its own key and the asset goes its own way.
//
// Category: evidence; the reason lies sealed with the copy.
type Hold struct {
	bun.BaseModel `bun:"table:holds"`

	ID           musa.HoldID `bun:",pk"`
	Asset        musa.AssetID
	Owner        musa.SubjectID
	Evidence     musa.AssetID // the copy; empty while opening
	State        musa.HoldState
	Opened       musa.Millis
	OpenedBy     musa.SubjectID // its reviewer
	Ends         musa.Millis
	Review       musa.Millis    // when it has to be looked at again
	Untold       bool           // telling the owner is forbidden
	ReleaseBy    musa.SubjectID // who asked for its release
	ReleaseAsked musa.Millis
	ReleasedBy   musa.SubjectID // the second person; empty when its end came
	Released     musa.Millis
}

var holdTable = Table{Name: "holds", Category: musa.CategoryEvidence,
	Columns: columns(musa.CategoryEvidence, "id", "asset", "owner", "evidence", "state", "opened", "opened_by", "ends", "review",
		"untold", "release_by", "release_asked", "released_by", "released"), Owner: "owner",
	Edges: []Edge{{"owner", "subjects", Keep}, {"asset", "assets", Keep}, {"evidence", "assets", Keep}, {"opened_by", "subjects", Keep}, {"release_by", "subjects", Keep}, {"released_by", "subjects", Keep}}}

// Custody finds the owner of all that is held; musa.ErrNotFound before the first hold.
func (tx Tx) Custody(ctx context.Context) (musa.SubjectID, error) {
	var id musa.SubjectID
	err := tx.get(ctx, &id, "SELECT id FROM subjects WHERE kind = 'custody'")
	return id, wrapf(err, "custody")
}

// InsertHold adds a hold, which is opening.
func (tx Tx) InsertHold(ctx context.Context, h Hold) error {
	h.State, h.Evidence, h.Opened = musa.HoldOpening, "", tx.Now
	return wrapf(tx.insert(ctx, &h), "insert hold %s", h.ID)
}

// HoldByID finds a hold in any state; musa.ErrNotFound. In a Write its row stays locked until
// the end.
func (tx Tx) HoldByID(ctx context.Context, id musa.HoldID) (Hold, error) {
	var h Hold
	err := tx.get(ctx, &h, "SELECT * FROM holds WHERE id = ? ?", id, tx.locked(forUpdate))
	return h, wrapf(err, "hold %s", id)
}

// SaveHold stores where a hold stands now; musa.ErrConflict when it is not in the state that
// it was read in.
func (tx Tx) SaveHold(ctx context.Context, h Hold, was musa.HoldState) error {
	n, err := tx.exec(ctx, `UPDATE holds SET state = ?, evidence = ?, ends = ?, review = ?, release_by = ?, release_asked = ?,
		released_by = ?, released = ? WHERE id = ? AND state = ?`, h.State, h.Evidence, h.Ends, h.Review, h.ReleaseBy, h.ReleaseAsked,
		h.ReleasedBy, h.Released, h.ID, was)
	if err == nil && n == 0 {
		err = musa.ErrConflict
	}
	return wrapf(err, "save hold %s", h.ID)
}

// DropHold forgets a hold whose copy was never made; musa.ErrNotFound when there is none.
func (tx Tx) DropHold(ctx context.Context, id musa.HoldID) error {
	n, err := tx.exec(ctx, "DELETE FROM holds WHERE id = ? AND state = 'opening'", id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "drop hold %s", id)
}

// HoldFilter says which holds are listed; a zero field leaves nothing out.
type HoldFilter struct {
	State  musa.HoldState
	Review musa.Millis // those to be looked at again before this instant
	After  musa.HoldID
	Limit  int
}

// Holds lists holds by id, the oldest first.
func (tx Tx) Holds(ctx context.Context, f HoldFilter) ([]Hold, error) {
	var list []Hold
	err := tx.get(ctx, &list, `SELECT * FROM holds WHERE id > ?0 AND (?1 = '' OR state = ?1)
		AND (?2 = 0 OR (state = 'held' AND review < ?2)) ORDER BY id LIMIT ?3`, f.After, f.State, f.Review, f.Limit)
	return list, wrapf(err, "holds")
}

// HoldsOn lists what is or was held of an owner and is no secret to them.
func (tx Tx) HoldsOn(ctx context.Context, owner musa.SubjectID) ([]Hold, error) {
	var list []Hold
	err := tx.get(ctx, &list, "SELECT * FROM holds WHERE owner = ? AND state <> 'opening' AND untold = ? ORDER BY id", owner, false)
	return list, wrapf(err, "holds on %s", owner)
}

// StaleHolds lists holds that began to open before an instant: left by a crash.
func (tx Tx) StaleHolds(ctx context.Context, before musa.Millis, limit int) ([]Hold, error) {
	var list []Hold
	err := tx.get(ctx, &list, "SELECT * FROM holds WHERE state = 'opening' AND opened < ? ORDER BY opened LIMIT ? ?", before, limit, tx.locked(skipLocked))
	return list, wrapf(err, "stale holds")
}

// EndHolds notes of up to limit holds that their copies reached their end, and takes over
// ends that moved.
func (tx Tx) EndHolds(ctx context.Context, limit int) (int, error) {
	_, err := tx.exec(ctx, `UPDATE holds SET ends = (SELECT a.ends FROM assets AS a WHERE a.id = holds.evidence)
		WHERE state = 'held' AND EXISTS (SELECT 1 FROM assets AS a WHERE a.id = holds.evidence AND a.state = 'active' AND a.ends <> holds.ends)`)
	if err != nil {
		return 0, wrapf(err, "move ends of holds")
	}
	n, err := tx.exec(ctx, `UPDATE holds SET state = 'released', released = ? WHERE id IN (SELECT h.id FROM holds AS h
		WHERE h.state = 'held' AND NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.id = h.evidence AND a.state = 'active') LIMIT ?)`, tx.Now, limit)
	return n, wrapf(err, "end holds")
}

// DropHolds forgets up to limit holds that were released before an instant.
func (tx Tx) DropHolds(ctx context.Context, before musa.Millis, limit int) (int, error) {
	n, err := tx.exec(ctx, "DELETE FROM holds WHERE id IN (SELECT id FROM holds WHERE state = 'released' AND released < ? LIMIT ?)", before, limit)
	return n, wrapf(err, "drop released holds")
}
