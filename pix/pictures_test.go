package pix_test

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"musa"
	"musa/pix"
)

// The files of testdata all show the same eight fields of 16×32 pixels.
//
//go:embed testdata
var testdata embed.FS

var fields = [8][3]int{
	{255, 255, 255}, {128, 128, 128}, {200, 40, 30}, {30, 160, 60},
	{40, 60, 200}, {230, 200, 40}, {0, 0, 0}, {120, 60, 140},
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// scene paints a picture with what photographs have: soft light, hard and oblique
// edges, fine texture in one part, flat areas in another.
func scene(t testing.TB, w, h int) *pix.Image {
	t.Helper()
	i, err := pix.Blank(w, h, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	p := i.View()
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			c := [3]float64{60 + 120*u, 70 + 90*v, 150 - 80*u*v}
			switch {
			case math.Hypot(u-0.3, v-0.35) < 0.18:
				c = [3]float64{200, 120 + 60*v, 60}
			case u+v*0.6 > 1.1 && u+v*0.6 < 1.2:
				c = [3]float64{30, 40, 45}
			case u > 0.6 && v < 0.3:
				s := 25 * math.Sin(float64(x)*0.7) * math.Sin(float64(y)*0.5)
				c = [3]float64{110 + s, 130 + s, 90 + s}
			}
			for b := range 3 {
				p[3*(y*w+x)+b] = byte(math.Round(c[b]))
			}
		}
	}
	return i
}

// changed maps every byte of a copy.
func changed(t testing.TB, i *pix.Image, change func(v float64) float64) *pix.Image {
	t.Helper()
	p, bands, err := i.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	for k := range p {
		p[k] = byte(math.Round(min(max(change(float64(p[k])), 0), 255)))
	}
	w, h := i.Size()
	return made(t)(pix.FromPixels(p, w, h, bands))
}

// noisy adds Gaussian noise, the same on every run.
func noisy(t testing.TB, i *pix.Image, sigma float64) *pix.Image {
	r := rand.New(rand.NewPCG(7, 11))
	return changed(t, i, func(v float64) float64 { return v + sigma*r.NormFloat64() })
}

// made fails the test on an error, or hands the picture on and closes it at the end.
func made(t testing.TB) func(*pix.Image, error) *pix.Image {
	return func(i *pix.Image, err error) *pix.Image {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(i.Close)
		return i
	}
}

func encoded(t testing.TB, i *pix.Image, e pix.Encode) []byte {
	t.Helper()
	data, err := i.Encode(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decoded(t testing.TB, data []byte) *pix.Image {
	t.Helper()
	return made(t)(pix.Decode(context.Background(), data, pix.Limits{}))
}

func measured(t testing.TB, i *pix.Image) pix.Measures {
	t.Helper()
	m, err := i.Measure()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func psnr(t testing.TB, a, b *pix.Image) float64 {
	t.Helper()
	v, err := pix.PSNR(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// same says that two files decode to the same bytes.
func same(t testing.TB, a, b []byte) bool {
	t.Helper()
	return bytes.Equal(decoded(t, a).View(), decoded(t, b).View())
}

// wantCode checks that an error is the Problem with this code, fit for people.
func wantCode(t testing.TB, err error, code string, kind error) {
	t.Helper()
	var p *musa.Problem
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want a problem %s", err, code)
	}
	if p.Code != code || !errors.Is(err, kind) {
		t.Fatalf("got %s of kind %v (%v), want %s of kind %v", p.Code, p.Kind, err, code, kind)
	}
	if len(p.Public) < 30 || p.Field != "file" {
		t.Errorf("%s: words %q for field %q do not help a person", code, p.Public, p.Field)
	}
}

// stdPNG writes any Go picture: sixteen bits, palette, grey.
func stdPNG(t testing.TB, i image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, i); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fieldsOf paints the eight fields on a Go picture.
func fieldsOf(i interface{ Set(x, y int, c color.Color) }) {
	for y := range 64 {
		for x := range 64 {
			f := fields[y/32*4+x/16]
			i.Set(x, y, color.RGBA{uint8(f[0]), uint8(f[1]), uint8(f[2]), 255})
		}
	}
}

// insert puts bytes into a copy of a file.
func insert(data []byte, at int, more ...byte) []byte {
	return append(append(append([]byte(nil), data[:at]...), more...), data[at:]...)
}

// segment is a JPEG segment as it lies in a file.
func segment(marker byte, body string) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return append(out, body...)
}

// chunk is a PNG chunk as it lies in a file.
func chunk(name, body string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(out, name+body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// afterIHDR is where PNG chunks may be added.
const afterIHDR = 8 + 25

// exif is a block with an orientation, a camera's name, a place and a thumbnail.
func exif(orientation int, secret string) string {
	var b bytes.Buffer
	le := binary.LittleEndian
	entry := func(tag, kind uint16, count, value uint32) {
		b.Write(le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, tag), kind), count), value))
	}
	b.WriteString("II*\x00\x08\x00\x00\x00")
	b.Write(le.AppendUint16(nil, 3))
	entry(0x010f, 2, uint32(len(secret)), 110) // maker
	entry(0x0112, 3, 1, uint32(orientation))
	entry(0x8825, 4, 1, 50)           // the GPS directory
	b.Write(le.AppendUint32(nil, 80)) // the thumbnail's directory
	b.Write(le.AppendUint16(nil, 1))
	entry(0x0002, 2, uint32(len(secret)), 110) // latitude
	b.Write(make([]byte, 80-b.Len()))
	b.Write(le.AppendUint16(nil, 2))
	entry(0x0201, 4, 1, 110+uint32(len(secret)))
	entry(0x0202, 4, 1, 32)
	b.Write(make([]byte, 110-b.Len()))
	b.WriteString(secret)
	b.WriteString("\xff\xd8 a thumbnail would lie here \xff\xd9")
	return b.String()
}
