package local_test

import (
	"math"
	"testing"

	"musa/pix"
)

// The classic filters are written out here, because libvips enlarges by bicubic even
// when Lanczos is asked of it, and a baseline must not be weaker than its name.

// bicubic is Keys' kernel with a = -1/2.
func bicubic(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return 1.5*x*x*x - 2.5*x*x + 1
	case x < 2:
		return -0.5*x*x*x + 2.5*x*x - 4*x + 2
	}
	return 0
}

// lanczos has three lobes.
func lanczos(x float64) float64 {
	if x == 0 {
		return 1
	}
	if math.Abs(x) >= 3 {
		return 0
	}
	px := math.Pi * x
	return 3 * math.Sin(px) * math.Sin(px/3) / (px * px)
}

// resample changes an RGB picture's size, pixel centres on pixel centres; to become
// smaller, the kernel is widened, which is what antialiased means.
func resample(t *testing.T, img *pix.Image, w, h int, kernel func(float64) float64) *pix.Image {
	t.Helper()
	sw, sh := img.Size()
	n := img.Bands()
	in := make([]float64, sw*sh*n)
	for i, v := range img.View() {
		in[i] = float64(v)
	}
	across := axis(in, shape{count: sh, stride: sw * n, length: sw, step: n, bands: n}, w, kernel)
	down := axis(across, shape{count: w, stride: n, length: sh, step: w * n, bands: n}, h, kernel)
	// The second pass comes out column by column.
	out := make([]byte, w*h*n)
	for x := range w {
		for y := range h {
			for c := range n {
				v := down[(x*h+y)*n+c]
				out[(y*w+x)*n+c] = byte(math.Round(min(max(v, 0), 255)))
			}
		}
	}
	return fromPixels(t, out, w, h, n)
}

// shape says how lines lie in a buffer.
type shape struct{ count, stride, length, step, bands int }

func axis(in []float64, s shape, size int, kernel func(float64) float64) []float64 {
	ratio := float64(s.length) / float64(size)
	wide := max(ratio, 1)
	out := make([]float64, s.count*size*s.bands)
	for i := range size {
		centre := (float64(i)+0.5)*ratio - 0.5
		var total float64
		weights := map[int]float64{}
		for k := int(math.Ceil(centre - 3*wide)); k <= int(math.Floor(centre+3*wide)); k++ {
			if v := kernel((float64(k) - centre) / wide); v != 0 {
				weights[min(max(k, 0), s.length-1)] += v
				total += v
			}
		}
		for k, v := range weights {
			for line := range s.count {
				for c := range s.bands {
					out[(line*size+i)*s.bands+c] += in[line*s.stride+k*s.step+c] * v / total
				}
			}
		}
	}
	return out
}
