package db_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest/rigs"
)

// both names the databases that every case runs on.
var both = []string{db.SQLite, db.PostgreSQL}

// store is one open database with a clock that the test turns.
type store struct {
	*db.DB
	conf db.Config
	dir  string // of all files that the database keeps
	now  *atomic.Int64
}

// start is where every test's clock stands at first.
var start = musa.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

func (s *store) turn(to musa.Millis) { s.now.Store(int64(to)) }

func open(t testing.TB, dialect string) *store {
	t.Helper()
	now := new(atomic.Int64)
	now.Store(int64(start))
	s := &store{now: now, conf: db.Config{Clock: func() time.Time { return musa.Millis(now.Load()).Time() }}}
	if dialect == db.PostgreSQL {
		s.conf.URL, s.dir = rigs.Migrated(t)
	} else {
		s.dir = t.TempDir()
		s.conf.Path = filepath.Join(s.dir, "musa.db")
	}
	s.DB = s.join(t)
	return s
}

// join opens the same database once more, as another node does.
func (s *store) join(t testing.TB) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), s.conf)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// on runs a test on both databases.
func on(t *testing.T, test func(t *testing.T, s *store)) {
	t.Parallel()
	for _, d := range both {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, d))
		})
	}
}

// write runs a change that must succeed.
func write(t testing.TB, d *db.DB, change func(ctx context.Context, tx db.Tx) error) {
	t.Helper()
	if err := d.Write(context.Background(), change); err != nil {
		t.Fatal(err)
	}
}

// read runs a look that must succeed.
func read(t testing.TB, d *db.DB, look func(ctx context.Context, tx db.Tx) error) {
	t.Helper()
	if err := d.Read(context.Background(), look); err != nil {
		t.Fatal(err)
	}
}

// person adds an owner.
func (s *store) person(t testing.TB) musa.SubjectID {
	t.Helper()
	id := musa.NewSubjectID(start.Time())
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		return tx.InsertSubject(ctx, db.Subject{ID: id, Kind: musa.SubjectPerson, Tier: musa.TierMember, State: musa.SubjectActive,
			Created: tx.Now, LastSeen: tx.Now, PolicyVersion: "1"}, []byte("wrapped key of "+id))
	})
	return id
}

// picture is a new active asset of an owner.
func picture(owner musa.SubjectID, due musa.Millis) db.Asset {
	return db.Asset{ID: musa.NewAssetID(start.Time()), Owner: owner, Author: owner, Category: musa.CategoryOutput, State: musa.AssetActive,
		Tier: musa.TierMember, Created: start, Due: due, Rule: "retention[0]", Reason: musa.EndPolicy, PolicyVersion: "1", Bytes: 100}
}

// hang stores a picture with a live blob.
func (s *store) hang(t testing.TB, owner musa.SubjectID, due musa.Millis) db.Asset {
	t.Helper()
	a := picture(owner, due)
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		if err := tx.InsertAsset(ctx, a, db.Secret{Wrapped: []byte("item key of " + a.ID), Sealed: []byte("name of " + a.ID)}); err != nil {
			return err
		}
		name := string(a.ID) + "/full"
		if err := tx.InsertBlob(ctx, db.Blob{Name: name, Asset: a.ID, Role: musa.BlobFull, Created: tx.Now}); err != nil {
			return err
		}
		return tx.LiveBlob(ctx, db.Blob{Name: name, Size: 100})
	})
	return a
}
