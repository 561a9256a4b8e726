package web_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"musa/lang"
	"musa/policies"
	"musa/policy"
	"musa/retention"
	"musa/web"
)

func pages(t *testing.T) http.Handler {
	t.Helper()
	return web.New(config(preset(t)))
}

func preset(t *testing.T) *policy.Document {
	t.Helper()
	doc, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// config is of a house under one document, all of which holds.
func config(doc *policy.Document) web.Config {
	return web.Config{
		Policy: func() *policy.Document { return doc }, Versions: func() *policy.Versions { return policy.Only(doc) },
		Figures: func(context.Context) (retention.Figures, error) { return retention.Figures{}, nil },
		Unmet:   func(*policy.Document) []string { return nil }, Clock: time.Now, Version: "9.9-test",
	}
}

func ask(h http.Handler, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var all = []struct {
	path   string
	status int
}{
	{"/signin", 200}, {"/confirm", 200}, {"/me/profile", 200}, {"/me/sign-in", 200}, {"/me/privacy", 200}, {"/me/data", 200}, {"/me/mails", 200}, {"/me/workspaces", 200},
	{"/cookies", 200}, {"/terms", 200}, {"/news", 200}, {"/surveys", 200}, {"/support", 200}, {"/do-not-sell", 200},
	{"/admin/rights", 200}, {"/admin/support", 200}, {"/admin/people", 200}, {"/admin/incidents", 200}, {"/admin/surveys", 200}, {"/admin/mails", 200},
	{"/", 200}, {"/me", 200}, {"/admin", 200}, {"/admin/holds", 200}, {"/privacy", 200}, {"/privacy/versions", 200}, {"/privacy/versions/studio/0", 404}, {"/privacy/changes", 200},
	{"/privacy/changes?from=studio/0", 404}, {"/privacy/record", 200}, {"/privacy/agreement", 200}, {"/receipts/re_00000000000000000000000001", 200}, {"/nothing/here", 404}, {"/receipts/re_short", 404},
}

func TestPagesRenderInEveryLanguage(t *testing.T) {
	t.Parallel()
	h := pages(t)
	for _, page := range all {
		for _, words := range lang.All() {
			r := ask(h, page.path, "Accept-Language", words.Tag())
			html := bodyOf(t, r)
			if r.StatusCode != page.status {
				t.Errorf("%s: status %d, want %d", page.path, r.StatusCode, page.status)
			}
			if !strings.Contains(html, `<html lang="`+words.Tag()+`"`) || !strings.Contains(html, words.T("foot.line", nil)) {
				t.Errorf("%s in %s: not in its language", page.path, words.Tag())
			}
			if r.Header.Get("Content-Language") != words.Tag() || !strings.Contains(r.Header.Get("Vary"), "Accept-Language") {
				t.Errorf("%s in %s: caches would mix languages: %v", page.path, words.Tag(), r.Header)
			}
		}
	}
}

func TestPanicShowsTheErrorPage(t *testing.T) {
	t.Parallel()
	c := config(preset(t))
	c.Policy = func() *policy.Document { panic("no document") }
	h := web.New(c)
	r := ask(h, "/")
	if html := bodyOf(t, r); r.StatusCode != 500 || !strings.Contains(html, "on our side") || strings.Contains(html, "no document") {
		t.Errorf("status %d: %.300s", r.StatusCode, html)
	}
}

// A key that no catalogue has comes out as itself, which looks like "hero.title.out".
var (
	bareKey = regexp.MustCompile(`>\s*[a-z]+(\.[a-z0-9]+){1,3}\s*<`)
	// paths are lines of the document, which look the same.
	paths = regexp.MustCompile(`<code[^>]*>[^<]*</code>`)
)

var inline = regexp.MustCompile(`(?is)<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?:\s[^>]*)?>`)

func TestPagesHoldNoInlineScriptOrStyle(t *testing.T) {
	t.Parallel()
	h := pages(t)
	for _, page := range all {
		html := bodyOf(t, ask(h, page.path))
		for _, found := range inline.FindAllString(html, -1) {
			data := strings.Contains(found, `type="application/json"`)
			file := strings.Contains(found, ` src="/static/`)
			if !data && !file {
				t.Errorf("%s: inline %q", page.path, found)
			}
		}
		if found := bareKey.FindString(paths.ReplaceAllString(html, "")); found != "" {
			t.Errorf("%s: untranslated %q", page.path, found)
		}
	}
}

func TestHeadersGuardEveryAnswer(t *testing.T) {
	t.Parallel()
	h := pages(t)
	for _, path := range []string{"/", "/privacy", "/nothing", staticFile(t, h, "css")} {
		header := ask(h, path).Header
		csp := header.Get("Content-Security-Policy")
		for _, need := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, need) {
				t.Errorf("%s: CSP lacks %s", path, need)
			}
		}
		if strings.Contains(csp, "unsafe-") || strings.Contains(csp, "http") || strings.Contains(csp, "*") {
			t.Errorf("%s: CSP has an exception: %s", path, csp)
		}
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin"} {
			if header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
		if header.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", path)
		}
		if len(header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: sets a cookie when merely read", path)
		}
	}
}

func TestWhatIsPersonalIsNeverStored(t *testing.T) {
	t.Parallel()
	h := pages(t)
	if got := ask(h, "/").Header.Get("Cache-Control"); strings.Contains(got, "public") {
		t.Errorf("page for a stranger: %q", got)
	}
	for _, r := range []*http.Response{ask(h, "/", "Cookie", "musa_session=x"), ask(h, "/receipts/re_00000000000000000000000001")} {
		if got := r.Header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("personal page: %q", got)
		}
	}
	if strings.Contains(bodyOf(t, ask(h, "/")), "data-restore") || !strings.Contains(bodyOf(t, ask(h, "/", "Cookie", "musa_session=x")), "data-restore") {
		t.Error("pictures are asked for exactly where there is a session")
	}
}

var address = regexp.MustCompile(`(?:src|href|url)\s*[=(:]\s*["']?((?:https?:)?//[^"')\s>]+)`)

func TestNothingComesFromAThirdParty(t *testing.T) {
	t.Parallel()
	h := pages(t)
	for _, page := range all {
		for _, found := range address.FindAllStringSubmatch(bodyOf(t, ask(h, page.path)), -1) {
			t.Errorf("%s: %s", page.path, found[1])
		}
	}
	for name, source := range sources(t) {
		for _, found := range regexp.MustCompile(`https?://[^\s"'<>)]+`).FindAllString(source, -1) {
			if found != "http://www.w3.org/2000/svg" {
				t.Errorf("%s: %s", name, found)
			}
		}
	}
}

var loaded = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

// Everything that a first visit fetches, packed as a browser takes it.
func TestFirstLoadIsLight(t *testing.T) {
	t.Parallel()
	h := pages(t)
	const most = 150_000
	for _, path := range []string{"/", "/privacy"} {
		first := ask(h, path, "Accept-Encoding", "gzip", "Accept-Language", "de")
		packed := bodyOf(t, first)
		total := len(packed)
		z, err := gzip.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		html, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, found := range loaded.FindAllStringSubmatch(string(html), -1) {
			if seen[found[1]] {
				continue
			}
			seen[found[1]] = true
			r := ask(h, found[1], "Accept-Encoding", "gzip")
			if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %s answers %d, %q", path, found[1], r.StatusCode, r.Header.Get("Cache-Control"))
			}
			total += len(bodyOf(t, r))
		}
		if len(seen) < 5 {
			t.Errorf("%s: only %d files found", path, len(seen))
		}
		if total > most {
			t.Errorf("%s: first load is %d bytes, at most %d", path, total, most)
		}
		t.Logf("%s: first load %d bytes in %d files", path, total, len(seen)+1)
	}
}

// Modules that are imported and not preloaded would come one after the other.
func TestModulesAreAllPreloaded(t *testing.T) {
	t.Parallel()
	h := pages(t)
	imports := regexp.MustCompile(`(?m)^import [^;]*'\./([\w-]+\.js)'`)
	entries := map[string]string{"/": "studio.js", "/me": "me.js", "/admin": "admin.js", "/admin/holds": "holds.js", "/privacy": "plain.js", "/receipts/re_00000000000000000000000001": "receipt.js",
		"/signin": "signin.js", "/confirm": "confirm.js", "/me/sign-in": "logins.js", "/me/data": "data.js", "/cookies": "cookies.js", "/support": "support.js", "/admin/people": "people.js"}
	for path, entry := range entries {
		html := bodyOf(t, ask(h, path))
		var walk func(name string)
		seen := map[string]bool{}
		walk = func(name string) {
			if seen[name] {
				return
			}
			seen[name] = true
			if !strings.Contains(html, "/js/"+name+`"`) {
				t.Errorf("%s: %s is not preloaded", path, name)
			}
			source, err := os.ReadFile(filepath.Join("static", "js", name))
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range imports.FindAllStringSubmatch(string(source), -1) {
				walk(found[1])
			}
		}
		walk(entry)
	}
}

func TestPrivacyPageShowsEverySentenceWithItsLine(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	html := bodyOf(t, ask(pages(t), "/privacy"))
	count := 0
	for _, section := range doc.Render() {
		for _, sentence := range section.Sentences {
			count++
			if !strings.Contains(html, `<code class="path">`+sentence.Path+`</code>`) {
				t.Errorf("line %s is not cited", sentence.Path)
			}
		}
	}
	if got := strings.Count(html, `<code class="path">`); got != count || count == 0 {
		t.Errorf("%d sentences on the page, %d in the document", got, count)
	}
	for _, need := range []string{doc.Version} {
		if !strings.Contains(html, need) {
			t.Errorf("the page lacks %s", need)
		}
	}
}

// What the page says of lifetimes is read from the document in force, not written down.
func TestStudioSpeaksThePolicyInForce(t *testing.T) {
	t.Parallel()
	span, err := policy.ParseSpan("7d")
	if err != nil {
		t.Fatal(err)
	}
	doc := &policy.Document{Retention: []policy.Rule{
		{For: policy.Words{"output"}, Tier: policy.Words{"paid"}, From: "created", Keep: span},
		{For: policy.Words{"output"}, Tier: policy.Words{"guest"}, From: "created", Keep: span},
	}}
	h := web.New(config(doc))
	html := bodyOf(t, ask(h, "/"))
	if !strings.Contains(html, "7 days") || !strings.Contains(html, "retention[1]") {
		t.Error("the page does not say the guest's seven days and their rule")
	}
	if strings.Contains(html, "24 hours") || strings.Contains(html, "as soon as the work is done") {
		t.Error("the page promises what this document does not")
	}
}

func TestEveryKeyThatPagesAndScriptsSayExists(t *testing.T) {
	t.Parallel()
	english := lang.All()[0]
	said := regexp.MustCompile(`\b(?:t|tv|T)\(\s*["']([a-z]+(?:\.[a-z0-9]+)+)["']`)
	found := 0
	for name, source := range sources(t) {
		for _, m := range said.FindAllStringSubmatch(source, -1) {
			found++
			if _, ok := english.Message(m[1]); !ok {
				t.Errorf("%s says %s, which no catalogue has", name, m[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d uses found: the search is broken", found)
	}
}

func TestOldStaticAddressIsServedButNotRemembered(t *testing.T) {
	t.Parallel()
	r := ask(pages(t), "/static/0000000000000000/musa.css")
	if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %q", r.StatusCode, r.Header.Get("Cache-Control"))
	}
	if r := ask(pages(t), "/static/0000000000000000/../web.go"); r.StatusCode == 200 {
		t.Error("a path outside the files answers 200")
	}
}

func TestFontsStayWithinTheirShare(t *testing.T) {
	t.Parallel()
	fonts, err := filepath.Glob("static/fonts/*.woff2")
	if err != nil || len(fonts) == 0 {
		t.Fatal("no fonts", err)
	}
	total := int64(0)
	for _, name := range fonts {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 60<<10 {
		t.Errorf("fonts take %d bytes, at most 60 KiB", total)
	}
	if _, err := os.Stat("static/fonts/OFL.txt"); err != nil {
		t.Error("the licence is missing:", err)
	}
}

func staticFile(t *testing.T, h http.Handler, ending string) string {
	t.Helper()
	for _, found := range loaded.FindAllStringSubmatch(bodyOf(t, ask(h, "/")), -1) {
		if strings.HasSuffix(found[1], ending) {
			return found[1]
		}
	}
	t.Fatalf("no %s on the page", ending)
	return ""
}

// sources reads what is written by hand: templates, scripts, styles and the pages' code.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.templ", "*.go", "static/*.*", "static/js/*.js"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(data)
		}
	}
	return out
}
