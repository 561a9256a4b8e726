package pix

import (
	"fmt"
	"math"
	"runtime"

	"musa"
)

// PSNR is the peak signal-to-noise ratio of two pictures' luma (BT.601, full range) in
// dB; +Inf if equal. Sizes must match.
func PSNR(a, b *Image) (float64, error) {
	w, h, err := sameSize(a, b)
	if err != nil {
		return 0, err
	}
	var sum float64
	for y := range h {
		p, q := a.lumaRows(y, 1), b.lumaRows(y, 1)
		for x := range p {
			d := float64(p[x] - q[x])
			sum += d * d
		}
	}
	if sum == 0 {
		return math.Inf(1), nil
	}
	return 10 * math.Log10(255*255*float64(w*h)/sum), nil
}

// SSIM is the mean structural similarity of two pictures' luma after Wang et al.
// (2004): Gaussian window of 11×11, sigma 1.5, whole windows only. Sizes must match and
// be at least 11.
func SSIM(a, b *Image) (float64, error) {
	w, h, err := sameSize(a, b)
	if err != nil {
		return 0, err
	}
	if w < window || h < window {
		return 0, fmt.Errorf("ssim of %d×%d: %w", w, h, musa.ErrInvalid)
	}
	var sum float64
	const rows = 256
	for y := 0; y+window <= h; y += rows {
		n := min(rows+window-1, h-y)
		sum += ssimStrip(a.lumaRows(y, n), b.lumaRows(y, n), w, n)
	}
	return sum / float64((w-window+1)*(h-window+1)), nil
}

const window = 11

func sameSize(a, b *Image) (w, h int, err error) {
	if a.closed.Load() || b.closed.Load() {
		return 0, 0, errClosed
	}
	w, h = a.Size()
	if w2, h2 := b.Size(); w != w2 || h != h2 {
		return 0, 0, fmt.Errorf("compare %d×%d with %d×%d: %w", w, h, w2, h2, musa.ErrInvalid)
	}
	return w, h, nil
}

func (i *Image) lumaRows(top, rows int) []float32 {
	w, _ := i.Size()
	n := i.Bands()
	pixels := i.View()[top*w*n : (top+rows)*w*n]
	out := make([]float32, w*rows)
	for k := range out {
		p := pixels[k*n:]
		if n < 3 {
			out[k] = float32(p[0])
		} else {
			out[k] = 0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2])
		}
	}
	runtime.KeepAlive(i)
	return out
}

func ssimStrip(a, b []float32, w, h int) float64 {
	product := func(p, q []float32) []float32 {
		out := make([]float32, len(p))
		for k := range p {
			out[k] = p[k] * q[k]
		}
		return out
	}
	ma, mb := blur(a, w, h), blur(b, w, h)
	aa, bb, ab := blur(product(a, a), w, h), blur(product(b, b), w, h), blur(product(a, b), w, h)
	const c1, c2 = (0.01 * 255) * (0.01 * 255), (0.03 * 255) * (0.03 * 255)
	var sum float64
	for k := range ma {
		x, y := float64(ma[k]), float64(mb[k])
		vx, vy, cov := float64(aa[k])-x*x, float64(bb[k])-y*y, float64(ab[k])-x*y
		sum += (2*x*y + c1) * (2*cov + c2) / ((x*x + y*y + c1) * (vx + vy + c2))
	}
	return sum
}

// blur weighs by a Gaussian window and keeps whole windows only.
func blur(p []float32, w, h int) []float32 {
	var g [window]float32
	var total float32
	for k := range g {
		d := float64(k - window/2)
		g[k] = float32(math.Exp(-d * d / (2 * 1.5 * 1.5)))
		total += g[k]
	}
	ow, oh := w-window+1, h-window+1
	across := make([]float32, ow*h)
	for y := range h {
		for x := range ow {
			var s float32
			for k, v := range p[y*w+x : y*w+x+window] {
				s += v * g[k]
			}
			across[y*ow+x] = s / total
		}
	}
	out := make([]float32, ow*oh)
	for y := range oh {
		for k := range window {
			row := across[(y+k)*ow : (y+k+1)*ow]
			for x, v := range row {
				out[y*ow+x] += v * g[k] / total
			}
		}
	}
	return out
}
