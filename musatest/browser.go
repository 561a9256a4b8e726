package musatest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// Browser is somebody with cookies who follows no redirect by themselves.
type Browser struct {
	T    testing.TB
	Base string
	HTTP *http.Client
}

// Browse opens a browser, with the session of a client where one is given.
func Browse(t testing.TB, s *Studio, as *Client) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	b := &Browser{T: t, Base: s.PublicURL, HTTP: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if as != nil {
		b.Set("musa_session", as.Token)
	}
	return b
}

func (b *Browser) at(path string) *url.URL {
	u, err := url.Parse(b.Base + path)
	must(b.T, err)
	return u
}

// Set puts a cookie into the browser.
func (b *Browser) Set(name, value string) {
	b.HTTP.Jar.SetCookies(b.at("/"), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Cookie is a cookie's value; empty for none.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.HTTP.Jar.Cookies(b.at("/api/session/provider/any")) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Client is whoever is signed in.
func (b *Browser) Client() *Client {
	return &Client{T: b.T, Base: b.Base, Token: b.Cookie("musa_session")}
}

// Opens opens an address, or a path of the studio, and says where it leads.
func (b *Browser) Opens(address string) string {
	b.T.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.Base + address
	}
	return Visit(b.T, b.HTTP, address)
}

// Visit opens an address and says where it leads, or how it answers.
func Visit(t testing.TB, c *http.Client, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	res, err := c.Do(req)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther && res.StatusCode != http.StatusFound {
		return res.Status
	}
	return res.Header.Get("Location")
}
