package conformance_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/audit"
	"musa/conformance"
	"musa/musatest"
)

// same says whether two values are one, as JSON has them.
func same(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// applies asks for an account as somebody who lives somewhere and was born on a day.
func applies(s *musatest.Studio, email, country string, born time.Time) musatest.Answer {
	c := &musatest.Client{T: s.T, Base: s.URL}
	return c.Do(http.MethodPost, "/api/accounts", musatest.Order{"email": email, "password": musatest.Password, "country": country, "born": born.Format(time.DateOnly)})
}

// screened is: who is old enough to the day is taken, who lacks a day is refused in the words in
// which everybody is, and cannot try again at once with another day; nothing that they typed stays.
func screened(t *testing.T, s *musatest.Studio, ages map[string]int) {
	t.Helper()
	today := s.Clock.Now().UTC()
	for country, years := range ages {
		if a := applies(s, "old-enough-"+strings.ToLower(country)+"@example.net", country, today.AddDate(-years, 0, 0)); a.Status != http.StatusAccepted {
			t.Errorf("%d years old in %s: %d %s", years, country, a.Status, a.Body)
		}
	}
	for country, years := range ages {
		today = s.Clock.Now().UTC()
		email := "a-day-too-young-" + strings.ToLower(country) + "@example.net"
		young := applies(s, email, country, today.AddDate(-years, 0, 1))
		again := applies(s, email, country, today.AddDate(-years-20, 0, 0))
		c := &musatest.Client{T: t, Base: s.URL}
		c.Problem(http.StatusForbidden, young)
		if again.Status != http.StatusForbidden || string(again.Body) != string(young.Body) {
			t.Errorf("in %s, at once with another day: %d %s", country, again.Status, again.Body)
		}
		s.Step()
		if found := musatest.Find(t, s.Dirs, musatest.Markers{"the address": []byte(email)}); len(found) != 0 {
			t.Errorf("of who was refused there is left: %v", found)
		}
		if got := s.Post(email); len(got) != 0 {
			t.Errorf("who was refused gets %d mails", len(got))
		}
		s.Clock.Turn(25 * time.Hour)
		if later := applies(s, email, country, today.AddDate(-years-20, 0, 0)); later.Status != http.StatusAccepted {
			t.Errorf("in %s, a day later: %d %s", country, later.Status, later.Body)
		}
	}
}

// reported is: a report alone locks nobody out; the staff suspend at once, which refuses
// work in words and leaves sign-in and the rights; a person's second decision, in the time that the policy
// names, erases all of it with a receipt.
func reported(t *testing.T, s *musatest.Studio) {
	t.Helper()
	m, helper, nobody := s.Member(), s.Staff(t, musa.RoleSupport), &musatest.Client{T: t, Base: s.URL}
	id := string(m.Subject())
	up, _ := brought(t, m)
	th := heard[api.Thread](nobody, "POST", "/api/support", musatest.Order{"kind": "child", "words": m.Email + " is my daughter, who is nine"})
	m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me", nil), nil)
	if me := fetched[api.Me](t, m, "/api/me"); me.Suspended != nil {
		t.Fatal("a report alone suspends")
	}
	heard[api.Thread](helper, "POST", "/api/admin/support/"+th.ID+"/open", musatest.Order{"reason": "a report about a child"})
	found := heard[api.FoundPerson](helper, "POST", "/api/admin/people/find", musatest.Order{"email": m.Email})
	if found.Subject != id {
		t.Fatalf("the address leads to %+v", found)
	}
	door := "/api/admin/people/" + id
	sus := heard[api.Suspension](helper, "POST", door+"/suspend", musatest.Order{"reason": "a letter of the school", "thread": th.ID})
	within := s.InForce().Age.Reported.Erase.Duration()
	if !sus.Since.Equal(s.Clock.Now()) || sus.Due.Sub(*sus.Since) != within {
		t.Errorf("suspended %v, to be decided %v", sus.Since, sus.Due)
	}
	if p := m.Problem(http.StatusForbidden, m.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{up.ID}})); p.Code != "account_suspended" {
		t.Errorf("work is refused as %q", p.Code)
	}
	m = signedIn(t, s, m.Email, "another device")
	if p := m.Problem(http.StatusForbidden, m.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{up.ID}})); p.Code != "account_suspended" {
		t.Errorf("work in a new session is refused as %q", p.Code)
	}
	m.Export("/api/me/export")
	m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me/holdings", nil), nil)
	s.Clock.Turn(within - time.Second)
	if list := heard[api.Suspensions](helper, "GET", "/api/admin/people", nil).Suspensions; len(list) != 1 || list[0].Overdue {
		t.Errorf("a second before its time: %+v", list)
	}
	account := scanner(t, s, id)
	if hits := scan(t, account, s); len(hits) == 0 {
		t.Fatal("before the decision the scan does not find the account's key")
	}
	done := heard[api.ErasedPerson](helper, "POST", door+"/erase", musatest.Order{"reason": "her parents showed papers"})
	s.Step()
	if n := rows(t, s, "subjects WHERE id = '"+id+"' AND state <> 'erased'"); n != 0 {
		t.Error("the account is still there")
	}
	wantClean(t, s, account)
	s.Step()
	var r api.Receipt
	nobody.Want(http.StatusOK, nobody.Do(http.MethodGet, "/api/receipts/"+done.Receipt+"?key="+done.Capability, nil), &r)
	if r.Statement.What != audit.WhatErased || r.Statement.Item != id || !r.Logged || r.Statement.Erased > musa.At(*sus.Due) {
		t.Errorf("the receipt says %+v, logged: %v", r.Statement, r.Logged)
	}
	if _, err := audit.VerifyReceipt(r.Receipt, r.Verifier); err != nil {
		t.Errorf("the receipt does not prove itself: %v", err)
	}
	nobody.Problem(http.StatusUnauthorized, nobody.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": m.Email, "password": musatest.Password}))
}

// TestChildren: nobody below the policy's age, and what a child made goes when it is reported.
func TestChildren(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		id, preset string
		ages       map[string]int
	}{
		{"C-34", "conversational", map[string]int{"US": 13, "DE": 13}},
		{"P-19", "professional", map[string]int{"DE": 16, "ES": 14}},
		{"W-25", "workspace", map[string]int{"US": 13, "DE": 13}},
	} {
		conformance.Kept(t, of.id, func(t *testing.T) {
			both(t, of.preset, func(t *testing.T, s *musatest.Studio) {
				reported(t, s)
				screened(t, s, of.ages)
			})
		})
	}
}
