//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"musa"
	"musa/musatest"
	"musa/musatest/rigs"
)

const askersAddress = "asker@example.net"

// asking is a studio where people ask, and the browser that all of them use.
type asking struct {
	*lived
	browsing context.Context
}

// TestAsking is the way of those who ask without an account, and of the staff who answer, each at
// a browser.
func TestAsking(t *testing.T) {
	t.Parallel()
	a := asking{live(t), chromium(t)}
	b := openAt(t, a.browsing, a.URL, phone, "/do-not-sell")
	for _, status := range []int64{http.StatusUnauthorized, http.StatusNotFound} {
		b.refuses(status)
	}
	t.Run("do not sell", func(t *testing.T) { refuseSale(t, b) })
	t.Run("a question with a way back", func(t *testing.T) { a.askByMail(t, b) })
	t.Run("a request by right", func(t *testing.T) { a.eraseByStaff(t) })
}

// refuseSale: a stranger's word needs no account, and binds the session that it begins.
func refuseSale(t *testing.T, b *tab) {
	if _, known := b.cookies()["musa_session"]; known {
		t.Fatal("a visit alone begins a session")
	}
	b.until(`customElements.get('musa-sell')`)
	b.press("musa-sell", "Do not sell or share")
	b.reads("[data-said]", "It binds from now on.")
	var list struct {
		Requests []struct{ Right, State string }
	}
	c := b.client()
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/rights", nil), &list)
	if len(list.Requests) != 1 || list.Requests[0].Right != "opt_out_sale" {
		t.Errorf("the requests of who pressed are %+v", list.Requests)
	}
}

// askByMail: a guest has no address yet, and may give one. The mail's link opens the answer in
// another browser too, and nothing else of theirs.
func (a asking) askByMail(t *testing.T, b *tab) {
	b.visit("/support")
	b.until(`customElements.get('musa-support')`)
	fillIn(b, map[string]string{"s-email": askersAddress, "s-words": "Who sees what I upload?"})
	b.press("[data-form=write]", "Send")
	b.reads("musa-support", "A mail tells you when there is an answer.")

	a.answer(t, b.client().Subject(), "Who sees what I upload?", "Nobody but you.")
	link := answerLink(t, a.Post(askersAddress))
	elsewhere := openAt(t, a.browsing, a.URL, phone, "/terms")
	elsewhere.visit(link)
	elsewhere.reads("[data-messages]", "Nobody but you.")
	elsewhere.accessible("an answer", phone)
	elsewhere.fits()
	if _, known := elsewhere.cookies()["musa_session"]; known {
		t.Error("the link of a mail signs a browser in")
	}
	elsewhere.visit("/terms")
	elsewhere.refuses(http.StatusGone)
	elsewhere.visit(link) // it was used
	elsewhere.until(`document.querySelector('[data-said]').innerText`)
	elsewhere.see(`document.querySelector('[data-thread]').hidden`)
}

// answerLink is the way to the thread in the last mail.
func answerLink(t *testing.T, list []rigs.Mail) string {
	t.Helper()
	if len(list) == 0 {
		t.Fatal("no mail came")
	}
	u, err := url.Parse(list[len(list)-1].Link("/support"))
	if err != nil || u.Query().Get("thread") == "" || u.Fragment == "" {
		t.Fatalf("the mail's link is %s: %v", u, err)
	}
	return u.RequestURI() + "#" + u.Fragment
}

// answer reads somebody's thread as support does, for a reason, and answers it.
func (a asking) answer(t *testing.T, of musa.SubjectID, asked, answer string) {
	t.Helper()
	desk := a.at(t, musa.RoleSupport, "/admin/support")
	desk.chosen(string(of))
	readThread(desk)
	desk.reads("[data-chosen] .talk", asked)
	desk.act(`document.querySelector('[data-chosen] .room .room textarea').value = "` + answer + `"`)
	desk.press("[data-chosen] .room .room", "Answer")
	desk.reads("musa-desk", "Answered.")
}

func readThread(desk *tab) {
	desk.t.Helper()
	desk.press("[data-chosen]", "Read")
	desk.until(`document.querySelector('[data-chosen] .room textarea')`)
	desk.act(`document.querySelector('[data-chosen] .room textarea').value = 'they asked us'`)
	desk.press("[data-chosen] .room", "Read")
}

// at is a desk with somebody of the staff before it.
func (a asking) at(t *testing.T, role musa.Role, path string) *tab {
	t.Helper()
	b := openAt(t, a.browsing, a.URL, desk, "/terms")
	b.be(a.staff[role])
	b.visit(path)
	b.until(`document.querySelectorAll('[data-case]').length > 0`)
	return b
}

// chosen marks the case that names somebody.
func (b *tab) chosen(words string) {
	b.t.Helper()
	b.act(fmt.Sprintf(`[...document.querySelectorAll('[data-case]')].find((c) => c.innerText.includes(%q)).setAttribute('data-chosen', '')`, words))
}

// eraseByStaff: who asks in their own words for a picture to go is entered as a request by right,
// and its answer erases that picture.
func (a asking) eraseByStaff(t *testing.T) {
	m := a.Member()
	picture := m.Upload("chelsea.png", photo(t), "save", "true")
	said(m, http.MethodPost, "/api/support", musatest.Order{"kind": "privacy", "words": "Please erase " + picture.ID + " for me."}, nil)

	support := a.at(t, musa.RoleSupport, "/admin/support")
	support.chosen(string(m.Subject()))
	readThread(support)
	support.reads("[data-chosen] .talk", "Please erase")
	support.act(`document.querySelector('[data-chosen] select').value = 'erasure'`)
	support.press("[data-chosen]", "Enter as a request by right")
	support.reads("musa-desk", "Entered among the requests")

	rights := a.at(t, musa.RoleOperator, "/admin/rights")
	rights.chosen(string(m.Subject()))
	rights.press("[data-chosen]", "Answer")
	rights.until(`document.querySelector('[data-chosen] .room textarea')`)
	rights.accessible("the answer to an erasure", desk)
	rights.act(`document.querySelector('[data-chosen] .room input:not([type=checkbox])').value = '` + picture.ID + `'; document.querySelector('[data-chosen] .room textarea').value = 'It is erased.'`)
	rights.press("[data-chosen] .room", "Answer")
	rights.reads("musa-desk", "Answered.")
	if a := m.Content(picture.ID); a.Status != http.StatusGone {
		t.Errorf("the picture answers %d after its erasure was granted", a.Status)
	}
}
