package erasure_test

import (
	"cmp"
	"context"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/house"
	"musa/musatest"
)

// What lets somebody in ends without an erasure: no tombstone names its key. It leaves the
// database's files all the same, whichever node ended it and whatever became of that one.
func TestKeysWithoutATombstoneAreScrubbed(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			s.Step() // a first scrub looks at everything, a later one at what it is told
			for _, way := range []struct {
				name string
				end  func(*testing.T, *house.House, *musatest.Client, db.Login)
			}{
				{"beside another node that scrubs", func(t *testing.T, h *house.House, c *musatest.Client, l db.Login) {
					drop(t, s.House.DB, l.ID)
					if err := h.Keeper.Step(t.Context()); err != nil {
						t.Fatal(err)
					}
				}},
				{"a passkey that is removed", func(t *testing.T, h *house.House, c *musatest.Client, l db.Login) {
					c.Want(http.StatusNoContent, c.Do(http.MethodDelete, "/api/me/logins/"+string(l.ID), nil), nil)
				}},
				{"by a node that dies right after", func(t *testing.T, h *house.House, c *musatest.Client, l db.Login) {
					dying := s.Node()
					drop(t, dying, l.ID)
					if err := dying.Close(); err != nil {
						t.Fatal(err)
					}
				}},
				{"with its person", func(t *testing.T, h *house.House, c *musatest.Client, l db.Login) {
					err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
						_, err := s.Eraser.Subject(ctx, tx, l.Subject)
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
				}},
			} {
				name := way.name
				c, _ := s.Person()
				c.Want(http.StatusOK, s.Passkey().Keep(c, nil), nil)
				keys, login := loginKeys(t, s, c.Subject())
				written(t, s)
				if found := musatest.Find(t, s.Dirs, keys); len(found) != len(keys) {
					t.Fatalf("%s: the control finds %v", name, found)
				}
				way.end(t, another(t, s), c.In(t), login)
				s.Clock.Turn(time.Minute) // the other node's lease is over: it goes on no longer
				s.Step()
				for what, where := range musatest.Find(t, s.Dirs, keys) {
					t.Errorf("%s: the %s is still in %s", name, what, where)
				}
			}
		})
	}
}

// written has a server write its pages out: in its log a key may lie across two pages, where no
// search finds it whole.
func written(t *testing.T, s *musatest.Studio) {
	t.Helper()
	if s.House.DB.Dialect() != db.PostgreSQL {
		return
	}
	own := s.OwnSQL()
	defer own.Close()
	if _, err := own.ExecContext(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
}

// another is a second node of the studio.
func another(t *testing.T, s *musatest.Studio) *house.House {
	t.Helper()
	c := s.Config
	c.DB, c.Node = s.Node(), "another"
	h, err := house.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func drop(t *testing.T, d *db.DB, id musa.LoginID) {
	t.Helper()
	if err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.DropLogin(ctx, id) }); err != nil {
		t.Fatal(err)
	}
}

// loginKeys finds a person's latest login, and what opens it.
func loginKeys(t *testing.T, s *musatest.Studio, of musa.SubjectID) (keys musatest.Markers, l db.Login) {
	t.Helper()
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		list, err := tx.LoginsOf(ctx, of)
		if err != nil || len(list) == 0 {
			return cmp.Or(err, musa.ErrNotFound)
		}
		l = list[len(list)-1]
		secret, err := tx.Secret(ctx, string(l.ID))
		keys = musatest.Markers{"key": secret.Wrapped, "sealed part": secret.Sealed}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, l
}
