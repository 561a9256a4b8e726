// Package egress is the one way out: database, blob store, queue, mail and engines dial
// through it, and what was not declared is refused.
//
// It promises: a connection is made only to infrastructure that the settings name or to
// a processor that the policy names, each with its port; a processor's name that leads
// to a private address is refused, also when only its DNS answer changes, unless the
// settings allow it; a redirect never leaves its host; no proxy is taken from the
// environment; every connection and every refusal is counted, and each refusal told to
// the audit.
//
// It does not judge what is sent, and it does not see DNS questions, which the system's
// resolver asks.
package egress

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"musa"
)

// Why a connection was refused, for the audit.
const (
	Undeclared = "undeclared"      // neither settings nor policy name the address
	Private    = "private_address" // a processor's name leads into a private network
	Redirect   = "redirect"        // a declared host points to another
)

// Config declares where connections may go.
type Config struct {
	// Allow lists infrastructure from the settings as host:port, or as the path of a Unix
	// socket. It may lie anywhere, also on this machine.
	Allow []string
	// Processors lists the policy's processors as host:port. They lie on public addresses,
	// unless AllowPrivate.
	Processors []string
	// AllowPrivate lets processors lie on private addresses: an engine in one's own network.
	AllowPrivate bool
	// OnRefuse hears the kind of each refusal, never the address. It may be nil; it is called
	// from many goroutines.
	OnRefuse func(kind string)
}

// Dialer makes the connections. Safe for concurrent use.
type Dialer struct {
	allowed  map[string]class
	private  bool
	onRefuse func(kind string)

	mu    sync.Mutex // guards counts
	count map[string]Count
}

// Count is what one purpose did so far.
type Count struct {
	Dialled int64 // connections made
	Refused int64
}

type class int

const (
	infrastructure class = iota + 1
	processor
)

// New checks the declarations. A Problem of kind ErrInvalid names a malformed one.
func New(c Config) (*Dialer, error) {
	d := &Dialer{allowed: map[string]class{}, private: c.AllowPrivate, onRefuse: c.OnRefuse, count: map[string]Count{}}
	if d.onRefuse == nil {
		d.onRefuse = func(string) {}
	}
	for _, p := range c.Processors {
		if err := d.declare(p, processor); err != nil {
			return nil, err
		}
	}
	// Infrastructure last: the settings' word about an address beats the policy's.
	for _, a := range c.Allow {
		if err := d.declare(a, infrastructure); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Dialer) declare(address string, c class) error {
	key, ok := normal(address)
	if !ok {
		return &musa.Problem{
			Kind: musa.ErrInvalid, Code: "egress_malformed",
			Public: fmt.Sprintf("%q is not an address to connect to. Write host:port, or the path of a socket.", address),
		}
	}
	d.allowed[key] = c
	return nil
}

// normal gives one spelling to each address: lower case, no final dot, IP addresses as
// netip writes them, ports as numbers.
func normal(address string) (string, bool) {
	if strings.HasPrefix(address, "/") {
		return address, true
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", false
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil || number == 0 {
		return "", false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	return net.JoinHostPort(strings.TrimSuffix(strings.ToLower(host), "."), fmt.Sprint(number)), true
}

// DialContext dials like net.Dialer, if the address was declared. A refusal is a Problem of
// kind ErrRefused.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, "other", network, address)
}

// For gives DialContext under a purpose's name, by which connections are counted.
func (d *Dialer) For(purpose string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return d.dial(ctx, purpose, network, address)
	}
}

func (d *Dialer) dial(ctx context.Context, purpose, network, address string) (net.Conn, error) {
	key, ok := normal(address)
	c := d.allowed[key]
	if !ok || c == 0 {
		return nil, d.refuse(purpose, Undeclared)
	}
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if c == processor && !d.private {
		dialer.ControlContext = public
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if errors.Is(err, errPrivate) {
		return nil, d.refuse(purpose, Private)
	}
	if err != nil {
		return nil, fmt.Errorf("dial for %s: %w", purpose, err)
	}
	d.note(purpose, func(c *Count) { c.Dialled++ })
	return conn, nil
}

var errPrivate = errors.New("private address")

// public judges the address that DNS gave, just before the connection is made to it.
func public(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(to.Addr().Unmap()) {
		return errPrivate
	}
	return nil
}

// reserved holds what netip's own questions leave out: carrier NAT, protocol assignments,
// benchmarking, class E, and IPv6 forms that carry an IPv4 address.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, r := range reserved {
		if r.Contains(ip) {
			return false
		}
	}
	return true
}

var refusals = map[string]struct{ code, public string }{
	Undeclared: {"egress_undeclared", "The server was about to connect to an address that nobody declared, and did not. " +
		"Infrastructure is declared in the settings \"db\", \"blobs\", \"nats\" and \"smtp\", processors under \"processors\" in the policy."},
	Private: {"egress_private", "A processor's name leads to a private address, and the server did not connect. " +
		"If the processor runs in your own network, allow that in the setting \"private-processors\"."},
	Redirect: {"egress_redirect", "A server that we asked points to another one, and we did not follow. " +
		"Name the final address in the settings or in the policy's \"processors\"."},
}

func (d *Dialer) refuse(purpose, kind string) error {
	d.note(purpose, func(c *Count) { c.Refused++ })
	d.onRefuse(kind)
	words := refusals[kind]
	return &musa.Problem{
		Kind: musa.ErrRefused, Code: words.code, Public: words.public,
		Cause: fmt.Errorf("connection for %s: %s", purpose, kind),
	}
}

func (d *Dialer) note(purpose string, change func(*Count)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.count[purpose]
	change(&c)
	d.count[purpose] = c
}

// Counts tells what each purpose did since the start.
func (d *Dialer) Counts() map[string]Count {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.count)
}

// HTTPClient makes a client whose connections are counted under purpose. It follows
// redirects within one origin only and has no time limit of its own: the request's context
// ends it.
func (d *Dialer) HTTPClient(purpose string) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: d.For(purpose), ForceAttemptHTTP2: true,
			MaxIdleConns: 100, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			first := via[0].URL
			if !strings.EqualFold(next.URL.Host, first.Host) || next.URL.Scheme != first.Scheme {
				return d.refuse(purpose, Redirect)
			}
			if len(via) >= 10 {
				return errors.New("too many redirects")
			}
			return nil
		},
	}
}
