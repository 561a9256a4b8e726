package conformance_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
)

// optional is every collection of a document that people can do without.
func optional(doc *policy.Document) (names []string) {
	for _, e := range doc.Consents {
		if e.Value.Mode.Default != "notice_only" {
			names = append(names, "consent "+e.Name)
		}
	}
	for _, e := range doc.OffSwitch {
		names = append(names, e.Name+" "+e.Name)
	}
	account, _ := doc.Categories.Get(string(musa.CategoryAccount))
	for _, f := range account.Fields.Optional {
		names = append(names, "field "+f)
	}
	return names
}

// listed compares what a person's page lists with what the document in force makes optional.
func listed(t *testing.T, m *musatest.Client, doc *policy.Document) map[string]api.Switch {
	t.Helper()
	page, shown := fetched[api.PrivacyPage](t, m, "/api/me/privacy"), map[string]api.Switch{}
	var names []string
	for _, w := range page.Switches {
		shown[w.Name], names = w, append(names, w.Kind+" "+w.Name)
		if w.Change == "" {
			t.Errorf("%s has no switch", w.Name)
		}
	}
	want := optional(doc)
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("%s makes %q optional, and the page lists %q", doc.Policy, want, names)
	}
	objection, _ := doc.Rights.Get("objection")
	if len(page.Objections) != len(objection.Purposes) {
		t.Errorf("one may object to %v, and the page lists %+v", objection.Purposes, page.Objections)
	}
	return shown
}

// Whatever document is loaded, the page lists all that is optional in it and nothing else.
func TestThePageListsEverySwitch(t *testing.T) {
	t.Parallel()
	for _, name := range policies.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Policy: name})
			listed(t, s.Guest(), s.InForce())
		})
	}
}

// switches flips each switch of the page, and looks whether the next request still collects.
func switches(t *testing.T, s *musatest.Studio) {
	t.Helper()
	m := s.Member().In(t)
	listed(t, m, s.InForce())
	page := asked(m, http.MethodGet, "/me/privacy", "", "Cookie", "musa_session="+m.Token)
	for _, part := range []string{"data-consents", "data-log", "data-fields"} {
		if page.Status != http.StatusOK || !bytes.Contains(page.Body, []byte(part)) {
			t.Errorf("the page (%d) has no part %s", page.Status, part)
		}
	}
	for _, field := range []string{"name", "username", "profile"} {
		m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", musatest.Order{field: "planted-" + field}), nil)
		if !listed(t, m, s.InForce())[field].On || !inExport(m, "planted-"+field) {
			t.Errorf("%s is given, and not shown as such", field)
		}
		m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", musatest.Order{field: ""}), nil)
		if listed(t, m, s.InForce())[field].On || inExport(m, "planted-"+field) {
			t.Errorf("%s was taken back, and is still held", field)
		}
	}
	for _, word := range []string{"yes", "no"} {
		general(m, `{"marketing":"`+word+`","preferences":"`+word+`"}`)
		for _, name := range []string{"marketing", "preferences"} {
			if got := listed(t, m, s.InForce())[name]; got.On != (word == "yes") {
				t.Errorf("after %s: %+v", word, got)
			}
		}
		jar := jarOf(asked(m, http.MethodPut, "/api/consents", `{"preferences":"`+word+`"}`))
		set := asked(&musatest.Client{T: t, Base: s.URL}, http.MethodPost, "/preferences?theme=dark", "", "Cookie", jar)
		if got := strings.Contains(strings.Join(set.Header.Values("Set-Cookie"), ""), "musa_theme=dark"); got != (word == "yes") {
			t.Errorf("after %s the colours are remembered: %v (%d)", word, got, set.Status)
		}
	}
	m.Want(http.StatusOK, asked(m, http.MethodPut, "/api/me/log", `{"off":true}`), nil)
	if listed(t, m, s.InForce())["interaction_log"].On {
		t.Error("the log is shown as on")
	}
	a := m.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
	m.Await(m.Enhance(a.ID, musatest.Order{"prompt": "planted-words"}).ID)
	if inExport(m, "planted-words") {
		t.Error("with the log off what was said is still held")
	}
}

// ownStay looks at how long one picture stays by its owner's word, and at the default for all.
func ownStay(t *testing.T, s *musatest.Studio) {
	t.Helper()
	m := s.Member().In(t)
	one, other := m.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true"), m.Upload("b.png", photos.Read(t, "chelsea.png"), "save", "true")
	say := func(words string) (p api.AssetPrivacy) {
		t.Helper()
		m.Want(http.StatusOK, asked(m, http.MethodPut, "/api/assets/"+one.ID+"/privacy", words), &p)
		return p
	}
	p := say(`{"keep":"7d"}`)
	if want := one.Created.Add(7 * day); p.Keep != "7d" || !p.Ends.Equal(want) || len(p.Keeps) != 3 {
		t.Errorf("kept for 7 days it ends %v, want %v: %+v", p.Ends, want, p)
	}
	m.Want(http.StatusOK, asked(m, http.MethodPut, "/api/me/retention", `{"keep":"24h"}`), nil)
	if a, b := m.Asset(one.ID), m.Asset(other.ID); !a.Ends.Equal(one.Created.Add(7*day)) || !b.Ends.Equal(other.Created.Add(day)) {
		t.Errorf("with a default of a day the one ends %v, the other %v", a.Ends, b.Ends)
	}
	if p := m.Problem(http.StatusForbidden, asked(m, http.MethodPut, "/api/assets/"+one.ID+"/privacy", `{"keep":"90d"}`)); p.Code != "choice_not_offered" || p.Field != "keep" {
		t.Errorf("a time that nobody offers: %+v", p)
	}
	if p := m.Problem(http.StatusBadRequest, asked(m, http.MethodPut, "/api/assets/"+one.ID+"/privacy", `{"keep":"for ever"}`)); p.Field != "keep" {
		t.Errorf("no time at all: %+v", p)
	}
	s.Clock.Turn(day - time.Millisecond)
	m.Want(http.StatusOK, m.Content(other.ID), nil)
	s.Clock.Turn(time.Millisecond)
	m.Problem(http.StatusGone, m.Content(other.ID))
	m.Want(http.StatusOK, m.Content(one.ID), nil)
	if p := m.Problem(http.StatusForbidden, asked(m, http.MethodPut, "/api/assets/"+one.ID+"/privacy", `{"keep":"default"}`)); p.Code != "choice_ends_it" {
		t.Errorf("back to the default, which is over: %+v", p)
	}
}
