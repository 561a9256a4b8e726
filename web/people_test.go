package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"musa/consent"
	"musa/policies"
	"musa/policy"
	"musa/web"
)

// What a browser is asked stands in the page as it comes, yes and no as the same button, and
// is not asked again once it was answered.
func TestCookiesAreAskedAboutOnceAndEvenly(t *testing.T) {
	t.Parallel()
	doc := preset(t)
	h := web.New(config(doc))
	html := bodyOf(t, ask(h, "/"))
	yes := regexp.MustCompile(`<button type="button" class="press" data-answer="yes">`)
	no := regexp.MustCompile(`<button type="button" class="press" data-answer="no">`)
	if !yes.MatchString(html) || !no.MatchString(html) || !strings.Contains(html, `data-names="preferences"`) {
		t.Error("the question is missing, or one answer weighs more")
	}
	for _, answer := range []consent.Answer{consent.Yes, consent.No} {
		jar := consent.Cookie + "=" + consent.EncodeCookie(doc, map[string]consent.Answer{"preferences": answer})
		if strings.Contains(bodyOf(t, ask(h, "/", "Cookie", jar)), "<musa-consent") {
			t.Errorf("%v: asked again after the answer", answer)
		}
	}
	if !strings.Contains(bodyOf(t, ask(h, "/", "Cookie", consent.Cookie+"=who-knows")), "<musa-consent") {
		t.Error("a value that says nothing was taken for an answer")
	}
	without := *doc
	without.Consents = policy.Table[policy.Consent]{}
	if strings.Contains(bodyOf(t, ask(web.New(config(&without)), "/")), "<musa-consent") {
		t.Error("people are asked for what the document asks nobody")
	}
}

func remember(t *testing.T, h http.Handler, form, cookies string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/preferences", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", cookies)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// Language and colours are kept with a yes, used while it stands, and taken out with it; a
// value that comes back without one is neither used nor kept.
func TestPreferencesAreKeptOnlyWithAYes(t *testing.T) {
	t.Parallel()
	doc := preset(t)
	h := web.New(config(doc))
	jar := func(a consent.Answer) string {
		return consent.Cookie + "=" + consent.EncodeCookie(doc, map[string]consent.Answer{"preferences": a})
	}
	for _, refused := range []string{"", jar(consent.No)} {
		if r := remember(t, h, "theme=dark&lang=de", refused); r.StatusCode != http.StatusForbidden || len(r.Cookies()) != 0 {
			t.Errorf("with %q: status %d, cookies %v", refused, r.StatusCode, r.Cookies())
		}
	}
	kept := map[string]string{}
	for _, c := range remember(t, h, "theme=dark&lang=de", jar(consent.Yes)).Cookies() {
		kept[c.Name] = c.Value
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 {
			t.Errorf("%s is set as %+v", c.Name, c)
		}
	}
	if len(kept) != 2 || kept["musa_theme"] != "dark" || kept["musa_lang"] != "de" {
		t.Errorf("kept %v", kept)
	}
	if c := remember(t, h, "theme=pink&lang=xx", jar(consent.Yes)).Cookies(); len(c) != 0 {
		t.Errorf("unknown values are kept: %v", c)
	}
	if c := remember(t, h, "theme=system", jar(consent.Yes)+"; musa_theme=dark").Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("the system's own colours leave %v", c)
	}
	const mine = "; musa_theme=dark; musa_lang=de"
	if html := bodyOf(t, ask(h, "/", "Cookie", jar(consent.Yes)+mine)); !strings.Contains(html, `data-theme="dark"`) || !strings.Contains(html, `<html lang="de"`) {
		t.Error("what was kept with a yes is not used")
	}
	after := ask(h, "/", "Cookie", jar(consent.No)+mine)
	if html := bodyOf(t, after); strings.Contains(html, `data-theme="dark"`) || strings.Contains(html, `<html lang="de"`) {
		t.Error("preferences are used after a no")
	}
	if len(after.Cookies()) != 2 || after.Cookies()[0].MaxAge >= 0 || after.Cookies()[1].MaxAge >= 0 {
		t.Errorf("after a no the browser keeps %v", after.Cookies())
	}
}

// Every cookie of every preset stands on the page, with words of its own.
func TestCookiesPageNamesEachCookie(t *testing.T) {
	t.Parallel()
	for _, name := range policies.Names() {
		doc, err := policies.Load(name, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		html := bodyOf(t, ask(web.New(config(doc)), "/cookies"))
		for _, e := range doc.Consents {
			for _, cookie := range e.Value.Cookies {
				if !strings.Contains(html, "<code>"+cookie+"</code>") {
					t.Errorf("%s: the page does not name %s", name, cookie)
				}
			}
		}
	}
}

// What a browser signals is seen and said.
func TestTheSignalIsShown(t *testing.T) {
	t.Parallel()
	h := pages(t)
	for _, path := range []string{"/do-not-sell", "/cookies", "/me/privacy"} {
		with := bodyOf(t, ask(h, path, "Sec-GPC", "1", "Cookie", "musa_session=x"))
		without := bodyOf(t, ask(h, path, "Cookie", "musa_session=x"))
		if !strings.Contains(with, "Your browser sends Global Privacy Control.") || !strings.Contains(without, "does not send Global Privacy Control") {
			t.Errorf("%s does not say whether the browser signals", path)
		}
	}
}

// The door asks for exactly what the document lets an account hold.
func TestSignUpAsksForThePolicysFields(t *testing.T) {
	t.Parallel()
	doc := preset(t)
	less := *doc
	less.Categories = nil
	for _, e := range doc.Categories {
		if e.Name == "account" {
			e.Value.Fields = policy.Fields{Required: policy.Words{"email"}}
		}
		less.Categories = append(less.Categories, e)
	}
	all, few := bodyOf(t, ask(web.New(config(doc)), "/signin")), bodyOf(t, ask(web.New(config(&less)), "/signin"))
	for _, name := range []string{"name", "username", "profile"} {
		field := `id="up-` + name + `"`
		if !strings.Contains(all, field) || strings.Contains(few, field) {
			t.Errorf("%s is asked against the document", name)
		}
	}
	if strings.Contains(all, "checked") && regexp.MustCompile(`type="checkbox"[^>]*checked`).MatchString(all) {
		t.Error("something is ticked before the person does")
	}
}
