// Package pix reads, changes and writes still pictures through libvips.
//
// It promises: limits are read from a file's own header before a decoder sees it;
// truncated, damaged, animated and foreign files are refused, each with its own
// *musa.Problem; every decoded picture is upright, 8-bit sRGB; one copy of the pixels
// in memory and none on disk; metadata leaves losslessly; a cancelled context stops a
// running pipeline. All functions may be called from many goroutines; an Image may be
// read by many, and must be closed once, after the last.
//
// To build, the headers of libvips 8.14 or newer must lie on the machine (Debian:
// libvips-dev) and cgo must be on. To run, the library itself (libvips42) is opened
// when first needed: where it is missing, every function says so in words.
//
// It does not: animate, draw, read vector formats or camera raw files, or open paths
// and addresses. Neural networks are `neural`'s.
package pix

/*
#cgo pkg-config: vips
#cgo CFLAGS: -O3
#cgo LDFLAGS: -Wl,--as-needed -lm
#include <stdlib.h>
#include "libvips.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unsafe"

	"musa"
)

// Format is a kind of picture file.
type Format string

// The formats that are read. Written are JPEG, PNG, WebP and AVIF.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	WebP Format = "webp"
	AVIF Format = "avif"
	HEIC Format = "heic"
	TIFF Format = "tiff"
	GIF  Format = "gif"
)

// Formats lists every format that is known, whether or not this machine has the codec.
func Formats() []Format { return []Format{JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF} }

// MediaType is the format's name on the web.
func (f Format) MediaType() string { return "image/" + string(f) }

// MaxSide is the longest side in pixels that a file of the format can have.
func (f Format) MaxSide() int {
	switch f {
	case JPEG:
		return 65535
	case WebP:
		return 16383
	case AVIF, HEIC:
		return 16384
	case GIF:
		return 65535
	default:
		return 1<<31 - 1
	}
}

// Limits bound what one file may cost. A zero field takes its value of DefaultLimits.
type Limits struct {
	Bytes  int64         // of the file
	Pixels int64         // width × height
	Side   int           // the longer side in pixels
	Frames int           // 1 refuses animations; of more frames the first is read
	Time   time.Duration // of one decode
}

// DefaultLimits suit uploads of people: a 100-megapixel photograph passes.
func DefaultLimits() Limits {
	return Limits{Bytes: 64 << 20, Pixels: 120_000_000, Side: 30_000, Frames: 1, Time: 60 * time.Second}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Bytes == 0 {
		l.Bytes = d.Bytes
	}
	if l.Pixels == 0 {
		l.Pixels = d.Pixels
	}
	if l.Side == 0 {
		l.Side = d.Side
	}
	if l.Frames == 0 {
		l.Frames = d.Frames
	}
	if l.Time == 0 {
		l.Time = d.Time
	}
	return l
}

// Config says which libvips is used and how. The zero Config suits most machines.
type Config struct {
	Library string // file name or path of the shared library; "" looks for libvips.so.42
	Threads int    // per pipeline; 0 takes one per core
}

var library struct {
	once       sync.Once
	err        error
	sync.Mutex // guards what follows
	begun      bool
	threads    int
	left       sync.WaitGroup // encoders that a cancel left behind
}

// Start opens libvips for this process. It may be called more than once: the first
// call counts, the others report its outcome. Functions of this package call it with
// the zero Config if nobody did. A missing library is a *musa.Problem of kind
// ErrUnavailable that says what to install.
func Start(c Config) error {
	library.once.Do(func() { library.err = open(c) })
	return library.err
}

func ready() error { return Start(Config{}) }

func open(c Config) error {
	name := c.Library
	if name == "" {
		name = "libvips.so.42"
	}
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	if why := C.pix_open(cname); why != nil {
		return missingLibrary(errors.New(C.GoString(why)))
	}
	// glib reads the environment through C, where Go's changes arrive as well.
	if C.pix_start(C.int(c.Threads)) != 0 {
		return missingLibrary(lastError())
	}
	library.Lock()
	defer library.Unlock()
	library.begun, library.threads = true, c.Threads
	return nil
}

func missingLibrary(cause error) error {
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "image_no_library",
		Public: "This server cannot work on pictures: libvips is missing or cannot be loaded. Whoever runs it installs libvips 8.14 or newer (Debian: apt-get install libvips42) and starts again.",
		Cause:  cause,
	}
}

// Shutdown releases what libvips holds, once encoders that a cancel left behind are
// done. Nothing of this package may run during or after it.
func Shutdown() {
	library.left.Wait()
	library.Lock()
	defer library.Unlock()
	if library.begun {
		library.begun = false
		C.pix_stop()
	}
}

// Version names the libvips in use: "8.14.1".
func Version() (string, error) {
	if err := ready(); err != nil {
		return "", err
	}
	return C.GoString(C.pix_version()), nil
}

// Memory tells how many bytes of pixels libvips holds now and held at most.
func Memory() (now, peak int64) {
	if ready() != nil {
		return 0, 0
	}
	return int64(C.pix_memory()), int64(C.pix_memory_peak())
}

// lastError takes vips' words. They are of the process, not of the call: another
// pipeline may have spoken in between, so nothing is decided by them.
func lastError() error {
	c := C.pix_error()
	defer C.pix_free(unsafe.Pointer(c))
	text := strings.Join(strings.Fields(C.GoString(c)), " ")
	if len(text) > 200 {
		text = text[:200]
	}
	return fmt.Errorf("libvips: %s", text)
}
