package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"musa"
	"musa/audit"
)

// Receipt is the proof of one erasure, as far as the server keeps it. What it says is
// sealed under a key that only its holder's capability gives.
//
// Category: audit.
type Receipt struct {
	bun.BaseModel `bun:"table:receipts"`

	ID       musa.ReceiptID `bun:",pk"`
	Subject  musa.SubjectID
	Batch    musa.BatchID
	Item     string // an asset's or a record's id
	Created  musa.Millis
	Sealed   []byte // salt and statement
	Leaf     []byte
	Position int64 // in the log, or ReceiptWaiting or ReceiptPending
}

// Where a receipt stands that has no place in the log yet. Hazard: whoever looks for such asks
// for position < 0 as well. SQLite does not see by itself that the index of these few serves,
// and reads every receipt there is.
const (
	ReceiptWaiting int64 = -1 // for the sequencer
	ReceiptPending int64 = -2 // for what it will say: an account's, until all of it is gone
)

var receiptTable = Table{Name: "receipts", Category: musa.CategoryAudit,
	Columns: columns(musa.CategoryAudit, "id", "subject", "batch", "item", "created", "sealed", "leaf", "position"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Keep}, {"item", "assets", Keep}}}

// LogHash is one stored hash of the transparency log.
//
// Category: technical; a leaf says nothing without its salt.
type LogHash struct {
	bun.BaseModel `bun:"table:log_hashes"`

	Position int64 `bun:",pk"`
	Hash     []byte
}

var logHashTable = Table{Name: "log_hashes", Category: Technical, Columns: columns(Technical, "position", "hash")}

// Checkpoint is a signed size and root of the log.
//
// Category: technical.
type Checkpoint struct {
	bun.BaseModel `bun:"table:checkpoints"`

	Size    int64 `bun:",pk"`
	Note    string
	Created musa.Millis
}

var checkpointTable = Table{Name: "checkpoints", Category: Technical, Columns: columns(Technical, "size", "note", "created")}

// InsertReceipts adds receipts that wait for their place in the log, or as pending.
func (tx Tx) InsertReceipts(ctx context.Context, list ...Receipt) error {
	if len(list) == 0 {
		return nil
	}
	rows := slices.Clone(list)
	for i := range rows {
		if rows[i].Position != ReceiptPending {
			rows[i].Position = ReceiptWaiting
		}
		rows[i].Sealed = filled(rows[i].Sealed)
	}
	return wrapf(tx.insert(ctx, &rows), "insert %d receipts", len(rows))
}

// LogReceipts adds receipts right at their place in the log and signs a checkpoint. One node
// at a time may do it: call it under the sequencer's lease.
func (tx Tx) LogReceipts(ctx context.Context, signer note.Signer, list ...Receipt) error {
	if len(list) == 0 {
		return nil
	}
	last, err := tx.Checkpoint(ctx)
	if err != nil {
		return err
	}
	rows := slices.Clone(list)
	leaves, err := leavesOf(rows)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Position, rows[i].Sealed = last.Size+int64(i), filled(rows[i].Sealed)
	}
	if err := tx.insert(ctx, &rows); err != nil {
		return wrapf(err, "log %d receipts", len(rows))
	}
	return tx.growLog(ctx, last.Size, leaves, signer)
}

// Unsequenced says that a receipt or an audit event waits for its place.
func (tx Tx) Unsequenced(ctx context.Context) (bool, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT (SELECT COUNT(*) FROM (SELECT id FROM receipts WHERE position < 0 AND position = -1 LIMIT 1) AS r)
		+ (SELECT COUNT(*) FROM (SELECT id FROM audit_events WHERE seq IS NULL LIMIT 1) AS a)`)
	return n > 0, wrapf(err, "what waits for its place")
}

func leavesOf(list []Receipt) ([]audit.Hash, error) {
	leaves := make([]audit.Hash, len(list))
	for i, r := range list {
		if len(r.Leaf) != len(audit.Hash{}) {
			return nil, fmt.Errorf("receipt %s: leaf of a wrong length: %w", r.ID, musa.ErrInvalid)
		}
		leaves[i] = audit.Hash(r.Leaf)
	}
	return leaves, nil
}

// SequenceReceipts appends up to limit waiting receipts to the log and signs a
// checkpoint. One node at a time may do it: call it under a lease. It returns how many
// found their place.
func (tx Tx) SequenceReceipts(ctx context.Context, limit int, signer note.Signer) (int, error) {
	last, err := tx.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	var list []Receipt
	err = tx.get(ctx, &list, "SELECT id, leaf FROM receipts WHERE position < 0 AND position = -1 ORDER BY id LIMIT ? ?", limit, tx.locked(forUpdate))
	if err != nil || len(list) == 0 {
		return 0, wrapf(err, "waiting receipts")
	}
	leaves, err := leavesOf(list)
	if err != nil {
		return 0, err
	}
	places := make(rows, len(list))
	for i, r := range list {
		places[i] = []any{string(r.ID), last.Size + int64(i)}
	}
	if _, err := tx.exec(ctx, "UPDATE receipts SET position = v.column2 FROM (VALUES ?) AS v WHERE receipts.id = v.column1", places); err != nil {
		return 0, wrapf(err, "place receipts")
	}
	return len(list), tx.growLog(ctx, last.Size, leaves, signer)
}

func (tx Tx) growLog(ctx context.Context, size int64, leaves []audit.Hash, signer note.Signer) error {
	added, err := audit.Grow(size, leaves, tx.LogHashes(ctx))
	if err != nil {
		return err
	}
	hashes := make([]LogHash, len(added))
	for i := range added {
		hashes[i] = LogHash{Position: audit.StoredCount(size) + int64(i), Hash: added[i][:]}
	}
	if err := tx.insert(ctx, &hashes); err != nil {
		return wrapf(err, "store log hashes after %d", size)
	}
	c, err := audit.NewCheckpoint(signer.Name(), size+int64(len(leaves)), audit.Grown(size, added, tx.LogHashes(ctx)))
	if err != nil {
		return err
	}
	signed, err := c.Sign(signer)
	if err != nil {
		return err
	}
	return wrapf(tx.insert(ctx, &Checkpoint{Size: c.Size, Note: string(signed), Created: tx.Now}), "insert checkpoint %d", c.Size)
}

// RewriteReceipt changes what a pending receipt says.
func (tx Tx) RewriteReceipt(ctx context.Context, r Receipt) error {
	n, err := tx.exec(ctx, "UPDATE receipts SET sealed = ?, leaf = ?, created = ? WHERE id = ? AND position = ?", r.Sealed, r.Leaf, tx.Now, r.ID, ReceiptPending)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "rewrite receipt %s", r.ID)
}

// Receipt finds a receipt; musa.ErrNotFound.
func (tx Tx) Receipt(ctx context.Context, id musa.ReceiptID) (Receipt, error) {
	var r Receipt
	err := tx.get(ctx, &r, "SELECT * FROM receipts WHERE id = ?", id)
	return r, wrapf(err, "receipt %s", id)
}

// ReceiptsOf lists an owner's receipts older than after ("" for all), newest first.
func (tx Tx) ReceiptsOf(ctx context.Context, subject musa.SubjectID, after musa.ReceiptID, limit int) ([]Receipt, error) {
	var list []Receipt
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM receipts WHERE subject = ? ? ORDER BY id DESC LIMIT ?", subject, older, limit)
	return list, wrapf(err, "receipts of %s", subject)
}

// Checkpoint is the log's latest, zero before the first.
func (tx Tx) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var list []Checkpoint
	err := tx.get(ctx, &list, "SELECT * FROM checkpoints ORDER BY size DESC LIMIT 1")
	if err != nil || len(list) == 0 {
		return Checkpoint{}, wrapf(err, "checkpoint")
	}
	return list[0], nil
}

// LogHashes reads the log's stored hashes within this transaction, as package audit
// takes them.
func (tx Tx) LogHashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		if len(positions) == 0 {
			return nil, nil
		}
		var list []LogHash
		if err := tx.get(ctx, &list, "SELECT * FROM log_hashes WHERE position IN (?)", bun.List(positions)); err != nil {
			return nil, wrapf(err, "log hashes")
		}
		found := make(map[int64][]byte, len(list))
		for _, h := range list {
			found[h.Position] = h.Hash
		}
		out := make([]tlog.Hash, len(positions))
		for i, p := range positions {
			if copy(out[i][:], found[p]) != tlog.HashSize {
				return nil, fmt.Errorf("log hash %d: %w", p, musa.ErrNotFound)
			}
		}
		return out, nil
	})
}

// ProveReceipt finds a sequenced receipt with the latest checkpoint and the hashes that
// lead from its leaf to that root. musa.ErrUnavailable while it waits for its place.
func (tx Tx) ProveReceipt(ctx context.Context, id musa.ReceiptID) (Receipt, Checkpoint, [][]byte, error) {
	r, err := tx.Receipt(ctx, id)
	if err != nil {
		return r, Checkpoint{}, nil, err
	}
	if r.Position < 0 {
		return r, Checkpoint{}, nil, fmt.Errorf("receipt %s waits for its place: %w", id, musa.ErrUnavailable)
	}
	c, err := tx.Checkpoint(ctx)
	if err != nil {
		return r, c, nil, err
	}
	proof, err := audit.Prove(c.Size, r.Position, tx.LogHashes(ctx))
	return r, c, proof, wrapf(err, "receipt %s", id)
}
