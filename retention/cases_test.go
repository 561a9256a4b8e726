package retention_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"musa/db"
	"musa/musatest"
)

// A request goes when its time is over, but a restriction that is in effect stays in effect until
// its person takes it back.
func TestARestrictionOutlivesItsTime(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "professional"})
			c, _ := s.Person()
			for _, right := range []string{"access", "restriction"} {
				c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/rights", musatest.Order{"right": right}), nil)
			}
			id := c.Subject()
			for range 4 { // three years and more, seen now and then
				s.Clock.Turn(300 * 24 * time.Hour)
				seen := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.TouchSubject(ctx, id) })
				if err := errors.Join(seen, s.Keeper.Sweep(t.Context())); err != nil {
					t.Fatal(err)
				}
			}
			// As any later word of theirs does.
			if err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return s.Consents.Settle(ctx, tx, id) }); err != nil {
				t.Fatal(err)
			}
			if n := count(t, s, "cases WHERE subject = '"+string(id)+"'"); n != 1 {
				t.Errorf("%d requests are left, want the restriction", n)
			}
			if n := count(t, s, "subjects WHERE restricted > 0 AND id = '"+string(id)+"'"); n != 1 {
				t.Error("the restriction was lifted by nobody")
			}
		})
	}
}
