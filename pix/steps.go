package pix

/*
#include "libvips.h"
*/
import "C"

import (
	"context"
	"math"
	"unsafe"
)

// Sharpen steepens edges; amount runs from 0 (nothing) to 1 (strong). Flat areas, where
// noise would grow, stay as they are.
func (i *Image) Sharpen(ctx context.Context, amount float64) (*Image, error) {
	return i.edit(ctx, "sharpen", func(b *C.pix_brake, in *C.VipsImage, out **C.VipsImage) C.int {
		return C.pix_sharpen(b, in, 1.0, C.double(5*amount), out)
	})
}

// Light is a change of brightness. Black and white stay where they are, so nothing
// that was not clipped becomes so.
type Light struct {
	Exposure float64 // -1 to 1: 0 changes nothing, above lifts the middle tones, below lowers them
	Contrast float64 // -1 to 1: 0 changes nothing, above steepens the middle, below flattens it
}

// Light changes brightness by one rising curve for all colours.
func (i *Image) Light(ctx context.Context, l Light) (*Image, error) {
	lut := l.curve()
	return i.edit(ctx, "light", func(b *C.pix_brake, in *C.VipsImage, out **C.VipsImage) C.int {
		return C.pix_curve(b, in, (*C.uchar)(unsafe.Pointer(&lut[0])), out)
	})
}

func (l Light) curve() *[256]byte {
	gamma := math.Pow(2.5, -clamp(l.Exposure, -1, 1))
	bend := clamp(l.Contrast, -1, 1) * 0.5
	var lut [256]byte
	for v := range lut {
		x := math.Pow(float64(v)/255, gamma)
		s := x * x * (3 - 2*x)
		lut[v] = byte(math.Round(255 * clamp(x+bend*(s-x), 0, 1)))
	}
	return &lut
}

// Colour is a change of colour.
type Colour struct {
	Balance    [3]float64 // gains of red, green and blue; the zero value changes nothing
	Saturation float64    // -1 (grey) to 1 (double); 0 changes nothing
}

// Colour changes balance and saturation. A grey picture stays as it is.
func (i *Image) Colour(ctx context.Context, c Colour) (*Image, error) {
	if i.Bands() < 3 {
		return i.edit(ctx, "colour", func(b *C.pix_brake, in *C.VipsImage, out **C.VipsImage) C.int {
			return C.pix_land(b, in, 1, out)
		})
	}
	gains := c.Balance
	if gains == ([3]float64{}) {
		gains = [3]float64{1, 1, 1}
	}
	weights, s := [3]float64{0.2126, 0.7152, 0.0722}, 1+clamp(c.Saturation, -1, 1)
	var m [9]C.double
	for row := range 3 {
		for col := range 3 {
			v := weights[col] * (1 - s)
			if row == col {
				v += s
			}
			m[3*row+col] = C.double(v * gains[col])
		}
	}
	return i.edit(ctx, "colour", func(b *C.pix_brake, in *C.VipsImage, out **C.VipsImage) C.int {
		return C.pix_mix(b, in, &m[0], out)
	})
}

func clamp(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }
