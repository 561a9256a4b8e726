package proof

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"musa"
)

// Event is one row of the audit log as it lies there, for a verifier that knows the chain.
type Event struct {
	ID, Action, Role, Subject, Object string
	At                                musa.Millis
	Seq                               int64
	Sealed, Prev, Hash                []byte
}

// Note is a signed text and what its row says of it: the end of the audit chain, or a
// checkpoint of the transparency log, which has no hash of its own.
type Note struct {
	Seq  int64 // or size
	Hash []byte
	Text string
}

// Events walks the chained events after a seq, a page at a time. After an error nothing
// follows.
func (i *Inspector) Events(ctx context.Context, after int64) iter.Seq2[Event, error] {
	return paged(ctx, i, after, `SELECT seq, id, at, action, role, subject, object, sealed, prev, hash FROM audit_events
		WHERE seq > $1 ORDER BY seq LIMIT $2`, func(rows *sql.Rows) (e Event, seq int64, err error) {
		err = rows.Scan(&e.Seq, &e.ID, &e.At, &e.Action, &e.Role, &e.Subject, &e.Object, &e.Sealed, &e.Prev, &e.Hash)
		return e, e.Seq, err
	})
}

// Heads walks the signed ends of the audit chain, the oldest first.
func (i *Inspector) Heads(ctx context.Context) iter.Seq2[Note, error] {
	return paged(ctx, i, -1, "SELECT seq, hash, note FROM audit_heads WHERE seq > $1 ORDER BY seq LIMIT $2", func(rows *sql.Rows) (n Note, seq int64, err error) {
		err = rows.Scan(&n.Seq, &n.Hash, &n.Text)
		return n, n.Seq, err
	})
}

// Checkpoints walks the signed sizes and roots of the transparency log, the oldest first.
func (i *Inspector) Checkpoints(ctx context.Context) iter.Seq2[Note, error] {
	return paged(ctx, i, -1, "SELECT size, note FROM checkpoints WHERE size > $1 ORDER BY size LIMIT $2", func(rows *sql.Rows) (n Note, seq int64, err error) {
		err = rows.Scan(&n.Seq, &n.Text)
		return n, n.Seq, err
	})
}

// paged walks rows by a rising number, each page in one statement, and holds no connection
// between pages.
func paged[T any](ctx context.Context, i *Inspector, after int64, query string, scan func(*sql.Rows) (T, int64, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			var page []T
			err := i.look(ctx, func(rows *sql.Rows) error {
				row, at, err := scan(rows)
				page, after = append(page, row), at
				return err
			}, query, after, pageSize)
			if err != nil {
				var none T
				yield(none, fmt.Errorf("read after %d: %w", after, err))
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
		}
	}
}
