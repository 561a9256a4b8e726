//go:build e2e

// Package e2e runs the program as its operator does, as processes that are started,
// killed and started again, and looks at it from outside: over HTTP, at its files, at its
// own `verify`. It is slow and therefore behind the build tag e2e.
package e2e_test

import (
	"testing"
	"time"

	"musa/musatest/nodes"
)

func TestMain(m *testing.M) { nodes.Main(m) }

// until asks again and again until done says so.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	limit := time.After(nodes.Patience)
	for !done() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("waited %s for %s", nodes.Patience, what)
		}
	}
}
