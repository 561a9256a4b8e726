package conformance_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/db"
	"musa/musatest"
	"musa/policies"
	"musa/rights"
)

// TestTakingAlong: people see what is held of them, take all of it with them, and bring it to
// another server with nothing lost.
func TestTakingAlong(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-26", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			m := person(s, musa.TierMember)
			up, out := brought(t, m)
			_, a := m.Export("/api/me/export") // validates with the published schema
			lines := a.Lines(t)
			for _, it := range []api.Asset{up, out} {
				l, ok := lines[it.ID]
				if !ok || !bytes.Equal(a[l.File], m.Content(it.ID).Body) || l.Name != it.Name || l.Width != it.Width {
					t.Errorf("the archive tells of %s: %+v", it.Kind, l)
				}
			}
			if l := lines[out.ID]; l.Made == nil || l.Made.Model == "" || l.Prompt != "make it warmer" || len(l.Sources) != 1 {
				t.Errorf("the history of the result is %+v", l)
			}
			nobody := &musatest.Client{T: t, Base: s.URL}
			if ans := nobody.Do(http.MethodGet, "/api/export/schema.json", nil); ans.Status != http.StatusOK || !bytes.Equal(ans.Body, a["schema.json"]) {
				t.Errorf("the schema is published with status %d", ans.Status)
			}
		})
	})
	conformance.Kept(t, "C-25", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, dashboard)
	})
	conformance.Kept(t, "C-28", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
			moved(t, s, musatest.New(t, musatest.Rig{Policy: "conversational", Stores: s.Stores}))
		})
	})
	conformance.Part(t, "W-22", "single pictures and prompts are exported and deleted", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "workspace"}, func(t *testing.T, s *musatest.Studio) {
			m := person(s, musa.TierMember)
			up, out := brought(t, m)
			_, a := m.Export("/api/assets/" + up.ID + "/export")
			if lines := a.Lines(t); len(lines) != 1 || !bytes.Equal(a[lines[up.ID].File], m.Content(up.ID).Body) {
				t.Errorf("one picture's archive tells of %d", len(lines))
			}
			_, a = m.Export("/api/jobs/" + out.Job + "/export")
			var jobs []rights.Work
			a.Decode(t, "jobs.json", &jobs)
			if len(jobs) != 1 || jobs[0].Prompt != "make it warmer" {
				t.Errorf("one prompt's archive tells %+v", jobs)
			}
			m.Want(http.StatusNoContent, m.Do(http.MethodDelete, "/api/jobs/"+out.Job+"/prompt", nil), nil)
			_, a = m.Export("/api/jobs/" + out.Job + "/export")
			for name, data := range a {
				if bytes.Contains(data, []byte("make it warmer")) {
					t.Errorf("after its deletion the prompt stands in %s", name)
				}
			}
			m.Want(http.StatusAccepted, m.Do(http.MethodDelete, "/api/assets/"+up.ID, nil), nil)
			s.Clock.Turn(s.InForce().Undo())
			s.Step()
			m.Problem(http.StatusGone, m.Do(http.MethodGet, "/api/assets/"+up.ID+"/export", nil))
			wantReceipt(t, m, up.ID)
		})
	})
	conformance.Part(t, "W-20", "access, update, deletion and a portable copy by oneself", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "workspace"}, func(t *testing.T, s *musatest.Studio) {
			m := person(s, musa.TierMember)
			up, _ := brought(t, m)
			if h := fetched[rights.Holdings](t, m, "/api/me/holdings"); len(h.Held) == 0 {
				t.Error("nothing is said to be held")
			}
			raw, _ := m.Export("/api/me/export")
			if got := person(s, musa.TierMember).Import(raw); got.Pictures != 2 || !got.Whole {
				t.Errorf("the copy brings %+v", got)
			}
			shut(m)
			wantGone(t, m, up.ID)
		})
	})
}

// dashboard looks at every category that is held against what is there, what the policy says
// and who opened it.
func dashboard(t *testing.T, s *musatest.Studio) {
	m := person(s, musa.TierMember)
	up, out := brought(t, m)
	doc := s.InForce()
	h := fetched[rights.Holdings](t, m, "/api/me/holdings")
	held := map[musa.Category]rights.Held{}
	for _, x := range h.Held {
		c := musa.Category(x.Category)
		held[c] = x
		if len(x.Rules) == 0 || x.Words == "" || len(x.Recipients) != len(doc.Recipients(c)) {
			t.Errorf("%s is told without end, words or recipients: %+v", c, x)
		}
		for _, p := range x.Purposes {
			if p.Basis == "" || p.Law == "" || p.Words == "" {
				t.Errorf("%s is used without a basis: %+v", c, p)
			}
		}
		if x.Items > 0 && (len(x.Purposes) == 0 || x.Oldest == nil || x.Newest == nil) && c != musa.CategoryCredential {
			t.Errorf("%d of %s are held for no purpose or since no time", x.Items, c)
		}
	}
	for c, end := range map[musa.Category]*time.Time{musa.CategoryOriginal: up.Ends, musa.CategoryOutput: out.Ends} {
		if x := held[c]; x.Items != 1 || x.Ends == nil || !x.Ends.Equal(*end) {
			t.Errorf("of %s are held %d until %v, want 1 until %v", c, x.Items, x.Ends, end)
		}
	}
	// Every row with an owner is told of, whatever table it is in.
	id := m.Subject()
	for _, table := range db.Counted() {
		if table.Name == "assets" || table.Name == "records" {
			continue // of several categories
		}
		n := rows(t, s, table.Name+" WHERE "+table.Owner+" = '"+string(id)+"'")
		if n > 0 && held[table.Category].Items == 0 {
			t.Errorf("%s holds %d rows and the dashboard says nothing", table.Name, n)
		}
	}
	raw, a := m.Export("/api/me/export")
	if len(raw) == 0 || len(a.Lines(t)) != 2 {
		t.Error("the download does not hold both pictures")
	}
}

// moved takes everything of a person to another server and compares.
func moved(t *testing.T, from, to *musatest.Studio) {
	m, n := person(from, musa.TierMember), person(to, musa.TierMember)
	up, out := brought(t, m)
	m.Want(http.StatusOK, m.Do(http.MethodPut, "/api/assets/"+out.ID+"/feedback", map[string]any{"rating": 4, "note": "warm enough"}), nil)
	raw, a := m.Export("/api/me/export")
	got := n.Import(raw)
	if got.Pictures != 2 || got.Jobs != 1 || !got.Whole {
		t.Fatalf("taken over: %+v", got)
	}
	is := map[string]string{}
	for _, id := range got.Ids {
		is[id.Was] = id.Is
	}
	_, b := n.Export("/api/me/export")
	before, after := a.Lines(t), b.Lines(t)
	for id, was := range before {
		l := after[is[id]]
		if !bytes.Equal(a[was.File], b[l.File]) || l.Name != was.Name || l.Prompt != was.Prompt || l.Kind != was.Kind || l.Saved != was.Saved ||
			len(l.Sources) != len(was.Sources) || l.Origin == nil || !l.Origin.Created.Equal(was.Created) || (l.Made == nil) != (was.Made == nil) {
			t.Errorf("of %+v came %+v", was, l)
		}
		if !l.Ends.Equal(to.Clock.Now().Add(was.Ends.Sub(was.Created))) {
			t.Errorf("the %s ends %v, want as long after now as what is made now", l.Kind, l.Ends)
		}
	}
	if l := after[is[out.ID]]; len(l.Sources) != 1 || string(l.Sources[0]) != is[up.ID] {
		t.Errorf("the result there is made from %v", l.Sources)
	}
	if f := fetched[api.Feedback](t, n, "/api/assets/"+is[out.ID]+"/feedback"); f.Rating != 4 || f.Note != "warm enough" {
		t.Errorf("the rating there is %+v", f)
	}
	if again := n.Import(raw); again.Pictures+again.Jobs != 0 {
		t.Errorf("the second time came %+v", again)
	}
}

// TestWithoutAnAccount: a guest sees, takes along and erases everything of the session.
func TestWithoutAnAccount(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "O-11", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "open-door"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			up, out := brought(t, g)
			h := fetched[rights.Holdings](t, g, "/api/me/holdings")
			n := 0
			for _, x := range h.Held {
				n += x.Items
			}
			if n < 5 { // two pictures, a prompt, a history, a job and the session
				t.Errorf("a guest is told of %d things", n)
			}
			if _, a := g.Export("/api/me/export"); len(a.Lines(t)) != 2 {
				t.Error("a guest does not get both pictures")
			}
			id := string(g.Subject())
			traces := scanner(t, s, up.ID, out.ID, id)
			control(t, traces, s)
			closing := shut(g)
			turnTo(t, s, *closing.Undo)
			s.Step()
			wantClean(t, s, traces)
			for _, table := range []string{"sessions WHERE subject", "records WHERE state = 'active' AND owner", "assets WHERE state = 'active' AND owner", "subject_keys WHERE subject"} {
				if n := rows(t, s, table+" = '"+id+"'"); n != 0 {
					t.Errorf("%d rows are left: %s", n, table)
				}
			}
		})
	})
	conformance.Kept(t, "O-10", func(t *testing.T) {
		doc, err := policies.Load("open-door", nil)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("storage: 200MB", "storage: 700KB", "storage: 1GB", "storage: 2MB").Replace(string(doc.YAML()))
		eachStore(t, musatest.Rig{Policy: text}, fullStorage)
	})
}

// fullStorage fills a guest's storage to the brim: nothing that is there is lost, nothing new
// is begun or charged, and what is deleted makes room. Another plan has more.
func fullStorage(t *testing.T, s *musatest.Studio) {
	g := s.Guest()
	first := g.Upload("noise.png", noise(t, 300), "save", "true")
	before := fetched[api.Me](t, g, "/api/me")
	if before.Storage.Limit != 700_000 || before.Storage.Used < 200_000 || before.Storage.Used > before.Storage.Limit {
		t.Fatalf("the storage is shown as %+v", before.Storage)
	}
	second := g.Upload("noise.png", noise(t, 300), "save", "true")
	raw, _ := g.Export("/api/assets/" + second.ID + "/export")
	p := g.Problem(http.StatusRequestEntityTooLarge, g.Post("noise.png", noise(t, 300), "save", "true"))
	if p.Code != "storage_full" || !strings.Contains(p.Detail, "Delete a picture") {
		t.Errorf("a full storage answers %+v", p)
	}
	g.Want(http.StatusOK, g.Content(first.ID), nil)
	g.Want(http.StatusOK, g.Content(second.ID), nil)
	me := fetched[api.Me](t, g, "/api/me")
	if me.Credits != before.Credits || me.Held != 0 {
		t.Errorf("credits went from %d to %d", before.Credits, me.Credits)
	}
	g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+first.ID, nil), nil)
	s.Clock.Turn(s.InForce().Undo())
	s.Step()
	g.Upload("noise.png", noise(t, 300), "save", "true")
	other := s.Guest()
	for range 2 {
		other.Upload("noise.png", noise(t, 300), "save", "true")
	}
	if p := other.Problem(http.StatusRequestEntityTooLarge, other.Send(http.MethodPost, "/api/me/import", "application/zip", bytes.NewReader(raw))); p.Code != "storage_full" {
		t.Errorf("an archive that does not fit answers %+v", p)
	}
	s.SetTier(other, musa.TierMember)
	if got := other.Import(raw); got.Pictures != 1 {
		t.Errorf("with another plan came %+v", got)
	}
	if me := fetched[api.Me](t, other, "/api/me"); me.Storage.Limit != 2_000_000 {
		t.Errorf("a member's storage is %+v", me.Storage)
	}
}
