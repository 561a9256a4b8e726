package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Stray is a key that was destroyed and that no tombstone names: a login's, a voucher's, or the
// former bytes of a record that was written anew. Its row stays until a scrub was sure of it,
// whichever node that is and whatever was killed before.
//
// Category: technical.
type Stray struct {
	bun.BaseModel `bun:"table:strays"`

	Seq  int64  `bun:",pk,autoincrement"`
	Item string // what it opened; empty for anything
	At   musa.Millis
}

var strayTable = Table{Name: "strays", Category: Technical, Columns: columns(Technical, "seq", "item", "at"),
	Edges: []Edge{{"item", "logins", Keep}}}

// strand destroys what opens things that leave no tombstone, and notes what a scrub has to be
// sure of: those that were there.
func (tx Tx) strand(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "INSERT INTO strays (item, at) SELECT id, ? FROM secrets WHERE id IN (?) AND length(wrapped) > 0", tx.Now, bun.List(ids))
	if err != nil {
		return wrapf(err, "note %d strays", len(ids))
	}
	return tx.destroySecrets(ctx, ids...)
}

// Strays lists up to limit keys that a scrub has to be sure of, the oldest first.
func (tx Tx) Strays(ctx context.Context, limit int) ([]Stray, error) {
	var list []Stray
	err := tx.get(ctx, &list, "SELECT * FROM strays ORDER BY seq LIMIT ?", limit)
	return list, wrapf(err, "strays")
}

// DropStrays forgets what a clean scrub was sure of. It takes each by its own number: the same
// thing may have lost another key meanwhile.
func (tx Tx) DropStrays(ctx context.Context, list ...Stray) error {
	if len(list) == 0 {
		return nil
	}
	seqs := make([]int64, len(list))
	for i, s := range list {
		seqs[i] = s.Seq
	}
	_, err := tx.exec(ctx, "DELETE FROM strays WHERE seq IN (?)", bun.List(seqs))
	return wrapf(err, "drop %d strays", len(list))
}
