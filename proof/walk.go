package proof

import (
	"context"
	"database/sql"
	"fmt"
)

// pageSize bounds how many rows one statement reads, so that none comes near its limit.
const pageSize = 1000

// walk pages through a query by key. In the query $1… are the key's parts, then comes the
// page size, then args. from is a key before the first; scan returns the key of its row.
// One page is one statement, hence one consistent state.
func (r *round) walk(ctx context.Context, what, query string, from []any, scan func(*sql.Rows) ([]any, error), args ...any) error {
	key := from
	for {
		n := int64(0)
		all := append(append(append([]any{}, key...), pageSize), args...)
		err := r.look(ctx, func(rows *sql.Rows) (err error) {
			n++
			key, err = scan(rows)
			return err
		}, query, all...)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if n == 0 {
			return nil
		}
		r.passed(what, n)
	}
}

// byID is the key before every id.
var byID = []any{""}
