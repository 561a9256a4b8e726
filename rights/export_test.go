package rights_test

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/rights"
)

var update = flag.Bool("update", false, "write the published schema")

const schemaFile = "../doc/export.schema.json"

// The published schema is that of the types that an export is written with.
func TestTheSchemaIsPublished(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.WriteFile(schemaFile, rights.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, rights.Schema()) {
		t.Errorf("%s is not the form of an export any more; run with -update", schemaFile)
	}
}

// No table can be forgotten: each that says something of people is counted as theirs, or says
// why not; and each that is counted is exported, or is of a kind that never is. GDPR art. 15.
func TestNoTableIsForgotten(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load(policies.Default, nil)
	if err != nil {
		t.Fatal(err)
	}
	counted, reasons, apart := db.Counted(), db.Uncounted(), rights.Apart()
	for _, table := range db.Tables() {
		is := slices.ContainsFunc(counted, func(c db.Table) bool { return c.Name == table.Name })
		if !is && table.Category != db.Technical && reasons[table.Name] == "" {
			t.Errorf("what %s holds of somebody is told by no holdings: give it an owner, or a reason in db.Uncounted", table.Name)
		}
		if is && reasons[table.Name] != "" {
			t.Errorf("%s is counted and has a reason not to be", table.Name)
		}
		delete(reasons, table.Name)
		if !is {
			continue
		}
		line, known := doc.Categories.Get(string(table.Category))
		if !known {
			t.Errorf("%s is of category %s, which no policy has", table.Name, table.Category)
		}
		if line.NeverExport.On() != strings.Contains(apart[table.Name], "never") && table.Name != "sessions" {
			t.Errorf("%s: never exported by the policy: %v, by the archive: %q", table.Name, line.NeverExport.On(), apart[table.Name])
		}
		delete(apart, table.Name)
	}
	for name := range reasons {
		t.Errorf("db.Uncounted has a reason for %s, which is no table", name)
	}
	for name := range apart {
		t.Errorf("rights.Apart has a form for %s, which is not counted", name)
	}
}

// An archive holds everything of a guest, and nothing that signs anybody in; its page has no
// script and speaks the reader's language. One picture and one prompt can go alone.
func TestAnExport(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			up := g.Upload("<i>cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			out := g.Made(up.ID, musatest.Order{"prompt": "sharper, please"})
			raw, a := g.Export("/api/me/export?lang=de")
			lines := a.Lines(t)
			if len(lines) != 2 || lines[out.ID].Prompt != "sharper, please" || len(lines[out.ID].Sources) != 1 || string(lines[out.ID].Sources[0]) != up.ID {
				t.Errorf("history tells %+v", lines)
			}
			for id, l := range lines {
				if !bytes.Equal(a[l.File], g.Content(id).Body) {
					t.Errorf("the archive holds other bytes of %s", id)
				}
			}
			var jobs []rights.Work
			a.Decode(t, "jobs.json", &jobs)
			if len(jobs) != 1 || jobs[0].Prompt != "sharper, please" || jobs[0].Plan == nil || len(jobs[0].Inputs) != 1 {
				t.Errorf("jobs are %+v", jobs)
			}
			var account rights.Part
			a.Decode(t, "account.json", &account)
			if len(account.Rows) != 1 || account.Rows[0]["id"] != string(g.Subject()) {
				t.Errorf("the account is %+v", account)
			}
			page := string(a["index.html"])
			if strings.Contains(page, "<script") || strings.Contains(page, "<i>cat") || !strings.Contains(page, "Was Sie mitgenommen haben") || strings.Contains(page, "http:") || strings.Contains(page, "https:") {
				t.Errorf("the page is %s", page)
			}
			secretless(t, a, raw, g.Token)
			single(t, g, up.ID, out.ID, jobs[0].ID)
		})
	}
}

func secretless(t *testing.T, a musatest.Archive, raw []byte, token string) {
	t.Helper()
	if a["credential.json"] != nil {
		t.Error("the archive holds credentials")
	}
	for name, data := range a {
		if bytes.Contains(data, []byte(token)) || bytes.Contains(data, []byte("digest")) {
			t.Errorf("%s holds what signs somebody in", name)
		}
	}
	if bytes.Contains(raw, []byte(token)) {
		t.Error("the archive holds the token")
	}
}

func single(t *testing.T, g *musatest.Client, up, out, job string) {
	t.Helper()
	_, a := g.Export("/api/assets/" + out + "/export")
	if lines := a.Lines(t); len(lines) != 1 || lines[out].Prompt == "" || a["account.json"] != nil || a["ledger.json"] != nil {
		t.Errorf("one picture's archive has %d pictures and %d files", len(lines), len(a))
	}
	_, a = g.Export("/api/jobs/" + job + "/export")
	var jobs []rights.Work
	a.Decode(t, "jobs.json", &jobs)
	if len(jobs) != 1 || jobs[0].Prompt == "" || len(a.Lines(t)) != 0 {
		t.Errorf("one prompt's archive has jobs %+v", jobs)
	}
	stranger := musatest.NewGuest(t, g.Base)
	for _, path := range []string{"/api/assets/" + up + "/export", "/api/jobs/" + job + "/export"} {
		stranger.Problem(http.StatusNotFound, stranger.Do(http.MethodGet, path, nil))
	}
	nobody := &musatest.Client{T: t, Base: g.Base}
	for _, path := range []string{"/api/me/export", "/api/me/holdings", "/api/assets/" + up + "/export"} {
		nobody.Problem(http.StatusUnauthorized, nobody.Do(http.MethodGet, path, nil))
	}
}

// Whoever closes their account while an archive of it is on its way gets no whole one.
func TestAnExportBreaksOff(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	for range 3 {
		g.Upload("noise.png", photos.Read(t, "chelsea.png"))
	}
	whole, _ := g.Export("/api/me/export")
	by := musa.Actor{Subject: g.Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
	pr, pw := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		err := s.Rights.Export(t.Context(), by, rights.Parcel{Words: english()}, pw)
		pw.CloseWithError(err)
		failed <- err
	}()
	if _, err := io.ReadFull(pr, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	shut(t, g)
	rest, err := io.ReadAll(pr)
	if err == nil || len(rest) > len(whole) {
		t.Errorf("after the closing came %d bytes more, and %v", len(rest), err)
	}
	if err := <-failed; err == nil {
		t.Error("the export calls itself whole")
	}
}

// Guests see what is held of them without an account: every kind, with its reasons and ends.
func TestHoldings(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			up := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			g.Made(up.ID, musatest.Order{"prompt": "sharper"})
			var h rights.Holdings
			g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me/holdings", nil), &h)
			by := map[string]rights.Held{}
			for _, held := range h.Held {
				by[held.Category] = held
				if len(held.Purposes) == 0 || len(held.Rules) == 0 || held.Words == "" {
					t.Errorf("%s has no purpose, end or words: %+v", held.Category, held)
				}
			}
			for c, n := range map[musa.Category]int{musa.CategoryOriginal: 1, musa.CategoryOutput: 1, musa.CategoryPrompt: 1, musa.CategoryHistory: 1,
				musa.CategoryGenerationLog: 1, musa.CategoryCredential: 1} {
				if held := by[string(c)]; held.Items != n || held.Oldest == nil {
					t.Errorf("of %s there are %d since %v, want %d", c, held.Items, held.Oldest, n)
				}
			}
			if o := by["original"]; o.Ends == nil || !o.Ends.Equal(*up.Ends) || o.Exported != "history.json" || by["credential"].Exported != "" {
				t.Errorf("originals end %v and are exported in %q", o.Ends, o.Exported)
			}
			if h.Storage.Used == 0 {
				t.Error("no storage is used")
			}
		})
	}
}
