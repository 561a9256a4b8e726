package api_test

import (
	"net/http"
	"testing"
	"time"

	"musa/musatest"
)

// One network begins only so many guests in an hour, each of whom brings credits; others begin theirs.
func TestOneNetworkBeginsOnlySoManyGuests(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Guests: 3})
			begin := func(from string) musatest.Answer {
				c := &musatest.Client{T: t, Base: s.URL, From: from}
				return c.Do(http.MethodPost, "/api/guests", nil)
			}
			c := &musatest.Client{T: t, Base: s.URL}
			for range 3 {
				c.Want(http.StatusCreated, begin("127.0.5.1"), nil)
			}
			if a := begin("127.0.5.1"); c.Problem(http.StatusTooManyRequests, a).Code != "rate_limited" || a.Header.Get("Retry-After") == "" {
				t.Errorf("the fourth: %s", a.Body)
			}
			c.Want(http.StatusCreated, begin("127.0.5.2"), nil)
			for range 4 {
				c.Want(http.StatusCreated, begin("127.0.0.1"), nil)
			}
			s.Clock.Turn(time.Hour)
			c.Want(http.StatusCreated, begin("127.0.5.1"), nil)
		})
	}
}
