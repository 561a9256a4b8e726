package db_test

import (
	"slices"
	"testing"

	"musa/db"
)

// A table that no dump knows would be lost by every restore, and nobody would notice before.
func TestEveryTableIsDumpedOrLeftOut(t *testing.T) {
	t.Parallel()
	known := append(db.DumpTables(), db.KeyTables()...)
	for name := range db.Undumped() {
		known = append(known, name)
	}
	var real []string
	for _, table := range db.Tables() {
		real = append(real, table.Name)
	}
	slices.Sort(known)
	slices.Sort(real)
	if !slices.Equal(known, real) {
		t.Errorf("dumps know %q, the schema has %q", known, real)
	}
	for _, table := range db.KeyTables() {
		if slices.Contains(db.DumpTables(), table) {
			t.Errorf("%s would lie beside what it opens", table)
		}
	}
}
