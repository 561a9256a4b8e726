package conformance_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/rights"
)

// ask makes a request about a right.
func ask(c *musatest.Client, status int, body string) (r api.Request) {
	c.T.Helper()
	c.Want(status, asked(c, http.MethodPost, "/api/rights", body), &r)
	return r
}

// asksRights walks the rights that a person may use by themselves, and those that a person answers.
func asksRights(t *testing.T, s *musatest.Studio) {
	t.Helper()
	g := s.Guest().In(t)
	a := g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
	for right, outcome := range map[string]string{"access": "export_ready", "portability": "export_ready", "rectification": "yours_to_change"} {
		if r := ask(g, http.StatusCreated, `{"right":"`+right+`"}`); r.State != "answered" || r.Outcome != outcome || len(r.See) == 0 || r.Answered == nil || r.Due == nil {
			t.Errorf("%s: %+v", right, r)
		}
	}
	// Restriction freezes and keeps; the person lifts it.
	frozen := ask(g, http.StatusCreated, `{"right":"restriction"}`)
	g.Problem(http.StatusForbidden, g.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": musa.KindEnhance, "inputs": []string{a.ID}}))
	if n := rows(t, s, "assets WHERE id = '"+a.ID+"' AND state = 'active'"); n != 1 {
		t.Error("what is restricted is not kept")
	}
	g.Want(http.StatusOK, asked(g, http.MethodDelete, "/api/rights/"+frozen.ID, ""), &frozen)
	if frozen.State != "withdrawn" || frozen.Outcome != "lifted" {
		t.Errorf("lifted: %+v", frozen)
	}
	g.Made(a.ID, nil)
	// An objection waits for a person, who upholds it.
	objection := ask(g, http.StatusCreated, `{"right":"objection","purpose":"secure","words":"planted words of mine"}`)
	if objection.State != "received" || objection.Words == "" {
		t.Errorf("objection: %+v", objection)
	}
	g.Problem(http.StatusBadRequest, asked(g, http.MethodPost, "/api/rights", `{"right":"objection","purpose":"generate"}`))
	op := s.Guest()
	s.SetTier(op, musa.TierMember)
	for _, role := range []musa.Role{musa.RoleOperator, musa.RoleCompliance} {
		if err := s.Accounts.GiveRole(t.Context(), op.Subject(), role); err != nil {
			t.Fatal(err)
		}
	}
	path := "/api/admin/rights/" + objection.ID
	g.Problem(http.StatusNotFound, asked(g, http.MethodGet, path, ""))
	var seen api.Request
	op.Want(http.StatusOK, asked(op, http.MethodGet, path, ""), &seen)
	if seen.Words != objection.Words {
		t.Errorf("the staff read %q", seen.Words)
	}
	op.Want(http.StatusOK, asked(op, http.MethodPost, path+"/answer", `{"words":"you are right"}`), nil)
	var after api.Request
	g.Want(http.StatusOK, asked(g, http.MethodGet, "/api/rights/"+objection.ID, ""), &after)
	if after.State != "answered" || after.Outcome != "upheld" || after.Answer != "you are right" {
		t.Errorf("upheld: %+v", after)
	}
	op.Problem(http.StatusConflict, asked(op, http.MethodPost, path+"/refuse", `{"words":"no"}`))
	objectionStops(t, s, op)
	// The erasure of one picture, by request.
	if gone := ask(g, http.StatusCreated, `{"right":"erasure","unit":"asset","asset":"`+a.ID+`"}`); gone.Outcome != "erasure_ordered" || gone.Undo == nil {
		t.Errorf("erasure: %+v", gone)
	}
	other := s.Guest()
	other.Problem(http.StatusNotFound, asked(other, http.MethodGet, "/api/rights/"+objection.ID, ""))
}

// objectionStops upholds an objection to being watched for security: from then on no sign-in
// notes its device, until the person takes the objection back.
func objectionStops(t *testing.T, s *musatest.Studio, op *musatest.Client) {
	t.Helper()
	m := s.Member()
	noted := func() bool {
		list := devicesOf(signedIn(t, s, m.Email, phone))
		return list[slices.IndexFunc(list, func(d api.Device) bool { return d.Current })].OS != ""
	}
	if !noted() {
		t.Fatal("a sign-in notes no device, and an objection can stop nothing")
	}
	objection := ask(m, http.StatusCreated, `{"right":"objection","purpose":"secure"}`)
	op.Want(http.StatusOK, asked(op, http.MethodPost, "/api/admin/rights/"+objection.ID+"/answer", `{"words":"you are right"}`), nil)
	if noted() {
		t.Error("after an upheld objection a sign-in still notes its device")
	}
	m.Want(http.StatusOK, asked(m, http.MethodDelete, "/api/rights/"+objection.ID, ""), nil)
	if !noted() {
		t.Error("the objection was taken back, and no device is noted")
	}
}

func TestRightsAsRequests(t *testing.T) {
	under(t, "professional", func(t *testing.T, s *musatest.Studio) {
		conformance.Kept(t, "P-20", func(t *testing.T) { asksRights(t, s) })
		conformance.Part(t, "P-08", "bases are told and an objection stops", func(t *testing.T) { basisOf(t, s) })
	})
}

// basisOf looks at a purpose on each kind of basis: that it is told, that without a consent one
// on consent does not run, and that an objection that is upheld stops one on interest.
func basisOf(t *testing.T, s *musatest.Studio) {
	t.Helper()
	g := s.Guest().In(t)
	told := func() map[string]rights.Purpose {
		var h rights.Holdings
		g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me/holdings", nil), &h)
		out := map[string]rights.Purpose{}
		for _, c := range h.Held {
			for _, p := range c.Purposes {
				if p.Basis == "" || p.Law == "" {
					t.Errorf("%s for %s: no basis is told", c.Category, p.Name)
				}
				out[p.Name] = p
			}
		}
		return out
	}
	before := told()
	for name, basis := range map[string]string{"sign_in": "contract", "prove": "legal_obligation", "secure": "legitimate_interest"} {
		if before[name].Basis != basis || before[name].Stopped {
			t.Errorf("%s is told as %+v", name, before[name])
		}
	}
	if p, ok := before["market"]; ok && p.Given != "no" {
		t.Errorf("without a consent: %+v", p)
	}
	r := ask(g, http.StatusCreated, `{"right":"objection","purpose":"secure"}`)
	op := s.Staff(t, musa.RoleOperator)
	op.Want(http.StatusOK, asked(op, http.MethodPost, "/api/admin/rights/"+r.ID+"/answer", `{"words":"you are right"}`), nil)
	if p := told()["secure"]; !p.Stopped {
		t.Errorf("after the objection: %+v", p)
	}
	g.Want(http.StatusOK, asked(g, http.MethodDelete, "/api/rights/"+r.ID, ""), nil)
	if p := told()["secure"]; p.Stopped {
		t.Errorf("after it was taken back: %+v", p)
	}
}

// The region of a person decides the deadline; it is extended in time or not at all.
func TestDeadlinesOfRegions(t *testing.T) {
	under(t, "conversational", func(t *testing.T, s *musatest.Studio) {
		conformance.Kept(t, "C-32", func(t *testing.T) { deadlines(t, s) })
	})
}

func TestDeadlinesOfRegionsInWorkspaces(t *testing.T) {
	under(t, "workspace", func(t *testing.T, s *musatest.Studio) {
		conformance.Kept(t, "W-27", func(t *testing.T) { deadlines(t, s) })
	})
}

func deadlines(t *testing.T, s *musatest.Studio) {
	t.Helper()
	for _, c := range []struct {
		region, law string
		within      func(time.Time) time.Time
	}{
		{"DE", "gdpr", func(at time.Time) time.Time { return musatest.Months(at, 1) }},
		{"US-CA", "ccpa", func(at time.Time) time.Time { return at.Add(45 * day) }},
		{"", "gdpr", func(at time.Time) time.Time { return musatest.Months(at, 1) }},
	} {
		g := s.Guest().In(t)
		live(t, s, g, c.region)
		var list api.RightsList
		g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/rights", nil), &list)
		if sale := slices.ContainsFunc(list.Rights, func(r api.RightOffer) bool { return r.Name == "opt_out_sale" }); sale == (c.region == "DE") {
			t.Errorf("%q: a right of California is offered: %v", c.region, sale)
		}
		r := ask(g, http.StatusCreated, `{"right":"access","words":"everything, please"}`)
		if due := c.within(*r.Received); r.State != "received" || r.Law != c.law || !r.Due.Equal(due) {
			t.Errorf("%q: due %v by %s, want %v", c.region, r.Due, r.Law, due)
		}
		path := "/api/admin/rights/" + r.ID
		s.Clock.Turn(r.Due.Sub(s.Clock.Now()) - time.Millisecond)
		op := s.Staff(t, musa.RoleOperator)
		late := s.Guest().In(t)
		live(t, s, late, c.region)
		missed := ask(late, http.StatusCreated, `{"right":"access","words":"everything, please"}`)
		var extended api.Request
		op.Want(http.StatusOK, asked(op, http.MethodPost, path+"/extend", `{"words":"there is much of it"}`), &extended)
		if extended.State != "extended" || !extended.Due.After(*r.Due) {
			t.Errorf("%q: extended %+v", c.region, extended)
		}
		op.Problem(http.StatusConflict, asked(op, http.MethodPost, path+"/extend", `{"words":"again"}`))
		s.Clock.Turn(missed.Due.Sub(s.Clock.Now()))
		op = s.Staff(t, musa.RoleOperator) // the former session has ended by the clock
		if p := op.Problem(http.StatusForbidden, asked(op, http.MethodPost, "/api/admin/rights/"+missed.ID+"/extend", `{"words":"there is much of it"}`)); p.Code != "extended_late" {
			t.Errorf("%q: an extension at the deadline is refused as %s", c.region, p.Code)
		}
		op.Want(http.StatusOK, asked(op, http.MethodPost, "/api/admin/rights/"+missed.ID+"/answer", `{"words":"it is in the export"}`), nil)
		s.Clock.Turn(extended.Due.Sub(s.Clock.Now()))
		op = s.Staff(t, musa.RoleOperator)
		var desk struct {
			Overdue  int           `json:"overdue"`
			Requests []api.Request `json:"requests"`
		}
		op.Want(http.StatusOK, asked(op, http.MethodGet, "/api/admin/rights", ""), &desk)
		if desk.Overdue != 1 || desk.Requests[0].ID != r.ID || !desk.Requests[0].Overdue || desk.Requests[0].Words != "" {
			t.Errorf("%q: the desk shows %+v", c.region, desk)
		}
		op.Want(http.StatusOK, asked(op, http.MethodPost, path+"/answer", `{"words":"it is in the export"}`), nil)
	}
}

// live puts a guest into a region, as signing up with a country does for an account.
func live(t *testing.T, s *musatest.Studio, g *musatest.Client, region string) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	if _, err := own.Exec("UPDATE subjects SET region = '" + region + "' WHERE id = '" + string(g.Subject()) + "'"); err != nil {
		t.Fatal(err)
	}
}
