package db_test

import (
	"context"
	"strings"
	"testing"

	"musa/db"
)

// A writer in another database of the same server bounds the snapshot that the rewrite
// works under, so that it would copy what was deleted: until it ends nothing is clean.
func TestAWriterInAnotherDatabaseHoldsTheScrubUp(t *testing.T) {
	t.Parallel()
	s := open(t, db.PostgreSQL)
	if _, err := s.outside(t).Exec("CREATE DATABASE elsewhere"); err != nil {
		t.Fatal(err)
	}
	other := &store{conf: s.conf, DB: s.DB}
	other.conf.URL = strings.Replace(s.conf.URL, "/musa?", "/elsewhere?", 1)
	owner := s.person(t)
	a := picture(owner, 0)
	secret := db.Secret{Wrapped: random(60), Sealed: random(300)}
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.InsertAsset(ctx, a, secret) })
	busy, err := other.outside(t).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Rollback()
	if _, err := busy.Exec("CREATE TABLE slow (n int)"); err != nil {
		t.Fatal(err)
	}
	erase(t, s.DB, a.ID)
	clean, err := s.Scrub(t.Context(), []string{string(a.ID)})
	if err != nil {
		t.Fatal(err)
	}
	if clean {
		t.Error("clean while a writer elsewhere on the server runs")
	}
	if err := busy.Rollback(); err != nil {
		t.Fatal(err)
	}
	s.scrubbed(t, []string{string(a.ID)})
	if found := scan(t, s.files(), [][]byte{secret.Wrapped, secret.Sealed}); found != 0 {
		t.Errorf("%d of 2 deleted secrets are left", found)
	}
}
