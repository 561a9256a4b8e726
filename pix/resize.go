package pix

/*
#include "libvips.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"musa"
)

// Kernel is how pixels are weighed when a picture changes size.
type Kernel int

// The kernels, from plain to fine.
const (
	Nearest Kernel = iota
	Linear
	Bicubic
	Lanczos
)

// resizeRows is the work between two looks at the context.
const resizeRows = 16

var errMemory = errors.New("pix: the memory is used up")

// Resize makes the picture exactly w × h pixels. Centres lie on centres, larger or
// smaller, so nothing shifts; beyond its edges the picture goes on with their pixels.
// To become smaller, every kernel but Nearest widens, against moiré. Colour under clear
// pixels does not bleed.
func (i *Image) Resize(ctx context.Context, w, h int, k Kernel) (*Image, error) {
	if w < 1 || h < 1 || k < Nearest || k > Lanczos {
		return nil, fmt.Errorf("resize to %d×%d by kernel %d: %w", w, h, k, musa.ErrInvalid)
	}
	if i.closed.Load() {
		return nil, errClosed
	}
	out, err := blank(w, h, i.Bands())
	if err != nil {
		return nil, fmt.Errorf("resize: %w", err)
	}
	kernels := [...]C.int{C.PIX_NEAREST, C.PIX_LINEAR, C.PIX_BICUBIC, C.PIX_LANCZOS}
	width, height := i.Size()
	across := C.pix_axis_new(C.int(width), C.int(w), kernels[k])
	defer C.pix_axis_free(across)
	down := C.pix_axis_new(C.int(height), C.int(h), kernels[k])
	defer C.pix_axis_free(down)
	if across == nil || down == nil {
		out.Close()
		return nil, fmt.Errorf("resize: %w", errMemory)
	}
	err = strips(ctx, h, resizeRows, func(top, rows int) error {
		if C.pix_resample(i.vips, out.vips, across, down, C.int(top), C.int(rows)) != 0 {
			return errMemory
		}
		return nil
	})
	runtime.KeepAlive(i)
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("resize: %w", err)
	}
	return out, nil
}
