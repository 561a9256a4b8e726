package pix

/*
#include <stdlib.h>
#include "libvips.h"
*/
import "C"

import (
	"context"
	_ "embed"
	"sync"
	"unsafe"
)

// Two pictures of 16×16 pixels: whether a HEIF library has the plugin for a coding,
// only a decode tells.
var (
	//go:embed sample.avif
	sampleAVIF []byte
	//go:embed sample.heic
	sampleHEIC []byte
)

var (
	readsAVIF  = sync.OnceValue(func() bool { return drains(AVIF, sampleAVIF) })
	readsHEIC  = sync.OnceValue(func() bool { return drains(HEIC, sampleHEIC) })
	writesAVIF = sync.OnceValue(encodesAVIF)
)

// CanDecode says whether this machine's libvips reads the format.
func CanDecode(f Format) bool {
	if ready() != nil {
		return false
	}
	switch f {
	case AVIF:
		return readsAVIF()
	case HEIC:
		return readsHEIC()
	}
	return has(string(f) + "load_buffer")
}

// CanEncode says whether Encode writes the format here. HEIC, TIFF and GIF are only
// read.
func CanEncode(f Format) bool { return ready() == nil && writable(f) }

func writable(f Format) bool {
	switch f {
	case JPEG, PNG, WebP:
		return has(string(f) + "save_buffer")
	case AVIF:
		return writesAVIF()
	}
	return false
}

func has(operation string) bool {
	c := C.CString(operation)
	defer C.free(unsafe.Pointer(c))
	return C.pix_has(c) != 0
}

func drains(f Format, data []byte) bool {
	return has("heifload_buffer") && run(context.Background(), func(b *C.pix_brake) C.int {
		return C.pix_drain(b, loader(f), unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)))
	}) == nil
}

func encodesAVIF() bool {
	if !has("heifsave_buffer") {
		return false
	}
	i, err := Blank(16, 16, 3)
	if err != nil {
		return false
	}
	defer i.Close()
	_, err = i.save(context.Background(), Encode{Format: AVIF}, 50)
	return err == nil
}
