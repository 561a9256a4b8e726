package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"musa/policies"
	"musa/web"
)

// What is personal or the staff's may lie in no cache, with a session or without.
func TestDesksAreNeverStored(t *testing.T) {
	t.Parallel()
	h := pages(t)
	for _, path := range []string{"/me", "/me/profile", "/me/sign-in", "/me/privacy", "/me/data", "/me/mails", "/me/workspaces", "/signin", "/confirm", "/support", "/news", "/surveys",
		"/admin", "/admin/holds", "/admin/rights", "/admin/support", "/admin/people", "/admin/incidents", "/admin/surveys", "/admin/mails"} {
		for _, cookie := range []string{"", "musa_session=x"} {
			if got := ask(h, path, "Cookie", cookie).Header.Get("Cache-Control"); got != "private, no-store" {
				t.Errorf("%s: %q", path, got)
			}
		}
	}
}

// The account's page asks for nothing where there is no session, and a link leads to it
// where there is one.
func TestMeIsShownWhereThereIsASession(t *testing.T) {
	t.Parallel()
	h := pages(t)
	stranger, known := bodyOf(t, ask(h, "/me")), bodyOf(t, ask(h, "/me", "Cookie", "musa_session=x"))
	if strings.Contains(stranger, "<musa-me") || !strings.Contains(stranger, "There is no session in this browser") {
		t.Error("a stranger is shown an account")
	}
	if !strings.Contains(known, "<musa-me") {
		t.Error("who has a session is shown no account")
	}
	if !regexp.MustCompile(`id="nav-me"[^>]* hidden`).MatchString(bodyOf(t, ask(h, "/"))) {
		t.Error("a stranger is led to an account")
	}
	if regexp.MustCompile(`id="nav-me"[^>]* hidden`).MatchString(bodyOf(t, ask(h, "/", "Cookie", "musa_session=x"))) {
		t.Error("who has a session is not led to their account")
	}
}

// How long results stay in each tier, and what a closed account leaves behind, is read from
// the document in force.
func TestMeSpeaksThePolicyInForce(t *testing.T) {
	t.Parallel()
	for preset, words := range map[string][]string{
		"studio":       {"24 hours", "48 hours, 7 days", "It is erased at once and cannot be brought back.", "7 years after the payment", "tax and accounting"},
		"professional": {"7 days, 30 days, 90 days", "It is erased 14 days later; until then you can take it back here.", "10 years after the payment"},
	} {
		doc, err := policies.Load(preset, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		html := bodyOf(t, ask(web.New(config(doc)), "/me", "Cookie", "musa_session=x"))
		for _, w := range words {
			if !strings.Contains(html, w) {
				t.Errorf("%s: the page does not say %q", preset, w)
			}
		}
	}
}

var spoken = regexp.MustCompile("\\bt\\(\\s*[`']((?:[a-z]+)\\.[a-z0-9._]+)['`]")

// What a page's scripts say has to be among the words that the page carries.
func TestPagesCarryTheirScriptsWords(t *testing.T) {
	t.Parallel()
	h := pages(t)
	module := regexp.MustCompile(`/static/[0-9a-f]+/(js/[\w-]+\.js)"`)
	for _, page := range all {
		html := bodyOf(t, ask(h, page.path, "Cookie", "musa_session=x"))
		for _, m := range module.FindAllStringSubmatch(html, -1) {
			source, err := os.ReadFile(filepath.Join("static", m[1]))
			if err != nil {
				t.Fatal(err)
			}
			for _, said := range spoken.FindAllStringSubmatch(string(source), -1) {
				if !strings.Contains(html, `"`+said[1]+`":`) {
					t.Errorf("%s says %s, which %s does not carry", m[1], said[1], page.path)
				}
			}
		}
	}
}
