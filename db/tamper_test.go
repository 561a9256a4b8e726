package db_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"

	"musa/db"
)

// outside opens the database behind the package's back.
func (s *store) outside(t testing.TB) *sql.DB {
	t.Helper()
	driver, name := "sqlite3", s.conf.Path
	if s.Dialect() == db.PostgreSQL {
		driver, name = "pgx", s.conf.URL
	}
	d, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// tamper changes rows behind the package's back.
func (s *store) tamper(t testing.TB, statement string) {
	t.Helper()
	d := s.outside(t)
	defer d.Close()
	if _, err := d.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
