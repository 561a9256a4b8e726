//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"musa/conformance"
	"musa/musatest/nodes"
	"musa/musatest/photos"
)

// TestPromiseCookies counts what a browser keeps before and after each choice, with each preset
// that promises something about it.
func TestPromiseCookies(t *testing.T) {
	t.Parallel()
	browsing := chromium(t)
	axe(t)
	conformance.Kept(t, "P-21", func(t *testing.T) {
		server := serving(t, "professional")
		t.Run("the question", func(t *testing.T) { weighEvenly(t, browsing, server) })
		t.Run("nothing is ticked beforehand", func(t *testing.T) { nothingTicked(open(t, browsing, server, desk, "/cookies")) })
		t.Run("three categories", func(t *testing.T) { threeCategories(open(t, browsing, server, desk, "/cookies")) })
		t.Run("counts by answer", func(t *testing.T) { cookiesByAnswer(t, browsing, server) })
	})
	conformance.Kept(t, "W-08", func(t *testing.T) {
		server := serving(t, "workspace")
		t.Run("the question", func(t *testing.T) { weighEvenly(t, browsing, server) })
		t.Run("three categories", func(t *testing.T) { threeCategories(open(t, browsing, server, desk, "/cookies")) })
		t.Run("counts by answer", func(t *testing.T) { cookiesByAnswer(t, browsing, server) })
		t.Run("light and dark", func(t *testing.T) { lightAndDark(open(t, browsing, server, desk, "/")) })
	})
	conformance.Kept(t, "E-08", func(t *testing.T) {
		server := serving(t, "enhancer")
		t.Run("the question", func(t *testing.T) { weighEvenly(t, browsing, server) })
		t.Run("only what is necessary before a choice", func(t *testing.T) { necessaryAlone(open(t, browsing, server, desk, "/")) })
		t.Run("the settings page", func(t *testing.T) { cookiesByAnswer(t, browsing, server) })
	})
}

// serving is a server of its own under a preset.
func serving(t *testing.T, preset string) *nodes.Node {
	t.Helper()
	server := nodes.Server(t, t.TempDir(), "--policy", preset)
	server.Start()
	return server
}

// want counts all that the browser keeps: the cookies by name, and no key anywhere else.
func want(b *tab, when string, cookies ...string) {
	b.t.Helper()
	got, kept := slices.Sorted(maps.Keys(b.cookies())), see[map[string]int](b, keys)
	b.t.Logf("%s: %d cookies %v, other keys %v", when, len(got), got, kept)
	if !slices.Equal(got, cookies) {
		b.t.Errorf("%s the browser keeps the cookies %v, want %v", when, got, cookies)
	}
	for place, n := range kept {
		if n != 0 {
			b.t.Errorf("%s the browser keeps %d things in its %s", when, n, place)
		}
	}
}

// weighEvenly looks at the question as people see it: both answers are the same button, both
// in sight, and none is chosen for them.
func weighEvenly(t *testing.T, browsing context.Context, server *nodes.Node) {
	for _, s := range []screen{desk, desk.in("dark"), phone, phone.in("dark")} {
		b := open(t, browsing, server, s, "/")
		b.reads("musa-consent", "Nothing was set yet")
		const look = `(({ width, height }, s) => [width, height, s.color, s.backgroundColor, s.borderColor, s.borderWidth, s.fontSize, s.fontWeight, s.opacity, s.textDecorationLine, s.cursor].join(' '))`
		looks := see[[]string](b, `[...document.querySelectorAll('musa-consent button')].map((e) => `+look+`(e.getBoundingClientRect(), getComputedStyle(e)))`)
		if len(looks) != 2 || looks[0] != looks[1] {
			t.Errorf("%s at %d px the answers look different: %q", s.theme, s.width, looks)
		}
		b.inReach("musa-consent [data-answer=yes]")
		b.inReach("musa-consent [data-answer=no]")
		if see[bool](b, `Boolean(document.activeElement.closest('musa-consent') || document.querySelector('musa-consent input, musa-consent .primary'))`) {
			t.Error("one of the answers is chosen for the person")
		}
		want(b, "before an answer")
	}
}

// nothingTicked looks at every page where something can be agreed to: nobody finds a yes there.
func nothingTicked(b *tab) {
	for _, path := range []string{"/cookies", "/signin#up", "/", "/support"} {
		b.visit(path)
		ticked := see[[]string](b, `[...document.querySelectorAll('main :is(input[type=checkbox], [data-answer] input):checked, musa-consent input')].map((e) => e.name)`)
		if len(ticked) > 0 {
			b.t.Errorf("%s has ticked %v before anybody did", path, ticked)
		}
	}
	if n := see[int](b, `(await (await fetch('/cookies')).text()).match(/type="radio" name="preferences"/g).length`); n != 2 {
		b.t.Errorf("the settings page has %d boxes to tick for preferences, want yes and no", n)
	}
}

// threeCategories compares the page about cookies with what the document declares.
func threeCategories(b *tab) {
	listed := see[map[string][]string](b, `Object.fromEntries([...document.querySelectorAll('[data-kind]')].map((e) => [e.dataset.kind, [...e.querySelectorAll('[data-cookie]')].map((r) => r.dataset.cookie)]))`)
	wanted := map[string][]string{"essential": {"musa_session", "musa_signin", "musa_consent"}, "preferences": {"musa_lang", "musa_theme"}, "performance": {}}
	if !maps.EqualFunc(listed, wanted, slices.Equal) {
		b.t.Errorf("the page lists %v, want %v", listed, wanted)
	}
	b.reads("[data-kind=performance]", "None.")
	declared := see[[]string](b, `(await (await fetch('/api/consents')).json()).consents.flatMap((c) => c.cookies)`)
	if all := slices.Concat(wanted["essential"], wanted["preferences"]); !slices.Equal(declared, all) {
		b.t.Errorf("the document declares %v, the page lists %v", declared, all)
	}
	b.accessible("cookies", desk)
}

// cookiesByAnswer goes through every choice, in the question and on the settings page, and counts after each.
func cookiesByAnswer(t *testing.T, browsing context.Context, server *nodes.Node) {
	b := open(t, browsing, server, desk, "/")
	b.until(`document.querySelector('musa-consent [data-answer]')`)
	want(b, "before an answer")
	b.press("musa-theme", "Dark")
	b.visit("/privacy")
	want(b, "after choosing colours without a yes")
	if see[bool](b, `'theme' in document.documentElement.dataset`) {
		t.Error("colours were remembered without a yes")
	}
	b.accessible("the question", desk)
	b.press("musa-consent", "No")
	b.until(`!document.querySelector('musa-consent')`)
	want(b, "after a no", "musa_consent")
	b.press("musa-theme", "Dark")
	b.visit("/cookies")
	want(b, "after choosing colours with a no", "musa_consent")
	b.press("#choose", "Yes")
	b.press("#choose", "Save")
	b.reads("[data-said]", "may be remembered here")
	want(b, "after a yes, with nothing chosen yet", "musa_consent")
	b.press("musa-theme", "Dark")
	until(t, "the colours to be kept", func() bool { return b.cookies()["musa_theme"] == "dark" })
	want(b, "after a yes and colours", "musa_consent", "musa_theme")
	b.visit("/cookies")
	b.reads("[data-cookie=musa_theme]", "in this browser")
	b.reads("[data-cookie=musa_lang]", "not set")
	b.visit("/")
	if !see[bool](b, `document.documentElement.dataset.theme === 'dark' && !document.querySelector('musa-consent')`) {
		t.Error("after a yes the colours are not there, or the question is")
	}
	b.press(".foot", "Deutsch")
	b.until(`document.documentElement.lang === 'de'`)
	want(b, "after choosing a language", "musa_consent", "musa_lang", "musa_theme")
	quickToSayNo(b)
	b.press("#choose", "Speichern")
	b.reads("[data-said]", "nichts behalten")
	want(b, "after the yes was withdrawn", "musa_consent")
	b.visit("/")
	b.until(`document.documentElement.lang === 'en'`)
	want(b, "on the next page", "musa_consent")

	other := open(t, browsing, server, phone, "/")
	other.press("musa-consent", "Yes")
	other.until(`!document.querySelector('musa-consent')`)
	want(other, "after a yes to the question", "musa_consent")
}

// quickToSayNo answers before the page has heard what was answered earlier: what the person says counts.
func quickToSayNo(b *tab) {
	b.t.Helper()
	held, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		const at = window.fetch;
		const held = new Promise((done) => { window.letGo = done; });
		window.fetch = async (path, how) => {
			if (path === '/api/consents' && how.method === 'GET') {
				await held;
				const answer = await at(path, how);
				window.heard = true;
				return answer;
			}
			return at(path, how);
		};`})
	b.must("hold an answer", err)
	b.visit("/cookies")
	b.press("#choose", "Nein")
	b.act(`letGo()`)
	b.until(`window.heard`)
	_, err = chromedp.Call(b.ctx, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(held))
	b.must("hold no more", err)
}

// bright is how light the page is, from 0 to 255.
const bright = `Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)[0])`

// lightAndDark: the system's colours until the person chooses, then theirs, on every page from its
// first paint on, and the system's again when they say so.
func lightAndDark(b *tab) {
	is := func(when, theme string) {
		b.t.Helper()
		if at := see[int](b, bright); at > 128 != (theme == "light") {
			b.t.Errorf("%s the page is %d of 255 bright, want it %s", when, at, theme)
		}
	}
	b.press("musa-consent", "Yes")
	b.until(`!document.querySelector('musa-consent')`)
	for _, system := range []string{"light", "dark"} {
		b.look(desk.in(system))
		b.visit("/")
		is("by a "+system+" system", system)
		for _, chosen := range []string{"Dark", "Light"} {
			b.press("musa-theme", chosen)
			until(b.t, "the choice to be kept", func() bool { return b.cookies()["musa_theme"] == strings.ToLower(chosen) })
			for _, path := range []string{"/privacy", "/signin", "/"} {
				b.visit(path)
				is(fmt.Sprintf("on %s, chosen %s by a %s system", path, chosen, system), strings.ToLower(chosen))
			}
		}
		// The page comes in its colours: no script has to run for them.
		if html := see[string](b, `(await (await fetch('/')).text()).slice(0, 200)`); !strings.Contains(html, `data-theme="light"`) {
			b.t.Errorf("the page comes without its colours: %s", html)
		}
		b.press("musa-theme", "As the system")
		until(b.t, "the choice to be gone", func() bool { _, there := b.cookies()["musa_theme"]; return !there })
		b.visit("/")
		is("back to a "+system+" system", system)
	}
	want(b, "with the system's colours", "musa_consent")
}

// necessaryAlone uses the service as far as it goes before the question is answered.
func necessaryAlone(b *tab) {
	for _, path := range []string{"/privacy", "/privacy/versions", "/terms", "/cookies", "/support", "/signin", "/do-not-sell", "/me", "/"} {
		b.visit(path)
		want(b, "after reading "+path)
	}
	b.drop(filepath.Join(photos.Dir(b.t), "chelsea.png"))
	b.reads("[data-estimate]", "902 × 600")
	want(b, "after a picture, before a choice", "musa_session")
	b.until(`document.querySelector('musa-consent')`)
	b.visit("/")
	b.until(`document.querySelector('musa-studio').current?.original`) // the session is remembered
	b.visit("/me/privacy")
	b.until(`document.querySelector('[data-consent=preferences]')`)
	b.visit("/cookies")
	b.reads("[data-cookie=musa_session]", "in this browser")
	b.reads("[data-kind=performance]", "counted on the server")
	want(b, "after the pages of settings, before a choice", "musa_session")
}
