//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"musa"
	"musa/musatest"
)

// mishaps is a studio in which people are cut off, press twice and change their minds.
type mishaps struct {
	*lived
	browsing context.Context
}

// TestMishaps: a page never shows as done what was not done, does once what is pressed twice, and
// loses nothing that it was told only once.
func TestMishaps(t *testing.T) {
	t.Parallel()
	m := mishaps{live(t), chromium(t)}
	t.Run("answers that do not get through", m.lostAnswers)
	t.Run("acts that do not get through", m.lostActs)
	t.Run("pictures that cannot be looked up", m.unread)
	t.Run("what is shown once", m.shownOnce)
	t.Run("an answer pressed twice", m.pressedTwice)
	t.Run("a list that comes too late", m.lateList)
	t.Run("two surveys at once", m.twoSurveys)
	t.Run("rights and tables", m.rightsAndTables)
	t.Run("a session that is over", m.sessionOver)
	t.Run("a workspace erased and taken back", m.workspaceBack)
}

// as is somebody's browser at a page.
func (m mishaps) as(t *testing.T, c *musatest.Client, path string) *tab {
	t.Helper()
	b := openAt(t, m.browsing, m.URL, desk, "/terms")
	b.be(c)
	b.visit(path)
	return b
}

// cutOff has all that the page asks for fail on its way.
func (b *tab) cutOff() {
	b.t.Helper()
	b.act(`window.fetch = () => Promise.reject(new TypeError('cut off'))`)
}

const unreached = "No connection to the server"

// lostAnswers: what stands as somebody's answer is what the server has of them.
func (m mishaps) lostAnswers(t *testing.T) {
	b := m.as(t, m.Member(), "/me/privacy")
	b.until(`document.querySelector('[data-consent] input[value=yes]') && document.querySelector('[data-log] input:checked')`)
	b.cutOff()
	b.act(`document.querySelector('[data-consent] input[value=yes]').click()`)
	b.reads("[data-said]", unreached)
	b.until(`!document.querySelector('[data-consent] input[value=yes]').checked`)
	b.act(`document.querySelector('[data-said]').hidden = true; document.querySelector('[data-log] input[value=off]').click()`)
	b.reads("[data-said]", unreached)
	b.until(`document.querySelector('[data-log] input[value=on]').checked`)

	b.visit("/me/mails")
	b.until(`document.querySelectorAll('[data-answer] input:checked').length > 0`)
	before := see[[]string](b, answers)
	b.cutOff()
	b.act(`document.querySelector('[data-way=page] input:not(:checked)').click()`)
	b.reads("[data-said]", unreached)
	b.until(fmt.Sprintf(`(%s).join() === %q`, answers, strings.Join(before, ",")))
}

const answers = `[...document.querySelectorAll('[data-answer] input:checked')].map((e) => e.name + e.value)`

// lostActs: who could not sign out is told so and stays where they are, and a request that was not
// taken back says why.
func (m mishaps) lostActs(t *testing.T) {
	c := m.Member()
	said(c, http.MethodPost, "/api/rights", obj{"right": "access", "words": "All of it, please."}, nil)
	said(c, http.MethodPost, "/api/rights", obj{"right": "objection", "purpose": "secure"}, nil)
	b := m.as(t, c, "/me/sign-in")
	b.reads("[data-sessions]", "this one")
	b.cutOff()
	b.press("musa-logins", "Sign out")
	b.reads("[data-said]", unreached)
	if at := see[string](b, `location.pathname`); at != "/me/sign-in" {
		t.Errorf("who could not sign out is led to %s", at)
	}
	said(c, http.MethodPost, "/api/workspaces", obj{"name": "Atelier"}, nil)
	b.visit("/me/workspaces")
	b.press("[data-spaces]", "Who belongs to it")
	b.until(`document.querySelector('[data-spaces] select')`)
	b.refuses(http.StatusConflict) // the last owner stays one
	b.act(`const role = document.querySelector('[data-spaces] select'); role.value = 'viewer'; role.dispatchEvent(new Event('change'))`)
	b.until(`document.querySelector('[data-said]').innerText && document.querySelector('[data-spaces] select').value === 'owner'`)
	b.visit("/me/data")
	b.reads("[data-requests]", "Take it back")
	b.cutOff()
	b.press("[data-requests]", "Take it back")
	b.reads("[data-said]", unreached)
}

// unread: a studio whose pictures could not be looked up does not look as though there were none.
func (m mishaps) unread(t *testing.T) {
	b := m.as(t, m.member, "/")
	b.until(`document.querySelector('musa-studio').items?.length > 0`)
	b.cutOff()
	b.act(`document.querySelector('musa-studio').restore()`)
	b.reads("musa-notices", "They are still there.")
}

// shownOnce: a key's secret and recovery codes are shown whatever fails after them, and the button
// that copies says of each that it was not copied yet.
func (m mishaps) shownOnce(t *testing.T) {
	b := m.as(t, m.Member(), "/me/sign-in")
	b.until(`document.querySelector('[name=scope-read]')`)
	key := func(name string) {
		b.act(fmt.Sprintf(`const f = document.querySelector('form[data-form=key]').elements; f.name.value = %q; f['scope-read'].checked = true`, name))
		b.press("#keys", "Make a key")
		b.until(`document.querySelector('[data-key-shown]').checkVisibility()`)
	}
	key("one")
	b.act(`document.querySelector('[data-key-copy]').click()`)
	b.until(`document.querySelector('[data-key-copy]').innerText !== 'Copy it'`)
	b.press("[data-key-shown]", "I have kept it")
	key("two")
	if label := see[string](b, `document.querySelector('[data-key-copy]').innerText`); label != "Copy it" {
		t.Errorf("of a key that nobody copied the button says %q", label)
	}
	b.act(`const part = document.querySelector('musa-logins');
		const real = window.fetch; window.fetch = (path, how) => path === '/api/me/logins' ? Promise.reject(new TypeError('cut off')) : real(path, how);
		part.attempt(() => part.codes(['aaaa-bbbb']))`)
	b.reads("[data-codes]", "aaaa-bbbb")
}

// pressedTwice: the person gets one answer.
func (m mishaps) pressedTwice(t *testing.T) {
	c := m.Member()
	var thread struct{ ID string }
	said(c, http.MethodPost, "/api/support", obj{"kind": "question", "words": "Who sees it?"}, &thread)
	b := m.as(t, m.staff[musa.RoleSupport], "/admin/support")
	b.until(`document.querySelectorAll('[data-case]').length > 0`)
	b.chosen(string(c.Subject()))
	readThread(b)
	b.until(`document.querySelector('[data-chosen] .room .room textarea')`)
	b.act(`const form = document.querySelector('[data-chosen] .room .room form'); form.elements.words.value = 'Nobody.'; form.requestSubmit(); form.requestSubmit()`)
	b.reads("musa-desk", "Answered.")
	if see[float64](b, `document.querySelector('[data-say]').getBoundingClientRect().height`) < 20 {
		t.Error("what was done is said to nobody who looks at the page")
	}
	var got struct{ Messages []struct{ Words string } }
	said(c, http.MethodGet, "/api/support/"+thread.ID, nil, &got)
	if len(got.Messages) != 2 {
		t.Errorf("one answer pressed twice makes the thread %+v", got.Messages)
	}
}

// lateList: a desk shows the state that was asked for last, whichever answer comes last.
func (m mishaps) lateList(t *testing.T) {
	said(m.member, http.MethodPost, "/api/support", obj{"kind": "question", "words": "And that?"}, nil)
	b := m.as(t, m.staff[musa.RoleSupport], "/admin/support")
	b.until(`document.querySelectorAll('[data-case]').length > 0`)
	b.act(`const real = window.fetch, gate = new Promise((open) => { window.free = open; });
		window.fetch = async (path, how) => {
			const answer = await real(path, how);
			if (path.includes('state=open')) await gate;
			return answer;
		};
		const desk = document.querySelector('musa-desk');
		window.late = desk.load('');
		document.querySelector('[data-states] [value=closed]').click()`)
	b.until(`!document.querySelector('[data-none]').hidden`)
	if n := see[int](b, `(window.free(), await window.late, document.querySelectorAll('[data-case]').length)`); n != 0 {
		t.Errorf("%d open threads stand among the closed ones", n)
	}
}

// twoSurveys: sending one leaves what is written in another.
func (m mishaps) twoSurveys(t *testing.T) {
	for _, title := range []string{"First", "Second"} {
		said(m.staff[musa.RoleOperator], http.MethodPost, "/api/admin/surveys", obj{"title": title, "questions": []obj{{"id": "say", "ask": "Anything?", "kind": "words"}}}, nil)
	}
	b := m.as(t, m.member, "/surveys")
	b.until(`document.querySelectorAll('[data-survey] textarea').length > 1`)
	b.act(`const [one, two] = document.querySelectorAll('[data-survey]:has(textarea)'); one.querySelector('textarea').value = 'sent'; two.querySelector('textarea').value = 'still thinking'; one.querySelector('form').requestSubmit()`)
	b.reads("[data-said]", "Thank you")
	b.until(`document.querySelector('[data-survey] .state').innerText && [...document.querySelectorAll('[data-survey] textarea')].some((e) => e.value === 'sent')`)
	if !see[bool](b, `[...document.querySelectorAll('[data-survey] textarea')].some((e) => e.value === 'still thinking')`) {
		t.Error("sending one survey empties the other")
	}
}

// workspaceBack: a workspace that was erased stands as that, with the way back and its receipt.
func (m mishaps) workspaceBack(t *testing.T) {
	patient := mishaps{&lived{Studio: musatest.New(t, musatest.Rig{Policy: "professional", Clock: musatest.RunningClock()})}, m.browsing}
	c := patient.Member()
	said(c, http.MethodPost, "/api/workspaces", obj{"name": "Atelier"}, nil)
	b := patient.as(t, c, "/me/workspaces")
	b.press("[data-spaces]", "Erase …")
	b.press("[data-spaces]", "Erase the workspace")
	b.reads("[data-said]", "It is hidden")
	b.reads("[data-spaces]", "closed")
	if see[bool](b, `[...document.querySelectorAll('[data-spaces] button')].some((e) => e.innerText === 'Invite')`) {
		t.Error("a closed workspace still invites")
	}
	b.reads("[data-spaces]", "receipt")
	b.accessible("a closed workspace", desk)
	b.press("[data-spaces]", "Take it back")
	b.reads("[data-said]", "It is there again")
	b.press("[data-spaces]", "Rename")
	b.act(`document.querySelector('[data-spaces] [name=name]').value = 'Studio'; document.querySelector('[data-spaces] form').requestSubmit()`)
	b.reads("[data-spaces]", "Studio")
	b.press("[data-spaces]", "What it asks of all")
	b.act(`document.querySelector('[data-spaces] [name=unlogged]').checked = true; document.querySelector('[data-spaces] form').requestSubmit()`)
	b.reads("[data-said]", "It binds all in it")
	var list struct {
		Workspaces []struct {
			Enforced struct {
				Off bool `json:"interaction_log_off"`
			}
		}
	}
	said(c, http.MethodGet, "/api/workspaces", nil, &list)
	if len(list.Workspaces) != 1 || !list.Workspaces[0].Enforced.Off {
		t.Errorf("the log of the workspace was switched off, and it is %+v", list.Workspaces)
	}
}

// rightsAndTables: each right keeps its name beside its deadline, and no column of what is held is
// out of sight at a desk.
func (m mishaps) rightsAndTables(t *testing.T) {
	b := m.as(t, m.member, "/me/data?lang=de")
	b.until(`document.querySelectorAll('[data-requests] > li').length > 0 && document.querySelectorAll('[data-holdings] td').length > 10`)
	b.reads("[data-due]", "Beantwortet innerhalb")
	if names := see[string](b, `[...document.querySelectorAll('#d-right option')].map((e) => e.innerText).join()`); strings.Contains(names, "innerhalb") {
		t.Errorf("the rights to choose from are %s", names)
	}
	if over := see[int](b, `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.scroller:has([data-holdings])'))`); over > 0 {
		t.Errorf("what is held is %d px wider than its place", over)
	}
	if broken := see[[]string](b, `[...document.querySelectorAll('[data-holdings] tbody th')].filter((name) => {
		const range = document.createRange();
		range.selectNodeContents(name);
		return !name.innerText.includes(' ') && range.getClientRects().length > 1;
	}).map((name) => name.innerText)`); len(broken) > 0 {
		t.Errorf("the names %q are broken", broken)
	}
}

// sessionOver: where a session ended elsewhere, each part of the account leads on.
func (m mishaps) sessionOver(t *testing.T) {
	c := m.Member()
	b := m.as(t, c, "/me")
	b.act(`document.querySelector('[data-ledger] summary').click()`)
	b.reads("[data-ledger-lines]", "came in")
	b.refuses(http.StatusUnauthorized)
	said(c, http.MethodDelete, "/api/session", nil, nil)
	for _, path := range []string{"/me", "/me/privacy"} {
		b.visit(path)
		b.reads("[data-over]", "Sign in")
		b.until(`!document.querySelector('.parts').checkVisibility()`)
	}
}
