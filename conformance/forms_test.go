package conformance_test

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"musa/musatest"
)

// page is a page as somebody's browser gets it, and the script that gives it its life.
func page(t *testing.T, s *musatest.Studio, as *musatest.Client, path string) (html, script string) {
	t.Helper()
	b := musatest.Browse(t, s, as)
	get := func(path string) string {
		res, err := b.HTTP.Get(s.PublicURL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d (%v)", path, res.StatusCode, err)
		}
		return string(raw)
	}
	html = get(path)
	src := regexp.MustCompile(`<script type="module" src="([^"]+)"`).FindStringSubmatch(html)
	if src == nil {
		t.Fatalf("%s has no script", path)
	}
	return html, get(src[1])
}

var (
	fieldName = regexp.MustCompile(`<(?:input|textarea|select)[^>]* name="([a-z]+)"[^>]*>`)
	isNeeded  = regexp.MustCompile(` required[ >]`)
)

// asks are the fields that a form of a page asks for, and those of them that it requires.
func asks(t *testing.T, html, form string) (fields, required []string) {
	t.Helper()
	_, rest, found := strings.Cut(html, `<form data-form="`+form+`"`)
	inside, _, whole := strings.Cut(rest, "</form>")
	if !found || !whole {
		t.Fatalf("there is no form %q on the page", form)
	}
	for _, m := range fieldName.FindAllStringSubmatch(inside, -1) {
		fields = append(fields, m[1])
		if isNeeded.MatchString(m[0]) {
			required = append(required, m[1])
		}
	}
	slices.Sort(fields)
	slices.Sort(required)
	return fields, required
}

// allBut are a list's words but some.
func allBut(list []string, some ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(w string) bool { return slices.Contains(some, w) })
}

// formsAsk looks at the pages for signing up and for the profile: they ask for exactly the fields
// of the account that the policy lists, and require those alone that it does, besides what signing
// in and the age need.
func formsAsk(t *testing.T, s *musatest.Studio, m *musatest.Client) {
	t.Helper()
	line, _ := s.InForce().Categories.Get("account")
	listed := slices.Concat(line.Fields.Required, line.Fields.Optional)
	slices.Sort(listed)
	html, _ := page(t, s, nil, "/signin")
	fields, required := asks(t, html, "up")
	if got := allBut(fields, "country", "born", "password"); !slices.Equal(got, listed) {
		t.Errorf("the sign-up page asks for %v, the policy lists %v", got, listed)
	}
	if got := allBut(required, "country", "born", "password"); !slices.Equal(got, line.Fields.Required) {
		t.Errorf("the sign-up page requires %v, the policy %v", got, line.Fields.Required)
	}
	html, script := page(t, s, m, "/me/profile")
	if got, _ := asks(t, html, "profile"); !slices.Equal(got, allBut(listed, "email")) {
		t.Errorf("the profile page shows %v, the policy lists %v", got, listed)
	}
	if got, _ := asks(t, html, "address"); !slices.Equal(got, []string{"email"}) {
		t.Errorf("the form for another address asks for %v", got)
	}
	wantWords(t, "the profile's script", script, "call('GET', '/api/me/profile')", "call('PATCH', '/api/me/profile'", "call('POST', '/api/me/address'")
}

// pagesDelete looks at the page that closes an account.
func pagesDelete(t *testing.T, s *musatest.Studio, m *musatest.Client) {
	t.Helper()
	html, script := page(t, s, m, "/me")
	wantWords(t, "the account's page", html, "data-close-now", "data-reopen")
	wantWords(t, "its script", script, "call('POST', '/api/me/erasure')")
}
