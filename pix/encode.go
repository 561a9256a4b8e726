package pix

/*
#include <stdlib.h>
#include "libvips.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"
)

// Mark is the provenance written into a file: IPTC's digital source type, in XMP.
type Mark string

// The marks of IPTC's vocabulary that Musa uses.
const (
	MarkMade   Mark = "trainedAlgorithmicMedia"              // made by a model from words
	MarkEdited Mark = "compositeWithTrainedAlgorithmicMedia" // a picture that a model worked on
)

// Encode says how an Image is written.
type Encode struct {
	Format   Format
	Quality  int  // 1 to 100; 0 takes 90 (AVIF: 70); PNG knows none
	Lossless bool // WebP and AVIF; PNG always is
	Mark     Mark // "" writes none
}

// Encode writes the picture as a file that holds pixels, the mark and nothing else;
// only a marked AVIF carries, besides, vips' own EXIF block of resolution.
// JPEG lays alpha on white. It refuses a picture too large for the format
// (image_side_too_long) and a format that this machine cannot write (image_no_encoder).
func (i *Image) Encode(ctx context.Context, e Encode) ([]byte, error) {
	w, h := i.Size()
	if max(w, h) > e.Format.MaxSide() {
		return nil, problemSide(e.Format)
	}
	quality := e.Quality
	if quality == 0 {
		quality = 90
		if e.Format == AVIF {
			quality = 70
		}
	}
	if !writable(e.Format) {
		return nil, problemFormat(e.Format)
	}
	data, err := i.save(ctx, e, quality)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.Format, err)
	}
	if e.Format == AVIF {
		return data, nil
	}
	// Savers add blocks of their own, asked or not: WebP comes with EXIF.
	if data, err = Strip(ctx, data); err != nil || e.Mark == "" {
		return data, err
	}
	return mark(data, e.Format, packet(e.Mark))
}

// save returns as soon as the context ends. The encoders of WebP and AVIF cannot be
// stopped: they run out behind its back, on a hold of their own on the pixels, and
// Shutdown waits for them.
func (i *Image) save(ctx context.Context, e Encode, quality int) ([]byte, error) {
	if i.closed.Load() {
		return nil, errClosed
	}
	type outcome struct {
		data []byte
		err  error
	}
	done := make(chan outcome, 1)
	pixels := i.vips
	C.pix_ref(pixels)
	runtime.KeepAlive(i)
	library.left.Go(func() {
		defer C.pix_unref(pixels)
		data, err := write(ctx, pixels, e, C.int(quality))
		done <- outcome{data, err}
	})
	select {
	case o := <-done:
		return o.data, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func write(ctx context.Context, pixels *C.VipsImage, e Encode, quality C.int) ([]byte, error) {
	var lossless C.int
	if e.Lossless {
		lossless = 1
	}
	var xmp []byte
	if e.Mark != "" {
		xmp = packet(e.Mark)
	}
	buf := (*unsafe.Pointer)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	size := (*C.size_t)(C.calloc(1, C.sizeof_size_t))
	defer C.free(unsafe.Pointer(buf))
	defer C.free(unsafe.Pointer(size))
	err := run(ctx, func(b *C.pix_brake) C.int {
		switch e.Format {
		case JPEG:
			return C.pix_save_jpeg(b, pixels, quality, buf, size)
		case PNG:
			return C.pix_save_png(b, pixels, buf, size)
		case WebP:
			return C.pix_save_webp(b, pixels, quality, lossless, buf, size)
		default:
			return C.pix_save_avif(b, pixels, quality, lossless, unsafe.Pointer(unsafe.SliceData(xmp)), C.size_t(len(xmp)), buf, size)
		}
	})
	if *buf != nil {
		defer C.pix_free(*buf)
	}
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), unsafe.Slice((*byte)(*buf), int(*size))...), nil
}

// packet is the smallest XMP that carries the mark.
func packet(m Mark) []byte {
	return []byte(`<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/` + string(m) + `"/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>`)
}
