package pix

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"musa"
)

// Sniff tells a file's format by its first bytes, never by its name; "" if it is none
// of ours.
func Sniff(data []byte) Format {
	has := func(at int, s string) bool { return len(data) >= at+len(s) && string(data[at:at+len(s)]) == s }
	switch {
	case has(0, "\xff\xd8\xff"):
		return JPEG
	case has(0, "\x89PNG\r\n\x1a\n"):
		return PNG
	case has(0, "RIFF") && has(8, "WEBP"):
		return WebP
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return GIF
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return TIFF
	case has(4, "ftyp"):
		return brand(data)
	}
	return ""
}

// brand reads the file type box of ISO/IEC 23008-12: the major brand, then the
// compatible ones.
func brand(data []byte) Format {
	end := min(len(data), int(min(binary.BigEndian.Uint32(data), 1<<10)))
	heif := false
	for at := 8; at+4 <= end; at += 4 {
		switch string(data[at : at+4]) {
		case "avif", "avis":
			return AVIF
		case "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1":
			heif = true
		}
	}
	if heif {
		return HEIC
	}
	return ""
}

func foreign(data []byte) error {
	head := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n"))
	switch {
	case bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")):
		return unsupported("image_is_pdf", "This is a PDF, whatever its name says. Save the page you want as PNG or JPEG and send that.", nil)
	case bytes.HasPrefix(head, []byte("<svg")), bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("<svg")),
		bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("svg")):
		return unsupported("image_is_svg", "This is an SVG drawing, whatever its name says. Export it as PNG and send that.", nil)
	}
	return unsupported("image_unknown", "This is not a picture in a known format. Send JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF.", nil)
}

// admit holds a file to the limits by its bytes alone, before any decoder sees it.
func admit(data []byte, l Limits) (Format, error) {
	if len(data) == 0 {
		return "", problemEmpty()
	}
	if int64(len(data)) > l.Bytes {
		return "", problemBytes(l.Bytes)
	}
	f := Sniff(data)
	if f == "" {
		return "", foreign(data)
	}
	if w, h := extent(data, f); !fits(w, h, l) {
		return "", problemPixels(l)
	}
	// Decoders forgive a missing end with grey pixels, and not always the same way.
	if (f == JPEG || f == PNG || f == WebP) && !whole(data, f) {
		return "", problemTruncated(nil)
	}
	return f, nil
}

func fits(w, h int64, l Limits) bool {
	return max(w, h) <= int64(l.Side) && w*h <= l.Pixels
}

// extent is width and height as the header declares them, or zero if they cannot be
// read, which the decoder will then find out as well.
func extent(data []byte, f Format) (w, h int64) {
	be := binary.BigEndian
	switch f {
	case JPEG:
		for _, s := range jpegSegments(data).segments {
			if s.frame() && len(s.body) >= 5 {
				return int64(be.Uint16(s.body[3:])), int64(be.Uint16(s.body[1:]))
			}
		}
	case PNG:
		if len(data) >= 24 {
			return int64(be.Uint32(data[16:])), int64(be.Uint32(data[20:]))
		}
	case GIF:
		if len(data) >= 10 {
			return int64(binary.LittleEndian.Uint16(data[6:])), int64(binary.LittleEndian.Uint16(data[8:]))
		}
	case WebP:
		w, h, _ := webpCanvas(webpChunks(data).chunks)
		return int64(w), int64(h)
	case TIFF:
		return tiffExtent(data)
	case AVIF, HEIC:
		return heifExtent(data)
	}
	return 0, 0
}

// heifExtent is the largest of all image spatial extents ("ispe"): tiles and
// thumbnails declare their own, and none may be too large.
func heifExtent(data []byte) (w, h int64) {
	for rest := data; ; {
		at := bytes.Index(rest, []byte("ispe"))
		if at < 0 || len(rest) < at+16 {
			return w, h
		}
		a, b := int64(binary.BigEndian.Uint32(rest[at+8:])), int64(binary.BigEndian.Uint32(rest[at+12:]))
		// Compressed data may hold the four letters too; absurd figures are chance.
		if a > 0 && b > 0 && a*b > w*h && a < 1<<20 && b < 1<<20 {
			w, h = a, b
		}
		rest = rest[at+4:]
	}
}

// sequence says that a HEIF file is foremost a moving one.
func sequence(data []byte) bool {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return false
	}
	switch string(data[8:12]) {
	case "avis", "msf1", "hevc", "hevx":
		return true
	}
	return false
}

// judge turns a decoder's failure into words. It looks at the file, not at the
// decoder's text, which may be another call's.
func judge(data []byte, f Format, err error) error {
	var p *musa.Problem
	if errors.As(err, &p) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch {
	case !CanDecode(f), f == HEIC && !heifCodec(data):
		return problemCodec(f)
	case !whole(data, f):
		return problemTruncated(err)
	default:
		return problemDamaged(err)
	}
}

// heifCodec says whether the file's pictures are in a coding that Musa knows of.
func heifCodec(data []byte) bool {
	return bytes.Contains(data, []byte("hvc1")) || bytes.Contains(data, []byte("av01"))
}

// whole says whether the file's own structure reaches its end.
func whole(data []byte, f Format) bool {
	switch f {
	case JPEG:
		return jpegSegments(data).ended
	case PNG:
		return pngChunks(data).ended
	case WebP:
		return webpChunks(data).ended
	case GIF:
		return bytes.HasSuffix(bytes.TrimRight(data, "\x00"), []byte{0x3b})
	case TIFF:
		return tiffWhole(data)
	default:
		return heifWhole(data)
	}
}

func heifWhole(data []byte) bool {
	for len(data) > 0 {
		if len(data) < 8 {
			return false
		}
		n := uint64(binary.BigEndian.Uint32(data))
		if n == 1 && len(data) >= 16 {
			n = binary.BigEndian.Uint64(data[8:])
		}
		if n == 0 {
			return true // to the end of the file
		}
		if n < 8 || n > uint64(len(data)) {
			return false
		}
		data = data[n:]
	}
	return true
}
