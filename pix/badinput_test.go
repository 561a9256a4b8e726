package pix_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/pix"
)

// hugePNG declares its size and holds zeros that compress a thousandfold.
func hugePNG(t testing.TB, w, h uint32, rows int) []byte {
	t.Helper()
	var z bytes.Buffer
	c := zlib.NewWriter(&z)
	row := make([]byte, 1+3*int(w))
	for range rows {
		if _, err := c.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	out := []byte("\x89PNG\r\n\x1a\n")
	out = append(out, chunk("IHDR", string(head)+"\x08\x02\x00\x00\x00")...)
	out = append(out, chunk("IDAT", z.String())...)
	return append(out, chunk("IEND", "")...)
}

// wideJPEG is a good JPEG whose frame header declares another size.
func wideJPEG(data []byte, w, h uint16) []byte {
	out := bytes.Clone(data)
	at := bytes.Index(out, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(out[at+5:], h)
	binary.BigEndian.PutUint16(out[at+7:], w)
	return out
}

func movingGIF(t testing.TB, frames int) []byte {
	t.Helper()
	var g gif.GIF
	for k := range frames {
		p := image.NewPaletted(image.Rect(0, 0, 64, 64), palette.Plan9)
		fieldsOf(p)
		p.Set(k, k, color.White)
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBadInputIsRefusedInItsOwnWords(t *testing.T) {
	t.Parallel()
	small := scene(t, 96, 64)
	jpeg := encoded(t, small, pix.Encode{Format: pix.JPEG})
	still := encoded(t, small, pix.Encode{Format: pix.PNG})
	webp := encoded(t, small, pix.Encode{Format: pix.WebP})
	apng := insert(still, afterIHDR, chunk("acTL", "\x00\x00\x00\x03\x00\x00\x00\x00")...)
	zapped := bytes.Clone(still)
	copy(zapped[len(zapped)-40:], "zapped zapped zapped")
	vvc := bytes.ReplaceAll(file(t, "plain.heic"), []byte("hvc1"), []byte("vvc1"))
	tests := []struct {
		name string
		data []byte
		code string
		kind error
	}{
		{"no bytes", nil, "image_empty", musa.ErrInvalid},
		{"text", []byte("Dear diary, this is no picture."), "image_unknown", musa.ErrUnsupported},
		{"one byte", []byte{0xff}, "image_unknown", musa.ErrUnsupported},
		{"zip", []byte("PK\x03\x04 and so on and so on"), "image_unknown", musa.ErrUnsupported},
		{"video", []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mdat"), "image_unknown", musa.ErrUnsupported},
		{"svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`), "image_is_svg", musa.ErrUnsupported},
		{"svg with a prologue", []byte("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x -->\n<svg/>"), "image_is_svg", musa.ErrUnsupported},
		{"pdf", []byte("%PDF-1.7\n%âãÏÓ\n1 0 obj"), "image_is_pdf", musa.ErrUnsupported},
		{"200 MB", append(bytes.Clone(jpeg), make([]byte, 200<<20)...), "image_too_large", musa.ErrTooLarge},
		{"jpeg of 50,000×50,000", wideJPEG(jpeg, 50000, 50000), "image_too_many_pixels", musa.ErrTooLarge},
		{"png of 50,000×50,000", hugePNG(t, 50000, 50000, 10), "image_too_many_pixels", musa.ErrTooLarge},
		{"png bomb", hugePNG(t, 20000, 20000, 200), "image_too_many_pixels", musa.ErrTooLarge},
		{"png, long and thin", hugePNG(t, 40000, 10, 10), "image_too_many_pixels", musa.ErrTooLarge},
		{"png with too few rows", hugePNG(t, 3000, 3000, 10), "image_damaged", musa.ErrInvalid},
		{"moving gif", movingGIF(t, 3), "image_animated", musa.ErrUnsupported},
		{"moving webp", file(t, "moving.webp"), "image_animated", musa.ErrUnsupported},
		{"apng", apng, "image_animated", musa.ErrUnsupported},
		{"moving avif", bytes.Replace(file(t, "plain.avif"), []byte("ftypavif"), []byte("ftypavis"), 1), "image_animated", musa.ErrUnsupported},
		{"heif in an unknown coding", vvc, "image_no_codec", musa.ErrUnsupported},
		{"jpeg cut", jpeg[:len(jpeg)/2], "image_truncated", musa.ErrInvalid},
		{"jpeg cut near its end", jpeg[:len(jpeg)-12], "image_truncated", musa.ErrInvalid},
		{"jpeg cut in its header", jpeg[:80], "image_truncated", musa.ErrInvalid},
		{"png cut", still[:len(still)/2], "image_truncated", musa.ErrInvalid},
		{"png cut in its header", still[:20], "image_truncated", musa.ErrInvalid},
		{"webp cut", webp[:len(webp)/2], "image_truncated", musa.ErrInvalid},
		{"webp cut near its end", webp[:len(webp)-8], "image_truncated", musa.ErrInvalid},
		{"gif cut", movingGIF(t, 1)[:500], "image_truncated", musa.ErrInvalid},
		{"tiff cut", file(t, "plain.tiff")[:200], "image_truncated", musa.ErrInvalid},
		{"tiff cut in its header", file(t, "plain.tiff")[:6], "image_truncated", musa.ErrInvalid},
		{"avif cut", file(t, "plain.avif")[:500], "image_truncated", musa.ErrInvalid},
		{"heic cut", file(t, "plain.heic")[:700], "image_truncated", musa.ErrInvalid},
		{"png zapped", zapped, "image_damaged", musa.ErrInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			_, err := pix.Inspect(ctx, test.data, pix.Limits{})
			wantCode(t, err, test.code, test.kind)
			_, err = pix.Decode(ctx, test.data, pix.Limits{})
			wantCode(t, err, test.code, test.kind)
			if _, err := pix.Thumbnail(ctx, test.data, 32); err == nil {
				t.Error("a thumbnail was made of it")
			}
		})
	}
}

// Under load, threads of the decoder have lost the error of a wrong checksum in the last
// rows: it must be found before them.
func TestAWrongChecksumIsFoundWithoutDecoding(t *testing.T) {
	t.Parallel()
	good := encoded(t, scene(t, 96, 64), pix.Encode{Format: pix.PNG})
	text := insert(good, afterIHDR, chunk("tEXt", "a\x00b")...)
	text[afterIHDR+12]++ // decoders overlook that
	if _, err := pix.Head(text, pix.Limits{}); err != nil {
		t.Errorf("a zapped comment: %v", err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)-20]++
	_, err := pix.Head(bad, pix.Limits{})
	wantCode(t, err, "image_damaged", musa.ErrInvalid)
}

// A cut anywhere either is refused, or lost no pixel: some formats end in padding.
func TestNoCutPassesWithPixelsMissing(t *testing.T) {
	t.Parallel()
	small := scene(t, 64, 48)
	files := map[string][]byte{
		"heic": file(t, "plain.heic"), "avif": file(t, "plain.avif"), "tiff": file(t, "plain.tiff"), "gif": movingGIF(t, 1),
	}
	for _, f := range []pix.Format{pix.JPEG, pix.PNG, pix.WebP} {
		files[string(f)] = encoded(t, small, pix.Encode{Format: f})
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := decoded(t, data).View()
			for cut := 1; cut < len(data); cut += 1 + len(data)/150 {
				i, err := pix.Decode(context.Background(), data[:len(data)-cut], pix.Limits{})
				if err != nil {
					continue
				}
				if !bytes.Equal(i.View(), whole) {
					t.Errorf("without its last %d of %d bytes it decodes to other pixels", cut, len(data))
				}
				i.Close()
			}
		})
	}
}

func TestLimitsHoldAtTheirEdge(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	data := encoded(t, scene(t, 96, 64), pix.Encode{Format: pix.PNG})
	size := int64(len(data))
	for _, test := range []struct {
		name string
		l    pix.Limits
		code string
	}{
		{"bytes", pix.Limits{Bytes: size}, ""},
		{"bytes", pix.Limits{Bytes: size - 1}, "image_too_large"},
		{"pixels", pix.Limits{Pixels: 96 * 64}, ""},
		{"pixels", pix.Limits{Pixels: 96*64 - 1}, "image_too_many_pixels"},
		{"side", pix.Limits{Side: 96}, ""},
		{"side", pix.Limits{Side: 95}, "image_too_many_pixels"},
		{"time", pix.Limits{Time: time.Nanosecond}, "image_too_slow"},
	} {
		_, err := pix.Inspect(ctx, data, test.l)
		if test.code == "" {
			if err != nil {
				t.Errorf("%s at its limit: %v", test.name, err)
			}
			continue
		}
		wantCode(t, err, test.code, musa.ErrTooLarge)
	}
	moving := movingGIF(t, 3)
	if _, err := pix.Inspect(ctx, moving, pix.Limits{Frames: 3}); err != nil {
		t.Errorf("three frames where three are allowed: %v", err)
	}
	_, err := pix.Inspect(ctx, moving, pix.Limits{Frames: 2})
	wantCode(t, err, "image_animated", musa.ErrUnsupported)
}

func TestProblemsEchoNothing(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"marker-7Q2Z is no picture", "<svg>marker-7Q2Z</svg>", "%PDF-1.4 marker-7Q2Z", "\x89PNG\r\n\x1a\nmarker-7Q2Z"} {
		_, err := pix.Inspect(context.Background(), []byte(data), pix.Limits{})
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "marker") {
			t.Errorf("%q: got %v", data, err)
		}
	}
}
