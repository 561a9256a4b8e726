package db_test

import (
	"maps"
	"slices"
	"testing"

	"musa/db"
)

// Every table and column of the real schema has a category beside its rows' type.
func TestEveryColumnIsDeclared(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		query := `SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
		if s.Dialect() == db.PostgreSQL {
			query = `SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
				WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped`
		}
		rows, err := s.SQL().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		real := map[string][]string{}
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			real[table] = append(real[table], column)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		declared := map[string][]string{}
		for _, table := range db.Tables() {
			if table.Category == "" {
				t.Errorf("table %s has no category", table.Name)
			}
			declared[table.Name] = slices.Sorted(maps.Keys(table.Columns))
		}
		for table, columns := range real {
			slices.Sort(columns)
			if !slices.Equal(columns, declared[table]) {
				t.Errorf("table %s has columns %v, declared are %v", table, columns, declared[table])
			}
		}
		if len(real) != len(declared) {
			t.Errorf("%d tables, %d declared", len(real), len(declared))
		}
	})
}
