package pix_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"musa"
	"musa/pix"
)

// filter is a kernel as the textbooks write it, apart from the code under test.
type filter struct {
	kernel pix.Kernel
	radius float64
	at     func(x float64) float64
}

var filters = map[string]filter{
	"linear": {pix.Linear, 1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	"bicubic": {pix.Bicubic, 2, func(x float64) float64 {
		x = math.Abs(x)
		switch {
		case x < 1:
			return 1.5*x*x*x - 2.5*x*x + 1
		case x < 2:
			return -0.5*x*x*x + 2.5*x*x - 4*x + 2
		}
		return 0
	}},
	"lanczos": {pix.Lanczos, 3, func(x float64) float64 {
		switch {
		case x == 0:
			return 1
		case math.Abs(x) >= 3:
			return 0
		}
		return 3 * math.Sin(math.Pi*x) * math.Sin(math.Pi*x/3) / (math.Pi * math.Pi * x * x)
	}},
}

// sizes go up and down, by whole, broken and unequal steps, and beyond the kernels' reach.
var sizes = [][2]int{{80, 60}, {160, 120}, {53, 91}, {20, 15}, {40, 30}, {17, 9}, {1, 1}, {41, 29}, {3, 200}}

// expected weighs every source pixel for one target pixel, the slow way.
func expected(in []byte, w, h, bands, ow, oh, x, y, b int, f filter) float64 {
	rx, ry := float64(w)/float64(ow), float64(h)/float64(oh)
	cx, cy := (float64(x)+0.5)*rx-0.5, (float64(y)+0.5)*ry-0.5
	wx, wy := max(rx, 1), max(ry, 1)
	var sum, total float64
	for j := int(cy - f.radius*wy - 1); j <= int(cy+f.radius*wy+1); j++ {
		for i := int(cx - f.radius*wx - 1); i <= int(cx+f.radius*wx+1); i++ {
			v := f.at((float64(i)-cx)/wx) * f.at((float64(j)-cy)/wy)
			total += v
			sum += v * float64(in[(min(max(j, 0), h-1)*w+min(max(i, 0), w-1))*bands+b])
		}
	}
	return min(max(sum/total, 0), 255)
}

func TestResizeIsWhatTheTextbooksSay(t *testing.T) {
	t.Parallel()
	const w, h = 40, 30
	for _, bands := range []int{1, 3} {
		in := noisy(t, made(t)(pix.FromPixels(bytes.Repeat([]byte{128}, w*h*bands), w, h, bands)), 60)
		for name, f := range filters {
			for _, size := range sizes {
				out := made(t)(in.Resize(ctx, size[0], size[1], f.kernel)).View()
				for k := range out {
					x, y := k/bands%size[0], k/bands/size[0]
					want := expected(in.View(), w, h, bands, size[0], size[1], x, y, k%bands, f)
					if math.Abs(float64(out[k])-want) > 0.51 {
						t.Errorf("%s to %v, %d bands: (%d,%d) is %d, want %.2f", name, size, bands, x, y, out[k], want)
						break
					}
				}
			}
		}
	}
}

func TestAStepDoubledStaysInItsPlace(t *testing.T) {
	t.Parallel()
	in := made(t)(pix.FromPixels([]byte{0, 0, 0, 0, 255, 255, 255, 255}, 8, 1, 1))
	for kernel, want := range map[pix.Kernel][]byte{
		pix.Nearest: {0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255},
		pix.Linear:  {0, 0, 0, 0, 0, 0, 0, 64, 191, 255, 255, 255, 255, 255, 255, 255},
		pix.Bicubic: {0, 0, 0, 0, 0, 0, 0, 52, 203, 255, 255, 255, 255, 255, 255, 255},
	} {
		if got := made(t)(in.Resize(ctx, 16, 1, kernel)).View(); !bytes.Equal(got, want) {
			t.Errorf("kernel %d: %v, want %v", kernel, got, want)
		}
	}
}

func TestResizeKeepsFlatAreasAndRamps(t *testing.T) {
	t.Parallel()
	for k := pix.Nearest; k <= pix.Lanczos; k++ {
		for _, size := range sizes {
			for bands := 1; bands <= 4; bands++ {
				flat := made(t)(pix.FromPixels(bytes.Repeat([]byte{77}, 40*30*bands), 40, 30, bands))
				if got := made(t)(flat.Resize(ctx, size[0], size[1], k)).View(); !bytes.Equal(got, bytes.Repeat([]byte{77}, len(got))) {
					t.Errorf("kernel %d to %v, %d bands: a flat picture changed", k, size, bands)
				}
			}
		}
		ramp := made(t)(pix.Blank(100, 4, 1))
		for i, v := 0, ramp.View(); i < len(v); i++ {
			v[i] = byte(20 + 2*(i%100))
		}
		for _, wide := range []int{200, 333, 50, 37} {
			ratio := 100 / float64(wide)
			tolerance := 1.0
			if k == pix.Nearest {
				tolerance = 2*max(0.5, ratio/2) + 0.1
			}
			edge := int(4*max(1, 1/ratio)) + 1
			for x, v := range made(t)(ramp.Resize(ctx, wide, 4, k)).View()[:wide] {
				want := 20 + 2*((float64(x)+0.5)*ratio-0.5)
				if x >= edge && x < wide-edge && math.Abs(float64(v)-want) > tolerance {
					t.Errorf("kernel %d to %d: place %d is %d, want %.2f", k, wide, x, v, want)
					break
				}
			}
		}
	}
}

// blob is a soft spot away from the middle, so that a shift and a mirror both show.
func blob(t testing.TB, w, h, bands int) *pix.Image {
	i := made(t)(pix.Blank(w, h, bands))
	for k, v := 0, i.View(); k < len(v); k++ {
		x, y := float64(k/bands%w)-0.4*float64(w), float64(k/bands/w)-0.55*float64(h)
		v[k] = byte(math.Round(240 * math.Exp(-(x*x/float64(w*w)+y*y/float64(h*h))*80)))
	}
	return i
}

// centre is the centre of mass as shares of the sides.
func centre(i *pix.Image) (x, y float64) {
	w, h := i.Size()
	var sum float64
	for k, v := range i.View() {
		p := k / i.Bands()
		x += float64(v) * (float64(p%w) + 0.5) / float64(w)
		y += float64(v) * (float64(p/w) + 0.5) / float64(h)
		sum += float64(v)
	}
	return x / sum, y / sum
}

func TestResizeDoesNotShift(t *testing.T) {
	t.Parallel()
	const w, h = 120, 90
	in := blob(t, w, h, 3)
	x0, y0 := centre(in)
	for k := pix.Nearest; k <= pix.Lanczos; k++ {
		for _, size := range [][2]int{{240, 180}, {480, 360}, {200, 131}, {121, 89}, {60, 45}, {47, 33}} {
			out := made(t)(in.Resize(ctx, size[0], size[1], k))
			x, y := centre(out)
			// In the larger of old and new pixels. Nearest has to take a pixel beside the
			// middle when two are as near.
			tolerance := 0.05
			if k == pix.Nearest {
				tolerance = 0.3
			}
			if math.Abs(x-x0)*float64(min(w, size[0])) > tolerance || math.Abs(y-y0)*float64(min(h, size[1])) > tolerance {
				t.Errorf("kernel %d to %v: the centre went from %.4f, %.4f to %.4f, %.4f", k, size, x0, y0, x, y)
			}
		}
	}
}

func TestThumbnailDoesNotShift(t *testing.T) {
	t.Parallel()
	in := blob(t, 1200, 900, 3)
	x0, y0 := centre(in)
	for _, f := range []pix.Format{pix.PNG, pix.JPEG, pix.WebP} {
		small := made(t)(pix.Thumbnail(ctx, encoded(t, in, pix.Encode{Format: f, Quality: 95}), 256))
		if x, y := centre(small); math.Abs(x-x0)*256 > 0.1 || math.Abs(y-y0)*192 > 0.1 {
			t.Errorf("%s: the centre went from %.4f, %.4f to %.4f, %.4f", f, x0, y0, x, y)
		}
	}
}

func TestAlphaWeighsColour(t *testing.T) {
	t.Parallel()
	// White at half alpha beside clear black: the colour stays white, alpha fades.
	in := made(t)(pix.FromPixels([]byte{255, 128, 255, 128, 0, 0, 0, 0}, 4, 1, 2))
	for k := pix.Linear; k <= pix.Lanczos; k++ {
		out := made(t)(in.Resize(ctx, 12, 1, k)).View()
		for x := range 12 {
			if colour, alpha := out[2*x], out[2*x+1]; alpha > 4 && colour != 255 || x < 3 && alpha < 120 || x > 10 && alpha > 8 {
				t.Errorf("kernel %d, place %d: colour %d, alpha %d", k, x, colour, alpha)
			}
		}
	}
}

func TestResizeRefusesWhatIsNoSize(t *testing.T) {
	t.Parallel()
	in := made(t)(pix.Blank(4, 4, 3))
	for _, c := range []struct {
		w, h int
		k    pix.Kernel
	}{{0, 4, pix.Linear}, {4, -1, pix.Linear}, {4, 4, -1}, {4, 4, 4}} {
		if _, err := in.Resize(ctx, c.w, c.h, c.k); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	gone, cancel := context.WithCancelCause(ctx)
	cancel(fmt.Errorf("enough: %w", musa.ErrUnavailable))
	if _, err := in.Resize(gone, 8, 8, pix.Linear); !errors.Is(err, musa.ErrUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
}
