package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"musa"
	"musa/api"
	"musa/musatest"
)

func proxies(t *testing.T, list ...string) api.Proxies {
	t.Helper()
	p, err := api.ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a proxy of ours says of a visitor counts, from the right up to the first address that is
// not ours; what anybody else says does not.
func TestVisitors(t *testing.T) {
	t.Parallel()
	p := proxies(t, "10.0.0.0/8", "192.0.2.7", "fd00::/8", "::ffff:172.16.0.0/108")
	const ours, alien = "10.0.0.1:5000", "203.0.113.9:5000"
	for name, c := range map[string]struct {
		peer string
		head map[string][]string
		want string
	}{
		"no proxy speaks":              {ours, nil, "10.0.0.1"},
		"a stranger claims":            {alien, map[string][]string{"X-Forwarded-For": {"1.2.3.4"}}, "203.0.113.9"},
		"a stranger claims anew":       {alien, map[string][]string{"Forwarded": {"for=1.2.3.4;proto=https"}}, "203.0.113.9"},
		"one hop":                      {ours, map[string][]string{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"what the visitor sent before": {ours, map[string][]string{"X-Forwarded-For": {"127.0.0.1, 10.9.9.9, 1.2.3.4"}}, "1.2.3.4"},
		"a chain of ours":              {ours, map[string][]string{"X-Forwarded-For": {"6.6.6.6, 1.2.3.4, 192.0.2.7, 10.1.1.1"}}, "1.2.3.4"},
		"a chain in lines":             {ours, map[string][]string{"X-Forwarded-For": {"6.6.6.6,1.2.3.4", "10.1.1.1"}}, "1.2.3.4"},
		"only ours":                    {ours, map[string][]string{"X-Forwarded-For": {"10.3.3.3, 10.2.2.2"}}, "10.3.3.3"},
		"with a port":                  {ours, map[string][]string{"X-Forwarded-For": {"1.2.3.4:711"}}, "1.2.3.4"},
		"of IPv6":                      {"[fd00::1]:80", map[string][]string{"X-Forwarded-For": {"2001:db8::5"}}, "2001:db8::5"},
		"of IPv6 with a port":          {"[fd00::1]:80", map[string][]string{"X-Forwarded-For": {"[2001:db8::5]:1234"}}, "2001:db8::5"},
		"a mapped peer":                {"[::ffff:10.0.0.1]:80", map[string][]string{"X-Forwarded-For": {"::ffff:1.2.3.4"}}, "1.2.3.4"},
		"a mapped network":             {"172.17.0.1:80", map[string][]string{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"a hidden hop":                 {ours, map[string][]string{"X-Forwarded-For": {"1.2.3.4, unknown, 10.2.2.2"}}, "10.2.2.2"},
		"no address":                   {ours, map[string][]string{"X-Forwarded-For": {"evil\" OR 1=1"}}, "10.0.0.1"},
		"nothing in it":                {ours, map[string][]string{"X-Forwarded-For": {""}}, "10.0.0.1"},
		"the standard":                 {ours, map[string][]string{"Forwarded": {`for=6.6.6.6, For="[2001:db8:cafe::17]:4711";proto=https, for=10.2.2.2`}}, "2001:db8:cafe::17"},
		"a comma in quotes":            {ours, map[string][]string{"Forwarded": {`for=1.2.3.4;by="a,for=6.6.6.6"`}}, "1.2.3.4"},
		"an obfuscated hop":            {ours, map[string][]string{"Forwarded": {`for=6.6.6.6, for=_gazonk`}}, "10.0.0.1"},
		"both alike":                   {ours, map[string][]string{"Forwarded": {"for=1.2.3.4"}, "X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		"both, and one is invented":    {ours, map[string][]string{"Forwarded": {"for=6.6.6.6"}, "X-Forwarded-For": {"1.2.3.4"}}, "10.0.0.1"},
	} {
		got := ""
		h := api.Visitors(p, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.Header = c.peer, c.head
		h.ServeHTTP(nil, r)
		if at := strings.LastIndexByte(got, ':'); strings.Trim(got[:at], "[]") != c.want {
			t.Errorf("%s: the visitor is %s, want %s", name, got, c.want)
		}
	}
}

// A network that cannot be read, and one that is everybody's, are refused with the way out.
func TestProxiesThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"10.0.0.0/33", "proxy.example.org", "10.0.0", "10.0.0.1:80", "0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"} {
		var p *musa.Problem
		if _, err := api.ParseProxies([]string{"10.0.0.0/8", bad}); !errors.As(err, &p) || p.Field != "trusted-proxies" || !strings.Contains(p.Public, "10.0.0.0/8") || strings.Contains(p.Public, bad+",") || strings.Contains(p.Public, bad+" ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Behind a proxy of ours each visitor has their own tries, device address and cookies; whoever
// sends the same words past the proxy is counted where they are.
func TestVisitorsBehindAProxy(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Proxies: proxies(t, "127.0.0.7/32")})
	m := s.Member()
	from := func(peer, said string) *musatest.Client {
		return &musatest.Client{T: t, Base: s.URL, From: peer, Header: http.Header{"X-Forwarded-For": {said}, "X-Forwarded-Proto": {"https"}}}
	}
	signIn := func(c *musatest.Client, password string) musatest.Answer {
		return c.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": m.Email, "password": password})
	}
	thief := from("127.0.0.7", "198.51.100.1")
	for range 11 {
		signIn(thief, "a wrong password")
	}
	thief.Problem(http.StatusTooManyRequests, signIn(thief, musatest.Password))
	owner := from("127.0.0.7", "2001:db8:1:2::3")
	a := signIn(owner, musatest.Password)
	var in api.Entry
	owner.Want(http.StatusOK, a, &in)
	if !strings.Contains(a.Header.Get("Set-Cookie"), "Secure") {
		t.Errorf("over TLS the cookie is %q", a.Header.Get("Set-Cookie"))
	}
	owner.Token = in.Token
	var list api.Devices
	owner.Want(http.StatusOK, owner.Do(http.MethodGet, "/api/me/sessions", nil), &list)
	for _, d := range list.Sessions {
		if d.Current && d.Address != "2001:db8:1::/48" {
			t.Errorf("the device is shown as %+v", d)
		}
	}

	// Past the proxy the same words are nobody's: all of them are one network.
	for i := range 11 {
		signIn(from("127.0.0.8", "198.51.100."+string(rune('1'+i%9))), "a wrong password")
	}
	liar := from("127.0.0.8", "203.0.113.77")
	liar.Problem(http.StatusTooManyRequests, signIn(liar, musatest.Password))
	honest := from("127.0.0.9", "198.51.100.1")
	a = signIn(honest, musatest.Password)
	honest.Want(http.StatusOK, a, nil)
	if strings.Contains(a.Header.Get("Set-Cookie"), "Secure") {
		t.Errorf("what a stranger says of TLS counts: %q", a.Header.Get("Set-Cookie"))
	}
}
