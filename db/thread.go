package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Thread is a conversation with support. All that was said lies sealed in one record; when that goes, the
// thread does.
//
// Category: support.
type Thread struct {
	bun.BaseModel `bun:"table:threads"`

	ID      musa.ThreadID `bun:",pk"`
	Subject musa.SubjectID
	Kind    musa.ThreadKind
	State   musa.ThreadState
	Created musa.Millis
	Updated musa.Millis
	Unread  string // by whom: person, staff or nobody
	Object  string // the job, picture or case that it is about; may be empty
	Record  musa.RecordID
}

var threadTable = Table{Name: "threads", Category: musa.CategorySupport, Columns: columns(musa.CategorySupport, "id", "subject", "kind", "state", "created", "updated", "unread", "object", "record"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"record", "records", Follow}}}

// InsertThread adds a thread; its record is filed in the same transaction.
func (tx Tx) InsertThread(ctx context.Context, t Thread) error {
	return wrapf(tx.insert(ctx, &t), "insert thread %s", t.ID)
}

// Thread finds a thread; musa.ErrNotFound. In a Write its row stays locked until the end.
func (tx Tx) Thread(ctx context.Context, id musa.ThreadID) (Thread, error) {
	var t Thread
	err := tx.get(ctx, &t, "SELECT * FROM threads WHERE id = ? ?", id, tx.locked(forUpdate))
	return t, wrapf(err, "thread %s", id)
}

// SaveThread stores where a thread stands now; musa.ErrNotFound.
func (tx Tx) SaveThread(ctx context.Context, t Thread) error {
	n, err := tx.exec(ctx, "UPDATE threads SET state = ?, updated = ?, unread = ?, object = ? WHERE id = ?", t.State, t.Updated, t.Unread, t.Object, t.ID)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "save thread %s", t.ID)
}

// ThreadsOf lists an owner's threads older than after ("" for all), newest first.
func (tx Tx) ThreadsOf(ctx context.Context, owner musa.SubjectID, after musa.ThreadID, limit int) ([]Thread, error) {
	var list []Thread
	err := tx.get(ctx, &list, "SELECT * FROM threads WHERE subject = ? AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?", owner, string(after), after, limit)
	return list, wrapf(err, "threads of %s", owner)
}

// CountThreads counts an owner's threads that are not closed.
func (tx Tx) CountThreads(ctx context.Context, owner musa.SubjectID) (int, error) {
	var n int
	err := tx.get(ctx, &n, "SELECT COUNT(*) FROM threads WHERE subject = ? AND state <> ?", owner, musa.ThreadClosed)
	return n, wrapf(err, "count threads of %s", owner)
}

// ThreadFilter says which threads are listed; a zero field leaves nothing out.
type ThreadFilter struct {
	State musa.ThreadState
	Kind  musa.ThreadKind
	After musa.ThreadID
	Limit int
}

// Threads lists threads of everybody, the oldest first.
func (tx Tx) Threads(ctx context.Context, f ThreadFilter) ([]Thread, error) {
	var list []Thread
	err := tx.get(ctx, &list, `SELECT * FROM threads WHERE (?0 = '' OR state = ?0) AND (?1 = '' OR kind = ?1) AND id > ?2 ORDER BY id LIMIT ?3`,
		string(f.State), string(f.Kind), string(f.After), f.Limit)
	return list, wrapf(err, "threads")
}
