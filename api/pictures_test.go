package api_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"musa/musatest"
	"musa/pix"
)

func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(musatest.Root(t), "pix", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// noisePNG cannot be compressed, so that each of its bytes is its own.
func noisePNG(t *testing.T, w, h int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	pixels := make([]byte, w*h*3)
	for i := range pixels {
		pixels[i] = byte(r.Uint32())
	}
	i, err := pix.FromPixels(pixels, w, h, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	data, err := i.Encode(t.Context(), pix.Encode{Format: pix.PNG})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func encoded(t *testing.T, data []byte, f pix.Format) []byte {
	t.Helper()
	i, err := pix.Decode(t.Context(), data, pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	out, err := i.Encode(t.Context(), pix.Encode{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func movingGIF(t *testing.T) []byte {
	t.Helper()
	var g gif.GIF
	for k := range 3 {
		p := image.NewPaletted(image.Rect(0, 0, 16, 16), color.Palette{color.Black, color.White})
		p.SetColorIndex(k, k, 1)
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG declares a size and holds so many rows of zeros, compressed a thousandfold.
func hugePNG(t *testing.T, w, h uint32, rows int) []byte {
	t.Helper()
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, 8, 0, 0, 0, 0))...)
	out = append(out, chunk("IDAT", deflated(t, rows*(1+int(w))))...)
	return append(out, chunk("IEND", nil)...)
}

// textBomb is a small picture with a comment of 64 MB, compressed.
func textBomb(t *testing.T) []byte {
	t.Helper()
	const afterIHDR = 8 + 25
	data := noisePNG(t, 30, 20)
	bomb := chunk("zTXt", append([]byte("Comment\x00\x00"), deflated(t, 64<<20)...))
	return append(append(bytes.Clone(data[:afterIHDR]), bomb...), data[afterIHDR:]...)
}

// chunk is a PNG chunk as it lies in a file.
func chunk(name string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// deflated is so many zeros, compressed.
func deflated(t *testing.T, zeros int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	block := make([]byte, 1<<16)
	for left := zeros; left > 0; left -= len(block) {
		if _, err := z.Write(block[:min(left, len(block))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
