package pix_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"musa"
	"musa/pix"
)

func TestEncodeWritesPixelsTheMarkAndNothingElse(t *testing.T) {
	t.Parallel()
	i := scene(t, 120, 80)
	for _, f := range []pix.Format{pix.JPEG, pix.PNG, pix.WebP, pix.AVIF} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			bare := encoded(t, i, pix.Encode{Format: f})
			if pix.Sniff(bare) != f {
				t.Fatalf("made a %s", pix.Sniff(bare))
			}
			for _, s := range []string{"Exif", "eXIf", "EXIF", "xmp", "XMP ", "ICC_PROFILE", "libvips"} {
				if bytes.Contains(bare, []byte(s)) {
					t.Errorf("%q is in it unasked", s)
				}
			}
			for _, m := range []pix.Mark{pix.MarkMade, pix.MarkEdited} {
				marked := encoded(t, i, pix.Encode{Format: f, Mark: m})
				if n := bytes.Count(marked, []byte("/digitalsourcetype/"+string(m)+`"`)); n != 1 {
					t.Errorf("the mark %s is in it %d times", m, n)
				}
				for _, s := range []string{"Exif\x00", "eXIf", "EXIF", "libvips"} {
					if f == pix.AVIF && s == "Exif\x00" {
						continue // the saver's own, of resolution alone
					}
					if bytes.Contains(marked, []byte(s)) {
						t.Errorf("marked: %q is in it as well", s)
					}
				}
				if !same(t, bare, marked) {
					t.Error("the mark changed the pixels")
				}
				if f != pix.AVIF && !bytes.Equal(stripped(t, marked), bare) {
					t.Error("stripping the mark does not give the bare file")
				}
			}
			if p := psnr(t, i, decoded(t, bare)); p < 34 {
				t.Errorf("%.1f dB after a round trip", p)
			}
		})
	}
}

func TestLosslessIsLossless(t *testing.T) {
	t.Parallel()
	i := noisy(t, scene(t, 120, 80), 20)
	for _, f := range []pix.Format{pix.PNG, pix.WebP} {
		if d := decoded(t, encoded(t, i, pix.Encode{Format: f, Lossless: true})); !bytes.Equal(d.View(), i.View()) {
			t.Errorf("%s lost something", f)
		}
	}
}

func TestAlphaSurvivesOrLiesOnWhite(t *testing.T) {
	t.Parallel()
	p := make([]byte, 64*64*4)
	for k := range 64 * 64 {
		p[4*k], p[4*k+1], p[4*k+2], p[4*k+3] = 200, 30, 30, byte(k%64*4)
	}
	i := made(t)(pix.FromPixels(p, 64, 64, 4))
	for _, f := range []pix.Format{pix.PNG, pix.WebP, pix.AVIF} {
		d := decoded(t, encoded(t, i, pix.Encode{Format: f, Lossless: true}))
		if !d.Alpha() || d.View()[4*20+3] != 80 {
			t.Errorf("%s: alpha is gone or changed", f)
		}
	}
	d := decoded(t, encoded(t, i, pix.Encode{Format: pix.JPEG, Quality: 100}))
	if v := d.View(); d.Alpha() || v[1] < 250 || v[3*63+1] > 45 {
		t.Errorf("JPEG: left edge %v should be white, right edge %v red", v[:3], v[3*63:3*64])
	}
}

func TestEncodeRefusesWhatTheFormatCannotHold(t *testing.T) {
	t.Parallel()
	long := made(t)(pix.Blank(16384, 2, 3))
	_, err := long.Encode(context.Background(), pix.Encode{Format: pix.WebP})
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "image_side_too_long" || !errors.Is(err, musa.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	fits := made(t)(pix.Blank(16383, 2, 3))
	if _, err := fits.Encode(context.Background(), pix.Encode{Format: pix.WebP}); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	for _, f := range []pix.Format{pix.HEIC, pix.GIF, pix.TIFF} {
		_, err := fits.Encode(context.Background(), pix.Encode{Format: f})
		if !errors.Is(err, musa.ErrUnsupported) && !errors.Is(err, musa.ErrTooLarge) {
			t.Errorf("%s: got %v", f, err)
		}
	}
}

// The library is opened once per process, so other outcomes need other processes.
func TestMain(m *testing.M) {
	switch os.Getenv("PIX_TEST_CHILD") {
	case "missing":
		if err := pix.Start(pix.Config{Library: "libvips-that-is-not-here.so.42"}); err != nil {
			os.Stdout.WriteString(said(err))
		}
		_, err := pix.Inspect(context.Background(), []byte("\x89PNG\r\n\x1a\n"+string(chunk("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"))+string(chunk("IEND", ""))), pix.Limits{})
		os.Stdout.WriteString(said(err))
		os.Exit(0)
	case "large":
		os.Stdout.WriteString(decodeLarge())
		os.Exit(0)
	case "bare":
		data, _ := testdata.ReadFile("testdata/plain.heic")
		_, err := pix.Inspect(context.Background(), data, pix.Limits{})
		os.Stdout.WriteString(said(err))
		if pix.CanDecode(pix.HEIC) || pix.CanEncode(pix.AVIF) || !pix.CanEncode(pix.WebP) {
			os.Stdout.WriteString("wrong answer about codecs\n")
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// decodeLarge speaks only of what is wrong.
func decodeLarge() string {
	const w, h = 8000, 6000
	i, err := pix.Blank(w, h, 3)
	if err != nil {
		return said(err)
	}
	for k, v := 0, i.View(); k < len(v); k++ {
		v[k] = byte(k>>3 ^ k>>15)
	}
	data, err := i.Encode(context.Background(), pix.Encode{Format: pix.JPEG, Quality: 80})
	i.Close()
	if err != nil {
		return said(err)
	}
	data = insert(data, 2, segment(0xe1, "Exif\x00\x00"+exif(6, "x"))...)
	_, base := pix.Memory()
	d, err := pix.Decode(context.Background(), data, pix.Limits{})
	if err != nil {
		return said(err)
	}
	now, peak := pix.Memory()
	const pixels = w * h * 3
	if width, height := d.Size(); width != h || height != w || base < pixels {
		return fmt.Sprintf("decoded %d×%d after a peak of %d", width, height, base)
	}
	if now < pixels || peak > pixels+pixels/4 {
		return fmt.Sprintf("holds %d bytes, held %d at most, for %d of pixels", now, peak, pixels)
	}
	return ""
}

func said(err error) string {
	var p *musa.Problem
	if !errors.As(err, &p) {
		return "no problem: " + err.Error()
	}
	return p.Code + ": " + p.Public + "\n"
}

func child(t *testing.T, env ...string) string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestMissingLibraryIsSaidInWords(t *testing.T) {
	t.Parallel()
	out := child(t, "PIX_TEST_CHILD=missing")
	if strings.Count(out, "image_no_library") != 2 || !strings.Contains(out, "libvips42") {
		t.Errorf("said: %s", out)
	}
}

// Where vips finds no modules, it has no HEIF.
func TestMissingCodecIsSaidInWords(t *testing.T) {
	t.Parallel()
	out := child(t, "PIX_TEST_CHILD=bare", "VIPSHOME="+t.TempDir())
	if !strings.Contains(out, "image_no_codec") || !strings.Contains(out, "HEVC") || strings.Contains(out, "wrong") {
		t.Errorf("said: %s", out)
	}
}

func TestCodecsOfThisMachine(t *testing.T) {
	t.Parallel()
	version, err := pix.Version()
	if err != nil || !strings.HasPrefix(version, "8.") {
		t.Errorf("version %q, %v", version, err)
	}
	for _, f := range pix.Formats() {
		if !pix.CanDecode(f) {
			t.Errorf("%s cannot be read", f)
		}
		if want := f != pix.HEIC && f != pix.TIFF && f != pix.GIF; pix.CanEncode(f) != want {
			t.Errorf("%s can be written: %v", f, !want)
		}
	}
}
