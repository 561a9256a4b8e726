package db_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest/rigs"
)

// On a server whose log is another's, Scrub cleans the rows and says what it cannot.
func TestScrubOnAForeignServer(t *testing.T) {
	t.Parallel()
	where, dir := rigs.Postgres(t)
	boss := &store{conf: db.Config{URL: where, Clock: time.Now}}
	role := "r_" + strings.ToLower(rand.Text())
	boss.DB = boss.join(t)
	for _, statement := range []string{"CREATE ROLE %s LOGIN", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public AUTHORIZATION %[1]s"} {
		if strings.Contains(statement, "%") {
			statement = fmt.Sprintf(statement, role)
		}
		boss.tamper(t, statement)
	}
	at, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	at.User = url.User(role)
	s := &store{conf: db.Config{URL: at.String(), Clock: time.Now}, dir: dir}
	s.DB = s.join(t)
	wrapped := random(60)
	a := picture(s.person(t), 0)
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		return tx.InsertAsset(ctx, a, db.Secret{Wrapped: wrapped, Sealed: random(300)})
	})
	boss.tamper(t, "CHECKPOINT")
	base := filepath.Join(dir, "base")
	if scan(t, base, [][]byte{wrapped}) != 1 {
		t.Fatal("the control finds nothing")
	}
	erase(t, s.DB, a.ID)
	// Other tests write to the same server: until none of their transactions is older, Scrub
	// says "not now", which is not its last word.
	clean, err := s.Scrub(t.Context(), []string{string(a.ID)})
	for end := time.Now().Add(time.Minute); !clean && err == nil && time.Now().Before(end); {
		clean, err = s.Scrub(t.Context(), []string{string(a.ID)})
	}
	if clean || !errors.Is(err, db.ErrForeign) {
		t.Errorf("Scrub says %v, %v", clean, err)
	}
	boss.tamper(t, "CHECKPOINT")
	if scan(t, base, [][]byte{wrapped}) != 0 {
		t.Error("the key is left in a table")
	}
}

// Once most rows of secrets are emptied ones, SQLite's table is rewritten; what lives
// still opens, and what is erased later leaves nothing.
func TestSQLiteReclaimsEmptiedRows(t *testing.T) {
	t.Parallel()
	s := open(t, db.SQLite)
	owner := s.person(t)
	h := &hoard{store: s, owner: owner, bytes: map[musa.AssetID][][]byte{}}
	h.fill(t, 100)
	s.tamper(t, `INSERT INTO secrets (id, subject, wrapped, sealed)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 51000) SELECT '', '', x'', x'' FROM n`)
	h.fill(t, 300)
	count := func() (n int) {
		if err := s.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM secrets").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 51400 {
		t.Fatalf("%d rows", n)
	}
	s.scrubbed(t, nil)
	if n := count(); n != 400 {
		t.Errorf("%d rows are left, want the 400 live ones", n)
	}
	var needles [][]byte
	for _, id := range h.order {
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			o, err := tx.AssetWithSecret(ctx, id)
			if string(o.Secret.Wrapped) != string(h.bytes[id][0]) || string(o.Secret.Sealed) != string(h.bytes[id][1]) {
				t.Error("a live secret was changed")
			}
			return err
		})
		needles = append(needles, h.bytes[id]...)
	}
	erase(t, s.DB, h.order...)
	s.scrubbed(t, nil)
	if found := scan(t, s.files(), needles); found != 0 {
		t.Errorf("%d secrets are left", found)
	}
}

func TestAFullDiskIsSaid(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		err := s.Write(t.Context(), func(context.Context, db.Tx) error { return fmt.Errorf("write: %w", syscall.ENOSPC) })
		var p *musa.Problem
		if !errors.As(err, &p) || p.Code != "disk_full" || !errors.Is(err, musa.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
