package egress_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"musa"
	"musa/egress"
)

// refusals hears what the audit would.
type refusals struct {
	mu    sync.Mutex
	kinds []string
}

func (r *refusals) hear(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds = append(r.kinds, kind)
}

func (r *refusals) want(t *testing.T, kinds ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Join(r.kinds, " ") != strings.Join(kinds, " ") {
		t.Fatalf("the audit heard %v, want %v", r.kinds, kinds)
	}
}

func dialer(t *testing.T, c egress.Config) (*egress.Dialer, *refusals) {
	t.Helper()
	heard := &refusals{}
	c.OnRefuse = heard.hear
	d, err := egress.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d, heard
}

// listen accepts on loopback and counts the connections that arrive.
func listen(t *testing.T, network, address string) (string, func() int) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	arrived, closed := 0, make(chan struct{})
	go func() {
		defer close(closed)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			arrived++
			mu.Unlock()
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-closed })
	return l.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return arrived
	}
}

func wantRefused(t *testing.T, err error, code string) {
	t.Helper()
	var p *musa.Problem
	if !errors.Is(err, musa.ErrRefused) || !errors.As(err, &p) || p.Code != code || p.Public == "" {
		t.Fatalf("want %s, got: %v", code, err)
	}
	if strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(p.Public, "127.0.0.1") {
		t.Fatalf("the refusal tells the address: %v", err)
	}
}

func dial(t *testing.T, d *egress.Dialer, network, address string) error {
	t.Helper()
	conn, err := d.DialContext(t.Context(), network, address)
	if err != nil {
		return err
	}
	// Reading to the end makes sure that the listener has counted it.
	_, err = io.Copy(io.Discard, conn)
	return errors.Join(err, conn.Close())
}

func TestOnlyDeclaredAddressesAreDialled(t *testing.T) {
	t.Parallel()
	declared, arrived := listen(t, "tcp", "127.0.0.1:0")
	other, strayed := listen(t, "tcp", "127.0.0.1:0")
	d, heard := dialer(t, egress.Config{Allow: []string{declared, "DB.Example.ORG.:5432"}})

	if err := dial(t, d, "tcp", declared); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(declared)
	for _, address := range []string{other, "localhost:" + port, "127.0.0.2:" + port, "example.org:5432", "nonsense", ":" + port, ""} {
		wantRefused(t, dial(t, d, "tcp", address), "egress_undeclared")
	}
	heard.want(t, "undeclared", "undeclared", "undeclared", "undeclared", "undeclared", "undeclared", "undeclared")
	if arrived() != 1 || strayed() != 0 {
		t.Fatalf("%d arrived, %d strayed", arrived(), strayed())
	}
	if got := d.Counts()["other"]; got != (egress.Count{Dialled: 1, Refused: 7}) {
		t.Fatalf("counted %+v", got)
	}

	// The spelling of a declared name does not matter: it is dialled, and only the cancelled
	// context stops it.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.DialContext(ctx, "tcp", "db.example.org:5432"); err == nil || errors.Is(err, musa.ErrRefused) {
		t.Fatalf("another spelling: %v", err)
	}
	if err := dial(t, d, "tcp", "[::ffff:127.0.0.1]:"+port); err != nil {
		t.Fatalf("another spelling of an IP address: %v", err)
	}
}

func TestUnixSockets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	declared, _ := listen(t, "unix", filepath.Join(dir, "a"))
	other, strayed := listen(t, "unix", filepath.Join(dir, "b"))
	d, _ := dialer(t, egress.Config{Allow: []string{declared}})
	if err := dial(t, d, "unix", declared); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, dial(t, d, "unix", other), "egress_undeclared")
	if strayed() != 0 {
		t.Fatal("an undeclared socket was reached")
	}
}

func TestProcessorsStayOutOfPrivateNetworks(t *testing.T) {
	t.Parallel()
	address, arrived := listen(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(address)
	byName := "localhost:" + port

	d, heard := dialer(t, egress.Config{Processors: []string{address, byName}})
	wantRefused(t, dial(t, d, "tcp", address), "egress_private")
	wantRefused(t, dial(t, d, "tcp", byName), "egress_private")
	heard.want(t, "private_address", "private_address")
	if arrived() != 0 {
		t.Fatal("a private address was reached")
	}

	allowed, _ := dialer(t, egress.Config{Processors: []string{address}, AllowPrivate: true})
	if err := dial(t, allowed, "tcp", address); err != nil {
		t.Fatalf("allowed by the settings: %v", err)
	}
	both, _ := dialer(t, egress.Config{Processors: []string{address}, Allow: []string{address}})
	if err := dial(t, both, "tcp", address); err != nil {
		t.Fatalf("declared as infrastructure too: %v", err)
	}
}

func TestPrivateAddressesOfEveryForm(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
		"255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
	} {
		address := net.JoinHostPort(ip, "9")
		d, _ := dialer(t, egress.Config{Processors: []string{address}})
		// Without a route the kernel may refuse first; connecting is what must not happen.
		conn, err := d.DialContext(t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
			t.Errorf("%s was dialled", ip)
		} else if !errors.Is(err, musa.ErrRefused) {
			t.Errorf("%s: %v", ip, err)
		}
	}
}

func TestRedirectsStayAtTheirHost(t *testing.T) {
	t.Parallel()
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(elsewhere.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	mux.HandleFunc("/within", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/end", http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "end") })
	declared := httptest.NewServer(mux)
	t.Cleanup(declared.Close)

	// The other host is declared too: a redirect is refused all the same.
	d, heard := dialer(t, egress.Config{Allow: []string{declared.Listener.Addr().String(), elsewhere.Listener.Addr().String()}})
	client := d.HTTPClient("blobs")
	t.Cleanup(client.CloseIdleConnections)
	get := func(path string) (string, error) {
		response, err := client.Get(declared.URL + path)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	if body, err := get("/within"); err != nil || body != "end" {
		t.Fatalf("within its host: %q, %v", body, err)
	}
	_, err := get("/away")
	if !errors.Is(err, musa.ErrRefused) || reached {
		t.Fatalf("to another host: %v, reached %v", err, reached)
	}
	heard.want(t, "redirect")
	if _, err := get("/round"); err == nil {
		t.Fatal("went round for ever")
	}
	if got := d.Counts()["blobs"]; got.Refused != 1 || got.Dialled < 1 {
		t.Fatalf("counted %+v", got)
	}
}

func TestUndeclaredHostsAreRefusedOverHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	d, heard := dialer(t, egress.Config{})
	_, err := d.HTTPClient("generate").Get(server.URL)
	if !errors.Is(err, musa.ErrRefused) {
		t.Fatalf("undeclared: %v", err)
	}
	heard.want(t, "undeclared")
}

func TestUnreachableIsNotRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	d, heard := dialer(t, egress.Config{Allow: []string{address}})
	if err := dial(t, d, "tcp", address); err == nil || errors.Is(err, musa.ErrRefused) {
		t.Fatalf("nobody listens: %v", err)
	}
	heard.want(t)
	if got := d.Counts()["other"]; got.Dialled != 0 {
		t.Fatalf("counted %+v", got)
	}
}

func TestMalformedDeclarations(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "example.org", ":5432", "example.org:", "example.org:0", "example.org:99999", "http://example.org:80"} {
		for _, c := range []egress.Config{{Allow: []string{address}}, {Processors: []string{address}}} {
			_, err := egress.New(c)
			var p *musa.Problem
			if !errors.Is(err, musa.ErrInvalid) || !errors.As(err, &p) || p.Code != "egress_malformed" {
				t.Errorf("%q: %v", address, err)
			}
		}
	}
}
