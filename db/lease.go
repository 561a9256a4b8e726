package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"musa"
)

// Lease is the right of one node to do what only one may do at a time.
//
// Category: technical.
type Lease struct {
	bun.BaseModel `bun:"table:leases"`

	Name   string `bun:",pk"`
	Holder string
	Until  musa.Millis // from this instant on it is free
}

var leaseTable = Table{Name: "leases", Category: Technical, Columns: columns(Technical, "name", "holder", "until")}

// TakeLease takes or renews a lease for a while. It says false while another holds it.
// A holder must stop its work before the while is over.
func (tx Tx) TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	n, err := tx.exec(ctx, `INSERT INTO leases (name, holder, until) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until <= ?`, name, holder, tx.Now.Add(ttl), tx.Now)
	return n == 1, wrapf(err, "take lease %s", name)
}

// DropLease gives a lease back, if the holder still has it.
func (tx Tx) DropLease(ctx context.Context, name, holder string) error {
	_, err := tx.exec(ctx, "DELETE FROM leases WHERE name = ? AND holder = ?", name, holder)
	return wrapf(err, "drop lease %s", name)
}
