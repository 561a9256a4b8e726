package pix

/*
#include <stdlib.h>
#include "libvips.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"musa"
)

// Image is an 8-bit picture in memory, outside Go's heap. Bands are grey, grey+alpha,
// RGB or RGBA. Edits return new Images and leave theirs untouched.
type Image struct {
	vips   *C.VipsImage
	closed *atomic.Bool
	stop   runtime.Cleanup
}

var errClosed = errors.New("pix: the image is closed")

func newImage(v *C.VipsImage) *Image {
	i := &Image{vips: v, closed: new(atomic.Bool)}
	// A forgotten Close costs memory until the collector comes, not for ever.
	i.stop = runtime.AddCleanup(i, func(v *C.VipsImage) { C.pix_unref(v) }, v)
	return i
}

// Close frees the pixels. Closing twice does nothing.
func (i *Image) Close() {
	if i == nil || i.closed.Swap(true) {
		return
	}
	i.stop.Stop()
	C.pix_unref(i.vips)
}

// Size is width and height in pixels.
func (i *Image) Size() (w, h int) { return int(i.vips.Xsize), int(i.vips.Ysize) }

// Bands is the number of bytes a pixel has: 1 to 4.
func (i *Image) Bands() int { return int(i.vips.Bands) }

// Alpha says whether the last band is transparency.
func (i *Image) Alpha() bool { return i.vips.Bands == 2 || i.vips.Bands == 4 }

// View is the pixels themselves: rows without gaps, interleaved bands. It is valid
// until Close, and may be written only by who made the Image with Blank and has not
// shared it yet.
func (i *Image) View() []byte {
	if i.closed.Load() {
		return nil
	}
	w, h := i.Size()
	return unsafe.Slice((*byte)(unsafe.Pointer(i.vips.data)), w*h*i.Bands())
}

// Pixels copies the pixels out: rows without gaps, interleaved bands.
func (i *Image) Pixels() (pixels []byte, bands int, err error) {
	if i.closed.Load() {
		return nil, 0, errClosed
	}
	pixels = append([]byte(nil), i.View()...)
	runtime.KeepAlive(i)
	return pixels, i.Bands(), nil
}

// Blank makes a black Image to be painted through View.
func Blank(w, h, bands int) (*Image, error) {
	i, err := blank(w, h, bands)
	if err == nil {
		clear(i.View())
	}
	return i, err
}

// blank leaves whatever the memory held: the caller paints every pixel.
func blank(w, h, bands int) (*Image, error) {
	if err := ready(); err != nil {
		return nil, err
	}
	if w < 1 || h < 1 || bands < 1 || bands > 4 {
		return nil, fmt.Errorf("pix: blank of %d×%d×%d: %w", w, h, bands, musa.ErrInvalid)
	}
	var out *C.VipsImage
	if C.pix_blank(C.int(w), C.int(h), C.int(bands), &out) != 0 {
		return nil, lastError()
	}
	return newImage(out), nil
}

// FromPixels makes an Image from a copy of interleaved pixels of 1 to 4 bands.
func FromPixels(pixels []byte, w, h, bands int) (*Image, error) {
	if w < 1 || h < 1 || len(pixels) != w*h*bands {
		return nil, fmt.Errorf("pix: %d bytes are no %d×%d×%d: %w", len(pixels), w, h, bands, musa.ErrInvalid)
	}
	i, err := Blank(w, h, bands)
	if err != nil {
		return nil, err
	}
	copy(i.View(), pixels)
	return i, nil
}

// run carries one pipeline that the context can stop. Its error is the context's if
// that ended first.
func run(ctx context.Context, pipeline func(*C.pix_brake) C.int) error {
	if err := ready(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	brake := (*C.pix_brake)(C.calloc(1, C.sizeof_pix_brake))
	pressed := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		C.pix_brake_press(brake)
		close(pressed)
	})
	rc := pipeline(brake)
	if !unwatch() {
		<-pressed // the brake must outlive who presses it
	}
	C.free(unsafe.Pointer(brake))
	if rc == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		lastError() // take the words of the killed pipeline, so that they do not pile up
		return context.Cause(ctx)
	}
	return lastError()
}

// edit carries a pipeline from this image to a new one.
func (i *Image) edit(ctx context.Context, name string, pipeline func(*C.pix_brake, *C.VipsImage, **C.VipsImage) C.int) (*Image, error) {
	if i.closed.Load() {
		return nil, errClosed
	}
	// C memory holds the result: cgo forbids Go pointers to Go pointers across calls.
	out := (**C.VipsImage)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(out))
	err := run(ctx, func(b *C.pix_brake) C.int { return pipeline(b, i.vips, out) })
	runtime.KeepAlive(i)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return newImage(*out), nil
}
