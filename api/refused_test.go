package api_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"musa/musatest"
	"musa/pix"
	"musa/proof"
)

// uploadLimit is small, so that a test needs no 200 MB to pass it.
const uploadLimit = 2 << 20

// TestBadUploads sends what should not be sent: each is refused in its own words or works,
// and of what was refused nothing stays.
func TestBadUploads(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	s.Studio.Limits.Bytes = uploadLimit
	g := s.Guest()
	photo := noisePNG(t, 120, 90)
	jpeg := encoded(t, photo, pix.JPEG)
	bomb := hugePNG(t, 20_000, 20_000, 2_000)
	for _, bad := range []struct {
		name, file string
		data       []byte
		status     int
		code       string
	}{
		{"no image", "photo.jpg", []byte("Dear diary, this is no picture at all, only words."), http.StatusUnsupportedMediaType, "image_unknown"},
		{"0 bytes", "photo.jpg", nil, http.StatusBadRequest, "image_empty"},
		{"truncated jpeg", "photo.jpg", jpeg[:len(jpeg)*2/3], http.StatusBadRequest, "image_truncated"},
		{"truncated png", "photo.png", photo[:len(photo)/2], http.StatusBadRequest, "image_truncated"},
		{"too many bytes", "photo.jpg", append(bytes.Clone(jpeg), make([]byte, uploadLimit)...), http.StatusRequestEntityTooLarge, "file_too_large"},
		{"far too many bytes", "photo.jpg", append(bytes.Clone(jpeg), make([]byte, 3*uploadLimit)...), http.StatusRequestEntityTooLarge, "file_too_large"},
		{"50,000 pixels square", "photo.png", hugePNG(t, 50_000, 50_000, 10), http.StatusRequestEntityTooLarge, "image_too_many_pixels"},
		{"svg renamed", "photo.jpg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>`), http.StatusUnsupportedMediaType, "image_is_svg"},
		{"pdf renamed", "photo.jpg", []byte("%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj"), http.StatusUnsupportedMediaType, "image_is_pdf"},
		{"zip bomb png", "photo.png", bomb, http.StatusRequestEntityTooLarge, "image_too_many_pixels"},
		{"animated gif", "photo.gif", movingGIF(t), http.StatusUnsupportedMediaType, "image_animated"},
		{"heic in a coding without codec", "photo.heic", bytes.ReplaceAll(sample(t, "plain.heic"), []byte("hvc1"), []byte("vvc1")), http.StatusUnsupportedMediaType, "image_no_codec"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			g := g.In(t)
			before := standing(t, s)
			p := g.Problem(bad.status, g.Post(bad.file, bad.data))
			if p.Code != bad.code || p.Field != "file" || len(p.Detail) < 30 {
				t.Errorf("refused with code %q, field %q and words %q; want code %q", p.Code, p.Field, p.Detail, bad.code)
			}
			if after := standing(t, s); after != before {
				t.Errorf("something stayed:\n%s\nbefore it was:\n%s", after, before)
			}
			if len(bad.data) >= 32 {
				wantNoTrace(t, s, bad.data[:min(len(bad.data), 4096)])
			}
		})
	}
	if _, peak := pix.Memory(); peak > 256<<20 {
		t.Errorf("libvips held %d MB at most, want less than 256", peak>>20)
	}
}

// TestUnusualUploads sends what is rare but right.
func TestUnusualUploads(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	for name, data := range map[string][]byte{
		"cmyk.jpg": sample(t, "cmyk.jpg"), "sixteen-bit.png": sample(t, "p3-16-alpha.png"), "text-bomb.png": textBomb(t),
	} {
		t.Run(name, func(t *testing.T) {
			g := g.In(t)
			a := g.Upload(name, data)
			content := g.Content(a.ID)
			g.Want(http.StatusOK, content, nil)
			i, err := pix.Decode(t.Context(), content.Body, pix.Limits{})
			if err != nil {
				t.Fatalf("what is delivered does not decode: %v", err)
			}
			defer i.Close()
			if w, h := i.Size(); w != a.Width || h != a.Height {
				t.Errorf("delivered %d×%d, told %d×%d", w, h, a.Width, a.Height)
			}
			if len(content.Body) > 1<<20 {
				t.Errorf("a picture of %d×%d weighs %d bytes", a.Width, a.Height, len(content.Body))
			}
		})
	}
	t.Run("heic", func(t *testing.T) {
		g := g.In(t)
		got := g.Post("photo.heic", sample(t, "plain.heic"))
		if got.Status == http.StatusCreated {
			return // this machine has the codec
		}
		if p := g.Problem(http.StatusUnsupportedMediaType, got); p.Code != "image_no_codec" || p.Field != "file" {
			t.Errorf("code %q, field %q", p.Code, p.Field)
		}
	})
	t.Run("a name of 300 bytes that climbs", func(t *testing.T) {
		g := g.In(t)
		name := strings.Repeat("../", 40) + strings.Repeat("n", 176) + ".png"
		a := g.Upload(name, noisePNG(t, 20, 20))
		if a.Name == "" || len(a.Name) > 255 || strings.ContainsAny(a.Name, `/\`) || strings.HasPrefix(a.Name, ".") {
			t.Errorf("it is called %q", a.Name)
		}
		wantNoTrace(t, s, []byte(strings.Repeat("n", 100)+".png"), []byte(name))
		for _, f := range files(t, s) {
			if strings.Contains(f, "nnn") {
				t.Errorf("there is a file of its name")
			}
		}
		download := g.Do(http.MethodGet, "/api/assets/"+a.ID+"/content?download", nil)
		if d := download.Header.Get("Content-Disposition"); strings.Contains(d, "..") || strings.Contains(d, "/") {
			t.Errorf("it is offered as %q", d)
		}
	})
}

// standing is what lies in the stores: every file but the database's own, and the number
// of rows that belong to content.
func standing(t *testing.T, s *musatest.Studio) string {
	t.Helper()
	all := files(t, s)
	for _, table := range []string{"assets", "blobs", "secrets", "jobs", "records"} {
		var n int
		if err := s.DB.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(table, " ", n))
	}
	return strings.Join(all, "\n")
}

func files(t *testing.T, s *musatest.Studio) []string {
	t.Helper()
	var all []string
	for _, dir := range s.Dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func wantNoTrace(t *testing.T, s *musatest.Studio, markers ...[]byte) {
	t.Helper()
	var traces []proof.Trace
	for _, m := range markers {
		traces = append(traces, proof.Plain("upload", m))
	}
	hits, err := proof.NewScanner(traces...).Files(t.Context(), s.Dirs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		t.Errorf("in clear at %d of %s", h.Offset, h.Where)
	}
}
