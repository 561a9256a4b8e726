package bench_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"musa"
	"musa/db"
	"musa/house"
)

// crop is n assets of an owner, numbered after a number. They end one after the other, a
// thousand a millisecond, from an instant on, or never.
type crop struct {
	owner musa.SubjectID
	n     int
	after int
	ends  musa.Millis // of the first; 0 for never
}

// sown is the id of an asset by its number.
func sown(number int) musa.AssetID { return musa.AssetID(fmt.Sprintf("as_%026d", number)) }

// sowers are statements that make assets with their keys and two blobs each. OWNER, AT, ENDS
// and VERSION are written in; numbers gives their numbers.
var sowers = map[string][]string{
	db.SQLite: {
		`INSERT INTO assets SELECT 'as_' || printf('%026d', value), OWNER, OWNER, 'output', 'active', 'guest', '', AT, 0, 0, 0, 0, ENDS, 'bench', 0,
			ENDS, 'policy', VERSION, 200, 0, 0, '', '', 0, 0, 0, 0 FROM numbers`,
		`INSERT INTO secrets SELECT 'as_' || printf('%026d', value), OWNER, randomblob(60), randomblob(120) FROM numbers`,
		`INSERT INTO blobs SELECT 'asset/' || lower(hex(randomblob(16))), 'as_' || printf('%026d', value), role.column1, 'live', 100, AT
			FROM numbers, (VALUES ('full'), ('thumb')) AS role`,
	},
	db.PostgreSQL: {
		`INSERT INTO assets SELECT 'as_' || lpad(value::text, 26, '0'), OWNER, OWNER, 'output', 'active', 'guest', '', AT, 0, false, 0, 0, ENDS, 'bench', 0,
			ENDS, 'policy', VERSION, 200, 0, 0, '', '', 0, 0, false, 0 FROM numbers`,
		`INSERT INTO secrets SELECT 'as_' || lpad(value::text, 26, '0'), OWNER, sha256(value::text::bytea) || sha256(OWNER::bytea), sha512(value::text::bytea) || sha512(OWNER::bytea)
			FROM numbers`,
		`INSERT INTO blobs SELECT 'asset/' || md5(role.column1 || value || OWNER), 'as_' || lpad(value::text, 26, '0'), role.column1, 'live', 100, AT
			FROM numbers, (VALUES ('full'), ('thumb')) AS role`,
	},
}

const (
	numbersSQLite = `WITH RECURSIVE numbers(value) AS (SELECT FIRST UNION ALL SELECT value + 1 FROM numbers WHERE value < LAST)`
	numbersOther  = `WITH numbers AS (SELECT value FROM generate_series(FIRST, LAST) AS value)`
)

// sow makes the rows of a crop, past the code that would take an hour for a million.
func sow(b *testing.B, h *house.House, c crop) {
	b.Helper()
	numbers, on, off := numbersOther, "SET default_transaction_read_only = off", "SET default_transaction_read_only = on"
	if h.DB.Dialect() == db.SQLite {
		numbers, on, off = numbersSQLite, "PRAGMA query_only = 0", "PRAGMA query_only = 1"
	}
	ends, at := "0", musa.Millis(1)
	if c.ends > 0 {
		ends, at = fmt.Sprintf("%d + (value - %d) / 1000", c.ends, c.after), c.ends-1000
	}
	values := strings.NewReplacer("OWNER", "'"+string(c.owner)+"'", "AT", fmt.Sprint(int64(at)), "ENDS", ends, "VERSION", "'"+h.InForce().Ref()+"'",
		"FIRST", fmt.Sprint(c.after+1), "LAST", fmt.Sprint(c.after+c.n))
	apart(b, h, on, off, func(ctx context.Context, conn *sql.Conn) {
		for _, query := range sowers[h.DB.Dialect()] {
			into, from, _ := strings.Cut(query, " SELECT ")
			_, err := conn.ExecContext(ctx, values.Replace(into+" "+numbers+" SELECT "+from))
			must(b, err)
		}
		if h.DB.Dialect() == db.PostgreSQL {
			_, err := conn.ExecContext(ctx, "ANALYZE assets, blobs")
			must(b, err)
		}
	})
}

// apart lends a connection that may write for a while.
func apart(b *testing.B, h *house.House, on, off string, do func(context.Context, *sql.Conn)) {
	b.Helper()
	conn, err := h.DB.SQL().Conn(b.Context())
	must(b, err)
	defer conn.Close()
	_, err = conn.ExecContext(b.Context(), on)
	must(b, err)
	do(b.Context(), conn)
	_, err = conn.ExecContext(b.Context(), off)
	must(b, err)
}

// strew lays the bytes of all blobs into the folder of a store, as plain files that nobody
// syncs.
func strew(b *testing.B, h *house.House, dir string) {
	b.Helper()
	rows, err := h.DB.SQL().QueryContext(b.Context(), "SELECT name FROM blobs")
	must(b, err)
	defer rows.Close()
	flat := strings.HasSuffix(dir, "blobs")
	must(b, os.MkdirAll(filepath.Join(dir, "asset"), 0o700))
	data := make([]byte, 100)
	rand.Read(data)
	for rows.Next() {
		var name string
		must(b, rows.Scan(&name))
		if flat {
			name = strings.ReplaceAll(name, "/", ".")
		}
		must(b, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	must(b, rows.Err())
	if flat {
		must(b, os.Remove(filepath.Join(dir, "asset")))
	}
}
