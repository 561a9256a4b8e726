package pix

import (
	"encoding/binary"
)

type webpChunk struct {
	name string
	body []byte
}

type webpFile struct {
	chunks []webpChunk
	ended  bool // the container's declared length is there
}

// Flags of VP8X, the extended header.
const (
	webpAnimation = 0x02
	webpXMP       = 0x04
	webpEXIF      = 0x08
	webpAlpha     = 0x10
	webpICC       = 0x20
)

// webpChunks cuts a RIFF container; what lies behind its declared end is left out.
func webpChunks(data []byte) webpFile {
	if len(data) < 12 {
		return webpFile{}
	}
	size := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	f := webpFile{ended: size <= int64(len(data))}
	f.chunks, _ = riffChunks(data[12:max(12, min(size, int64(len(data))))])
	return f
}

func riffChunks(data []byte) (chunks []webpChunk, whole bool) {
	for len(data) >= 8 {
		n := int64(binary.LittleEndian.Uint32(data[4:]))
		if n > int64(len(data)-8) {
			return chunks, false
		}
		chunks = append(chunks, webpChunk{string(data[:4]), data[8 : 8+n]})
		data = data[min(8+n+n&1, int64(len(data))):]
	}
	return chunks, true
}

func appendRIFF(out []byte, name string, body []byte) []byte {
	out = append(out, name...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, body...)
	if len(body)&1 == 1 {
		out = append(out, 0)
	}
	return out
}

func riff(chunks []byte) []byte {
	out := append(make([]byte, 0, len(chunks)+12), "RIFF"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(chunks)+4))
	return append(append(out, "WEBP"...), chunks...)
}

func stripWebP(data []byte) ([]byte, error) {
	f := webpChunks(data)
	if !f.ended {
		return nil, problemTruncated(nil)
	}
	orientation := webpOrientation(f)
	var out []byte
	pictures := 0
	for _, c := range f.chunks {
		switch c.name {
		case "VP8X":
			if len(c.body) < 10 {
				return nil, problemDamaged(nil)
			}
			head := append([]byte{c.body[0] & (webpICC | webpAlpha | webpAnimation), 0, 0, 0}, c.body[4:10]...)
			if orientation != 1 {
				head[0] |= webpEXIF
			}
			if head[0] != 0 { // without flags the simple layout says as much
				out = appendRIFF(out, c.name, head)
			}
		case "VP8 ", "VP8L":
			pictures++
			out = appendRIFF(out, c.name, c.body)
		case "ALPH", "ICCP", "ANIM":
			out = appendRIFF(out, c.name, c.body)
		case "ANMF":
			pictures++
			out = appendRIFF(out, c.name, stripFrame(c.body))
		}
	}
	if pictures == 0 {
		return nil, problemDamaged(nil)
	}
	if orientation != 1 {
		out = appendRIFF(out, "EXIF", bareExif(orientation))
	}
	return riff(out), nil
}

// stripFrame drops what a frame of an animation carries besides its picture.
func stripFrame(body []byte) []byte {
	if len(body) < 16 {
		return body
	}
	out := append([]byte(nil), body[:16]...)
	chunks, _ := riffChunks(body[16:])
	for _, c := range chunks {
		switch c.name {
		case "VP8 ", "VP8L", "ALPH":
			out = appendRIFF(out, c.name, c.body)
		}
	}
	return out
}

func webpOrientation(f webpFile) int {
	for _, c := range f.chunks {
		if c.name == "EXIF" {
			return exifOrientation(trimExif(c.body))
		}
	}
	return 1
}

// trimExif takes away the head that JPEG puts before EXIF; some writers keep it.
func trimExif(body []byte) []byte {
	if len(body) > len(exifHead) && string(body[:len(exifHead)]) == string(exifHead) {
		return body[len(exifHead):]
	}
	return body
}

// webpCanvas is the size of the picture, and whether it has alpha.
func webpCanvas(chunks []webpChunk) (w, h int, alpha bool) {
	le := binary.LittleEndian
	for _, c := range chunks {
		b := c.body
		switch {
		case c.name == "VP8X" && len(b) >= 10:
			return int(le.Uint32(b[3:])>>8) + 1, int(le.Uint32(b[6:])>>8) + 1, b[0]&webpAlpha != 0
		case c.name == "VP8 " && len(b) >= 10:
			return int(le.Uint16(b[6:]) & 0x3fff), int(le.Uint16(b[8:]) & 0x3fff), false
		case c.name == "VP8L" && len(b) >= 5:
			bits := le.Uint32(b[1:])
			return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, bits>>28&1 == 1
		}
	}
	return 0, 0, false
}

// markWebP adds an XMP chunk, and the extended header that it calls for.
func markWebP(data, xmp []byte) []byte {
	chunks := webpChunks(data).chunks
	w, h, alpha := webpCanvas(chunks)
	head := make([]byte, 10)
	put24 := func(at, v int) { head[at], head[at+1], head[at+2] = byte(v), byte(v>>8), byte(v>>16) }
	put24(4, w-1)
	put24(7, h-1)
	if alpha {
		head[0] |= webpAlpha
	}
	var rest []byte
	for _, c := range chunks {
		if c.name == "VP8X" {
			copy(head, c.body)
			continue
		}
		rest = appendRIFF(rest, c.name, c.body)
	}
	head[0] |= webpXMP
	out := append(appendRIFF(nil, "VP8X", head), rest...)
	return riff(appendRIFF(out, "XMP ", xmp))
}
