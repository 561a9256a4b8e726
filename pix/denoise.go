package pix

/*
#include "libvips.h"
*/
import "C"

import (
	"context"
	"fmt"
	"math"
	"runtime"
)

// blockWeight turns the mean excess of steps on JPEG's grid into a deviation to smooth:
// found by trying qualities 10 to 95, where PSNR against the source still rose.
const blockWeight = 2.0

// fineTexture is the deviation below which what looks like noise is as often texture,
// such as a field of stars; below it the filter takes less than it was told to.
const fineTexture = 5.0

// Denoise takes away noise and the blocks of JPEG, and leaves edges. Strength runs from
// 0 (nothing) to 1 (all that was measured, and a little more); how much there is to
// take, the picture's own measurement says. Alpha stays.
func (i *Image) Denoise(ctx context.Context, strength float64) (*Image, error) {
	m, err := i.measure(ctx)
	if err != nil {
		return nil, fmt.Errorf("denoise: %w", err)
	}
	w, h := i.Size()
	out, err := blank(w, h, i.Bands())
	if err != nil {
		return nil, fmt.Errorf("denoise: %w", err)
	}
	// Never nothing at all: the filter divides by it where the picture is flat.
	luma := math.Max(0.05, m.smoothing()*clamp(strength, 0, 1))
	err = strips(ctx, h, C.PIX_SMOOTH_ROWS, func(top, rows int) error {
		// Colour noise may be smoothed harder: the eye misses little there.
		if C.pix_smooth(i.vips, out.vips, C.double(luma), C.double(1.5*luma), C.int(top), C.int(rows)) != 0 {
			return errMemory
		}
		return nil
	})
	runtime.KeepAlive(i)
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("denoise: %w", err)
	}
	return out, nil
}

// smoothing is the deviation up to which a neighbourhood counts as flat.
func (m Measures) smoothing() float64 {
	noise := m.Noise * math.Min(1, m.Noise/fineTexture)
	return 1.6 * math.Max(noise, blockWeight*m.blockStep)
}
