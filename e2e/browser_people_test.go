//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/hotp"

	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/musatest/rigs"
)

// TestPeople is a person's whole way, and what a browser is asked before anybody knows it.
func TestPeople(t *testing.T) {
	t.Parallel()
	sink := rigs.SMTPServer(t)
	here, there := mailing(t, sink), mailing(t, sink)
	browsing := chromium(t)
	t.Run("from guest to nothing", func(t *testing.T) { guestToNothing(t, browsing, sink, here, there) })
	t.Run("global privacy control", func(t *testing.T) { signalMatrix(t, browsing, here) })
	t.Run("doors and pages of words", func(t *testing.T) { doorsAreAccessible(t, browsing, here) })
}

// mailing starts a server that sends mails. People reach it by a name: passkeys want one.
func mailing(t *testing.T, sink *rigs.SMTP) *nodes.Node {
	t.Helper()
	m := nodes.Server(t, t.TempDir(), "--smtp", sink.URL, "--mail-from", "studio@example.org")
	m.URL = strings.Replace(m.URL, "127.0.0.1", "localhost", 1)
	m.Command = append(m.Command, "--public-url", m.URL)
	m.Start()
	return m
}

const (
	personsAddress = "walker@example.net"
	personsName    = "Wanda Walkthrough"
)

// guestToNothing is promise and proof in one walk: what a guest made comes along into the
// account, out of it as an archive, into another server whole, and is gone at the end.
func guestToNothing(t *testing.T, browsing context.Context, sink *rigs.SMTP, here, there *nodes.Node) {
	b := open(t, browsing, here, desk, "/")
	for status := range map[int64]bool{http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusNotFound: true} {
		b.refuses(status)
	}
	b.press("musa-consent", "No")
	b.drop(filepath.Join(photos.Dir(t), "chelsea.png"))
	b.press("musa-options", "Enhance")
	b.reads("musa-card h2", "Done")
	made := see[string](b, `shown().output.id`)

	signUp(b, sink)
	b.until(`document.querySelector('musa-studio')?.current?.output`)
	if again := see[string](b, `shown().output.id`); again != made {
		t.Errorf("after signing up the picture is %s, was %s", again, made)
	}
	b.wantContent(http.StatusOK, made)
	addPasskey(b)
	addFactor(b)
	byPasskey(b)
	archive := export(b)
	bringTo(open(t, browsing, there, desk, "/"), archive)
	eraseAll(b, here)
}

func fillIn(b *tab, fields map[string]string) {
	b.t.Helper()
	for id, value := range fields {
		b.until(fmt.Sprintf(`document.getElementById(%q)?.checkVisibility()`, id))
		b.act(fmt.Sprintf(`document.getElementById(%q).value = %q`, id, value))
	}
}

func signUp(b *tab, sink *rigs.SMTP) {
	b.t.Helper()
	b.visit("/signin#up")
	b.until(`document.querySelectorAll('#up-country option').length > 200`)
	b.accessible("sign-up", desk)
	fillIn(b, map[string]string{"up-country": "DE", "up-born": "1990-05-31", "up-email": personsAddress, "up-password": musatest.Password, "up-name": personsName})
	b.press("[data-view=up]", "Create the account")
	b.reads("[data-sent]", "Open the link in the mail")
	var link string
	until(b.t, "the mail", func() bool {
		list := sink.To(personsAddress)
		if len(list) > 0 {
			link = list[len(list)-1].Link("/confirm")
		}
		return link != ""
	})
	b.visit(strings.TrimPrefix(link, b.base))
	b.reads("[data-lede]", "Your pictures are in it")
	b.accessible("confirm", desk)
	b.press("musa-confirm", "Create the account")
	b.until(`location.pathname === '/' && document.querySelector('musa-studio')`)
}

func addPasskey(b *tab) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{})
	b.must("enable passkeys", err)
	_, err = chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, AutomaticPresenceSimulation: true, IsUserVerified: true}})
	b.must("add an authenticator", err)
	b.visit("/me/sign-in")
	b.reads("[data-sessions]", "this one")
	fillIn(b, map[string]string{"l-name": "ring finger"})
	b.press("#passkeys", "Add a passkey")
	b.reads("[data-passkeys]", "ring finger")
	b.accessible("ways to sign in", desk)
}

func addFactor(b *tab) {
	b.t.Helper()
	b.press("#factor", "Set it up")
	b.until(`document.querySelector('[data-qr] .qr path')`)
	b.accessible("second factor", desk)
	secret := strings.ReplaceAll(see[string](b, `document.querySelector('[data-secret]').innerText`), " ", "")
	wantScannable(b, secret)
	wantEverySize(b)
	fillIn(b, map[string]string{"l-code": codeOf(b.t, secret)})
	b.press("#factor", "Confirm")
	b.until(`document.querySelectorAll('[data-codes] li').length >= 8`)
	b.accessible("recovery codes", desk)
	b.press("[data-recovery]", "I have kept it")
	b.reads("[data-factor-state]", "On since")
}

func codeOf(t *testing.T, secret string) string {
	t.Helper()
	code, err := hotp.GenerateCode(secret, uint64(time.Now().Unix()/30))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// byPasskey leaves and comes back.
func byPasskey(b *tab) {
	b.t.Helper()
	b.press("#sessions", "Sign out")
	b.until(`location.pathname === '/' && document.getElementById('nav-me').hidden`)
	b.visit("/signin")
	b.press("[data-view=in]", "Sign in with a passkey")
	b.until(`location.pathname === '/' && document.querySelector('musa-studio')`)
}

func export(b *tab) string {
	b.t.Helper()
	b.visit("/me/data")
	b.reads("[data-holdings]", "results")
	b.until(`document.querySelectorAll('#d-right option').length > 3`)
	b.accessible("a person's data", desk)
	b.press("#take", "Download everything")
	b.downloaded("musa-export.zip")
	return filepath.Join(b.downloads, "musa-export.zip")
}

// bringTo takes the archive into another server, as a guest there.
func bringTo(b *tab, archive string) {
	b.t.Helper()
	b.press("musa-consent", "No")
	b.see(`fetch('/api/guests', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"cookie":true}' }).then((r) => r.ok)`)
	b.visit("/me/data")
	b.until(`document.querySelector('#d-file') && document.querySelectorAll('#d-right option').length > 3`)
	b.must("choose the archive", chromedp.Do(b.ctx, chromedp.SetUploadFiles(chromedp.CSS("#d-file"), []string{archive})))
	b.press("#bring", "Bring it in")
	b.reads("[data-imported]", "Taken in: 1 picture")
	b.visit("/")
	b.until(`document.querySelector('musa-studio')?.current?.output`)
	b.wantContent(http.StatusOK, see[string](b, `shown().output.id`))
}

func (b *tab) see(expression string) {
	b.t.Helper()
	if !see[bool](b, expression) {
		b.t.Errorf("%s is not so", expression)
	}
}

// eraseAll closes the account; then nothing of it opens, and no file holds a word of it.
func eraseAll(b *tab, here *nodes.Node) {
	b.t.Helper()
	client := b.client()
	b.visit("/me")
	b.until(`document.querySelector('musa-me:defined')`) // its script is there, and hears what is pressed
	b.press("musa-me", "Close the account …")
	b.press("[data-sure]", "Close and erase")
	b.reads("[data-closing]", "This account is closed")
	b.accessible("closed", desk)
	until(b.t, "the account to be closed to its token", func() bool { return client.Do("GET", "/api/me/profile", nil).Status == http.StatusUnauthorized })
	b.visit("/signin")
	b.press("[data-view=in]", "Sign in with a passkey")
	b.until(`document.querySelector('[data-ways=in] [data-way-fault]').innerText`)
	for _, folder := range []string{"data", "server-tmp", "server-home"} {
		err := filepath.WalkDir(filepath.Join(here.Dir, folder), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // what has gone meanwhile holds nothing
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			for _, word := range []string{personsAddress, personsName, "ring finger"} {
				if strings.Contains(string(data), word) {
					b.t.Errorf("%q stands in %s", word, filepath.Base(path))
				}
			}
			return nil
		})
		b.must("look for remains", err)
	}
}

// signalMatrix: with and without the signal, after yes and after no. Marketing is what the
// policy lets the signal refuse; language and colours are not.
func signalMatrix(t *testing.T, browsing context.Context, server *nodes.Node) {
	for _, signal := range []bool{false, true} {
		for _, answer := range []string{"yes", "no"} {
			b := open(t, browsing, server, phone, "/")
			if signal {
				_, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Sec-GPC": "1"}})
				b.must("send the signal", err)
			}
			b.see(`fetch('/api/guests', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"cookie":true}' }).then((r) => r.ok)`)
			b.visit("/me/privacy")
			b.reads("[data-signal]", map[bool]string{true: "Your browser sends", false: "does not send"}[signal])
			b.press(`[data-consent=marketing]`, map[string]string{"yes": "Yes", "no": "No"}[answer])
			const marketing = `(await (await fetch('/api/me/consents')).json()).consents.find((c) => c.name === 'marketing')`
			b.until(marketing + `.answer === '` + answer + `'`) // the mark in the page stands before the server has it
			on := see[bool](b, marketing+`.on`)
			if wanted := answer == "yes" && !signal; on != wanted {
				t.Errorf("signal %v, answer %s: marketing is %v, want %v", signal, answer, on, wanted)
			}
			if signal && answer == "yes" {
				b.reads("[data-consent=marketing]", "outweighs it")
				b.accessible("privacy with the signal", phone)
			}
			b.visit("/do-not-sell")
			b.reads("main", map[bool]string{true: "It is honoured", false: "does not send"}[signal])
		}
	}
}

func doorsAreAccessible(t *testing.T, browsing context.Context, server *nodes.Node) {
	b := open(t, browsing, server, desk, "/")
	b.press("musa-consent", "No")
	b.until(`!document.querySelector('musa-consent')`)
	for _, path := range []string{"/signin", "/signin#reset", "/confirm?for=reset#" + strings.Repeat("a", 32), "/cookies", "/terms", "/support", "/do-not-sell", "/me/profile", "/admin/rights"} {
		b.visit(path)
		b.accessible(path, desk)
	}
}
