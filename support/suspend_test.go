package support_test

import (
	"net/http"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
)

// report begins a thread about a child, as somebody does who may lock out nobody by it.
func report(t *testing.T, s *musatest.Studio) api.Thread {
	t.Helper()
	return got[api.Thread](nobody(t, s), "POST", "/api/support", obj{"kind": "child", "words": "that account is my son's, who is nine"})
}

// A report alone locks nobody out. The staff suspend: new work is refused in words, rights stay.
// Restored, all is as before.
func TestASuspensionIsAPersonsDecision(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		helper, g, other := s.Staff(t, musa.RoleSupport), s.Guest(), s.Guest()
		up := g.Upload("x.png", picture(t), "save", "true")
		th := report(t, s)
		g.Want(http.StatusAccepted, g.Do("POST", "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{up.ID}}), nil)
		one := "/api/admin/people/" + string(g.Subject())
		other.Problem(http.StatusNotFound, other.Do("POST", one+"/suspend", obj{"reason": "I do not like them"}))
		helper.Problem(http.StatusBadRequest, helper.Do("POST", one+"/suspend", obj{"reason": ""}))
		helper.Problem(http.StatusNotFound, helper.Do("POST", one+"/restore", obj{"reason": "nothing to restore"}))
		helper.Problem(http.StatusNotFound, helper.Do("POST", one+"/erase", obj{"reason": "in one step"}))
		sus := got[api.Suspension](helper, "POST", one+"/suspend", obj{"reason": "the school's letter", "thread": th.ID})
		if sus.Clause != "age.reported" || sus.Due.Sub(*sus.Since) != 72*time.Hour || sus.Thread != th.ID {
			t.Errorf("suspended as %+v", sus)
		}
		helper.Problem(http.StatusConflict, helper.Do("POST", one+"/suspend", obj{"reason": "twice"}))
		for _, p := range []api.Problem{
			g.Problem(http.StatusForbidden, g.Do("POST", "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{up.ID}})),
			g.Problem(http.StatusForbidden, g.Post("y.png", picture(t))),
			g.Problem(http.StatusForbidden, g.Do("PUT", "/api/assets/"+up.ID+"/feedback", obj{"rating": 1})),
		} {
			if p.Code != "account_suspended" {
				t.Errorf("refused as %q", p.Code)
			}
		}
		me := got[api.Me](g, "GET", "/api/me", nil)
		if me.Suspended == nil || me.Suspended.Clause != "age.reported" || me.Suspended.Words == "" || me.Suspended.Thread != "" {
			t.Errorf("the person is told %+v", me.Suspended)
		}
		g.Want(http.StatusOK, g.Content(up.ID), nil)
		g.Want(http.StatusOK, g.Do("GET", "/api/me/export", nil), nil)
		got[api.Thread](g, "POST", "/api/support", obj{"words": "why?"})
		if n := count(t, s, "mails WHERE kind = 'suspended'"); n != 1 {
			t.Errorf("%d mails tell of it", n)
		}
		s.Clock.Turn(72*time.Hour - time.Second)
		list := got[api.Suspensions](helper, "GET", "/api/admin/people", nil)
		if len(list.Suspensions) != 1 || list.Suspensions[0].Overdue {
			t.Errorf("a second before its time: %+v", list)
		}
		s.Clock.Turn(time.Second)
		if list = got[api.Suspensions](helper, "GET", "/api/admin/people", nil); !list.Suspensions[0].Overdue {
			t.Error("at its time it is not overdue")
		}
		helper.Want(http.StatusNoContent, helper.Do("POST", one+"/restore", obj{"reason": "he is forty"}), nil)
		g.Upload("z.png", picture(t))
		if me := got[api.Me](g, "GET", "/api/me", nil); me.Suspended != nil {
			t.Errorf("restored, and told %+v", me.Suspended)
		}
	})
}

// Once confirmed, all of a child's account goes at once, also what its person closed meanwhile,
// and a receipt proves it.
func TestASuspendedAccountIsErased(t *testing.T) {
	onBoth(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
		helper, g, closed := s.Staff(t, musa.RoleSupport), s.Guest(), s.Guest()
		for _, c := range []*musatest.Client{g, closed} {
			id := string(c.Subject())
			up := c.Upload("x.png", picture(t))
			one := "/api/admin/people/" + id
			got[api.Suspension](helper, "POST", one+"/suspend", obj{"reason": "the school's letter"})
			if c == closed {
				c.Want(http.StatusAccepted, c.Do("POST", "/api/me/erasure", nil), nil)
				c.Want(http.StatusNoContent, c.Do("DELETE", "/api/me/erasure", nil), nil)
				if p := c.Problem(http.StatusForbidden, c.Post("y.png", picture(t))); p.Code != "account_suspended" {
					t.Errorf("closing and reopening leads out of the suspension: %q", p.Code)
				}
				c.Want(http.StatusAccepted, c.Do("POST", "/api/me/erasure", nil), nil)
			}
			done := got[api.ErasedPerson](helper, "POST", one+"/erase", obj{"reason": "she is nine"})
			s.Step()
			c.Problem(http.StatusUnauthorized, c.Content(up.ID))
			if n := count(t, s, "subjects WHERE id = '"+id+"' AND state = 'erased'"); n != 1 {
				t.Errorf("%s is not erased", id)
			}
			if n := count(t, s, "suspensions"); n != 0 {
				t.Errorf("%d suspensions are left", n)
			}
			s.Step()
			var r api.Receipt
			n := nobody(t, s)
			n.Want(http.StatusOK, n.Do("GET", "/api/receipts/"+done.Receipt+"?key="+done.Capability, nil), &r)
			if !r.Logged || r.Statement.Item != id {
				t.Errorf("the receipt says %+v", r.Statement)
			}
		}
	})
}

// Who works here is suspended by nobody, and nobody decides about themselves.
func TestStaffAreNotSuspended(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	helper, operator := s.Staff(t, musa.RoleSupport), s.Staff(t, musa.RoleOperator)
	for _, who := range []*musatest.Client{helper, operator} {
		helper.Problem(http.StatusForbidden, helper.Do("POST", "/api/admin/people/"+string(who.Subject())+"/suspend", obj{"reason": "a coup"}))
	}
}
