package rights_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/rights"
)

// forged is an archive in which one file says something else, and the list of contents agrees.
func forged(t *testing.T, whole []file, name string, change func([]byte) []byte) []byte {
	t.Helper()
	var contents rights.Contents
	var out []file
	for _, f := range whole {
		switch f.name {
		case "contents.json":
			must(t, json.Unmarshal(f.data, &contents))
			continue
		case name:
			f.data = change(slices.Clone(f.data))
		}
		out = append(out, f)
	}
	for i := range contents.Files {
		for _, f := range out {
			if contents.Files[i].Name == f.name {
				sum := sha256.Sum256(f.data)
				contents.Files[i].Bytes, contents.Files[i].SHA256 = int64(len(f.data)), hex.EncodeToString(sum[:])
			}
		}
	}
	raw, err := json.Marshal(contents)
	must(t, err)
	return zipped(t, append(out, file{"contents.json", raw}))
}

func replaced(old, fresh string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(fresh)) }
}

// An archive whose sums agree is still looked at: what a job is told to have been stands in clear,
// so it may hold no words; what is said of pictures has its form; and nothing is told at length.
func TestArchivesThatLie(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	up := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	g.Made(up.ID, musatest.Order{"prompt": "sharper"})
	g.Want(http.StatusOK, g.Do(http.MethodPut, "/api/assets/"+up.ID+"/feedback", musatest.Order{"rating": 4, "note": "warm"}), nil)
	raw, _ := g.Export("/api/me/export")
	whole := unzip(t, raw)
	to := musatest.New(t, musatest.Rig{})
	for name, c := range map[string]struct {
		file   string
		change func([]byte) []byte
		code   string
	}{
		"words as a kind":               {"jobs.json", replaced(`"kind":"enhance"`, `"kind":"my neighbour, in clear"`), "archive_damaged"},
		"words as a code":               {"jobs.json", replaced(`"kind":"enhance"`, `"kind":"enhance","code":"see Ann Smith"`), "archive_damaged"},
		"a long description":            {"jobs.json", replaced("sharper", strings.Repeat("s", 32001)), "archive_damaged"},
		"a long history":                {"history.json", replaced("sharper", strings.Repeat("s", 200<<10)), "archive_damaged"},
		"another opinion":               {"feedback.json", replaced(`"rating": 4`, `"rating": 11`), "archive_damaged"},
		"an opinion of no kind":         {"feedback.json", replaced(`"rating": 4`, `"stars": [4]`), "archive_damaged"},
		"a bomb of what is only hashed": {"index.html", func([]byte) []byte { return make([]byte, 257<<20) }, "archive_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			h := to.Guest().In(t)
			status := http.StatusBadRequest
			if c.code == "archive_too_large" {
				status = http.StatusRequestEntityTooLarge
			}
			p := h.Problem(status, h.Send(http.MethodPost, "/api/me/import", "application/zip", bytes.NewReader(forged(t, whole, c.file, c.change))))
			if p.Code != c.code {
				t.Errorf("refused as %s: %s", p.Code, p.Detail)
			}
		})
	}
	h := to.Guest()
	if got := h.Import(forged(t, whole, "", nil)); got.Pictures != 2 || got.Jobs != 1 {
		t.Errorf("the same without a lie: %+v", got)
	}
}

// Whoever switched the interaction log off gets their pictures, and no words that were said for them.
func TestAnImportWithTheLogOff(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	up := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	g.Made(up.ID, musatest.Order{"prompt": "make it warmer"})
	raw, _ := g.Export("/api/me/export")
	raw = forged(t, unzip(t, raw), "history.json", replaced(`"made":{`, `"made":{"understood":"warmer",`))
	h := musatest.New(t, musatest.Rig{}).Guest()
	h.Want(http.StatusOK, h.Do(http.MethodPut, "/api/me/log", musatest.Order{"off": true}), nil)
	loud := h.In(t)
	loud.Token = musatest.NewGuest(t, h.Base).Token
	if loud.Import(raw); !said(loud) {
		t.Fatal("the archive tells nothing that was understood")
	}
	if got := h.Import(raw); got.Pictures != 2 || got.Jobs != 1 {
		t.Fatalf("taken over: %+v", got)
	}
	if said(h) {
		t.Error("with the log off what was said came along")
	}
}

// said says whether an export tells words that a job was given.
func said(c *musatest.Client) bool {
	c.T.Helper()
	_, archive := c.Export("/api/me/export")
	for _, data := range archive {
		if bytes.Contains(data, []byte("warmer")) {
			return true
		}
	}
	return false
}

// A no to training that was said for one picture goes with it: a yes to all on the other server
// does not take it in.
func TestARefusalTravels(t *testing.T) {
	t.Parallel()
	from, to := musatest.New(t, musatest.Rig{Policy: "conversational"}), musatest.New(t, musatest.Rig{Policy: "conversational"})
	g, h := from.Guest(), to.Guest()
	kept, free := g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true"), g.Upload("b.png", photos.Read(t, "chelsea.png"), "save", "true")
	g.Want(http.StatusOK, g.Do(http.MethodPut, "/api/assets/"+kept.ID+"/privacy", musatest.Order{"training": "no"}), nil)
	raw, a := g.Export("/api/me/export")
	if got := a.Lines(t)[kept.ID].Refuses; !slices.Equal(got, []string{"training"}) {
		t.Errorf("the archive tells of refusals %v", got)
	}
	h.Want(http.StatusOK, h.Do(http.MethodPut, "/api/me/consents", musatest.Order{"training": "yes"}), nil)
	is := map[string]string{}
	for _, id := range h.Import(raw).Ids {
		is[id.Was] = id.Is
	}
	for id, want := range map[string]bool{is[kept.ID]: false, is[free.ID]: true} {
		var p api.AssetPrivacy
		h.Want(http.StatusOK, h.Do(http.MethodGet, "/api/assets/"+id+"/privacy", nil), &p)
		if p.Training != want {
			t.Errorf("there a picture is in training: %v, want %v (%s)", p.Training, want, p.Why)
		}
	}
}

// What its person decides while an archive arrives counts for it.
func TestARestrictionStopsAnImport(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g, h := s.Guest(), s.Guest()
	g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	raw, _ := g.Export("/api/me/export")
	pr, pw := io.Pipe()
	answer := make(chan musatest.Answer, 1)
	go func() { answer <- h.Send(http.MethodPost, "/api/me/import", "application/zip", pr) }()
	cut := len(raw) - 200 // the picture has arrived, the end has not
	_, err := pw.Write(raw[:cut])
	must(t, err)
	ask(h, http.StatusCreated, musatest.Order{"right": "restriction"})
	_, err = pw.Write(raw[cut:])
	must(t, err)
	must(t, pw.Close())
	if p := h.Problem(http.StatusForbidden, <-answer); p.Code != "restricted" {
		t.Errorf("refused as %s: %s", p.Code, p.Detail)
	}
	var n int
	must(t, s.DB.SQL().QueryRow("SELECT COUNT(*) FROM assets WHERE owner = '"+string(h.Subject())+"'").Scan(&n))
	if n != 0 {
		t.Errorf("%d pictures were taken over", n)
	}
}
