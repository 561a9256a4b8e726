package conformance_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
)

// TestErasedWhole: an account goes with everything in it, wherever it lay.
func TestErasedWhole(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-29", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) { wholeAccount(t, stores, "enhancer") })
		}
	})
	conformance.Part(t, "C-27", "single pictures with what belongs to them, or the whole account", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) { wholeAccount(t, stores, "conversational") })
		}
	})
}

// planted is what a person of the test said and sent, by the doors that it went in.
func planted(t *testing.T, s *musatest.Studio, m *musatest.Client) (musatest.Markers, api.Asset, api.Asset) {
	t.Helper()
	mark := func(door string) string { return "zyxomma-" + door + "-petiolatum" }
	photo := photos.Read(t, "chelsea.png")
	up := m.Upload(mark("filename")+".png", photo, "save", "true")
	out := m.Made(up.ID, musatest.Order{"prompt": mark("prompt")})
	m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", map[string]string{"name": mark("name")}), nil)
	m.Want(http.StatusOK, m.Do(http.MethodPut, "/api/assets/"+out.ID+"/feedback", map[string]any{"rating": 2, "note": mark("feedback")}), nil)
	m.Want(http.StatusCreated, m.Do(http.MethodPost, "/api/support", map[string]string{"words": mark("support")}), nil)
	all := musatest.Markers{"address": []byte(m.Email)}
	for _, door := range []string{"filename", "prompt", "name", "feedback", "support"} {
		all[door] = []byte(mark(door))
	}
	all.Runs("upload", photo, 8)
	all.Runs("result", m.Content(out.ID).Body, 8)
	return all, up, out
}

// wholeAccount closes an account after a backup was made of it, and looks for every trace of
// it: in clear, as sealed bytes and keys, in rows, and in the copy of the keys.
func wholeAccount(t *testing.T, stores musatest.Stores, policy string) {
	s, dir := withBackup(t, stores, policy)
	m := s.Member()
	id := string(m.Subject())
	marks, up, out := planted(t, s, m)
	backedUp(t, s)
	var sealed []string
	found, err := s.DB.SQL().Query("SELECT id FROM secrets WHERE length(wrapped) > 0 AND subject = '" + id + "'")
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		var one string
		if err := found.Scan(&one); err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, one)
	}
	if err := found.Err(); err != nil || len(sealed) < 7 { // two pictures, prompt, history, profile, feedback, thread
		t.Fatalf("%d things lie sealed: %v", len(sealed), err)
	}
	traces := scanner(t, s, append(sealed, id)...)
	control(t, traces, s)

	s.Clock.Turn(11 * time.Minute)
	if p := m.Problem(http.StatusForbidden, m.Do(http.MethodPost, "/api/me/erasure", nil)); p.Code != "prove_first" {
		t.Errorf("without a fresh proof the door says %s", p.Code)
	}
	m.Want(http.StatusNoContent, m.Do(http.MethodPost, "/api/me/prove", map[string]string{"password": musatest.Password}), nil)
	closing := shut(m)
	for _, a := range []string{up.ID, out.ID} {
		wantGone(t, m, a)
	}
	turnTo(t, s, *closing.Undo)
	turnTo(t, s, *closing.Erased)
	s.Step()
	backedUp(t, s)
	wantClean(t, s, traces)
	wantNone(t, "in the stores", musatest.Find(t, append(slices.Clone(s.Dirs), dir), marks))
	if hits, err := traces.Files(t.Context(), dir); err != nil {
		t.Fatal(err)
	} else {
		for _, h := range hits {
			if h.Kind == "key" {
				t.Errorf("the backup holds a key: %v", h)
			}
		}
	}
	r := paper(t, s, closing)
	listed := map[musa.Category]bool{musa.CategoryGenerationLog: true} // one line per job, without a word of it
	for _, k := range r.Statement.Kept {
		listed[k.Category] = true
	}
	for _, table := range db.Tables() {
		if table.Owner == "" || table.Name == "subjects" {
			continue
		}
		where := table.Name + " WHERE " + table.Owner + " = '" + id + "'"
		switch table.Name {
		case "assets", "records":
			where += " AND state = 'active'"
		case "receipts":
			continue
		}
		if n := rows(t, s, where); n > 0 && !listed[table.Category] {
			t.Errorf("%d rows of %s are left, and the receipt lists no %s", n, table.Name, table.Category)
		}
	}
}
