package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
)

// asked is a request with headers of its own.
func asked(c *musatest.Client, method, path, body string, headers ...string) musatest.Answer {
	c.T.Helper()
	var sent io.Reader
	if body != "" {
		sent = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.T.Context(), method, c.Base+path, sent)
	if err != nil {
		c.T.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.T.Fatal(err)
	}
	return musatest.Answer{Status: res.StatusCode, Header: res.Header, Body: raw}
}

func consentsOf(c *musatest.Client, headers ...string) (out api.Consents) {
	c.T.Helper()
	c.Want(http.StatusOK, asked(c, http.MethodGet, "/api/consents", "", headers...), &out)
	return out
}

func lineOf(t *testing.T, c api.Consents, name string) api.ConsentLine {
	t.Helper()
	i := slices.IndexFunc(c.Consents, func(l api.ConsentLine) bool { return l.Name == name })
	if i < 0 {
		t.Fatalf("the policy does not ask for %s: %+v", name, c.Consents)
	}
	return c.Consents[i]
}

func jarOf(a musatest.Answer) string {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == "musa_consent" && c.MaxAge > 0 {
			return "musa_consent=" + c.Value
		}
	}
	return ""
}

// under runs a test under a preset on both stores.
func under(t *testing.T, preset string, f func(t *testing.T, s *musatest.Studio)) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			f(t, musatest.New(t, musatest.Rig{Stores: stores, Policy: preset}))
		})
	}
}

// visitors is what a visitor without an account meets: nothing is set before a choice, yes and no
// weigh the same, both are remembered, and a browser that drops the cookie is asked again.
func visitors(t *testing.T, s *musatest.Studio) {
	t.Helper()
	v := &musatest.Client{T: t, Base: s.URL}
	first := asked(v, http.MethodGet, "/api/consents", "")
	var before api.Consents
	v.Want(http.StatusOK, first, &before)
	if first.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie is set before any choice")
	}
	for _, l := range before.Consents {
		later := slices.Equal(l.Scope, []string{"asset"}) // asked of each picture, once there is one
		if !l.Necessary && (l.On || l.Answer != "none" || slices.Contains(before.Ask, l.Name) == later) {
			t.Errorf("before any choice %+v", l)
		}
		if l.Necessary && slices.ContainsFunc(l.Cookies, func(c string) bool { return !strings.HasPrefix(c, "musa_") }) {
			t.Errorf("strictly necessary: %v", l.Cookies)
		}
	}
	for _, word := range []string{"yes", "no"} {
		a := asked(v, http.MethodPut, "/api/consents", `{"preferences":"`+word+`"}`)
		var after api.Consents
		v.Want(http.StatusOK, a, &after)
		jar := jarOf(a)
		if l := lineOf(t, after, "preferences"); l.Answer != word || l.On != (word == "yes") || jar == "" {
			t.Errorf("after %s: %+v, cookie %q", word, l, jar)
		}
		again := consentsOf(v, "Cookie", jar)
		if lineOf(t, again, "preferences").Answer != word || slices.Contains(again.Ask, "preferences") {
			t.Errorf("the %s is not remembered: %+v", word, again)
		}
		gone := consentsOf(v) // the cookie was deleted or blocked
		if lineOf(t, gone, "preferences").Answer != "none" || gone.Known {
			t.Errorf("without the cookie the %s comes back: %+v", word, gone)
		}
		if off := word == "no"; strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), "\n"), "musa_theme=;") != off {
			t.Errorf("after %s the cookies are %v", word, a.Header.Values("Set-Cookie"))
		}
	}
	for _, bad := range []string{`{"preferences":"maybe"}`, `{"essential":"no"}`, `{"unknown":"yes"}`, `{}`} {
		v.Problem(http.StatusBadRequest, asked(v, http.MethodPut, "/api/consents", bad))
	}
	// What a browser's cookie claims never keeps anybody out.
	for _, jar := range []string{"1.training_commercial-yes", "1.nothing-yes", "2.preferences-yes", "1.preferences-perhaps"} {
		v.Want(http.StatusCreated, asked(v, http.MethodPost, "/api/guests", "{}", "Cookie", "musa_consent="+jar), nil)
	}
	g := s.Guest()
	g.Want(http.StatusOK, asked(g, http.MethodPut, "/api/consents", `{"preferences":"yes"}`), nil)
	if l := lineOf(t, consentsOf(g), "preferences"); l.Word == nil || l.Word.Version != s.InForce().Ref() || l.Word.At == nil {
		t.Errorf("of a guest: %+v", l)
	}
}

func TestVisitorsChoose(t *testing.T) {
	under(t, "enhancer", func(t *testing.T, s *musatest.Studio) {
		conformance.Part(t, "E-08", "nothing before a choice in the API", func(t *testing.T) { visitors(t, s) })
	})
}

func TestVisitorsOfProfessionalsChoose(t *testing.T) {
	under(t, "professional", func(t *testing.T, s *musatest.Studio) {
		conformance.Part(t, "P-21", "equal answers in the API", func(t *testing.T) { visitors(t, s) })
		conformance.Part(t, "P-29", "a deleted cookie stays deleted", func(t *testing.T) { visitors(t, s) })
	})
}

// trained says whether a picture would be trained with, and why not.
func trained(c *musatest.Client, id, said string) bool {
	c.T.Helper()
	var p api.AssetPrivacy
	if said == "" {
		c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/assets/"+id+"/privacy", nil), &p)
	} else {
		c.Want(http.StatusOK, asked(c, http.MethodPut, "/api/assets/"+id+"/privacy", said), &p)
	}
	if p.Training == (p.Why != "") || p.Visibility != "private" || p.Shares != 0 {
		c.T.Fatalf("privacy of %s: %+v", id, p)
	}
	return p.Training
}

func general(c *musatest.Client, body string) {
	c.T.Helper()
	c.Want(http.StatusOK, asked(c, http.MethodPut, "/api/me/consents", body), nil)
}

func wantTrained(c *musatest.Client, what, id string, want bool) {
	c.T.Helper()
	if got := trained(c, id, ""); got != want {
		c.T.Errorf("%s: trained with is %v", what, got)
	}
}

// Who would be in a training export is asked of the same gate that the export will ask. The
// export itself comes with a later issue.
func TestTraining(t *testing.T) {
	under(t, "conversational", func(t *testing.T, s *musatest.Studio) {
		v := &musatest.Client{T: t, Base: s.URL}
		v.Want(http.StatusCreated, asked(v, http.MethodPost, "/api/guests", "{}", "Cookie", "musa_consent=1.training_commercial-yes"), nil)
		v.Problem(http.StatusBadRequest, asked(v, http.MethodPut, "/api/consents", `{"training_commercial":"yes"}`))
		g, other := s.Guest(), s.Guest()
		data := photos.Read(t, "chelsea.png")
		a, b, foreign := g.Upload("a.png", data, "save", "true"), g.Upload("b.png", data, "save", "true"), other.Upload("c.png", data, "save", "true")
		conformance.Part(t, "C-29", "a switch per account and per image at the gate", func(t *testing.T) {
			g, other := g.In(t), other.In(t)
			wantTrained(g, "before any word", a.ID, false)
			general(g, `{"training":"yes"}`)
			wantTrained(g, "after a yes", a.ID, true)
			wantTrained(other, "another's yes", foreign.ID, false)
			if trained(g, b.ID, `{"training":"no"}`) {
				t.Error("the picture that was taken out is in")
			}
			wantTrained(g, "the other picture", a.ID, true)
			general(g, `{"training":"no"}`)
			wantTrained(g, "after the withdrawal", a.ID, false)
			g.Problem(http.StatusNotFound, asked(g, http.MethodPut, "/api/assets/"+foreign.ID+"/privacy", `{"training":"yes"}`))
		})
		conformance.Part(t, "C-36", "commercial pictures take a consent of their own", func(t *testing.T) {
			g := g.In(t)
			ends := g.Asset(a.ID).Ends
			// All of what is said at once counts, or nothing of it.
			g.Problem(http.StatusForbidden, asked(g, http.MethodPut, "/api/assets/"+a.ID+"/privacy", `{"commercial":true,"training_commercial":"yes"}`))
			if g.Asset(a.ID).Commercial {
				t.Error("of two words one was refused, and the other counts")
			}
			general(g, `{"training":"yes"}`)
			if trained(g, a.ID, `{"commercial":true}`) {
				t.Error("a commercial picture is in by the general consent")
			}
			if got := g.Asset(a.ID); !got.Commercial || !got.Ends.Equal(*ends) {
				t.Errorf("the flag changed more than itself: %+v", got)
			}
			if !trained(g, a.ID, `{"training_commercial":"yes"}`) {
				t.Error("after the separate consent it is not in")
			}
			if trained(g, a.ID, `{"training_commercial":"no"}`) {
				t.Error("after the withdrawal it is in")
			}
			made := g.Await(g.Enhance(a.ID, nil).ID)
			if len(made.Outputs) != 1 || !made.Outputs[0].Commercial {
				t.Errorf("what is made of a commercial picture: %+v", made.Outputs)
			}
		})
		conformance.Part(t, "E-24", "a consent names item purpose time and version", func(t *testing.T) {
			g := g.In(t)
			for _, word := range []string{"yes", "no"} {
				s.Clock.Turn(time.Second)
				trained(g, b.ID, `{"training":"`+word+`"}`)
			}
			var mine struct {
				api.Consents
				History []api.Word `json:"history"`
			}
			g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me/consents", nil), &mine)
			if l := lineOf(t, mine.Consents, "training"); !slices.Equal(l.Purposes, []string{"train"}) {
				t.Errorf("its purposes are %v", l.Purposes)
			}
			if w := mine.History[0]; w.Asset != b.ID || w.Answer != "no" || w.At == nil || w.Version != s.InForce().Ref() || mine.History[1].Answer != "yes" || mine.History[1].Ended == nil {
				t.Errorf("the record says %+v, %+v", w, mine.History[1])
			}
		})
	})
}

// Under the preset of workspaces the same gate holds; its consents are unticked and separate.
func TestTrainingAsksFirst(t *testing.T) {
	under(t, "workspace", func(t *testing.T, s *musatest.Studio) {
		conformance.Part(t, "W-10", "unticked separate and versioned", func(t *testing.T) {
			g := s.Guest().In(t)
			for _, name := range []string{"training", "training_commercial"} {
				if l := lineOf(t, consentsOf(g), name); l.On || l.Answer != "none" || l.Mode != "opt_in" {
					t.Errorf("%s before any word: %+v", name, l)
				}
			}
			a := g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
			wantTrained(g, "before any word", a.ID, false)
			general(g, `{"training":"yes"}`)
			if l := lineOf(t, consentsOf(g), "training"); l.Word == nil || l.Word.Version != s.InForce().Ref() || l.Word.Expires == nil || lineOf(t, consentsOf(g), "training_commercial").On {
				t.Errorf("after one yes: %+v", l)
			}
			wantTrained(g, "after it", a.ID, true)
			general(g, `{"training":"no"}`)
			wantTrained(g, "after the withdrawal", a.ID, false)
		})
		conformance.Part(t, "W-24", "the signal is honoured shown and declared", func(t *testing.T) {
			g := s.Guest().In(t)
			general(g, `{"marketing":"yes"}`)
			for _, c := range []struct {
				headers []string
				on      bool
				gpc     string
			}{{nil, true, "refuses"}, {[]string{"Sec-GPC", "1"}, false, "overrules"}, {[]string{"Sec-GPC", "0"}, true, "refuses"}} {
				seen := consentsOf(g, c.headers...)
				if l := lineOf(t, seen, "marketing"); l.On != c.on || l.Gpc != c.gpc || l.GpcWords == "" || l.Answer != "yes" {
					t.Errorf("with %v: %+v", c.headers, l)
				}
			}
			a := asked(g, http.MethodGet, "/.well-known/gpc.json", "")
			var declared struct {
				GPC    bool   `json:"gpc"`
				Update string `json:"lastUpdate"`
			}
			if err := json.Unmarshal(a.Body, &declared); err != nil || a.Status != http.StatusOK || !declared.GPC || declared.Update == "" {
				t.Errorf("gpc.json answers %d %s", a.Status, a.Body)
			}
			opted := ask(g, http.StatusCreated, `{"right":"opt_out_sale"}`)
			if opted.State != "answered" || opted.Outcome != "opted_out" || lineOf(t, consentsOf(g), "marketing").On {
				t.Errorf("the opt-out: %+v", opted)
			}
		})
		conformance.Kept(t, "W-21", func(t *testing.T) { unlogged(t, s) })
	})
}

// unlogged makes jobs with planted words while the log is off, and looks for them in the files.
func unlogged(t *testing.T, s *musatest.Studio) {
	t.Helper()
	g := s.Guest().In(t)
	a := g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
	earlier := g.Await(g.Enhance(a.ID, musatest.Order{"prompt": "an earlier wish"}).ID)
	var l api.Log
	g.Want(http.StatusOK, asked(g, http.MethodPut, "/api/me/log", `{"off":true}`), &l)
	if !l.Off || l.Since == nil || len(l.Stops) == 0 || !slices.ContainsFunc(l.Kept, func(k api.StillKept) bool { return k.Category == "security_log" && k.Words != "" }) {
		t.Errorf("the switch says %+v", l)
	}
	jobs, said := []string{earlier.ID}, musatest.Markers{}
	for i := range 20 {
		marker := fmt.Sprintf("marker-%d brighter", i)
		said[marker] = []byte(marker)
		jobs = append(jobs, g.Await(g.Enhance(a.ID, musatest.Order{"prompt": marker}).ID).ID)
	}
	s.Step()
	if n := rows(t, s, "records WHERE state = 'active' AND category IN ('prompt', 'history', 'interaction', 'conversation')"); n != 0 {
		t.Errorf("%d records of what was said are left", n)
	}
	if n := rows(t, s, "secrets WHERE id IN (SELECT id FROM records WHERE category IN ('prompt', 'history'))"); n != 0 {
		t.Errorf("%d of their keys are left", n)
	}
	wantNone(t, "with the log off", musatest.Find(t, s.Dirs, said))
	g.Want(http.StatusOK, asked(g, http.MethodPut, "/api/me/log", `{"off":false}`), &l)
	for _, id := range jobs {
		if j := g.Job(id); j.Prompt != "" || j.Plan != nil || len(j.Outputs) == 1 && j.Outputs[0].Made != nil && j.Outputs[0].Made.Understood != "" {
			t.Errorf("job %s still says what was said: %+v", id, j)
		}
	}
	uncounted(t, s)
}

// uncounted has one short of a group work with the log on and one with it off, whom alone a total
// would need; then one more with it on.
func uncounted(t *testing.T, s *musatest.Studio) {
	t.Helper()
	line, _ := s.InForce().Categories.Get("usage_total")
	group := line.MinGroup.Value()
	works := func(log string) {
		g := s.Guest().In(t)
		g.Want(http.StatusOK, asked(g, http.MethodPut, "/api/me/log", log), nil)
		g.Made(g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true").ID, nil)
	}
	for want, last := range []string{`{"off":true}`, `{"off":false}`} {
		s.Clock.Turn(2 * day)
		for range group - 1 {
			works(`{"off":false}`)
		}
		works(last)
		s.Clock.Turn(2 * day)
		if err := s.Usage.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := rows(t, s, "usage_totals"); n != want {
			t.Errorf("the last of %d with %s: %d usage rows", group, last, n)
		}
	}
}

// One page has every optional collection with its switch, and each switch stops what it says.
func TestOneSwitchEach(t *testing.T) {
	under(t, "enhancer", func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		conformance.Kept(t, "E-28", func(t *testing.T) { switches(t, s) })
		conformance.Part(t, "E-27", "each picture is private, with training and retention of its own, and the defaults are set once for all", func(t *testing.T) {
			g := g.In(t)
			a := g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
			var p api.AssetPrivacy
			g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/assets/"+a.ID+"/privacy", nil), &p)
			if p.Visibility != "private" || p.Training || p.Ends == nil || p.EndsText == "" || !p.Saved {
				t.Errorf("privacy of a picture: %+v", p)
			}
			nobody := s.Guest()
			nobody.Problem(http.StatusNotFound, nobody.Do(http.MethodGet, "/api/assets/"+a.ID+"/privacy", nil))
			nobody.Problem(http.StatusNotFound, asked(nobody, http.MethodPut, "/api/assets/"+a.ID+"/privacy", `{"keep":"default"}`))
			ownStay(t, s)
		})
	})
}
