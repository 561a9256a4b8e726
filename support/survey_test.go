package support_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
)

var asked = obj{"title": "How is it?", "questions": []obj{
	{"id": "best", "ask": "What is best?", "kind": "choice", "choices": []string{"speed", "looks", "price"}},
	{"id": "mark", "ask": "A mark?", "kind": "scale"},
	{"id": "say", "ask": "Anything else?", "kind": "words"},
}}

// A person's answers are sealed, can be changed and erased; the operator sees groups that are
// large enough, and no group that could be told from the others.
func TestTotalsHideFew(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		operator, g := s.Staff(t, musa.RoleOperator), s.Guest()
		g.Problem(http.StatusNotFound, g.Do("POST", "/api/admin/surveys", asked))
		survey := got[api.Survey](operator, "POST", "/api/admin/surveys", asked)
		answer, totals := "/api/surveys/"+survey.ID+"/answer", "/api/admin/surveys/"+survey.ID+"/totals"
		for _, bad := range []obj{{}, {"best": "luck"}, {"mark": "6"}, {"mark": "05"}, {"other": "x"}} {
			g.Problem(http.StatusBadRequest, g.Do("POST", answer, obj{"answers": bad}))
		}
		got[api.SurveyAnswers](g, "POST", answer, obj{"answers": obj{"best": "price", "say": said}})
		got[api.SurveyAnswers](g, "POST", answer, obj{"answers": obj{"best": "looks", "say": said}})
		if mine := got[api.SurveyAnswers](g, "GET", answer, nil); mine.Answers["best"] != "looks" || mine.Answers["say"] != said {
			t.Errorf("answered %+v", mine)
		}
		for i := range 43 {
			best := "speed"
			if i >= 20 {
				best = "looks"
			}
			one := s.Guest()
			got[api.SurveyAnswers](one, "POST", answer, obj{"answers": obj{"best": best}})
		}
		late := s.Guest()
		got[api.SurveyAnswers](late, "POST", answer, obj{"answers": obj{"best": "price"}})
		gone := s.Guest()
		got[api.SurveyAnswers](gone, "POST", answer, obj{"answers": obj{"best": "price"}})
		gone.Want(http.StatusNoContent, gone.Do("DELETE", answer, nil), nil)
		gone.Problem(http.StatusNotFound, gone.Do("GET", answer, nil))
		if open := got[api.SurveyTotals](operator, "GET", totals, nil); open.Shown || len(open.Groups) != 0 || open.Answered != 40 || open.MinGroup != 20 {
			t.Errorf("while it runs: %+v", open)
		}
		operator.Want(http.StatusNoContent, operator.Do("POST", "/api/admin/surveys/"+survey.ID+"/close", nil), nil)
		late.Problem(http.StatusGone, late.Do("POST", answer, obj{"answers": obj{"best": "speed"}}))
		over := got[api.SurveyTotals](operator, "GET", totals, nil)
		groups := map[string]api.SurveyGroup{}
		for _, g := range over.Groups {
			groups[g.Question+"="+g.Choice] = g
		}
		// 20 speed, 24 looks, 1 price: the one is hidden, and so is the smaller of the others.
		if over.Answered != 45 || !groups["best=price"].Hidden || !groups["best=speed"].Hidden || groups["best=looks"].People != 24 {
			t.Errorf("when it is over: %+v", over)
		}
		late.Want(http.StatusNoContent, late.Do("DELETE", answer, nil), nil)
		if again := got[api.SurveyTotals](operator, "GET", totals, nil); fmt.Sprint(again) != fmt.Sprint(over) {
			t.Errorf("one who left changes what was shown: %+v", again)
		}
	})
}

// asks has somebody ask for surveys by mail, and answer from their address.
func asks(s *musatest.Studio, c *musatest.Client) {
	s.T.Helper()
	c.Want(http.StatusOK, c.Do("PUT", "/api/me/mails", obj{"kinds": obj{"survey": obj{"mail": "yes"}}}), nil)
	if list := got[api.Surveys](c, "GET", "/api/surveys", nil); len(list.Surveys) != 0 {
		s.T.Errorf("shown before their address answered: %+v", list)
	}
	_, secret, _ := strings.Cut(s.Mail(c.Email).Link("for=list"), "#")
	c.Want(http.StatusOK, c.Do("POST", "/api/lists/confirm", obj{"secret": secret}), nil)
}

// Who asked for surveys is told of one and sees it while it is open; who did not is neither told nor
// shown. What somebody answered stays theirs to see and to delete, whatever they ask for later.
func TestSurveysComeToWhoAskedForThem(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		operator, wants, wantsNot := s.Staff(t, musa.RoleOperator), s.Member(), s.Member()
		asks(s, wants)
		survey := got[api.Survey](operator, "POST", "/api/admin/surveys", asked)
		if m := s.Mail(wants.Email); !strings.Contains(m.Subject, "How is it?") || m.Link("/surveys") == "" || m.Header.Get("List-Unsubscribe-Post") == "" {
			t.Errorf("told by %q: %s", m.Subject, m.Text)
		}
		for _, m := range s.Mails.To(wantsNot.Email) {
			if strings.Contains(m.Subject, "How is it?") {
				t.Error("who did not ask is told")
			}
		}
		seen := func(c *musatest.Client) int { return len(got[api.Surveys](c, "GET", "/api/surveys", nil).Surveys) }
		if seen(wants) != 1 || seen(wantsNot) != 0 {
			t.Errorf("%d and %d are shown, want 1 and 0", seen(wants), seen(wantsNot))
		}
		answer := "/api/surveys/" + survey.ID + "/answer"
		got[api.SurveyAnswers](wants, "POST", answer, obj{"answers": obj{"mark": "4"}})
		wants.Want(http.StatusOK, wants.Do("PUT", "/api/me/mails", obj{"kinds": obj{"survey": obj{"mail": "no"}}}), nil)
		operator.Want(http.StatusNoContent, operator.Do("POST", "/api/admin/surveys/"+survey.ID+"/close", nil), nil)
		if list := got[api.Surveys](wants, "GET", "/api/surveys", nil); len(list.Surveys) != 1 || !list.Surveys[0].Answered || list.Surveys[0].Closed == nil {
			t.Errorf("what they answered is shown as %+v", list)
		}
		wants.Want(http.StatusNoContent, wants.Do("DELETE", answer, nil), nil)
		if seen(wants) != 0 {
			t.Error("it is shown though nothing of theirs is left in it")
		}
	})
}

// What people wrote opens for a reason, which each of them sees; what they chose beside it and who
// they are stays closed.
func TestRemarksOpenForAReason(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		operator, helper := s.Staff(t, musa.RoleOperator), s.Staff(t, musa.RoleSupport)
		survey := got[api.Survey](operator, "POST", "/api/admin/surveys", asked)
		remarks, answer := "/api/admin/surveys/"+survey.ID+"/remarks", "/api/surveys/"+survey.ID+"/answer"
		first, second, silent := s.Guest(), s.Guest(), s.Guest()
		got[api.SurveyAnswers](first, "POST", answer, obj{"answers": obj{"best": "price", "say": said}})
		got[api.SurveyAnswers](second, "POST", answer, obj{"answers": obj{"say": "more blue"}})
		operator.Problem(http.StatusNotFound, operator.Do("POST", remarks, obj{"reason": "to learn"}))
		helper.Problem(http.StatusBadRequest, helper.Do("POST", remarks, obj{"reason": " "}))
		var words []string
		for after := ""; ; {
			page := got[api.Remarks](helper, "POST", remarks, obj{"reason": "to learn 8128", "limit": 1, "after": after})
			for _, r := range page.Remarks {
				words = append(words, r.Question+": "+r.Words)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		slices.Sort(words)
		if want := []string{"say: more blue", "say: " + said}; !slices.Equal(words, want) {
			t.Errorf("the staff read %q, want %q", words, want)
		}
		for c, opened := range map[*musatest.Client]bool{first: true, second: true, silent: false} {
			if a := c.Do("GET", "/api/me/disclosures", nil); strings.Contains(string(a.Body), `"purpose":"help"`) != opened {
				t.Errorf("opened %v, the person is shown %s", opened, a.Body)
			}
		}
		second.Want(http.StatusNoContent, second.Do("DELETE", answer, nil), nil)
		if page := got[api.Remarks](helper, "POST", remarks, obj{"reason": "once more"}); len(page.Remarks) != 1 {
			t.Errorf("after one was taken back: %+v", page)
		}
	})
}

// An incident's clock runs from when it was known; whom it concerns is told, and nobody else.
func TestIncidents(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		officer, helper, hit, other := s.Staff(t, musa.RoleCompliance), s.Staff(t, musa.RoleSupport), s.Guest(), s.Guest()
		aware := s.Clock.Now().Add(-time.Hour)
		body := obj{"aware": aware, "what": said, "measures": "the door was shut", "notice": "Your pictures may have been seen."}
		helper.Problem(http.StatusNotFound, helper.Do("POST", "/api/admin/incidents", body))
		officer.Problem(http.StatusBadRequest, officer.Do("POST", "/api/admin/incidents", obj{"what": "w", "aware": s.Clock.Now().Add(time.Hour)}))
		i := got[api.Incident](officer, "POST", "/api/admin/incidents", body)
		if i.Due.Sub(aware) != 72*time.Hour || i.Overdue {
			t.Errorf("due %v after it was known, overdue %v", i.Due.Sub(aware), i.Overdue)
		}
		one := "/api/admin/incidents/" + i.ID
		officer.Problem(http.StatusConflict, officer.Do("POST", one+"/tell", nil))
		officer.Problem(http.StatusBadRequest, officer.Do("POST", one+"/affected", obj{}))
		officer.Problem(http.StatusBadRequest, officer.Do("POST", one+"/affected", obj{"all": true, "subjects": []string{string(hit.Subject())}}))
		if n := got[api.Incident](officer, "POST", one+"/affected", obj{"subjects": []string{string(hit.Subject()), "su_00000000000000000000000000"}}); n.Affected != 1 {
			t.Errorf("%d are affected", n.Affected)
		}
		if told := got[api.MyIncidents](hit, "GET", "/api/me/incidents", nil); len(told.Incidents) != 0 {
			t.Errorf("before it was told: %+v", told)
		}
		if n := got[api.Incident](officer, "POST", one+"/tell", nil); n.Told != 0 || n.PeopleTold == nil {
			t.Errorf("the order alone told %+v", n)
		}
		must(t, s.Notices.Step(t.Context()))
		told := got[api.MyIncidents](hit, "GET", "/api/me/incidents", nil)
		if len(told.Incidents) != 1 || told.Incidents[0].Words != "Your pictures may have been seen." {
			t.Errorf("they see %+v", told)
		}
		if told := got[api.MyIncidents](other, "GET", "/api/me/incidents", nil); len(told.Incidents) != 0 {
			t.Errorf("another sees %+v", told)
		}
		if n := count(t, s, "mails WHERE kind = 'breach'"); n != 0 {
			t.Errorf("%d mails to a guest, who has no address", n)
		}
		s.Clock.Turn(i.Due.Sub(s.Clock.Now()) - time.Second)
		if got[api.Incidents](officer, "GET", "/api/admin/incidents", nil).Incidents[0].Overdue {
			t.Error("overdue a second before")
		}
		s.Clock.Turn(time.Second)
		if !got[api.Incidents](officer, "GET", "/api/admin/incidents", nil).Incidents[0].Overdue {
			t.Error("not overdue at its time")
		}
		if n := got[api.Incident](officer, "POST", one+"/authority", obj{"note": "by their form"}); n.Overdue || n.AuthorityTold == nil || len(n.Notes) != 1 {
			t.Errorf("the authority: %+v", n)
		}
		if n := got[api.Incident](officer, "POST", one+"/end", obj{"note": "all done"}); n.Ended == nil || len(n.Notes) != 2 || n.What != said {
			t.Errorf("ended: %+v", n)
		}
		if found := musatest.Find(t, s.Dirs, musatest.Markers{"what happened": []byte(said)}); len(found) != 0 {
			t.Errorf("in clear: %v", found)
		}
		if a := got[api.Incident](officer, "POST", one+"/affected", obj{"all": true}); a.Affected != 1 {
			t.Errorf("%d are affected: nobody else was here when it was known", a.Affected)
		}
		wide := got[api.Incident](officer, "POST", "/api/admin/incidents", obj{"what": "all of it", "notice": "sorry"})
		if a := got[api.Incident](officer, "POST", "/api/admin/incidents/"+wide.ID+"/affected", obj{"all": true}); a.Affected != 4 {
			t.Errorf("of four %d are affected", a.Affected)
		}
	})
}

// An incident goes when the policy ends what is known of it, with whom it concerned.
func TestIncidentsEnd(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	officer, hit := s.Staff(t, musa.RoleCompliance), s.Guest()
	i := got[api.Incident](officer, "POST", "/api/admin/incidents", obj{"what": said, "notice": "sorry"})
	got[api.Incident](officer, "POST", "/api/admin/incidents/"+i.ID+"/affected", obj{"subjects": []string{string(hit.Subject())}})
	ends := musatest.Months(s.Clock.Now().UTC(), 36)
	for _, at := range []struct {
		when time.Time
		left int
	}{{ends.Add(-time.Second), 1}, {ends, 0}} {
		s.Clock.Turn(at.when.Sub(s.Clock.Now()))
		s.Step()
		must(t, s.Keeper.Sweep(t.Context()))
		if n := count(t, s, "incidents"); n != at.left {
			t.Errorf("at %v there are %d incidents, want %d", at.when, n, at.left)
		}
	}
	if n := count(t, s, "affected"); n != 0 {
		t.Errorf("%d people are left as affected", n)
	}
}
