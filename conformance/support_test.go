package conformance_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/photos"
)

// heard sends a request that has to be taken and decodes the answer.
func heard[T any](c *musatest.Client, method, path string, body any) (out T) {
	c.T.Helper()
	a := c.Do(method, path, body)
	if a.Status >= http.StatusBadRequest {
		c.T.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	if len(a.Body) > 0 {
		c.Want(a.Status, a, &out)
	}
	return out
}

// inExport says whether any file of a person's export holds some words.
func inExport(c *musatest.Client, words string) bool {
	c.T.Helper()
	_, archive := c.Export("/api/me/export")
	for _, data := range archive {
		if bytes.Contains(data, []byte(words)) {
			return true
		}
	}
	return false
}

// contact is: page and API name whom the policy names, whoever that is.
func contact(t *testing.T, s *musatest.Studio) {
	t.Helper()
	nobody := &musatest.Client{T: t, Base: s.URL}
	names := func(address string) {
		t.Helper()
		if page := nobody.Do(http.MethodGet, "/support", nil); page.Status != http.StatusOK || !bytes.Contains(page.Body, []byte(address)) {
			t.Errorf("the page of support (%d) does not name %s", page.Status, address)
		}
		if c := fetched[api.Contact](t, nobody, "/api/contact"); c.Contact != address || c.Name != s.InForce().Controller.Name || len(c.Kinds) != 5 {
			t.Errorf("the API names %+v", c)
		}
	}
	doc := s.InForce()
	names(doc.Controller.Contact)
	text := strings.Replace(string(doc.YAML()), doc.Controller.Contact, "ask-us@elsewhere.example", 1)
	s.Publish(strings.Replace(text, "version: "+doc.Version, "version: "+doc.Version+"1", 1))
	names("ask-us@elsewhere.example")
}

// answered is: a message opens a thread of its kind, with its end by the policy; the staff answer;
// a mail says that an answer waits, and not what it says; the person reads it and has it in their
// export.
func answered(t *testing.T, s *musatest.Studio, m *musatest.Client, kind string) {
	t.Helper()
	const question, answer = "where do my pictures lie <b>4711</b>?", "on the shelf beside the window 0815"
	helper := s.Staff(t, musa.RoleSupport)
	th := heard[api.Thread](m, "POST", "/api/support", musatest.Order{"kind": kind, "words": question})
	if th.Kind != kind || th.Category != "support" || !strings.HasPrefix(th.EndsRule, "retention[") || th.Created == nil {
		t.Errorf("the thread is %+v", th)
	}
	before := len(s.Post(m.Email))
	heard[api.Thread](helper, "POST", "/api/admin/support/"+th.ID+"/messages", musatest.Order{"words": answer})
	mails := s.Post(m.Email)
	if len(mails) != before+1 {
		t.Fatalf("%d mails came, want one more than %d", len(mails), before)
	}
	mail := mails[len(mails)-1]
	for _, words := range []string{"0815", "4711"} {
		if strings.Contains(mail.Subject+mail.Text+mail.HTML, words) {
			t.Errorf("the mail says what was said: %q", mail.Text)
		}
	}
	if !strings.Contains(mail.Link("/support"), th.ID) {
		t.Errorf("the mail does not lead to the thread: %s", mail.Text)
	}
	mine := fetched[api.Thread](t, m, "/api/support/"+th.ID)
	if len(mine.Messages) != 2 || mine.Messages[0].Words != question || mine.Messages[1].Words != answer || mine.State != "answered" {
		t.Errorf("the person reads %+v", mine)
	}
	if !inExport(m, answer) {
		t.Error("the export has nothing of the thread")
	}
	m.Want(http.StatusNoContent, m.Do(http.MethodDelete, "/api/support/"+th.ID, nil), nil)
	if inExport(m, answer) {
		t.Error("the export has what was erased")
	}
}

// TestSupport: whoever asks is heard, by the contact that the policy names.
func TestSupport(t *testing.T) {
	t.Parallel()
	for id, preset := range map[string]string{"E-32": "enhancer", "C-47": "conversational", "P-04": "professional", "W-29": "workspace"} {
		conformance.Kept(t, id, func(t *testing.T) {
			both(t, preset, func(t *testing.T, s *musatest.Studio) {
				m := s.Member()
				kinds := []string{"privacy"}
				if id == "C-47" {
					kinds = []string{"privacy", "account", "fault"}
				}
				for _, kind := range kinds {
					answered(t, s, m, kind)
				}
				if id == "P-04" {
					rates(t, s, m)
				}
				contact(t, s)
			})
		})
	}
}

// rates is: stars, a thumb and a note on a picture, which can be changed, are in the export, and
// go when they are erased.
func rates(t *testing.T, s *musatest.Studio, m *musatest.Client) {
	t.Helper()
	const note, other = "the whiskers came out blue 2718", "no, they are green 3141"
	out := m.Made(m.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
	path := "/api/assets/" + out.ID + "/feedback"
	heard[api.Feedback](m, "PUT", path, musatest.Order{"rating": 2, "thumb": "down", "note": note})
	if f := fetched[api.Feedback](t, m, path); f.Rating != 2 || f.Thumb != "down" || f.Note != note || f.EndsRule == "" {
		t.Errorf("rated %+v", f)
	}
	if !inExport(m, note) {
		t.Error("the export has nothing of it")
	}
	heard[api.Feedback](m, "PUT", path, musatest.Order{"rating": 5, "note": other})
	if inExport(m, note) || !inExport(m, other) {
		t.Error("the export does not follow the change")
	}
	m.Want(http.StatusNoContent, m.Do(http.MethodDelete, path, nil), nil)
	m.Problem(http.StatusNotFound, m.Do(http.MethodGet, path, nil))
	if inExport(m, other) {
		t.Error("the export has what was erased")
	}
}

// TestFeedback: what people think of a picture, and what failed.
func TestFeedback(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-08", func(t *testing.T) {
		both(t, "conversational", func(t *testing.T, s *musatest.Studio) { rates(t, s, s.Member()) })
	})
	conformance.Kept(t, "C-09", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) {
				t.Parallel()
				reports(t, musatest.New(t, musatest.Rig{Stores: stores, Policy: "conversational", Engine: &enginetest.Null{Fail: errors.New("broken")}}))
			})
		}
	})
}

// reports is: a failed job offers a report; what the preview shows is what the staff get, to the
// letter, and nothing that was not ticked.
func reports(t *testing.T, s *musatest.Studio) {
	t.Helper()
	const prompt, name = "give the walrus a crown", "aunt-ida.png"
	g, helper := s.Guest(), s.Staff(t, musa.RoleSupport)
	j := g.Await(g.Enhance(g.Upload(name, photos.Read(t, "chelsea.png"), "save", "true").ID, musatest.Order{"prompt": prompt}).ID)
	if j.State != "failed" {
		t.Fatalf("the job is %s", j.State)
	}
	path := "/api/jobs/" + j.ID + "/report"
	for _, ticked := range []bool{false, true} {
		query := ""
		if ticked {
			query = "?prompt=true&names=true"
		}
		raw := g.Do(http.MethodGet, path+query, nil)
		if bytes.Contains(raw.Body, []byte("walrus")) != ticked || bytes.Contains(raw.Body, []byte("aunt-ida")) != ticked {
			t.Errorf("ticked %v, the preview says %s", ticked, raw.Body)
		}
		shown := fetched[api.ReportPreview](t, g, path+query)
		th := heard[api.Thread](g, "POST", path, musatest.Order{"digest": shown.Digest, "prompt": ticked, "names": ticked})
		read := heard[api.Thread](helper, "POST", "/api/admin/support/"+th.ID+"/open", musatest.Order{"reason": "a report"})
		if read.Report == nil || !same(t, *read.Report, shown.Report) || len(read.Messages) != 1 {
			t.Errorf("sent was %+v, shown %+v", read.Report, shown.Report)
		}
	}
}

// TestRequestsThatReachSupport: a request that arrives as a message is one like any other.
func TestRequestsThatReachSupport(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "P-26", func(t *testing.T) {
		both(t, "professional", func(t *testing.T, s *musatest.Studio) {
			m, helper, officer := s.Member(), s.Staff(t, musa.RoleSupport), s.Staff(t, musa.RoleOperator)
			answered(t, s, m, "privacy")
			th := heard[api.Thread](m, "POST", "/api/support", musatest.Order{"kind": "privacy", "words": "send me all that you have of me"})
			s.Clock.Turn(2 * day)
			made := heard[api.EnteredCase](helper, "POST", "/api/admin/support/"+th.ID+"/case", musatest.Order{"right": "access"})
			own := heard[struct {
				ID    string    `json:"id"`
				State string    `json:"state"`
				Due   time.Time `json:"due"`
			}](m, "GET", "/api/rights/"+made.Case, nil)
			if own.ID != made.Case || own.State != "received" || !own.Due.Equal(musatest.Months(*th.Created, 1)) {
				t.Errorf("the person sees %+v, want it due a month after %v", own, th.Created)
			}
			if queue := officer.Do(http.MethodGet, "/api/admin/rights", nil); !bytes.Contains(queue.Body, []byte(made.Case)) {
				t.Errorf("the queue does not show it: %d %s", queue.Status, queue.Body)
			}
			contact(t, s)
		})
	})
}

// TestStrangers: somebody without an account asks and is answered.
func TestStrangers(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "O-12", func(t *testing.T) {
		both(t, "open-door", func(t *testing.T, s *musatest.Studio) {
			const address = "stranger@example.net"
			nobody, helper := &musatest.Client{T: t, Base: s.URL}, s.Staff(t, musa.RoleSupport)
			th := heard[api.Thread](nobody, "POST", "/api/support", musatest.Order{"kind": "privacy", "words": "what do you keep of me?", "email": address})
			heard[api.Thread](helper, "POST", "/api/admin/support/"+th.ID+"/messages", musatest.Order{"words": "nothing but this"})
			mails := s.Post(address)
			if len(mails) != 1 || strings.Contains(mails[0].Text+mails[0].HTML, "nothing but this") {
				t.Fatalf("%d mails came, or one that says the answer", len(mails))
			}
			_, secret, _ := strings.Cut(mails[0].Link("/support"), "#")
			in := heard[api.OpenedThread](nobody, "POST", "/api/support/open", musatest.Order{"secret": secret})
			holder := &musatest.Client{T: t, Base: s.URL, Token: in.Token}
			if got := fetched[api.Thread](t, holder, "/api/support/"+in.Thread); in.Thread != th.ID || len(got.Messages) != 2 || got.Messages[1].Words != "nothing but this" {
				t.Errorf("they read %+v", got)
			}
			heard[api.Thread](holder, "POST", "/api/support/"+th.ID+"/messages", musatest.Order{"words": "thank you"})
			nobody.Problem(http.StatusGone, nobody.Do("POST", "/api/support/open", musatest.Order{"secret": secret}))
			nobody.Problem(http.StatusGone, nobody.Do("POST", "/api/support/open", musatest.Order{"secret": "musav_" + strings.Repeat("A", 43)}))
			g := s.Guest()
			own := heard[api.Thread](g, "POST", "/api/support", musatest.Order{"words": "and I?"})
			heard[api.Thread](helper, "POST", "/api/admin/support/"+own.ID+"/messages", musatest.Order{"words": "you, too"})
			if got := fetched[api.Thread](t, g, "/api/support/"+own.ID); len(got.Messages) != 2 {
				t.Errorf("the guest reads %+v", got)
			}
			contact(t, s)
		})
	})
}
