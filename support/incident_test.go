package support_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"musa"
	"musa/api"
	"musa/musatest"
	"musa/notice"
)

// A thousand people are told by the loop: the order commits at once, nodes share the work, and each
// is told once, also when it is ordered again.
func TestAllAreToldOfAnIncidentOnce(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		officer, members := s.Staff(t, musa.RoleCompliance), []*musatest.Client{s.Member(), s.Member()}
		i := got[api.Incident](officer, "POST", "/api/admin/incidents", obj{"what": said, "notice": "Your pictures may have been seen."})
		one := "/api/admin/incidents/" + i.ID
		got[api.Incident](officer, "POST", one+"/affected", obj{"all": true})
		const others = 1000
		planted(t, s, fmt.Sprintf(`INSERT INTO affected (incident, subject, ordered, told) SELECT '%s', 'su_' || n, 0, 0 FROM
			(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c) AS many`, i.ID, others))
		if n := got[api.Incident](officer, "POST", one+"/tell", nil); n.Told != 0 || n.PeopleTold == nil || n.Affected < others {
			t.Errorf("the order: %+v", n)
		}
		other, err := notice.New(s.Notices.Config)
		must(t, err)
		var wait sync.WaitGroup
		for _, n := range []*notice.Notices{s.Notices, other} {
			wait.Go(func() {
				if err := n.Step(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		must(t, s.Notices.Step(t.Context()))
		if n := got[api.Incident](officer, "GET", one, nil); n.Told != n.Affected {
			t.Errorf("%d of %d are told", n.Told, n.Affected)
		}
		got[api.Incident](officer, "POST", one+"/tell", nil)
		must(t, s.Notices.Step(t.Context()))
		for _, m := range members {
			n := 0
			for _, mail := range s.Mails.To(m.Email) {
				if mail.Subject == "An incident that concerns your data at Example Studio" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d mails to one of them", n)
			}
			if told := got[api.MyIncidents](m, "GET", "/api/me/incidents", nil); len(told.Incidents) != 1 {
				t.Errorf("they see %+v", told)
			}
		}
		if n := count(t, s, "mails WHERE kind = 'breach'"); n != len(members) {
			t.Errorf("%d mails, want one for each of %d with an address", n, len(members))
		}
	})
}

// At first little is known: the register is completed, each time with why; what people were told stays.
func TestAnIncidentIsCompleted(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		officer, hit := s.Staff(t, musa.RoleCompliance), s.Guest()
		i := got[api.Incident](officer, "POST", "/api/admin/incidents", obj{"what": "a door stood open"})
		one := "/api/admin/incidents/" + i.ID
		got[api.Incident](officer, "POST", one+"/affected", obj{"subjects": []string{string(hit.Subject())}})
		officer.Problem(http.StatusConflict, officer.Do("POST", one+"/tell", nil))
		hit.Problem(http.StatusNotFound, hit.Do("PUT", one, obj{"what": said, "notice": "x", "note": "y"}))
		officer.Problem(http.StatusBadRequest, officer.Do("PUT", one, obj{"what": said, "note": ""}))
		n := got[api.Incident](officer, "PUT", one, obj{"what": said, "measures": "it is shut", "notice": "A door stood open.", "note": "we looked"})
		if n.What != said || n.Measures != "it is shut" || len(n.Notes) != 1 || n.Due.Sub(*n.Aware) != i.Due.Sub(*i.Aware) {
			t.Errorf("completed: %+v", n)
		}
		got[api.Incident](officer, "POST", one+"/tell", nil)
		must(t, s.Notices.Step(t.Context()))
		if p := officer.Problem(http.StatusConflict, officer.Do("PUT", one, obj{"what": said, "notice": "No door stood open.", "note": "nicer"})); p.Field != "notice" {
			t.Errorf("what was told is told otherwise: %+v", p)
		}
		got[api.Incident](officer, "PUT", one, obj{"what": said, "measures": "it has a new lock", "notice": "A door stood open.", "note": "mended"})
		if told := got[api.MyIncidents](hit, "GET", "/api/me/incidents", nil); len(told.Incidents) != 1 || told.Incidents[0].Words != "A door stood open." {
			t.Errorf("they read %+v", told)
		}
	})
}

// planted runs a statement behind the product's back.
func planted(t *testing.T, s *musatest.Studio, statement string) {
	t.Helper()
	rows := s.OwnSQL()
	defer rows.Close()
	if _, err := rows.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// However much was noted, an incident still takes what changes it: what is known, that the authority
// was told, its end. Notes that change nothing have a bound, in words of their own.
func TestAFullIncidentStillTakesWhatChangesIt(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		officer := s.Staff(t, musa.RoleCompliance)
		i := got[api.Incident](officer, "POST", "/api/admin/incidents", obj{"what": said})
		one := "/api/admin/incidents/" + i.ID
		for n := range 200 {
			got[api.Incident](officer, "PUT", one, obj{"what": fmt.Sprintf("%s, as of hour %d", said, n), "note": "more is known"})
		}
		if p := officer.Problem(http.StatusRequestEntityTooLarge, officer.Do("PUT", one, obj{"what": said + ", as of hour 199", "note": "nothing new"})); p.Code != "incident_full" {
			t.Errorf("a note too many is refused as %q", p.Code)
		}
		if n := got[api.Incident](officer, "PUT", one, obj{"what": "all is known", "note": "the end"}); n.What != "all is known" {
			t.Errorf("amended to %q", n.What)
		}
		if n := got[api.Incident](officer, "POST", one+"/authority", obj{"note": "by phone"}); n.AuthorityTold == nil {
			t.Error("that the authority was told is not kept")
		}
		if n := got[api.Incident](officer, "POST", one+"/end", obj{"note": "mended"}); n.Ended == nil {
			t.Error("the end is not kept")
		}
	})
}
