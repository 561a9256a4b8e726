package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Limit counts how often something was tried in a while: what, and by whom, is a keyed digest that
// leads back to nobody.
//
// Category: security_log.
type Limit struct {
	bun.BaseModel `bun:"table:limits"`

	What  []byte `bun:",pk"`
	Hits  int64
	Until musa.Millis // when it is forgotten
}

var limitTable = Table{Name: "limits", Category: musa.CategorySecurityLog, Columns: columns(musa.CategorySecurityLog, "what", "hits", "until")}

// Hit counts one try and says how many there were and until when they count. A new count, and one
// whose time is over, lasts until the given instant.
func (tx Tx) Hit(ctx context.Context, what []byte, until musa.Millis) (Limit, error) {
	l := Limit{What: what}
	err := tx.bun.QueryRowContext(ctx, `INSERT INTO limits (what, hits, until) VALUES (?0, 1, ?1) ON CONFLICT (what) DO UPDATE SET
		hits = CASE WHEN limits.until <= ?2 THEN 1 ELSE limits.hits + 1 END,
		until = CASE WHEN limits.until <= ?2 THEN excluded.until ELSE limits.until END RETURNING hits, until`, what, until, tx.Now).
		Scan(&l.Hits, &l.Until)
	return l, wrapf(err, "count a try")
}

// Hits tells a count that lasts; a Limit of no hits where there is none.
func (tx Tx) Hits(ctx context.Context, what []byte) (Limit, error) {
	var l Limit
	err := tx.get(ctx, &l, "SELECT * FROM limits WHERE what = ? AND until > ?", what, tx.Now)
	if isMissing(err) {
		return Limit{What: what}, nil
	}
	return l, wrapf(err, "counted tries")
}

// ForgetHits takes a count back.
func (tx Tx) ForgetHits(ctx context.Context, what []byte) error {
	_, err := tx.exec(ctx, "DELETE FROM limits WHERE what = ?", what)
	return wrapf(err, "forget tries")
}

// DropLimits removes up to limit counts whose time is over.
func (tx Tx) DropLimits(ctx context.Context, limit int) (int, error) {
	n, err := tx.exec(ctx, "DELETE FROM limits WHERE what IN (SELECT what FROM limits WHERE until <= ? ORDER BY until LIMIT ?)", tx.Now, limit)
	return n, wrapf(err, "drop limits")
}
