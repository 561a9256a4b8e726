//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/rigs"
)

// TestKilledOutbox kills the server while its mail server holds a mail's text: what may have
// arrived is not sent again, and what had not left yet arrives once.
func TestKilledOutbox(t *testing.T) {
	t.Parallel()
	sink := rigs.SMTPServer(t)
	s := nodes.Server(t, t.TempDir(), "--smtp", sink.URL, "--mail-from", "studio@studio.example")
	s.Start()
	reached, release := sink.Hold()
	const people = 6
	for i := range people {
		c := musatest.NewGuest(t, s.URL)
		c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts", musatest.Order{
			"email": fmt.Sprintf("p%d@example.net", i), "password": musatest.Password, "country": "DE", "born": "1990-05-31"}), nil)
	}
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Fatal("no mail left")
	}
	s.Kill()
	release()
	s.Begin()
	s.Ready()
	arrived := func() map[string]int {
		all := map[string]int{}
		for _, m := range sink.Mails() {
			all[m.To[0]]++
		}
		return all
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); len(arrived()) < people; <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("mails came to %d of %d people", len(arrived()), people)
		}
	}
	s.Stop()
	for to, n := range arrived() {
		if n != 1 {
			t.Errorf("%d mails to %s", n, to)
		}
	}
}
