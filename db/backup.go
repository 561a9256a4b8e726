package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Backup is one copy of the store in the backup target.
//
// Category: technical.
type Backup struct {
	bun.BaseModel `bun:"table:backups"`

	ID        musa.BackupID `bun:",pk"`
	Started   musa.Millis
	Finished  musa.Millis // 0 while it runs, or when it failed
	RowCount  int64
	BlobCount int64
	Bytes     int64
	Rehearsed musa.Millis // when it was last restored into a scratch store
	Code      string      // why it, or its rehearsal, failed; empty when neither did
}

var backupTable = Table{Name: "backups", Category: Technical,
	Columns: columns(Technical, "id", "started", "finished", "row_count", "blob_count", "bytes", "rehearsed", "code")}

// InsertBackup notes that a copy begins. One that never ended was broken off.
func (tx Tx) InsertBackup(ctx context.Context, id musa.BackupID) error {
	_, err := tx.exec(ctx, "UPDATE backups SET code = 'broken_off' WHERE finished = 0 AND code = ''")
	if err == nil {
		err = tx.insert(ctx, &Backup{ID: id, Started: tx.Now})
	}
	return wrapf(err, "insert backup %s", id)
}

// SaveBackup stores how a copy stands now.
func (tx Tx) SaveBackup(ctx context.Context, b Backup) error {
	n, err := tx.exec(ctx, "UPDATE backups SET finished = ?, row_count = ?, blob_count = ?, bytes = ?, rehearsed = ?, code = ? WHERE id = ?",
		b.Finished, b.RowCount, b.BlobCount, b.Bytes, b.Rehearsed, b.Code, b.ID)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "save backup %s", b.ID)
}

// Backups lists the latest copies, also those that failed, the newest first.
func (tx Tx) Backups(ctx context.Context, limit int) ([]Backup, error) {
	var list []Backup
	err := tx.get(ctx, &list, "SELECT * FROM backups ORDER BY started DESC, id DESC LIMIT ?", limit)
	return list, wrapf(err, "backups")
}

// LatestBackup finds the last copy that was finished; musa.ErrNotFound when there is none.
func (tx Tx) LatestBackup(ctx context.Context) (Backup, error) {
	var b Backup
	err := tx.get(ctx, &b, "SELECT * FROM backups WHERE finished > 0 ORDER BY started DESC, id DESC LIMIT 1")
	return b, wrapf(err, "latest backup")
}

// DropBackups forgets copies that began before an instant, but one.
func (tx Tx) DropBackups(ctx context.Context, before musa.Millis, but musa.BackupID) error {
	_, err := tx.exec(ctx, "DELETE FROM backups WHERE started < ? AND id <> ?", before, but)
	return wrapf(err, "drop old backups")
}

// target is the id of the row that names the store's backup target.
const target = "backup"

// Target names the target whose journal learns of every erasure; empty for none.
func (tx Tx) Target(ctx context.Context) (string, error) {
	var list []Instance
	err := tx.get(ctx, &list, "SELECT * FROM instance WHERE id = ?", target)
	if err != nil || len(list) == 0 {
		return "", wrapf(err, "backup target")
	}
	return list[0].Keyset, nil
}

// gap is the id of the row that says that this store may have erased what no journal learned.
const gap = "backup_gap"

// OpenGap notes that what this store erases is not told to the target that its copies lie in.
func (tx Tx) OpenGap(ctx context.Context) error {
	_, err := tx.exec(ctx, "INSERT INTO instance (id, keyset, created) VALUES (?, '', ?) ON CONFLICT (id) DO NOTHING", gap, tx.Now)
	return wrapf(err, "open gap in the journal")
}

// Gap says that a journal which goes on has to tell of a gap first.
func (tx Tx) Gap(ctx context.Context) (bool, error) {
	var n int
	err := tx.get(ctx, &n, "SELECT COUNT(*) FROM instance WHERE id = ?", gap)
	return n > 0, wrapf(err, "gap in the journal")
}

// CloseGap says that the journal has told of it.
func (tx Tx) CloseGap(ctx context.Context) error {
	_, err := tx.exec(ctx, "DELETE FROM instance WHERE id = ?", gap)
	return wrapf(err, "close gap in the journal")
}

// SetTarget names the target from now on. One that takes another's place opens a gap.
func (tx Tx) SetTarget(ctx context.Context, name string) error {
	known, err := tx.Target(ctx)
	if err == nil && known != "" && known != name {
		err = tx.OpenGap(ctx)
	}
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO instance (id, keyset, created) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET keyset = excluded.keyset`, target, name, tx.Now)
	return wrapf(err, "set backup target")
}

// GiveUpTarget forgets the target, with what waits for its journal.
func (tx Tx) GiveUpTarget(ctx context.Context) error {
	if _, err := tx.exec(ctx, "DELETE FROM instance WHERE id = ?", target); err != nil {
		return wrapf(err, "give up backup target")
	}
	if _, err := tx.exec(ctx, "DELETE FROM journal_entries"); err != nil {
		return wrapf(err, "give up backup target")
	}
	return tx.OpenGap(ctx)
}
