package rights_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"musa/api"
	"musa/lang"
	"musa/musatest"
	"musa/musatest/photos"
)

func english() *lang.Catalogue { return lang.Match("en", "") }

// What was exported from one server is on another bit by bit, with words, settings, names,
// lineage and times; it ends as if it had been made there; and twice is once.
func TestAnImport(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			from := musatest.New(t, musatest.Rig{Stores: stores})
			g := from.Guest()
			up := g.Upload("my cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			out := g.Made(up.ID, musatest.Order{"prompt": "sharper", "params": map[string]any{"scale": 2}})
			raw, a := g.Export("/api/me/export")

			to := musatest.New(t, musatest.Rig{Stores: stores})
			h := to.Guest()
			balance := credits(t, h)
			got := h.Import(raw)
			if got.Pictures != 2 || got.Jobs != 1 || got.Already != 0 || got.Altered != 0 || !got.Whole || len(got.Ends) == 0 {
				t.Fatalf("taken over: %+v", got)
			}
			is := map[string]string{}
			for _, id := range got.Ids {
				is[id.Was] = id.Is
			}
			for id, l := range a.Lines(t) {
				if !bytes.Equal(h.Content(is[id]).Body, a[l.File]) {
					t.Errorf("%s has other bytes there", l.Kind)
				}
			}
			there := h.Asset(is[out.ID])
			if there.Name != out.Name || len(there.Sources) != 1 || there.Sources[0] != is[up.ID] || there.Made == nil || there.Made.Model != out.Made.Model || there.Job == "" {
				t.Errorf("there the result is %+v", there)
			}
			if j := h.Job(there.Job); j.Prompt != "sharper" || j.Plan == nil || len(j.Inputs) != 1 || j.State != "succeeded" {
				t.Errorf("there the job is %+v", j)
			}
			fresh := h.Made(h.Upload("new.png", photos.Read(t, "chelsea.png"), "save", "true").ID, nil)
			if !there.Ends.Equal(*fresh.Ends) {
				t.Errorf("it ends %v, what is made now ends %v", there.Ends, fresh.Ends)
			}
			if n := credits(t, h); n != balance-1 {
				t.Errorf("the import cost %d credits", balance-1-n)
			}
			if again := h.Import(raw); again.Pictures+again.Jobs != 0 || again.Already != 3 {
				t.Errorf("the second time came %+v", again)
			}
			if own := g.Import(raw); own.Pictures+own.Jobs != 0 || own.Already != 3 {
				t.Errorf("at home came %+v", own)
			}
			_, back := h.Export("/api/me/export")
			line := back.Lines(t)[is[out.ID]]
			if line.Origin == nil || line.Origin.ID != out.ID || !line.Origin.Created.Equal(*out.Created) || line.Prompt != "sharper" {
				t.Errorf("from there it is exported as %+v", line)
			}
			// Deleted there, it can be brought again.
			h.Want(http.StatusAccepted, h.Do(http.MethodDelete, "/api/assets/"+is[out.ID], nil), nil)
			to.Clock.Turn(to.InForce().Undo())
			to.Step()
			if again := h.Import(raw); again.Pictures != 1 {
				t.Errorf("after its deletion came %+v", again)
			}
		})
	}
}

func credits(t *testing.T, g *musatest.Client) int64 {
	t.Helper()
	var me api.Me
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), &me)
	return me.Credits
}

// file is one file of an archive that a test changes.
type file struct {
	name string
	data []byte
}

func unzip(t *testing.T, raw []byte) (out []file) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		src, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(src)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file{f.Name, data})
	}
	return out
}

func zipped(t *testing.T, files []file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		out, err := w.Create(f.name)
		if err == nil {
			_, err = out.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each archive that is not what it should be is refused with its own reason, and nothing of
// it stays. One that another tool packed again is taken.
func TestArchivesThatAreRefused(t *testing.T) {
	t.Parallel()
	from := musatest.New(t, musatest.Rig{})
	g := from.Guest()
	g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	raw, _ := g.Export("/api/me/export")
	whole := unzip(t, raw)
	with := func(name string, change func([]byte) []byte) []byte {
		var out []file
		for _, f := range whole {
			if f.name == name || strings.HasSuffix(name, "/") && strings.HasPrefix(f.name, name) {
				f.data = change(slices.Clone(f.data))
			}
			out = append(out, f)
		}
		return zipped(t, out)
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	replace := func(old, fresh string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(fresh), 1) }
	}
	late := slices.Clone(raw)
	late[len(raw)/2] ^= 0xff
	cases := map[string]struct {
		raw    []byte
		status int
		code   string
	}{
		"no archive":         {[]byte("GIF89a and so on, longer than a header"), 400, "archive_unreadable"},
		"nothing":            {nil, 400, "archive_cut"},
		"cut off":            {raw[:len(raw)*2/3], 400, "archive_cut"},
		"flipped on the way": {late, 400, "archive_damaged"},
		"another picture":    {with("images/", flip), 400, ""},
		"changed history":    {with("history.json", replace("cat.png", "dog.png")), 400, "archive_changed"},
		"another form":       {with("musa.json", replace(`"version": 1`, `"version": 2`)), 400, "archive_version"},
		"another program":    {with("musa.json", replace("musa-export", "some-export")), 400, "archive_foreign"},
		"no contents":        {zipped(t, whole[:len(whole)-1]), 400, "archive_cut"},
		"a path upwards":     {zipped(t, append([]file{{"../../etc/passwd", []byte("x")}}, whole...)), 400, "archive_name"},
		"a path from root":   {zipped(t, append([]file{{"/images/original/x.png", nil}}, whole...)), 400, "archive_name"},
		"twice the same":     {zipped(t, append(slices.Clone(whole), whole[0])), 400, "archive_twice"},
		"a bomb of text":     {with("history.json", func([]byte) []byte { return bytes.Repeat([]byte(" "), 65<<20) }), 413, "archive_too_large"},
		"a bomb of pixels":   {with("images/", func([]byte) []byte { return make([]byte, 300<<20) }), 413, ""},
	}
	to := musatest.New(t, musatest.Rig{})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := to.Guest().In(t)
			p := h.Problem(c.status, h.Send(http.MethodPost, "/api/me/import", "application/zip", bytes.NewReader(c.raw)))
			if c.code != "" && p.Code != c.code {
				t.Errorf("refused as %s: %s", p.Code, p.Detail)
			}
			var list struct{ Assets []json.RawMessage }
			h.Want(http.StatusOK, h.Do(http.MethodGet, "/api/assets", nil), &list)
			var blobs int
			if err := to.DB.SQL().QueryRow("SELECT COUNT(*) FROM blobs").Scan(&blobs); err != nil {
				t.Fatal(err)
			}
			if len(list.Assets)+blobs != 0 {
				t.Errorf("%d pictures and %d blobs stay", len(list.Assets), blobs)
			}
		})
	}
	h := to.Guest()
	if got := h.Import(zipped(t, whole)); got.Pictures != 1 {
		t.Errorf("packed again by another tool: %+v", got)
	}
}
