package proof

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kinds of fault about what the store is.
const (
	FaultTable   = "unmapped_table"  // a table without a category
	FaultColumn  = "unmapped_column" // a column without a category
	FaultMissing = "missing_table"   // declared and not there
	FaultKeyset  = "keyset_wrong"    // the keys at hand open nothing of this store
)

// column is one column as the database itself describes it.
type column struct {
	name   string
	binary bool
	text   bool
	key    int // its place in the primary key, from 1
}

// real asks the database for its tables and columns, in their order.
func (r *round) real(ctx context.Context) (map[string][]column, error) {
	query := `SELECT m.name, c.name, c.type, c.pk FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`
	if r.Dialect == PostgreSQL {
		query = `SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
			COALESCE((SELECT array_position(string_to_array(x.indkey::text, ' '), a.attnum::text) FROM pg_index AS x
				WHERE x.indrelid = c.oid AND x.indisprimary), 0)
			FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
			AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum`
	}
	tables := map[string][]column{}
	err := r.look(ctx, func(rows *sql.Rows) error {
		var table, kind string
		var c column
		if err := rows.Scan(&table, &c.name, &kind, &c.key); err != nil {
			return err
		}
		kind = strings.ToUpper(kind)
		c.binary, c.text = kind == "BLOB" || kind == "BYTEA", kind == "TEXT"
		tables[table] = append(tables[table], c)
		return nil
	}, query)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return tables, nil
}

// schema compares what is there with what has a category.
func (r *round) schema(ctx context.Context, found func(Fault)) error {
	tables, err := r.real(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		declared, ok := r.Tables[name]
		if !ok {
			found(Fault{Kind: FaultTable, Where: name, Words: "this table has no category: no rule of the policy ends what lies in it"})
			continue
		}
		for _, c := range tables[name] {
			if !slices.Contains(declared, c.name) {
				found(Fault{Kind: FaultColumn, Where: name + "." + c.name, Words: "this column has no category: no rule of the policy ends what lies in it"})
			}
		}
		r.passed("tables", 1)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Tables)) {
		if _, ok := tables[name]; !ok {
			found(Fault{Kind: FaultMissing, Where: name, Words: "this table should be there"})
		}
	}
	return nil
}

func (r *round) keyset(ctx context.Context, found func(Fault)) error {
	if r.Keyset == "" {
		return nil
	}
	bound := sql.ErrNoRows
	err := r.look(ctx, func(rows *sql.Rows) error {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		bound = nil
		if id != r.Keyset {
			found(Fault{Kind: FaultKeyset, Where: "instance", Words: "this store belongs to keyset " + id + ", the keys at hand are " + r.Keyset})
		}
		return nil
	}, "SELECT keyset FROM instance WHERE id = 'instance'")
	if err == nil && errors.Is(bound, sql.ErrNoRows) {
		found(Fault{Kind: FaultKeyset, Where: "instance", Words: "this store does not say which keyset it belongs to"})
	}
	return err
}
