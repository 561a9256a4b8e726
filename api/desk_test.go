package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/musatest"
	"musa/retention"
)

// onBoth runs a test on both stores.
func onBoth(t *testing.T, rig musatest.Rig, test func(*testing.T, *musatest.Studio)) {
	t.Helper()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			r := rig
			r.Stores = stores
			test(t, musatest.New(t, r))
		})
	}
}

// staffRoutes is every route of the staff, as a request that has to be taken in a role.
var staffRoutes = []struct {
	method, path, body string
	operator           int // statuses; 404 where the role may not
	compliance         int
}{
	{"GET", "/api/admin/figures", "", 200, 200},
	{"GET", "/api/admin/reckoning", "", 200, 200},
	{"GET", "/api/admin/record", "", 200, 200},
	{"GET", "/api/admin/record.md", "", 200, 200},
	{"GET", "/api/admin/agreement", "", 200, 200},
	{"GET", "/api/admin/agreement.md", "", 200, 200},
	{"GET", "/api/admin/usage", "", 200, 404},
	{"GET", "/api/admin/cleanup", "", 200, 404},
	{"GET", "/api/admin/cleanup?state=purged", "", 200, 404},
	{"GET", "/api/admin/holds", "", 404, 200},
	{"GET", "/api/admin/holds?overdue=true", "", 404, 200},
	{"POST", "/api/admin/holds", `{"asset":"as_00000000000000000000000001","reason":"because"}`, 404, 404},
	{"GET", "/api/admin/holds/ho_00000000000000000000000001", "", 404, 404},
	{"POST", "/api/admin/holds/ho_00000000000000000000000001/review", `{"note":"still"}`, 404, 404},
	{"POST", "/api/admin/holds/ho_00000000000000000000000001/release", "", 404, 404},
	{"POST", "/api/admin/holds/ho_00000000000000000000000001/content", `{"reason":"because"}`, 404, 404},
}

// TestStaffRoutes: the staff get what their role is for, and to everybody else every address
// of theirs is like one where there is nothing, whatever is sent.
// The papers for authorities and customers come in the language that is asked for, whole and as files.
func TestPapersSpeak(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	operator := s.Staff(t, musa.RoleOperator)
	for path, title := range map[string]map[string]string{
		"/api/admin/record":    {"en": "Record of processing activities", "de": "Verzeichnis von Verarbeitungstätigkeiten"},
		"/api/admin/agreement": {"en": "Data processing agreement", "de": "Vertrag über die Auftragsverarbeitung"},
	} {
		for tongue, want := range title {
			var paper api.Paper
			if operator.Want(http.StatusOK, operator.Do("GET", path+"?lang="+tongue, nil), &paper); paper.Title != want {
				t.Errorf("%s in %s has the title %q", path, tongue, paper.Title)
			}
			if file := operator.Do("GET", path+".md?lang="+tongue, nil); !strings.HasPrefix(string(file.Body), "# "+want+"\n") {
				t.Errorf("%s.md in %s begins %.60q", path, tongue, file.Body)
			}
		}
	}
}

func TestStaffRoutes(t *testing.T) {
	t.Parallel()
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		operator, compliance, guest := s.Staff(t, musa.RoleOperator), s.Staff(t, musa.RoleCompliance), s.Guest()
		nobody := &musatest.Client{T: t, Base: s.URL}
		nothing := string(guest.Do("GET", "/api/admin/no-such-thing", nil).Body)
		for _, r := range staffRoutes {
			name := r.method + " " + r.path
			for _, who := range []struct {
				c    *musatest.Client
				want int
			}{{operator, r.operator}, {compliance, r.compliance}} {
				got := send(who.c, r.method, r.path, r.body)
				if got.Status != who.want {
					t.Errorf("%s: status %d, want %d: %s", name, got.Status, who.want, got.Body)
				}
				if cache := got.Header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
					t.Errorf("%s: cache control %q", name, cache)
				}
			}
			for _, c := range []*musatest.Client{guest, nobody} {
				for _, body := range []string{r.body, `{"` + planted + `":`} {
					if got := send(c, r.method, r.path, body); got.Status != http.StatusNotFound || string(got.Body) != nothing {
						t.Errorf("%s: a stranger hears %d: %s", name, got.Status, got.Body)
					}
				}
			}
		}
	})
}

func send(c *musatest.Client, method, path, body string) musatest.Answer {
	if body == "" {
		return c.Send(method, path, "", nil)
	}
	return c.Send(method, path, "application/json", strings.NewReader(body))
}

// TestStaffBadInput: what is wrong is named by its field and not repeated.
func TestStaffBadInput(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	operator, compliance := s.Staff(t, musa.RoleOperator), s.Staff(t, musa.RoleCompliance)
	g := s.Guest()
	a := g.Upload("x.png", noisePNG(t, 20, 20), "save", "true")
	for _, bad := range []struct {
		c                  *musatest.Client
		method, path, body string
		status             int
		field              string
	}{
		{operator, "GET", "/api/admin/cleanup?state=" + planted, "", 400, "query.state"},
		{operator, "GET", "/api/admin/cleanup?limit=0", "", 400, "query.limit"},
		{operator, "GET", "/api/admin/cleanup?state=purged&after=" + planted, "", 400, "after"},
		{operator, "GET", "/api/admin/usage?days=0", "", 400, "query.days"},
		{compliance, "POST", "/api/admin/holds", `{"asset":"` + planted + `","reason":"r"}`, 400, "asset"},
		{compliance, "POST", "/api/admin/holds", `{"asset":"` + a.ID + `","reason":" "}`, 400, "reason"},
		{compliance, "POST", "/api/admin/holds", `{"asset":"` + a.ID + `","reason":"r","ends":"2001-01-01T00:00:00Z"}`, 400, "ends"},
		{compliance, "POST", "/api/admin/holds", `{"asset":"` + a.ID + `"}`, 400, "reason"},
		{compliance, "GET", "/api/admin/holds?state=" + planted, "", 400, "query.state"},
		{compliance, "POST", "/api/admin/holds/ho_00000000000000000000000001/review", `{}`, 400, "note"},
		{compliance, "POST", "/api/admin/holds/ho_00000000000000000000000001/content", planted, 400, "body"},
		{compliance, "POST", "/api/admin/holds/ho_00000000000000000000000001/content", `{"reason":""}`, 400, "reason"},
	} {
		got := send(bad.c, bad.method, bad.path, bad.body)
		p := bad.c.Problem(bad.status, got)
		if p.Field != bad.field {
			t.Errorf("%s %s: field %q, want %q: %s", bad.method, bad.path, p.Field, bad.field, got.Body)
		}
		if strings.Contains(string(got.Body), planted) {
			t.Errorf("%s %s: the answer repeats what was sent", bad.method, bad.path)
		}
	}
}

// TestSession: a token becomes a cookie, and only a token that stands for somebody.
func TestSession(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	operator := s.Staff(t, musa.RoleOperator)
	got := operator.Do("POST", "/api/session", nil)
	var session api.Session
	operator.Want(http.StatusOK, got, &session)
	cookie, err := http.ParseSetCookie(got.Header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	if cookie.Name != "musa_session" || cookie.Value != operator.Token || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || !cookie.Expires.IsZero() {
		t.Errorf("cookie %+v", cookie)
	}
	if len(session.Roles) != 1 || session.Roles[0] != "operator" {
		t.Errorf("roles %v", session.Roles)
	}
	for _, token := range []string{"", "musa_" + planted} {
		c := &musatest.Client{T: t, Base: s.URL, Token: token}
		got := c.Do("POST", "/api/session", nil)
		if c.Problem(http.StatusUnauthorized, got); got.Header.Get("Set-Cookie") != "" || strings.Contains(string(got.Body), planted) {
			t.Errorf("a token that stands for nobody: %v %s", got.Header, got.Body)
		}
	}
	left := operator.Do("DELETE", "/api/session", nil)
	if cookie, err = http.ParseSetCookie(left.Header.Get("Set-Cookie")); left.Status != http.StatusNoContent || err != nil || cookie.MaxAge >= 0 {
		t.Errorf("leaving: %d, %+v, %v", left.Status, cookie, err)
	}
}

// TestChoice: what the policy offers can be previewed and chosen, by its owner alone, and
// the ends follow.
func TestChoice(t *testing.T) {
	t.Parallel()
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g, other := s.Guest(), s.Guest()
		a := g.Made(g.Upload("x.png", noisePNG(t, 20, 20)).ID, nil)
		if p := g.Problem(http.StatusForbidden, g.Do("PUT", "/api/me/retention", map[string]string{"keep": "7d"})); p.Field != "keep" {
			t.Errorf("a guest's choice: field %q", p.Field)
		}
		promote(t, s, g, musa.TierPaid)
		var is api.Keeping
		g.Want(http.StatusOK, g.Do("GET", "/api/me/retention", nil), &is)
		if len(is.Offers) != 1 || is.Tier != "paid" || strings.Join(is.Offers[0].Choices, " ") != "48h 7d" || is.Offers[0].Default != "48h" || is.Offers[0].Chosen != "48h" {
			t.Fatalf("offers %+v", is)
		}
		var f api.Forecast
		g.Want(http.StatusOK, g.Do("POST", "/api/me/retention/preview", map[string]string{"keep": "7d"}), &f)
		if before := g.Asset(a.ID); f.Later == 0 || f.Now+f.Sooner != 0 || before.Ends.Sub(*before.Created) != 48*time.Hour {
			t.Errorf("forecast %+v; the result ends at %v", f, before.Ends)
		}
		g.Want(http.StatusOK, g.Do("PUT", "/api/me/retention", map[string]string{"keep": "7d"}), nil)
		if after := g.Asset(a.ID); after.Ends.Sub(*after.Created) != 7*24*time.Hour {
			t.Errorf("after the choice it ends %v after it was made", after.Ends.Sub(*after.Created))
		}
		s.Clock.Turn(49 * time.Hour)
		g.Want(http.StatusOK, g.Do("POST", "/api/me/retention/preview", map[string]string{"keep": "default"}), &f)
		if f.Now == 0 {
			t.Errorf("back to 48 h after 49: forecast %+v", f)
		}
		g.Want(http.StatusOK, g.Do("PUT", "/api/me/retention", map[string]string{"keep": "48h"}), nil)
		if got := g.Content(a.ID); got.Status != http.StatusGone {
			t.Errorf("what went at once answers %d", got.Status)
		}
		var theirs api.Keeping
		other.Want(http.StatusOK, other.Do("GET", "/api/me/retention", nil), &theirs)
		if len(theirs.Offers) != 0 || theirs.Tier != "guest" {
			t.Errorf("another's settings followed: %+v", theirs)
		}
	})
}

// promote changes somebody's tier as the operator's command does.
func promote(t *testing.T, s *musatest.Studio, c *musatest.Client, tier musa.Tier) {
	t.Helper()
	var me api.Me
	c.Want(http.StatusOK, c.Do("GET", "/api/me", nil), &me)
	_, err := s.Keeper.Change(t.Context(), musa.Actor{Role: musa.RoleOperator}, musa.SubjectID(me.Subject), retention.Change{Tier: tier})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBadChoices: a wish that is no time, or that nobody offers, is refused by its field.
func TestBadChoices(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	promote(t, s, g, musa.TierPaid)
	for _, path := range []struct{ method, path string }{{"PUT", "/api/me/retention"}, {"POST", "/api/me/retention/preview"}} {
		for _, bad := range []struct {
			body, field string
			status      int
		}{
			{`{"keep":"` + planted + `"}`, "keep", 400}, {`{"keep":""}`, "keep", 400}, {`{"keep":"0s"}`, "keep", 400}, {`{"keep":"indefinite"}`, "keep", 400},
			{`{"keep":"3d"}`, "keep", 403}, {`{"keep":7}`, "keep", 400}, {`{}`, "keep", 400}, {`{"keep":"` + strings.Repeat(planted, 9) + `"}`, "keep", 400},
		} {
			got := send(g, path.method, path.path, bad.body)
			if p := g.Problem(bad.status, got); p.Field != bad.field || strings.Contains(string(got.Body), planted) {
				t.Errorf("%s %s: %s", path.method, bad.body, got.Body)
			}
		}
		nobody := &musatest.Client{T: t, Base: s.URL}
		nobody.Problem(http.StatusUnauthorized, send(nobody, path.method, path.path, `{"keep":"7d"}`))
	}
}

// TestClosing: closing hides all, gives the receipt that outlives the account, and can be
// taken back while the policy's grace lasts, and no longer.
func TestClosing(t *testing.T) {
	t.Parallel()
	onBoth(t, musatest.Rig{Policy: "professional"}, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		a := g.Upload("x.png", noisePNG(t, 20, 20), "save", "true")
		g.Problem(http.StatusNotFound, g.Do("GET", "/api/me/erasure", nil))
		var c, again api.Closing
		g.Want(http.StatusAccepted, g.Do("POST", "/api/me/erasure", nil), &c)
		g.Want(http.StatusAccepted, g.Do("POST", "/api/me/erasure", nil), &again)
		if c.Undo == nil || c.Undo.Sub(*c.Closed) != 14*24*time.Hour || c.Receipt == "" || c.Capability == "" || again.Receipt != c.Receipt || again.Capability != c.Capability {
			t.Fatalf("closing %+v, again %+v", c, again)
		}
		if got := g.Content(a.ID); got.Status != http.StatusGone {
			t.Errorf("a picture of a closed account answers %d", got.Status)
		}
		var me api.Me
		g.Want(http.StatusOK, g.Do("GET", "/api/me", nil), &me)
		if me.Closing == nil || me.Closing.Receipt != c.Receipt {
			t.Errorf("the account says %+v of its closing", me.Closing)
		}
		g.Want(http.StatusNoContent, g.Do("DELETE", "/api/me/erasure", nil), nil)
		me = api.Me{}
		g.Want(http.StatusOK, g.Do("GET", "/api/me", nil), &me)
		if got := g.Content(a.ID); me.Closing != nil || got.Status != http.StatusOK {
			t.Errorf("taken back, it says %+v and the picture answers %d", me.Closing, got.Status)
		}
	})
}

// TestClosingForGood: where there is no grace, everything goes at once, and the receipt opens
// by its capability when the session opens nothing any more.
func TestClosingForGood(t *testing.T) {
	t.Parallel()
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		g.Upload("x.png", noisePNG(t, 20, 20), "save", "true")
		var c api.Closing
		g.Want(http.StatusAccepted, g.Do("POST", "/api/me/erasure", nil), &c)
		g.Problem(http.StatusUnauthorized, g.Do("GET", "/api/me", nil))
		g.Problem(http.StatusUnauthorized, g.Do("DELETE", "/api/me/erasure", nil))
		s.Clock.Turn(time.Minute)
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Step()
		nobody := &musatest.Client{T: t, Base: s.URL}
		var r api.Receipt
		nobody.Want(http.StatusOK, nobody.Do("GET", "/api/receipts/"+c.Receipt+"?key="+c.Capability, nil), &r)
		if string(r.ID) != c.Receipt {
			t.Errorf("the receipt is %s", r.ID)
		}
		nobody.Problem(http.StatusNotFound, nobody.Do("GET", "/api/receipts/"+c.Receipt+"?key="+planted, nil))
	})
}

// TestDisclosures: a person hears of what is held, and of each opening, unless the law
// forbids it; others hear nothing of it.
func TestDisclosures(t *testing.T) {
	t.Parallel()
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g, other, one, two := s.Guest(), s.Guest(), s.Staff(t, musa.RoleCompliance), s.Staff(t, musa.RoleCompliance)
		a := g.Upload("x.png", noisePNG(t, 20, 20), "save", "true")
		secret := g.Upload("y.png", noisePNG(t, 20, 20), "save", "true")
		var h, hidden api.Hold
		one.Want(http.StatusCreated, one.Do("POST", "/api/admin/holds", map[string]any{"asset": a.ID, "reason": "a warrant"}), &h)
		one.Want(http.StatusCreated, one.Do("POST", "/api/admin/holds", map[string]any{"asset": secret.ID, "reason": "another", "untold": true}), &hidden)
		content := two.Do("POST", "/api/admin/holds/"+h.ID+"/content", map[string]string{"reason": "to check"})
		two.Want(http.StatusOK, content, nil)
		if kind := content.Header.Get("Content-Type"); kind != "image/png" || len(content.Body) == 0 {
			t.Errorf("the held copy comes as %q, %d bytes", kind, len(content.Body))
		}
		var c api.HoldCase
		two.Want(http.StatusOK, two.Do("GET", "/api/admin/holds/"+h.ID, nil), &c)
		if c.Reason != "a warrant" || len(c.History) == 0 {
			t.Errorf("case %+v", c)
		}
		var d api.Disclosures
		answer := g.Do("GET", "/api/me/disclosures", nil)
		g.Want(http.StatusOK, answer, &d)
		if len(d.Held) != 1 || d.Held[0].Asset != a.ID || len(d.Uses) == 0 || strings.Contains(string(answer.Body), secret.ID) || strings.Contains(string(answer.Body), "warrant") {
			t.Errorf("the owner hears %s", answer.Body)
		}
		var none api.Disclosures
		other.Want(http.StatusOK, other.Do("GET", "/api/me/disclosures", nil), &none)
		if len(none.Held)+len(none.Uses) != 0 {
			t.Errorf("somebody else hears %+v", none)
		}
		one.Want(http.StatusOK, one.Do("POST", "/api/admin/holds/"+h.ID+"/review", map[string]string{"note": "still"}), nil)
		one.Want(http.StatusOK, one.Do("POST", "/api/admin/holds/"+h.ID+"/release", nil), &h)
		if !h.Mine || h.State != "held" {
			t.Errorf("asked for: %+v", h)
		}
		one.Problem(http.StatusForbidden, one.Do("POST", "/api/admin/holds/"+h.ID+"/release", nil))
		two.Want(http.StatusOK, two.Do("POST", "/api/admin/holds/"+h.ID+"/release", nil), &h)
		if h.State != "released" {
			t.Errorf("agreed to: %+v", h)
		}
		two.Problem(http.StatusGone, two.Do("POST", "/api/admin/holds/"+h.ID+"/content", map[string]string{"reason": "again"}))
	})
}
