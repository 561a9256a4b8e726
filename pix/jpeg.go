package pix

import (
	"bytes"
	"encoding/binary"
)

// A jpegSegment is a marker and what follows it (ITU-T T.81, annex B). Scans carry
// their entropy-coded bytes as coded.
type jpegSegment struct {
	marker byte
	body   []byte // without marker and length
	coded  []byte // after SOS: the scan's data with its restart markers
}

type jpegFile struct {
	segments []jpegSegment
	ended    bool // an end-of-image marker was met
}

const (
	markerSOI, markerEOI, markerSOS, markerCOM = 0xd8, 0xd9, 0xda, 0xfe
	markerAPP0, markerAPP1, markerAPP2         = 0xe0, 0xe1, 0xe2
	markerAPP14, markerAPP15                   = 0xee, 0xef
)

// frame says that the segment is a start of frame, SOF0 to SOF15.
func (s jpegSegment) frame() bool {
	return s.marker >= 0xc0 && s.marker <= 0xcf && s.marker != 0xc4 && s.marker != 0xc8 && s.marker != 0xcc
}

// jpegSegments cuts a file at its markers and stops at the first end of image: what
// follows (a second picture, a video, anything) is not part of the picture.
func jpegSegments(data []byte) jpegFile {
	var f jpegFile
	at := 2
	for {
		// Decoders skip stray bytes before a marker and fill bytes within it; so do we.
		for at+1 < len(data) && (data[at] != 0xff || data[at+1] == 0xff || data[at+1] == 0) {
			at++
		}
		if at+1 >= len(data) {
			return f
		}
		marker := data[at+1]
		at += 2
		if marker == markerEOI {
			f.ended = true
			return f
		}
		if marker == markerSOI || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7 {
			continue
		}
		if at+2 > len(data) {
			return f
		}
		n := int(binary.BigEndian.Uint16(data[at:]))
		if n < 2 || at+n > len(data) {
			return f
		}
		s := jpegSegment{marker: marker, body: data[at+2 : at+n]}
		at += n
		if marker == markerSOS {
			end := scanEnd(data, at)
			s.coded = data[at:end]
			at = end
		}
		f.segments = append(f.segments, s)
	}
}

// scanEnd finds the next marker that is neither a stuffed 0xff nor a restart.
func scanEnd(data []byte, at int) int {
	for {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return len(data)
		}
		at += i
		if next := data[at+1]; next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7) {
			return at
		}
		at++
	}
}

var (
	exifHead = []byte("Exif\x00\x00")
	xmpHead  = []byte("http://ns.adobe.com/xap/1.0/\x00")
	iccHead  = []byte("ICC_PROFILE\x00")
	jfifHead = []byte("JFIF\x00")
	adobe    = []byte("Adobe")
)

func appendSegment(out []byte, marker byte, body []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(out, body...)
}

// stripJPEG keeps the coded picture, its colour profile and its orientation, and
// writes each kept header anew as far as it can hide anything.
func stripJPEG(data []byte) ([]byte, error) {
	f := jpegSegments(data)
	out := append(make([]byte, 0, len(data)), 0xff, markerSOI)
	if o := jpegOrientation(f); o != 1 {
		out = appendSegment(out, markerAPP1, append(append([]byte(nil), exifHead...), bareExif(o)...))
	}
	scans := 0
	for _, s := range f.segments {
		switch {
		case s.marker == markerAPP0 && bytes.HasPrefix(s.body, jfifHead) && len(s.body) >= 14:
			// The last two bytes are the size of a thumbnail: none.
			out = appendSegment(out, s.marker, append(append([]byte(nil), s.body[:12]...), 0, 0))
		case s.marker == markerAPP2 && bytes.HasPrefix(s.body, iccHead):
			out = appendSegment(out, s.marker, s.body)
		case s.marker == markerAPP14 && bytes.HasPrefix(s.body, adobe) && len(s.body) >= 12:
			// How colours are coded; anything after its 12 bytes is not ours.
			out = appendSegment(out, s.marker, s.body[:12])
		case s.marker >= markerAPP0 && s.marker <= markerAPP15, s.marker >= 0xf0:
		default:
			out = appendSegment(out, s.marker, s.body)
			out = append(out, s.coded...)
			if s.marker == markerSOS {
				scans++
			}
		}
	}
	if scans == 0 {
		return nil, problemTruncated(nil)
	}
	return append(out, 0xff, markerEOI), nil
}

func jpegOrientation(f jpegFile) int {
	for _, s := range f.segments {
		if s.marker == markerAPP1 && bytes.HasPrefix(s.body, exifHead) {
			return exifOrientation(s.body[len(exifHead):])
		}
	}
	return 1
}

// markJPEG puts an XMP packet behind the JFIF header.
func markJPEG(data, xmp []byte) []byte {
	at := 2
	if f := jpegSegments(data); len(f.segments) > 0 && f.segments[0].marker == markerAPP0 {
		at += 4 + len(f.segments[0].body)
	}
	out := append(make([]byte, 0, len(data)+len(xmp)+64), data[:at]...)
	out = appendSegment(out, markerAPP1, append(append([]byte(nil), xmpHead...), xmp...))
	return append(out, data[at:]...)
}
