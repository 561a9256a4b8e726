package conformance_test

import (
	"net/http"
	"strings"
	"testing"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
)

// onRequest is: a kind of news comes to nobody before they asked and their address answered, comes
// then, and stops with one press of a mailbox, without a session.
func onRequest(t *testing.T, s *musatest.Studio, c *musatest.Client, kind string) {
	t.Helper()
	nobody := &musatest.Client{T: t, Base: s.URL}
	wantReached(s, c, kind, kind+" before", 0, 0)
	pickMail(c, kind, "mail", "yes")
	wantReached(s, c, kind, kind+" asked", 0, 0)
	_, secret, _ := strings.Cut(s.Mail(c.Email).Link("for=list"), "#")
	nobody.Want(http.StatusOK, nobody.Do(http.MethodPost, "/api/lists/confirm", musatest.Order{"secret": secret}), nil)
	wantReached(s, c, kind, kind+" confirmed", 1, 0)
	m := s.Mail(c.Email)
	_, path, ok := strings.Cut(strings.Trim(m.Header.Get("List-Unsubscribe"), "<>"), "/api/")
	if !ok || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Fatalf("%s: no header for one press: %v", kind, m.Header)
	}
	a := nobody.Send(http.MethodPost, "/api/"+path, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	nobody.Want(http.StatusOK, a, nil)
	wantReached(s, c, kind, kind+" stopped", 0, 0)
}

// important is: what the service has to say reaches each account once, asked for or not, says why
// it came, and stands on the page of news for everybody.
func important(t *testing.T, s *musatest.Studio, people ...*musatest.Client) {
	t.Helper()
	for _, c := range people {
		wantReached(s, c, "service", "the studio moves "+c.Email, 1, 1)
	}
	m := s.Mail(people[0].Email)
	wantWords(t, "the mail", m.Text, "because you have an account", "cannot be switched off", "/news")
	if m.Header.Get("List-Unsubscribe") != "" {
		t.Error("a mail of the service offers to stop it")
	}
	var page api.NewsList
	guest, nobody := s.Guest(), &musatest.Client{T: t, Base: s.URL}
	for _, c := range []*musatest.Client{guest, nobody} {
		c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/news", nil), &page)
		if len(page.News) != len(people) || page.News[0].Kind != "service" {
			t.Errorf("without mail they read %+v", page.News)
		}
	}
}

// surveyed is: who asked for surveys is told of one, answers, changes the answer, has it in the
// export, and deletes it.
func surveyed(t *testing.T, s *musatest.Studio, c *musatest.Client) {
	t.Helper()
	const words, others = "finer whiskers 1618", "coarser whiskers 2718"
	pickMail(c, "survey", "page", "yes")
	survey := heard[api.Survey](s.Staff(t, musa.RoleOperator), "POST", "/api/admin/surveys", musatest.Order{"title": "How is it?",
		"questions": []musatest.Order{{"id": "q1", "ask": "What is missing?", "kind": "words"}}})
	if list := fetched[api.Surveys](t, c, "/api/surveys"); len(list.Surveys) != 1 || list.Surveys[0].Answered {
		t.Fatalf("they are shown %+v", list)
	}
	answer := "/api/surveys/" + survey.ID + "/answer"
	heard[api.SurveyAnswers](c, "POST", answer, musatest.Order{"answers": musatest.Order{"q1": others}})
	heard[api.SurveyAnswers](c, "POST", answer, musatest.Order{"answers": musatest.Order{"q1": words}})
	if !inExport(c, words) || inExport(c, others) {
		t.Error("the export does not follow the answer")
	}
	c.Want(http.StatusNoContent, c.Do(http.MethodDelete, answer, nil), nil)
	if inExport(c, words) {
		t.Error("the export has what was deleted")
	}
}

// TestWhatComesByMail: service mails to everybody, the rest on request.
func TestWhatComesByMail(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "W-03", func(t *testing.T) {
		both(t, "workspace", func(t *testing.T, s *musatest.Studio) {
			c, other := s.Member(), s.Member()
			answered(t, s, c, "question")
			for _, kind := range []string{"news", "survey", "promotion"} {
				onRequest(t, s, c, kind)
			}
			important(t, s, c, other)
			surveyed(t, s, c)
		})
	})
}
