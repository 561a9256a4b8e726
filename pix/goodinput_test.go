package pix_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"testing"

	"musa/pix"
)

// grey16 and deep are Go pictures of sixteen bits.
func deep() image.Image {
	i := image.NewNRGBA64(image.Rect(0, 0, 64, 64))
	fieldsOf(i)
	return i
}

func paletted() image.Image {
	colours := color.Palette{color.NRGBA{}}
	for _, f := range fields {
		colours = append(colours, color.NRGBA{uint8(f[0]), uint8(f[1]), uint8(f[2]), 255})
	}
	i := image.NewPaletted(image.Rect(0, 0, 64, 64), colours)
	fieldsOf(i)
	i.SetColorIndex(63, 63, 0) // the one transparent pixel
	return i
}

func TestEveryKindOfColourComesOutAsSRGB(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		data []byte
		want pix.Info
		near int // how far a band may lie off
	}{
		{"Display P3 JPEG", file(t, "p3.jpg"), pix.Info{Format: pix.JPEG, Depth: 8, Space: "srgb", HasICC: true}, 5},
		{"Display P3 PNG, 16 bits, alpha", file(t, "p3-16-alpha.png"), pix.Info{Format: pix.PNG, Depth: 16, Space: "rgb16", HasICC: true, Alpha: true}, 2},
		{"Display P3 TIFF, 16 bits", file(t, "p3-16.tiff"), pix.Info{Format: pix.TIFF, Depth: 16, Space: "rgb16", HasICC: true}, 2},
		{"CMYK JPEG without profile", file(t, "cmyk.jpg"), pix.Info{Format: pix.JPEG, Depth: 8, Space: "cmyk"}, 60},
		{"CMYK TIFF without profile", file(t, "cmyk.tiff"), pix.Info{Format: pix.TIFF, Depth: 8, Space: "cmyk"}, 60},
		{"float TIFF", file(t, "float.tiff"), pix.Info{Format: pix.TIFF, Depth: 32, Space: "scrgb"}, 2},
		{"TIFF", file(t, "plain.tiff"), pix.Info{Format: pix.TIFF, Depth: 8, Space: "srgb"}, 0},
		{"HEIC", file(t, "plain.heic"), pix.Info{Format: pix.HEIC, Depth: 8, Space: "srgb"}, 6},
		{"AVIF", file(t, "plain.avif"), pix.Info{Format: pix.AVIF, Depth: 8, Space: "srgb"}, 6},
		{"PNG of 16 bits", stdPNG(t, deep()), pix.Info{Format: pix.PNG, Depth: 16, Space: "rgb16"}, 0},
		{"palette PNG with alpha", stdPNG(t, paletted()), pix.Info{Format: pix.PNG, Depth: 8, Space: "srgb", Alpha: true}, 0},
		{"still GIF", movingGIF(t, 1), pix.Info{Format: pix.GIF, Depth: 8, Space: "srgb"}, 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := test.want
			want.Width, want.Height, want.Frames, want.Orientation = 64, 64, 1, 1
			info, err := pix.Inspect(context.Background(), test.data, pix.Limits{})
			if err != nil || info != want {
				t.Errorf("inspected: got %+v, %v; want %+v", info, err, want)
			}
			i := decoded(t, test.data)
			if i.Alpha() != want.Alpha {
				t.Errorf("alpha: got %v", i.Alpha())
			}
			wantFields(t, i, test.near)
			thumb := made(t)(pix.Thumbnail(context.Background(), test.data, 64))
			wantFields(t, thumb, test.near)
		})
	}
}

// wantFields looks at the middle of each field.
func wantFields(t *testing.T, i *pix.Image, near int) {
	t.Helper()
	p, bands, err := i.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	if bands < 3 {
		t.Fatalf("%d bands", bands)
	}
	for k, f := range fields {
		at := ((k/4*32+16)*64 + k%4*16 + 8) * bands
		for b := range 3 {
			if d := int(p[at+b]) - f[b]; d > near || d < -near {
				t.Errorf("field %d: got %v, want %v within %d", k, p[at:at+3], f, near)
				break
			}
		}
	}
}

func TestSixteenBitAlphaIsHalved(t *testing.T) {
	t.Parallel()
	i := decoded(t, file(t, "p3-16-alpha.png"))
	if a := i.View()[3]; a != 128 {
		t.Errorf("alpha 32896 of 65535 became %d of 255, want 128", a)
	}
}

func TestGreyStaysGrey(t *testing.T) {
	t.Parallel()
	g8, g16 := image.NewGray(image.Rect(0, 0, 64, 64)), image.NewGray16(image.Rect(0, 0, 64, 64))
	for k := range 64 * 64 {
		g8.Set(k%64, k/64, color.Gray{uint8(k % 64 * 4)})
		g16.Set(k%64, k/64, color.Gray16{uint16(k % 64 * 4 * 257)})
	}
	for _, g := range []image.Image{g8, g16} {
		p, bands, err := decoded(t, stdPNG(t, g)).Pixels()
		if err != nil || bands != 3 {
			t.Fatalf("%d bands, %v", bands, err)
		}
		for x := range 64 {
			for b := range 3 {
				if int(p[3*x+b]) != 4*x {
					t.Fatalf("at %d: got %v, want %d", x, p[3*x:3*x+3], 4*x)
				}
			}
		}
	}
}

// inkProfile is a CMYK profile that nobody would guess: cyan ink prints mid-grey, all
// other inks print nothing, black prints black.
func inkProfile() []byte {
	be := binary.BigEndian
	var lut bytes.Buffer
	lut.WriteString("mft1\x00\x00\x00\x00\x04\x03\x02\x00")
	for k := range 9 {
		v := uint32(0)
		if k%4 == 0 {
			v = 1 << 16
		}
		lut.Write(be.AppendUint32(nil, v))
	}
	ramp := func(n int) {
		for range n {
			for v := range 256 {
				lut.WriteByte(byte(v))
			}
		}
	}
	ramp(4)
	for k := range 16 { // the first ink varies slowest
		l := byte(255)
		if k&8 != 0 {
			l = 137
		}
		if k&1 != 0 {
			l = 0
		}
		lut.Write([]byte{l, 128, 128})
	}
	ramp(3)
	const tags = 2
	white := append([]byte("XYZ \x00\x00\x00\x00"), be.AppendUint32(be.AppendUint32(be.AppendUint32(nil, 0xf6d6), 0x10000), 0xd32d)...)
	head := make([]byte, 128)
	at := uint32(128 + 4 + 12*tags)
	be.PutUint32(head, at+uint32(lut.Len()+len(white)))
	copy(head[8:], "\x02\x40\x00\x00prtrCMYKLab ")
	copy(head[36:], "acsp")
	be.PutUint32(head[68:], 0xf6d6)
	be.PutUint32(head[72:], 0x10000)
	be.PutUint32(head[76:], 0xd32d)
	out := be.AppendUint32(head, tags)
	out = be.AppendUint32(be.AppendUint32(append(out, "A2B0"...), at), uint32(lut.Len()))
	out = be.AppendUint32(be.AppendUint32(append(out, "wtpt"...), at+uint32(lut.Len())), uint32(len(white)))
	return append(append(out, lut.Bytes()...), white...)
}

func TestCMYKFollowsItsOwnProfile(t *testing.T) {
	t.Parallel()
	plain := file(t, "cmyk.jpg")
	own := insert(plain, 2, segment(0xe2, "ICC_PROFILE\x00\x01\x01"+string(inkProfile()))...)
	i := decoded(t, own)
	p := i.View()
	// Each field must be grey now, for no ink of this profile has a colour.
	for k := range fields {
		at := ((k/4*32+16)*64 + k%4*16 + 8) * 3
		if c := p[at : at+3]; max(c[0], c[1], c[2])-min(c[0], c[1], c[2]) > 6 {
			t.Errorf("field %d is %v: the profile was not heeded", k, c)
		}
	}
	if bytes.Equal(p, decoded(t, plain).View()) {
		t.Error("with and without its profile the picture is the same")
	}
}

func TestABrokenProfileIsNoReasonToRefuse(t *testing.T) {
	t.Parallel()
	jpeg := encoded(t, scene(t, 64, 48), pix.Encode{Format: pix.JPEG})
	broken := insert(jpeg, 2, segment(0xe2, "ICC_PROFILE\x00\x01\x01this is no profile at all")...)
	if !same(t, jpeg, broken) {
		t.Error("an unusable profile changed the pixels")
	}
}

// turn undoes what an orientation tells, in plain steps: the second witness.
func turn(p []byte, w, h, o int) ([]byte, int, int) {
	at := func(x, y int) []byte { return p[3*(y*w+x) : 3*(y*w+x)+3] }
	ow, oh := w, h
	if o >= 5 {
		ow, oh = h, w
	}
	out := make([]byte, 0, len(p))
	for y := range oh {
		for x := range ow {
			switch o {
			case 1:
				out = append(out, at(x, y)...)
			case 2:
				out = append(out, at(w-1-x, y)...)
			case 3:
				out = append(out, at(w-1-x, h-1-y)...)
			case 4:
				out = append(out, at(x, h-1-y)...)
			case 5:
				out = append(out, at(y, x)...)
			case 6:
				out = append(out, at(y, h-1-x)...)
			case 7:
				out = append(out, at(w-1-y, h-1-x)...)
			case 8:
				out = append(out, at(w-1-y, x)...)
			}
		}
	}
	return out, ow, oh
}

func TestAllOrientationsComeOutUpright(t *testing.T) {
	t.Parallel()
	const w, h = 208, 144 // more rows than one strip of the decoder
	plain := scene(t, w, h)
	for o := 1; o <= 8; o++ {
		for _, f := range []pix.Format{pix.JPEG, pix.PNG, pix.WebP} {
			t.Run(fmt.Sprintf("%s %d", f, o), func(t *testing.T) {
				t.Parallel()
				data := encoded(t, plain, pix.Encode{Format: f, Lossless: true})
				stored := decoded(t, data).View()
				turned := withExif(data, f, exif(o, "Ansel's camera"))
				want, ow, oh := turn(stored, w, h, o)
				info, err := pix.Inspect(context.Background(), turned, pix.Limits{})
				if err != nil || info.Orientation != o || info.Width != ow || info.Height != oh {
					t.Fatalf("inspected: %+v, %v", info, err)
				}
				i := decoded(t, turned)
				if gw, gh := i.Size(); gw != ow || gh != oh || !bytes.Equal(i.View(), want) {
					t.Errorf("decoded %d×%d, want %d×%d and the pixels turned", gw, gh, ow, oh)
				}
				thumb := made(t)(pix.Thumbnail(context.Background(), turned, 52))
				if tw, th := thumb.Size(); (tw > th) != (ow > oh) {
					t.Errorf("thumbnail of %d×%d lies the wrong way", tw, th)
				}
			})
		}
	}
}

// withExif plants an EXIF block where the format has its place.
func withExif(data []byte, f pix.Format, block string) []byte {
	switch f {
	case pix.JPEG:
		return insert(data, 2, segment(0xe1, "Exif\x00\x00"+block)...)
	case pix.PNG:
		return insert(data, afterIHDR, chunk("eXIf", block)...)
	default:
		return withRIFF(data, 0x08, "EXIF", block)
	}
}

// withRIFF adds a chunk to a WebP file, and the extended header with its flag.
func withRIFF(data []byte, flag byte, name, body string) []byte {
	le := binary.LittleEndian
	chunkOf := func(name, body string) string {
		return name + string(le.AppendUint32(nil, uint32(len(body)))) + body + string(make([]byte, len(body)%2))
	}
	rest := string(data[12:])
	if rest[:4] == "VP8X" {
		rest = rest[:8] + string([]byte{rest[8] | flag}) + rest[9:]
	} else {
		bits := le.Uint32([]byte(rest[9:]))
		w, h := bits&0x3fff, bits>>14&0x3fff
		rest = chunkOf("VP8X", string([]byte{flag, 0, 0, 0, byte(w), byte(w >> 8), 0, byte(h), byte(h >> 8), 0})) + rest
	}
	rest += chunkOf(name, body)
	return []byte("RIFF" + string(le.AppendUint32(nil, uint32(4+len(rest)))) + "WEBP" + rest)
}
