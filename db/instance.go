package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Instance remembers which keyset this database belongs to; in rows of other ids, that a
// restore has not ended, which backup target learns of its erasures, and that none did.
//
// Category: technical.
type Instance struct {
	bun.BaseModel `bun:"table:instance"`

	ID      string `bun:",pk"` // "instance"
	Keyset  string // public fingerprint; of a target, its name
	Created musa.Millis
}

var instanceTable = Table{Name: "instance", Category: Technical, Columns: columns(Technical, "id", "keyset", "created")}

// Instance returns the instance's row, and makes it with the given keyset when the
// database is new. The caller compares: another keyset opens nothing here. In a Read
// of a new database it is musa.ErrNotFound.
func (tx Tx) Instance(ctx context.Context, keyset string) (Instance, error) {
	var i Instance
	if tx.writes {
		_, err := tx.exec(ctx, "INSERT INTO instance (id, keyset, created) VALUES ('instance', ?, ?) ON CONFLICT (id) DO NOTHING", keyset, tx.Now)
		if err != nil {
			return i, wrapf(err, "make instance")
		}
	}
	err := tx.get(ctx, &i, "SELECT * FROM instance WHERE id = 'instance'")
	return i, wrapf(err, "instance")
}
