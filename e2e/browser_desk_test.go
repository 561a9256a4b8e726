//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
)

// TestDesk is a person's account, and the staff's desk, as both see them with a browser.
func TestDesk(t *testing.T) {
	t.Parallel()
	server := nodes.Server(t, t.TempDir())
	server.Start()
	browsing := chromium(t)
	t.Run("from guest to the receipt of an account", func(t *testing.T) { accountsLife(t, open(t, browsing, server, desk, "/"), server) })
	t.Run("nobody's account", func(t *testing.T) {
		b := open(t, browsing, server, phone, "/me?lang=de")
		b.reads("[data-lede]", "In diesem Browser gibt es keine Sitzung")
		b.accessible("no account", phone)
	})
	t.Run("the operator's desk", func(t *testing.T) { operatorsDesk(t, open(t, browsing, server, desk, "/admin"), server) })
	t.Run("what is held", func(t *testing.T) { heldAndReleased(t, open(t, browsing, server, desk, "/admin/holds"), server) })
}

// atOnce runs one of the operator's commands beside the server; it has to be carried out.
func atOnce(t *testing.T, server *nodes.Node, args ...string) string {
	t.Helper()
	said, status := operate(t, server.Dir, args...)
	if status != 0 {
		t.Fatalf("musa operator %s: status %d\n%s", strings.Join(args, " "), status, said)
	}
	return said
}

func addStaff(t *testing.T, server *nodes.Node, role musa.Role) string {
	t.Helper()
	said := atOnce(t, server, "add", "--json", "--role", string(role))
	var added struct{ Token string }
	// A warning may stand before the JSON.
	if err := json.Unmarshal([]byte(said[max(0, strings.Index(said, "{")):]), &added); err != nil {
		t.Fatal(err)
	}
	return added.Token
}

// accountsLife: pictures, a plan, a choice that is previewed first, and the way out.
func accountsLife(t *testing.T, b *tab, server *nodes.Node) {
	b.drop(filepath.Join(photos.Dir(t), "chelsea.png"))
	b.press("musa-options", "Enhance")
	b.reads("musa-card h2", "Done")
	b.reads(".top nav", "Me")
	result := see[string](b, `shown().output.id`)
	b.press(".top nav", "Me")
	b.reads("[data-tier]", "Guest")
	b.reads("[data-offers]", "In your plan there is nothing to choose")
	b.reads("[data-seen-none]", "Nobody opened anything of yours")
	b.accessible("guest's account", desk)
	b.picture("me-guest")

	atOnce(t, server, "tier", see[string](b, `document.querySelector('[data-id]').innerText`), "paid")
	b.visit("/me")
	b.reads("[data-offers]", "48 hours (usual)")
	before := b.client().Asset(result)
	b.press("[data-offers]", "7 days")
	b.reads("[data-preview-words]", "will stay longer")
	b.accessible("preview", desk)
	b.picture("me-preview")
	b.press("[data-preview]", "Leave as it is")
	b.until(`document.querySelector('[data-preview]').hidden && document.querySelector('[data-offers] input:checked').value === '48h'`)
	b.press("[data-offers]", "7 days")
	b.press("[data-preview]", "Change to 7 days")
	b.reads("[data-say]", "Your results now go after 7 days")
	after := b.client().Asset(result)
	if moved := after.Ends.Sub(*before.Ends); moved != 5*24*time.Hour {
		t.Errorf("the end moved by %v, want five days", moved)
	}
	b.visit("/")
	b.until(fmt.Sprintf(`shown()?.output?.ends && Date.parse(shown().output.ends) === %d`, after.Ends.UnixMilli()))
	b.reads(".tiles .lives", fmt.Sprintf("%d", after.Ends.Local().Day()))

	b.visit("/me")
	b.press("[data-offers]", "48 hours (usual)")
	b.reads("[data-preview-words]", "This will erase")
	b.press("[data-preview]", "Leave as it is")
	b.press("musa-me", "Close the account …")
	b.reads("[data-sure]", "Close the account and erase everything in it?")
	b.accessible("closing, asked", desk)
	b.picture("me-closing")
	b.press("[data-sure]", "Keep the account")
	b.until(`document.querySelector('[data-sure]').hidden`)
	b.press("musa-me", "Close the account …")
	client := b.client()
	b.press("[data-sure]", "Close and erase")
	b.reads("[data-closing]", "This account is closed")
	b.accessible("closed", desk)
	b.picture("me-closed")
	if a := client.Content(result); a.Status != http.StatusUnauthorized {
		t.Errorf("a closed account's picture answers %d", a.Status)
	}
	b.refuses(http.StatusNotFound) // the receipt is in the log only when all is gone
	b.press("[data-closing]", "Open the receipt")
	b.until(`document.querySelector('musa-receipt')`)
	b.reads("[data-facts]", "account")
}

// signIn pastes a token, after one that is none.
func signIn(b *tab, token string) {
	b.t.Helper()
	b.refuses(http.StatusUnauthorized)
	b.until(`!document.querySelector('[data-sign]').hidden`)
	b.act(`document.getElementById('token').focus()`)
	b.keys("musa_no-such-token\r")
	b.reads("[data-token-fault]", "This token is unknown")
	b.accessible("a wrong token", desk)
	b.act(`document.getElementById('token').value = ''; document.getElementById('token').focus()`)
	b.keys(token + "\r")
	b.until(`document.querySelector('[data-desk]')?.checkVisibility()`)
}

func operatorsDesk(t *testing.T, b *tab, server *nodes.Node) {
	g := server.Guest()
	original := g.Upload("x.png", photo(t), "save", "true")
	g.Want(http.StatusAccepted, g.Do("DELETE", "/api/assets/"+original.ID, nil), nil)
	signIn(b, addStaff(t, server, musa.RoleOperator))
	b.reads("[data-roles]", "operator")
	b.reads("[data-figures]", "nothing is past its end")
	b.reads("[data-usage-words]", "A total stands for at least 20 people")
	b.reads("[data-reckoning]", "studio/")
	b.press("[data-states]", see[string](b, `(await (async () => { for (;;) { const e = [...document.querySelectorAll('[data-states] span')].at(2); if (e?.innerText && !e.innerText.endsWith(' 0')) return e.innerText; await new Promise((done) => setTimeout(done, 500)); } })())`))
	b.reads("[data-lines]", original.ID)
	if n := see[int](b, `document.querySelectorAll('main img').length`); n != 0 {
		t.Errorf("the operator sees %d pictures", n)
	}
	adds := see[bool](b, `(async () => { const c = await (await fetch('/api/admin/cleanup')).json(); return c.entered > 0 && c.entered === c.waiting + c.erasing + c.purged + c.failed })()`)
	if !adds {
		t.Error("the queue's counts do not add up")
	}
	b.accessible("the desk", desk)
	b.picture("admin")
	b.press("main", "Record of processing")
	version := see[string](b, `(async () => (await (await fetch('/api/policy')).json()).version)()`)
	if got := string(b.downloaded("record-studio-" + version + ".md")); !strings.Contains(got, "# Record of processing activities") {
		t.Errorf("the record: %.200s", got)
	}
	b.press("main", "Holds")
	b.refuses(http.StatusNotFound)
	b.reads("[data-not-yours]", "Holds are not for your role.")
	b.press("main", "Sign out")
	b.until(`!document.querySelector('[data-sign]').hidden`)
}

func photo(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(photos.Dir(t), "chelsea.png"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func heldAndReleased(t *testing.T, b *tab, server *nodes.Node) {
	g := server.Guest()
	a := g.Upload("x.png", photo(t), "save", "true")
	two := &musatest.Client{T: t, Base: server.URL, Token: addStaff(t, server, musa.RoleCompliance)}
	signIn(b, addStaff(t, server, musa.RoleCompliance))
	b.reads("[data-none]", "Nothing is held.")
	b.refuses(http.StatusBadRequest)
	b.press("[data-order]", "Hold a copy")
	b.reads("[data-fault=asset]", "Give the id of a picture")
	b.act(`document.getElementById('asset').focus()`)
	b.keys(a.ID)
	b.act(`document.getElementById('reason').focus()`)
	b.keys("a letter of the court")
	b.press("[data-order]", "Hold a copy")
	b.reads("[data-cases]", a.ID)
	b.press("[data-cases]", "Open the picture")
	b.keys("to see that it is the right one")
	b.press("[data-cases]", "Open it")
	b.until(`document.querySelector('[data-cases] img')?.naturalWidth > 0`)
	b.picture("holds")
	b.press("[data-cases]", "Close the picture")
	b.press("[data-cases]", "Read the case")
	b.reads("[data-cases]", "a letter of the court")
	b.accessible("held", desk)
	b.press("[data-cases]", "Ask for release")
	b.reads("[data-cases]", "Another person has to agree.")
	var d api.Disclosures
	g.Want(http.StatusOK, g.Do("GET", "/api/me/disclosures", nil), &d)
	if len(d.Held) != 1 || len(d.Uses) == 0 {
		t.Errorf("the owner hears %+v", d)
	}
	two.Want(http.StatusOK, two.Do("POST", "/api/admin/holds/"+see[string](b, `document.querySelector('[data-hold]').dataset.hold`)+"/release", nil), nil)
	b.visit("/admin/holds")
	b.reads("[data-cases]", "Released")
}
