package db_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"musa/db"
)

// named are the types that name something: a column of one has to say what becomes of its row
// when that something is erased.
var named = map[string]bool{"SubjectID": true, "SessionID": true, "AssetID": true, "RecordID": true, "JobID": true, "ReceiptID": true}

// Every column that names an owner, a picture, a record, a job, a session or a receipt has an
// edge, and every edge leads to a table that there is.
func TestEveryEdgeIsDeclared(t *testing.T) {
	t.Parallel()
	edges, tables := map[string]bool{}, map[string]bool{}
	for _, table := range db.Tables() {
		tables[table.Name] = true
	}
	for _, table := range db.Tables() {
		for _, e := range table.Edges {
			edges[table.Name+"."+e.Column] = true
			if _, ok := table.Columns[e.Column]; !ok || !tables[e.To] {
				t.Errorf("%s.%s leads to %s: there is no such column or table", table.Name, e.Column, e.To)
			}
			if e.On != db.Follow && e.On != db.Keep && e.On != db.Detach {
				t.Errorf("%s.%s has the fate %q", table.Name, e.Column, e.On)
			}
		}
		if _, ok := table.Columns[table.Owner]; table.Owner != "" && !ok {
			t.Errorf("%s has no column %s", table.Name, table.Owner)
		}
	}
	found := naming(t)
	if len(found) < 20 {
		t.Fatalf("only %d columns name something: the rows' types were not found", len(found))
	}
	for _, at := range found {
		if !edges[at] {
			t.Errorf("%s names something and has no edge: say beside its table what becomes of the row when that is erased", at)
		}
	}
}

// naming reads the rows' types: "table.column" of each field whose type names something, but
// the row's own id.
func naming(t *testing.T) (found []string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`table:(\w+)`)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			row, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			name := ""
			for _, f := range row.Fields.List {
				if f.Tag != nil {
					if m := table.FindStringSubmatch(f.Tag.Value); m != nil {
						name = m[1]
					}
				}
				of, ok := f.Type.(*ast.SelectorExpr)
				if name == "" || !ok || !named[of.Sel.Name] {
					continue
				}
				for _, column := range f.Names {
					if column.Name != "ID" {
						found = append(found, fmt.Sprintf("%s.%s", name, underscored(column.Name)))
					}
				}
			}
			return true
		})
	}
	return found
}

// underscored is how bun calls a field's column.
func underscored(field string) string {
	var b strings.Builder
	for i, r := range field {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
