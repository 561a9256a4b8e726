package conformance_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/pix"
	"musa/rights"
)

// TestEnhance: a picture and a description in, a better picture out, by a real network on
// this machine.
func TestEnhance(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "enhancer", Engine: musatest.Local(t), Clock: musatest.RunningClock()})
	g := s.Guest()
	conformance.Kept(t, "E-02", func(t *testing.T) {
		t.Run("beats bicubic on a photograph shrunk beforehand", func(t *testing.T) {
			g := g.In(t)
			whole := cut(t, "astronaut.png", 176, 20, 192)
			small := resized(t, whole, 96, pix.Bicubic)
			out := g.Made(g.Upload("face.png", encoded(t, small, pix.PNG, 0)).ID, musatest.Order{"prompt": "make it larger"})
			if out.Width != 192 || out.Height != 192 {
				t.Fatalf("larger made it %d×%d", out.Width, out.Height)
			}
			made := picture(t, g.Content(out.ID).Body)
			if got, plain := psnr(t, made, whole), psnr(t, resized(t, small, 192, pix.Bicubic), whole); got <= plain {
				t.Fatalf("the network reaches %.2f dB, bicubic %.2f dB", got, plain)
			}
		})
		t.Run("each format that this machine reads", func(t *testing.T) {
			g := g.In(t)
			whole := cut(t, "coffee.png", 200, 100, 64)
			for _, f := range []pix.Format{pix.JPEG, pix.PNG, pix.WebP, pix.AVIF, pix.HEIC, pix.TIFF} {
				if !pix.CanDecode(f) || !pix.CanEncode(f) {
					continue
				}
				out := g.Made(g.Upload("cup."+string(f), encoded(t, whole, f, 90)).ID, musatest.Order{"params": map[string]any{"scale": 2}})
				if out.Width != 128 {
					t.Errorf("%s: the result is %d pixels wide, want 128", f, out.Width)
				}
			}
		})
		t.Run("different descriptions give different, fitting results", func(t *testing.T) {
			g := g.In(t)
			dark := encoded(t, dimmed(t, cut(t, "chelsea.png", 120, 40, 96)), pix.JPEG, 18)
			before := measures(t, picture(t, dark))
			made := func(words string) (api.Asset, pix.Measures) {
				a := g.Upload("cat.jpg", dark)
				out := g.Made(a.ID, musatest.Order{"prompt": words, "params": map[string]any{"format": "png"}})
				return out, measures(t, picture(t, g.Content(out.ID).Body))
			}
			larger, _ := made("Make it larger, please.")
			_, brighter := made("It should be brighter.")
			_, cleaner := made("Clean up the compression artefacts.")
			if larger.Width != 192 {
				t.Errorf("larger: %d pixels wide, want 192", larger.Width)
			}
			if brighter.Mean < before.Mean+0.04 {
				t.Errorf("brighter: mean luma went from %.3f to %.3f", before.Mean, brighter.Mean)
			}
			if cleaner.Blockiness > before.Blockiness*0.7 {
				t.Errorf("cleaner: block artefacts went from %.2f to %.2f", before.Blockiness, cleaner.Blockiness)
			}
		})
	})
	conformance.Kept(t, "E-06", func(t *testing.T) {
		g := g.In(t)
		a := g.Upload("cat.png", encoded(t, cut(t, "chelsea.png", 120, 40, 64), pix.PNG, 0))
		out := g.Asset(g.Made(a.ID, musatest.Order{"prompt": "sharper", "params": map[string]any{"scale": 2}}).ID)
		m := out.Made
		switch {
		case m == nil:
			t.Fatal("a result without its history")
		case m.Engine == "" || m.Model == "" || m.Seconds <= 0 || len(m.Steps) == 0 || m.Params.Scale != 2:
			t.Errorf("incomplete history: %+v", *m)
		case out.Width != 128 || out.Height != 128 || out.Format != "png":
			t.Errorf("characteristics: %d×%d %s", out.Width, out.Height, out.Format)
		case len(out.Sources) != 1 || out.Sources[0] != a.ID || out.Job == "":
			t.Errorf("lineage: made from %v by %q", out.Sources, out.Job)
		}
		line := exported(t, g)[out.ID]
		if line.Made == nil || line.Made.Model != m.Model || len(line.Made.Steps) != len(m.Steps) || line.Width != out.Width || line.Prompt != "sharper" ||
			len(line.Sources) != 1 || string(line.Sources[0]) != a.ID {
			t.Errorf("the export tells something else: %+v", line)
		}
	})
	conformance.Part(t, "W-09", "results carry the IPTC digital source type", func(t *testing.T) {
		g := g.In(t)
		a := g.Upload("cat.jpg", encoded(t, cut(t, "chelsea.png", 120, 40, 64), pix.JPEG, 90))
		out := g.Made(a.ID, musatest.Order{"params": map[string]any{"scale": 2}})
		if !strings.Contains(string(g.Content(out.ID).Body), "rainedAlgorithmicMedia") {
			t.Error("the result bears no digital source type")
		}
	})
}

// exported is a person's export: the lines of its history, with each picture's bytes
// compared to what the API gives.
func exported(t *testing.T, g *musatest.Client) map[string]rights.Line {
	t.Helper()
	raw := g.Do(http.MethodGet, "/api/me/export", nil).Body
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		f, err := archive.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var lines []rights.Line
	if err := json.Unmarshal(read("history.json"), &lines); err != nil {
		t.Fatal(err)
	}
	out := map[string]rights.Line{}
	for _, l := range lines {
		out[l.ID] = l
		if !bytes.Equal(read(l.File), g.Content(l.ID).Body) {
			t.Errorf("the export holds other bytes of %s", l.ID)
		}
	}
	return out
}

// cut takes a square out of a photograph.
func cut(t *testing.T, name string, x, y, side int) *pix.Image {
	t.Helper()
	raw, bands, err := picture(t, photos.Read(t, name)).Pixels()
	if err != nil {
		t.Fatal(err)
	}
	w, _ := picture(t, photos.Read(t, name)).Size()
	out := make([]byte, 0, side*side*bands)
	for row := y; row < y+side; row++ {
		out = append(out, raw[(row*w+x)*bands:(row*w+x+side)*bands]...)
	}
	return fromPixels(t, out, side, bands)
}

// dimmed is a picture at under half its light.
func dimmed(t *testing.T, img *pix.Image) *pix.Image {
	t.Helper()
	raw, bands, err := img.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = byte(int(raw[i]) * 2 / 5)
	}
	w, _ := img.Size()
	return fromPixels(t, raw, w, bands)
}

func fromPixels(t *testing.T, raw []byte, side, bands int) *pix.Image {
	t.Helper()
	img, err := pix.FromPixels(raw, side, side, bands)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	return img
}

func resized(t *testing.T, img *pix.Image, side int, k pix.Kernel) *pix.Image {
	t.Helper()
	out, err := img.Resize(context.Background(), side, side, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

func encoded(t *testing.T, img *pix.Image, f pix.Format, quality int) []byte {
	t.Helper()
	data, err := img.Encode(context.Background(), pix.Encode{Format: f, Quality: quality})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func measures(t *testing.T, img *pix.Image) pix.Measures {
	t.Helper()
	m, err := img.Measure()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func psnr(t *testing.T, a, b *pix.Image) float64 {
	t.Helper()
	v, err := pix.PSNR(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
