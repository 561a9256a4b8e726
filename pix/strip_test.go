package pix_test

import (
	"bytes"
	"context"
	"testing"

	"musa/pix"
)

// secrets are planted in every place a file has for words. None may be left.
var secrets = []string{
	"GPS-51.4779N", "XMP-creator-Ada", "IPTC-byline-Ada", "COMMENT-Ada", "TEXT-Ada", "ZTXT-Ada", "TIME-Ada",
	"TRAILER-Ada", "MPF-Ada", "JFXX-Ada", "ADOBE-Ada", "MAKER-Ada", "PRIVATE-Ada", "NAME-Ada", "THUMB-Ada", "a thumbnail would lie here",
}

func wantNoSecret(t *testing.T, data []byte) {
	t.Helper()
	for _, s := range secrets {
		if bytes.Contains(data, []byte(s)) {
			t.Errorf("%q is left", s)
		}
	}
	for _, s := range []string{"MPF\x00", "http://ns.adobe.com", "photoshop", "8BIM", "tEXt", "iTXt", "zTXt", "tIME", "XMP "} {
		if bytes.Contains(data, []byte(s)) {
			t.Errorf("%q is left", s)
		}
	}
}

func wantSecrets(t *testing.T, data []byte, names ...string) {
	t.Helper()
	for _, s := range names {
		if !bytes.Contains(data, []byte(s)) {
			t.Fatalf("control: %q was not planted", s)
		}
	}
}

func stripped(t *testing.T, data []byte) []byte {
	t.Helper()
	out, err := pix.Strip(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStripLeavesNothingInJPEG(t *testing.T) {
	t.Parallel()
	base := file(t, "p3.jpg") // has a colour profile
	at := 2
	var planted []byte
	for _, s := range [][]byte{
		// A thumbnail of one pixel in the JFIF header itself.
		segment(0xe0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x04\x01"+"THUMB-Ada123"),
		segment(0xe0, "JFXX\x00\x10JFXX-Ada"),
		segment(0xe1, "Exif\x00\x00"+exif(6, "GPS-51.4779N")),
		segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>XMP-creator-Ada</x:xmpmeta>"),
		segment(0xe1, "http://ns.adobe.com/xmp/extension/\x00XMP-creator-Ada"),
		segment(0xe2, "MPF\x00MPF-Ada"),
		segment(0xed, "Photoshop 3.0\x008BIM\x04\x04IPTC-byline-Ada"),
		segment(0xec, "Ducky MAKER-Ada"),
		segment(0xef, "PRIVATE-Ada"),
		segment(0xfe, "COMMENT-Ada"),
		[]byte("TEXT-Ada between two segments"),
	} {
		planted = append(planted, s...)
	}
	// The file's own JFIF header goes: ours with the thumbnail stands for it.
	rest := base[at:]
	if rest[1] == 0xe0 {
		rest = rest[2+int(rest[2])<<8+int(rest[3]):]
	}
	data := append(append(append([]byte(nil), base[:at]...), planted...), rest...)
	data = append(data, "TRAILER-Ada\xff\xd8\xff\xe1 MPF-Ada \xff\xd9"...)
	wantSecrets(t, data, "GPS-51.4779N", "XMP-creator-Ada", "MPF-Ada", "IPTC-byline-Ada", "MAKER-Ada", "PRIVATE-Ada", "COMMENT-Ada", "TRAILER-Ada", "THUMB-Ada", "a thumbnail would lie here")

	out := stripped(t, data)
	wantNoSecret(t, out)
	before, err := pix.Inspect(context.Background(), data, pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := pix.Inspect(context.Background(), out, pix.Limits{})
	if err != nil || after != before || after.Orientation != 6 || !after.HasICC {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	if !same(t, data, out) {
		t.Error("the pixels changed")
	}
	if !bytes.Equal(stripped(t, out), out) {
		t.Error("stripping twice is not stripping once")
	}
}

func TestStripLeavesNothingInPNG(t *testing.T) {
	t.Parallel()
	base := file(t, "p3-16-alpha.png")
	profile := bytes.Index(base, []byte("iCCP")) + 4
	if profile < 4 {
		t.Fatal("control: no profile")
	}
	var planted []byte
	for _, c := range [][]byte{
		chunk("eXIf", exif(8, "GPS-51.4779N")),
		chunk("tEXt", "Comment\x00TEXT-Ada"),
		chunk("zTXt", "Comment\x00\x00ZTXT-Ada"),
		chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00XMP-creator-Ada"),
		chunk("tIME", "\x07\xe8\x01\x02\x03\x04\x05"),
		chunk("adAT", "PRIVATE-Ada"),
	} {
		planted = append(planted, c...)
	}
	data := append(insert(base, afterIHDR, planted...), "TRAILER-Ada"...)
	wantSecrets(t, data, "GPS-51.4779N", "TEXT-Ada", "ZTXT-Ada", "XMP-creator-Ada", "PRIVATE-Ada", "TRAILER-Ada")
	out := stripped(t, data)
	wantNoSecret(t, out)
	if bytes.Contains(out, base[profile:profile+8]) && base[profile] != 'i' {
		t.Error("the profile's free-text name is left")
	}
	after, err := pix.Inspect(context.Background(), out, pix.Limits{})
	if err != nil || after.Orientation != 8 || !after.HasICC || !after.Alpha || after.Depth != 16 {
		t.Errorf("after: %+v, %v", after, err)
	}
	if !same(t, data, out) {
		t.Error("the pixels changed")
	}
}

func TestStripLeavesNothingInWebP(t *testing.T) {
	t.Parallel()
	base := encoded(t, scene(t, 80, 60), pix.Encode{Format: pix.WebP, Lossless: true})
	data := withRIFF(base, 0x08, "EXIF", exif(3, "GPS-51.4779N"))
	data = withRIFF(data, 0x04, "XMP ", "<x:xmpmeta>XMP-creator-Ada</x:xmpmeta>")
	data = withRIFF(data, 0, "ADA ", "PRIVATE-Ada")
	data = append(data, "TRAILER-Ada"...)
	wantSecrets(t, data, "GPS-51.4779N", "XMP-creator-Ada", "PRIVATE-Ada", "TRAILER-Ada")
	out := stripped(t, data)
	wantNoSecret(t, out)
	after, err := pix.Inspect(context.Background(), out, pix.Limits{})
	if err != nil || after.Orientation != 3 {
		t.Errorf("after: %+v, %v", after, err)
	}
	if !same(t, data, out) {
		t.Error("the pixels changed")
	}
}

// Formats that are not rewritten in place become PNG of the same pixels.
func TestStripTurnsOtherFormatsIntoPNG(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data  []byte
		depth int
		icc   bool
	}{
		"tiff":       {file(t, "plain.tiff"), 8, false},
		"deep tiff":  {file(t, "p3-16.tiff"), 16, true},
		"cmyk tiff":  {file(t, "cmyk.tiff"), 8, false},
		"float tiff": {file(t, "float.tiff"), 8, false},
		"heic":       {file(t, "plain.heic"), 8, false},
		"avif":       {file(t, "plain.avif"), 8, false},
		"gif":        {bytes.Replace(movingGIF(t, 1), []byte("\x2c"), []byte("\x21\xfe\x0bCOMMENT-Ada\x00\x2c"), 1), 8, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := stripped(t, test.data)
			wantNoSecret(t, out)
			info, err := pix.Inspect(context.Background(), out, pix.Limits{})
			if err != nil || info.Format != pix.PNG || info.Depth != test.depth || info.HasICC != test.icc {
				t.Errorf("got %+v, %v", info, err)
			}
			if !same(t, test.data, out) {
				t.Error("the pixels changed")
			}
		})
	}
}

func TestStripRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{nil, []byte("no picture"), []byte("\xff\xd8\xff"), []byte("\x89PNG\r\n\x1a\n"), []byte("RIFF\x00\x00\x00\x00WEBP"), file(t, "plain.tiff")[:150]} {
		if out, err := pix.Strip(context.Background(), data); err == nil {
			t.Errorf("%d bytes became %d", len(data), len(out))
		}
	}
}
