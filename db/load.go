package db

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"musa"
)

// The kinds of column that both databases have.
const (
	kindInt   = "int" // PostgreSQL's boolean, too, which SQLite keeps as a number
	kindReal  = "real"
	kindText  = "text"
	kindBytes = "bytes"
	kindBool  = "bool" // of a shape, never of a dump
)

// Shape is a table as a dump reads or a restore writes it.
type Shape struct {
	Table   string
	Columns []string
	Kinds   []string

	dump
}

// Shapes asks the database for the shapes of tables.
func (d *DB) Shapes(ctx context.Context, tables []string) (shapes []Shape, err error) {
	for _, name := range tables {
		s := Shape{Table: name}
		for _, known := range append(slices.Clone(dumps), keyDumps...) {
			if known.table == name {
				s.dump = known
			}
		}
		if s.table == "" {
			return nil, fmt.Errorf("shape of %s: %w", name, musa.ErrNotFound)
		}
		if err := d.describe(ctx, &s); err != nil {
			return nil, problem(fmt.Errorf("shape of %s: %w", name, err))
		}
		shapes = append(shapes, s)
	}
	return shapes, nil
}

func (d *DB) describe(ctx context.Context, s *Shape) (err error) {
	query := "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid"
	if d.dialect == PostgreSQL {
		query = `SELECT a.attname, format_type(a.atttypid, NULL), COALESCE(
			(SELECT array_position(string_to_array(CAST(x.indkey AS text), ' '), CAST(a.attnum AS text)) FROM pg_index AS x
				WHERE x.indrelid = a.attrelid AND x.indisprimary), 0)
			FROM pg_attribute AS a WHERE a.attrelid = CAST(? AS regclass) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
	}
	rows, err := d.reader.QueryContext(ctx, query, s.Table)
	if err != nil {
		return err
	}
	defer rows.Close()
	key := map[int]string{}
	for rows.Next() {
		var name, kind string
		var at int
		if err := rows.Scan(&name, &kind, &at); err != nil {
			return err
		}
		s.Columns = append(s.Columns, name)
		neutral, ok := kinds[strings.ToUpper(kind)]
		if !ok {
			return fmt.Errorf("column %s is of type %s, which no dump knows", name, kind)
		}
		s.Kinds = append(s.Kinds, neutral)
		if at > 0 {
			key[at] = name
		}
	}
	if s.key == nil {
		for at := 1; key[at] != ""; at++ {
			s.key = append(s.key, key[at])
		}
	}
	return rows.Err()
}

var kinds = map[string]string{
	"INTEGER": kindInt, "BIGINT": kindInt, "REAL": kindReal, "DOUBLE PRECISION": kindReal,
	"TEXT": kindText, "BLOB": kindBytes, "BYTEA": kindBytes, "BOOLEAN": kindBool,
}

// neutral is a value as a dump holds it.
func neutral(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case int64:
		if kind == kindReal {
			return float64(v), nil
		}
		return v, nil
	case float64:
		return v, nil
	case string:
		if kind == kindBytes {
			return []byte(v), nil
		}
		return v, nil
	case []byte:
		if kind == kindText {
			return string(v), nil
		}
		return slices.Clone(filled(v)), nil
	}
	return nil, fmt.Errorf("a value of type %T: %w", v, musa.ErrInvalid)
}

// Loading is rows of a dump on their way into a table.
type Loading struct {
	Shape
	From []string // the columns of the rows
	Rows [][]json.RawMessage
}

// loadPage bounds how many rows one statement inserts; a statement takes 32,766 values.
const loadPage = 500

// Load inserts rows of a dump. A row that is there already stays as it is: one that moved
// between two pages of the dump comes twice.
func (tx Tx) Load(ctx context.Context, l Loading) error {
	kinds := make([]string, len(l.From))
	for i, c := range l.From {
		at := slices.Index(l.Columns, c)
		if at < 0 {
			return &musa.Problem{Kind: musa.ErrUnavailable, Code: "backup_newer", Field: "from",
				Public: fmt.Sprintf("The backup has a column %s.%s that this program does not know. Restore it with the program that made it, or a newer one.", l.Table, c)}
		}
		kinds[i] = l.Kinds[at]
	}
	page := min(loadPage, 30_000/len(l.From))
	for rows := l.Rows; len(rows) > 0; {
		n := min(page, len(rows))
		if err := tx.load(ctx, l, kinds, rows[:n]); err != nil {
			return wrapf(err, "load %d rows of %s", n, l.Table)
		}
		rows = rows[n:]
	}
	return nil
}

func (tx Tx) load(ctx context.Context, l Loading, kinds []string, rows [][]json.RawMessage) error {
	var query strings.Builder
	fmt.Fprintf(&query, `INSERT INTO "%s" ("%s")`, l.Table, strings.Join(l.From, `", "`))
	if l.Table == "adoptions" && tx.dialect == PostgreSQL {
		query.WriteString(" OVERRIDING SYSTEM VALUE")
	}
	query.WriteString(" VALUES ")
	args := make([]any, 0, len(rows)*len(kinds))
	for i, row := range rows {
		if len(row) != len(kinds) {
			return fmt.Errorf("a row of %d values for %d columns: %w", len(row), len(kinds), musa.ErrInvalid)
		}
		for k, raw := range row {
			v, err := value(raw, kinds[k])
			if err != nil {
				return fmt.Errorf("column %s: %w", l.From[k], err)
			}
			args = append(args, v)
			sign := ", "
			if k == 0 {
				sign = "("
				if i > 0 {
					sign = ", ("
				}
			}
			fmt.Fprintf(&query, "%s$%d", sign, len(args))
		}
		query.WriteByte(')')
	}
	query.WriteString(" ON CONFLICT DO NOTHING")
	err := tx.quiet(ctx, query.String(), args...)
	if isMissing(err) {
		return nil // all of them were there
	}
	return err
}

// value reads a value of a dump as the column's kind takes it.
func value(raw json.RawMessage, kind string) (any, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	var err error
	switch kind {
	case kindInt, kindBool:
		var n int64
		err = json.Unmarshal(raw, &n)
		if kind == kindBool {
			return n != 0, wrapf(err, "a truth value")
		}
		return n, wrapf(err, "a number")
	case kindReal:
		var f float64
		err = json.Unmarshal(raw, &f)
		return f, wrapf(err, "a fraction")
	case kindText:
		var s string
		err = json.Unmarshal(raw, &s)
		return s, wrapf(err, "a text")
	}
	var s string
	if err = json.Unmarshal(raw, &s); err != nil {
		return nil, wrapf(err, "bytes")
	}
	b, err := base64.StdEncoding.DecodeString(s)
	return filled(b), err
}

// Openable says which of some items may get their key back: active, with an end still to
// come, and of an owner whose key is there. What lets somebody in may, where its row is there.
func (tx Tx) Openable(ctx context.Context, ids []string) (map[string]bool, error) {
	const item = ` AS i WHERE i.id IN (?0) AND i.state = 'active' AND (i.ends = 0 OR i.ends > ?1)
		AND EXISTS (SELECT 1 FROM subject_keys AS k WHERE k.subject = i.owner AND length(k.wrapped) > 0)`
	query := "SELECT i.id FROM assets" + item + " UNION ALL SELECT i.id FROM records" + item
	for _, table := range credentials {
		query += " UNION ALL SELECT i.id FROM " + table + " AS i WHERE i.id IN (?0)"
	}
	return tx.among(ctx, query, ids)
}

// Locked says which of some items have a key.
func (tx Tx) Locked(ctx context.Context, ids []string) (map[string]bool, error) {
	return tx.among(ctx, "SELECT id FROM secrets WHERE id IN (?0) AND length(wrapped) > 0", ids)
}

// Alive says which of some owners are not erased.
func (tx Tx) Alive(ctx context.Context, ids []string) (map[string]bool, error) {
	return tx.among(ctx, "SELECT id FROM subjects WHERE id IN (?0) AND state <> 'erased'", ids)
}

// Keyed says which of some owners have their key.
func (tx Tx) Keyed(ctx context.Context, ids []string) (map[string]bool, error) {
	return tx.among(ctx, "SELECT subject FROM subject_keys WHERE subject IN (?0) AND length(wrapped) > 0", ids)
}

func (tx Tx) among(ctx context.Context, query string, ids []string) (found map[string]bool, err error) {
	var list []string
	if err := tx.get(ctx, &list, query, listed(ids), tx.Now); err != nil {
		return nil, wrapf(err, "look for %d ids", len(ids))
	}
	found = make(map[string]bool, len(list))
	for _, id := range list {
		found[id] = true
	}
	return found, nil
}
