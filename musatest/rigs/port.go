package rigs

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// The ports of servers lie below those that the kernel takes for outgoing connections and for
// listeners that leave it the choice: one of these could come between the look and the start, or
// while a killed server is down.
const (
	portFirst = 10240
	portEnd   = 32768
)

// FreeAddress returns a loopback host:port that nobody listened on a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return loopback(port)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func freePort() (int, error) {
	for range 100 {
		port := portFirst + rand.IntN(portEnd-portFirst)
		if l, err := net.Listen("tcp", loopback(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("of a hundred ports none is free")
}
