package rigs_test

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"

	"musa/musatest/rigs"
)

// An outgoing connection once had the port of a server that was about to start.
func TestPortsLieWhereTheKernelTakesNone(t *testing.T) {
	t.Parallel()
	span, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Fatal(err)
	}
	var first int
	if _, err := fmt.Sscan(string(span), &first); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		_, port, err := net.SplitHostPort(rigs.FreeAddress(t))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.Atoi(port); err != nil || n >= first {
			t.Errorf("port %s lies among those from %d on", port, first)
		}
	}
}
