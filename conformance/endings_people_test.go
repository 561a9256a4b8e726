package conformance_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
)

// peoplesClasses are the classes of what people say about themselves and ask for.
var peoplesClasses = []ending{
	{"address and login, closed", "addresses logins", loginClosed},
	{"voucher that nobody used", "vouchers", voucherUnused},
	{"key of the API", "api_keys", keyExpired},
	{"counted tries", "limits", triesForgotten},
	{"case, answered", "cases", caseAnswered},
	{"support, account never closed", "threads", threadLeft},
	{"survey, account never closed", "answers", surveyLeft},
	{"mail, sent", "mails", mailSent},
	{"membership, owner never seen again", "workspaces members", workspaceLeft},
	{"preference, account never closed", "choices", choicesLeft},
	{"case: an incident and whom it concerned", "incidents affected", incidentOver},
	{"case: a suspension that nobody decides", "suspensions", suspensionLeft},
}

// one reads one value from the database.
func one[T any](t *testing.T, s *musatest.Studio, query string) (v T) {
	t.Helper()
	if err := s.DB.SQL().QueryRowContext(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func instantOf(t *testing.T, s *musatest.Studio, query string) time.Time {
	t.Helper()
	return musa.Millis(one[int64](t, s, query)).Time()
}

func loginClosed(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	id := m.Subject()
	return *closed(t, m).Undo, rowsLeft(s, fmt.Sprintf("addresses WHERE subject = '%s'", id), fmt.Sprintf("logins WHERE subject = '%s'", id))
}

func voucherUnused(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	id := m.Subject()
	m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": m.Email}), nil)
	s.Secret(m.Email) // its time runs from when the mail left
	of := fmt.Sprintf("vouchers WHERE subject = '%s' AND purpose = '%s'", id, musa.VoucherReset)
	return instantOf(t, s, "SELECT expires FROM "+of), rowsLeft(s, of)
}

func keyExpired(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	var key api.Key
	m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/me/keys", musatest.Order{"name": "for a script", "scopes": []string{"read"}, "days": 3}), &key)
	return s.Clock.Now().Add(3 * day), rowsLeft(s, fmt.Sprintf("api_keys WHERE id = '%s'", key.ID))
}

func triesForgotten(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	voucherUnused(t, s)
	end := instantOf(t, s, "SELECT MAX(until) FROM limits")
	return end, rowsLeft(s, fmt.Sprintf("limits WHERE until <= %d", musa.At(end)))
}

// workspaceLeft goes with the last of its members, whom nobody sees again.
func workspaceLeft(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	var ws api.Workspace
	m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "a studio of one"}), &ws)
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("workspaces WHERE subject = '%s'", ws.ID), fmt.Sprintf("members WHERE workspace = '%s'", ws.ID))
}

func choicesLeft(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	id := m.Subject()
	m.Want(http.StatusOK, m.Do(http.MethodPut, "/api/me/consents", musatest.Order{"marketing": "yes"}), nil)
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("choices WHERE subject = '%s'", id))
}

// choiceSuperseded ends three years after another answer took its place, while the account is
// in use all the time; the other answer stays.
func choiceSuperseded(t *testing.T, s *musatest.Studio) {
	m := s.Member()
	for _, answer := range []string{"yes", "no"} {
		m.Want(http.StatusOK, m.Do(http.MethodPut, "/api/me/consents", musatest.Order{"marketing": answer}), nil)
	}
	of := fmt.Sprintf("choices WHERE subject = '%s' AND name = 'marketing' AND superseded ", m.Subject())
	end := musatest.Months(instantOf(t, s, "SELECT superseded FROM "+of+"> 0").UTC(), 36)
	for eve := end.Add(-time.Second); s.Clock.Now().Before(eve); {
		s.Clock.Turn(min(visits, eve.Sub(s.Clock.Now())))
		m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me", nil), nil)
	}
	for _, want := range []int{1, 0} {
		sweep(t, s)
		if n := rowsLeft(s, of+"> 0")(t); n != want {
			t.Errorf("at %v of %v there are %d superseded choices, want %d", s.Clock.Now(), end, n, want)
		}
		s.Clock.Turn(time.Second)
	}
	if n := rowsLeft(s, of+"= 0")(t); n != 1 {
		t.Errorf("%d answers stand, want 1", n)
	}
}

func caseAnswered(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	id := m.Subject()
	m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/rights", musatest.Order{"right": "access"}), nil)
	return musatest.Months(s.Clock.Now().UTC(), 36), rowsLeft(s, fmt.Sprintf("cases WHERE subject = '%s'", id))
}

func threadLeft(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	m := s.Member()
	id := m.Subject()
	m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/support", musatest.Order{"words": "a question that waits"}), nil)
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("threads WHERE subject = '%s'", id))
}

func surveyLeft(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	op, m := s.Staff(t, musa.RoleOperator), s.Member()
	id := m.Subject()
	var asked struct{ ID string }
	op.Want(http.StatusCreated, op.Do(http.MethodPost, "/api/admin/surveys", musatest.Order{"title": "How is it?",
		"questions": []musatest.Order{{"id": "why", "ask": "Why?", "kind": "words"}}}), &asked)
	m.Want(http.StatusOK, m.Do(http.MethodPost, "/api/surveys/"+asked.ID+"/answer", musatest.Order{"answers": map[string]string{"why": "because"}}), nil)
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("answers WHERE subject = '%s'", id))
}

func incidentOver(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	op, m := s.Staff(t, musa.RoleOperator), s.Member()
	var in struct{ ID string }
	op.Want(http.StatusCreated, op.Do(http.MethodPost, "/api/admin/incidents", musatest.Order{"what": "a disk went missing"}), &in)
	op.Want(http.StatusOK, op.Do(http.MethodPost, "/api/admin/incidents/"+in.ID+"/affected", musatest.Order{"subjects": []string{string(m.Subject())}}), nil)
	return musatest.Months(s.Clock.Now().UTC(), 36), rowsLeft(s, fmt.Sprintf("incidents WHERE id = '%s'", in.ID), fmt.Sprintf("affected WHERE incident = '%s'", in.ID))
}

// suspensionLeft goes with an account that nobody decides about, and whose owner never comes back.
func suspensionLeft(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	mod, m := s.Staff(t, musa.RoleSupport), s.Member()
	id := m.Subject()
	mod.Want(http.StatusOK, mod.Do(http.MethodPost, "/api/admin/people/"+string(id)+"/suspend", musatest.Order{"reason": "a letter of the school"}), nil)
	return musatest.Months(s.Clock.Now().UTC(), 24), rowsLeft(s, fmt.Sprintf("suspensions WHERE subject = '%s'", id))
}

func mailSent(t *testing.T, s *musatest.Studio) (time.Time, func(*testing.T) int) {
	id := s.Member().Subject()
	mail := one[string](t, s, fmt.Sprintf("SELECT id FROM mails WHERE subject = '%s' AND state = 'sent'", id))
	return s.Clock.Now().Add(7 * day), rowsLeft(s, fmt.Sprintf("mails WHERE id = '%s'", mail))
}
