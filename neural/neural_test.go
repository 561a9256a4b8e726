package neural_test

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"musa/musatest/photos"
	"musa/neural"
)

// models returns the directory of the models, pulling what is missing.
var models = sync.OnceValues(func() (string, error) {
	dir := os.Getenv("MUSA_MODELS")
	if dir == "" {
		dir = filepath.Join("..", "models")
	}
	return dir, neural.Pull(pullContext(), neural.Config{Dir: dir})
})

func modelsDir(t testing.TB) string {
	t.Helper()
	dir, err := models()
	if err != nil {
		t.Fatalf("pull models: %v", err)
	}
	return dir
}

// shared is one runtime for all tests, as a node has one.
var shared = sync.OnceValue(func() *neural.Runtime {
	dir, err := models()
	if err != nil {
		return nil
	}
	return neural.Open(dir)
})

func nets(t testing.TB) *neural.Runtime {
	t.Helper()
	modelsDir(t)
	return shared()
}

// apply runs a network into a fresh raster.
func apply(ctx context.Context, r *neural.Runtime, n neural.Network, src neural.Raster, report func(int, int)) (neural.Raster, error) {
	dst := blank(src.Width*n.Scale(), src.Height*n.Scale())
	return dst, r.Apply(ctx, n, dst, src, report)
}

func blank(w, h int) neural.Raster {
	return neural.Raster{Pix: make([]byte, 3*w*h), Width: w, Height: h, Bands: 3}
}

// photo decodes a photograph's rectangle.
func photo(t testing.TB, name string, r image.Rectangle) neural.Raster {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(photos.Read(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	r = r.Intersect(img.Bounds())
	out := neural.Raster{Width: r.Dx(), Height: r.Dy(), Bands: 3}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			red, green, blue, _ := img.At(x, y).RGBA()
			out.Pix = append(out.Pix, byte(red>>8), byte(green>>8), byte(blue>>8))
		}
	}
	return out
}

// crop cuts a rectangle out of a raster.
func crop(r neural.Raster, rect image.Rectangle) neural.Raster {
	out := neural.Raster{Width: rect.Dx(), Height: rect.Dy(), Bands: 3}
	for y := rect.Min.Y; y < rect.Max.Y; y++ {
		at := 3 * (y*r.Width + rect.Min.X)
		out.Pix = append(out.Pix, r.Pix[at:at+3*out.Width]...)
	}
	return out
}

// halve averages blocks of 2×2: the picture that a doubling is to undo.
func halve(r neural.Raster) neural.Raster {
	out := neural.Raster{Width: r.Width / 2, Height: r.Height / 2, Bands: 3}
	for y := range out.Height {
		for x := range out.Width {
			for c := range 3 {
				at := func(dx, dy int) int { return int(r.Pix[3*((2*y+dy)*r.Width+2*x+dx)+c]) }
				out.Pix = append(out.Pix, byte((at(0, 0)+at(1, 0)+at(0, 1)+at(1, 1)+2)/4))
			}
		}
	}
	return out
}

// psnr compares two rasters of one size over all channels, in dB.
func psnr(a, b neural.Raster) float64 {
	var sum float64
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a.Pix))/sum)
}

// worst is the largest difference of any channel and the mean difference.
func worst(a, b neural.Raster) (most int, mean float64) {
	for i := range a.Pix {
		d := int(a.Pix[i]) - int(b.Pix[i])
		d = max(d, -d)
		most = max(most, d)
		mean += float64(d)
	}
	return most, mean / float64(len(a.Pix))
}
