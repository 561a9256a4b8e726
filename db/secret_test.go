package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"musa"
	"musa/db"
)

// Who rewrites an item's record while its key is being destroyed does not bring the key back.
func TestADestroyedKeyIsNotPutBack(t *testing.T) {
	t.Parallel()
	s := open(t, db.PostgreSQL) // SQLite has one writer: none begins while another destroys
	other := s.join(t)
	a := s.hang(t, s.person(t), 0)
	rewritten := make(chan error, 1)
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.EraseAssets(ctx, db.Erasure[musa.AssetID]{Item: a.ID}); err != nil {
			return err
		}
		go func() { rewritten <- replace(other, a.ID, "words") }()
		return s.queued(ctx)
	})
	if err := <-rewritten; !errors.Is(err, musa.ErrNotFound) {
		t.Errorf("rewriting what was erased meanwhile gives %v", err)
	}
	read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Secret(ctx, string(a.ID)); !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("its key is there again: %v", err)
		}
		return nil
	})
}

// Two who rewrite one record at once come one after the other.
func TestRewritingAtOnceKeepsTheKey(t *testing.T) {
	t.Parallel()
	s := open(t, db.PostgreSQL)
	other := s.join(t)
	a := s.hang(t, s.person(t), 0)
	rewritten := make(chan error, 1)
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		if err := tx.ReplaceSealed(ctx, string(a.ID), []byte("first")); err != nil {
			return err
		}
		go func() { rewritten <- replace(other, a.ID, "second") }()
		return s.queued(ctx)
	})
	if err := <-rewritten; err != nil {
		t.Fatal(err)
	}
	read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		secret, err := tx.Secret(ctx, string(a.ID))
		if string(secret.Sealed) != "second" {
			t.Errorf("the record says %q, want second", secret.Sealed)
		}
		return err
	})
}

func replace(d *db.DB, id musa.AssetID, text string) error {
	return d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return tx.ReplaceSealed(ctx, string(id), []byte(text)) })
}

// queued returns when another transaction of this database waits for a row.
func (s *store) queued(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	for {
		var n int
		err := s.SQL().QueryRowContext(ctx, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n)
		if err != nil || n > 0 {
			return err
		}
	}
}
