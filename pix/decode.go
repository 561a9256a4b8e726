package pix

/*
#include <stdlib.h>
#include "libvips.h"
*/
import "C"

import (
	"context"
	"errors"
	"unsafe"
)

// Info is what a file says about itself.
type Info struct {
	Format      Format
	Width       int // after turning upright
	Height      int
	Frames      int
	Alpha       bool
	Depth       int    // bits of a band: 8, 16 or 32
	Space       string // vips' word: "srgb", "b-w", "cmyk", "rgb16", …
	HasICC      bool
	Orientation int // EXIF's 1 to 8 as stored; 1 means upright
}

// Inspect reads a file's header against the limits, then decodes all of it once and
// keeps nothing, so that a file it passes can be decoded. Refusals are *musa.Problem:
// image_empty, image_too_large, image_unknown, image_is_svg, image_is_pdf,
// image_too_many_pixels, image_animated, image_no_codec, image_truncated,
// image_damaged, image_too_slow.
func Inspect(ctx context.Context, data []byte, l Limits) (Info, error) {
	l = l.orDefault()
	info, err := Head(data, l)
	if err != nil {
		return Info{}, err
	}
	err = timed(ctx, l, func(ctx context.Context) error {
		return run(ctx, func(b *C.pix_brake) C.int {
			return C.pix_drain(b, loader(info.Format), unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)))
		})
	})
	if err != nil {
		return Info{}, judge(data, info.Format, err)
	}
	return info, nil
}

// Head reads a file's header against the limits and decodes no pixel. Its refusals are
// those of Inspect; a file may still turn out truncated or damaged later.
func Head(data []byte, l Limits) (Info, error) {
	l = l.orDefault()
	format, err := admit(data, l)
	if err != nil {
		return Info{}, err
	}
	if err := ready(); err != nil {
		return Info{}, err
	}
	var h C.pix_head
	if C.pix_probe(loader(format), unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), &h) != 0 {
		return Info{}, judge(data, format, lastError())
	}
	info := Info{
		Format: format, Width: int(h.width), Height: int(h.height), Frames: max(1, int(h.pages)),
		Alpha: h.alpha != 0, Depth: int(h.depth), Space: C.GoString(&h.space[0]),
		HasICC: h.icc != 0, Orientation: orientation(data, format),
	}
	if info.Orientation >= 5 {
		info.Width, info.Height = info.Height, info.Width
	}
	if !fits(int64(info.Width), int64(info.Height), l) {
		return Info{}, problemPixels(l)
	}
	switch format {
	case GIF, WebP:
	case PNG:
		info.Frames = pngFrames(data)
	default:
		info.Frames = 1 // more pages of TIFF and HEIF are other pictures, not later ones
		if sequence(data) {
			info.Frames = 2
		}
	}
	if info.Frames > l.Frames {
		return Info{}, problemAnimated()
	}
	// vips' threads can lose an error in the last rows, so sums are looked at here as well.
	if format == PNG && pngChunks(data).zapped() {
		return Info{}, problemDamaged(nil)
	}
	return info, nil
}

// Decode makes a file an upright 8-bit sRGB Image with three bands, or four where it
// has alpha. It needs width × height × bands bytes and little more. Refusals are those
// of Inspect.
func Decode(ctx context.Context, data []byte, l Limits) (*Image, error) {
	l = l.orDefault()
	info, err := Head(data, l)
	if err != nil {
		return nil, err
	}
	return read(ctx, data, info.Format, l, func(b *C.pix_brake, p unsafe.Pointer, n C.size_t, out **C.VipsImage) C.int {
		return C.pix_decode(b, loader(info.Format), C.int(info.Orientation), p, n, out)
	})
}

// Thumbnail decodes a file no larger than needed for a longer side of `side` pixels,
// under DefaultLimits; a smaller picture keeps its size. Refusals are those of Inspect.
func Thumbnail(ctx context.Context, data []byte, side int) (*Image, error) {
	l := DefaultLimits()
	info, err := Head(data, l)
	if err != nil {
		return nil, err
	}
	return read(ctx, data, info.Format, l, func(b *C.pix_brake, p unsafe.Pointer, n C.size_t, out **C.VipsImage) C.int {
		return C.pix_thumbnail(b, loader(info.Format), C.int(info.Orientation), p, n, C.int(side), out)
	})
}

func read(ctx context.Context, data []byte, f Format, l Limits, pipeline func(*C.pix_brake, unsafe.Pointer, C.size_t, **C.VipsImage) C.int) (*Image, error) {
	out := (**C.VipsImage)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(out))
	err := timed(ctx, l, func(ctx context.Context) error {
		return run(ctx, func(b *C.pix_brake) C.int {
			return pipeline(b, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), out)
		})
	})
	if err != nil {
		return nil, judge(data, f, err)
	}
	return newImage(*out), nil
}

var errSlow = errors.New("pix: time limit")

func timed(ctx context.Context, l Limits, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.Time, errSlow)
	defer cancel()
	err := do(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return problemSlow(l, errSlow)
	}
	return err
}

// orientation is EXIF's, read by our own parsers: not every version of vips knows it in
// every format. HEIF pictures turn themselves while decoding.
func orientation(data []byte, f Format) int {
	switch f {
	case JPEG:
		return jpegOrientation(jpegSegments(data))
	case PNG:
		return pngOrientation(pngChunks(data))
	case WebP:
		return webpOrientation(webpChunks(data))
	case TIFF:
		return exifOrientation(data)
	}
	return 1
}

func loader(f Format) C.int {
	switch f {
	case JPEG:
		return C.PIX_JPEG
	case PNG:
		return C.PIX_PNG
	case WebP:
		return C.PIX_WEBP
	case GIF:
		return C.PIX_GIF
	case TIFF:
		return C.PIX_TIFF
	default:
		return C.PIX_HEIF
	}
}
