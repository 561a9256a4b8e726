package pix

/*
#include <stdlib.h>
#include "libvips.h"
*/
import "C"

import (
	"context"
	"fmt"
	"unsafe"

	"musa"
)

// Strip removes all metadata: EXIF with GPS and thumbnail, XMP, IPTC, comments, text,
// maker's data, second pictures and whatever trails the file. Colour profile and
// orientation stay, and so does every pixel: JPEG, PNG and WebP are rewritten around
// their coded data, which is copied; the other formats become PNG, upright, at their
// own depth (floats, CMYK and Lab at 8-bit sRGB).
//
// It expects a file that Inspect passed, and holds no limits of its own. A colour
// profile is kept as it is, with the words its maker wrote into it.
func Strip(ctx context.Context, data []byte) ([]byte, error) {
	f := Sniff(data)
	switch f {
	case "":
		return nil, foreign(data)
	case JPEG:
		return stripJPEG(data)
	case PNG:
		return stripPNG(data)
	case WebP:
		return stripWebP(data)
	}
	png, err := relay(ctx, data, f)
	if err != nil {
		return nil, judge(data, f, err)
	}
	// vips may write chunks of its own: resolution, time.
	return stripPNG(png)
}

func relay(ctx context.Context, data []byte, f Format) ([]byte, error) {
	buf := (*unsafe.Pointer)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	size := (*C.size_t)(C.calloc(1, C.sizeof_size_t))
	defer C.free(unsafe.Pointer(buf))
	defer C.free(unsafe.Pointer(size))
	err := run(ctx, func(b *C.pix_brake) C.int {
		return C.pix_relay(b, loader(f), C.int(orientation(data, f)), unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), buf, size)
	})
	if *buf != nil {
		defer C.pix_free(*buf)
	}
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), unsafe.Slice((*byte)(*buf), int(*size))...), nil
}

// mark writes provenance into a file that Encode just made.
func mark(data []byte, f Format, xmp []byte) ([]byte, error) {
	switch f {
	case JPEG:
		return markJPEG(data, xmp), nil
	case PNG:
		return markPNG(data, xmp), nil
	case WebP:
		return markWebP(data, xmp), nil
	}
	return nil, fmt.Errorf("mark %s: %w", f, musa.ErrUnsupported)
}
