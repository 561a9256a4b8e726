package pix

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

type pngChunk struct {
	name string
	body []byte
	raw  []byte // with length and checksum
}

type pngFile struct {
	chunks []pngChunk
	ended  bool // IEND was met
}

// pngChunks cuts a file into its chunks (ISO/IEC 15948) and stops at IEND.
func pngChunks(data []byte) pngFile {
	var f pngFile
	for at := len(pngSignature); at+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+n > int64(len(data)) {
			return f
		}
		end := at + 12 + int(n)
		c := pngChunk{name: string(data[at+4 : at+8]), body: data[at+8 : end-4], raw: data[at:end]}
		f.chunks = append(f.chunks, c)
		if c.name == "IEND" {
			f.ended = true
			return f
		}
		at = end
	}
	return f
}

// zapped says whether a chunk that pixels need differs from its checksum. Decoders
// overlook it in others, whose names begin in lower case.
func (f pngFile) zapped() bool {
	for _, c := range f.chunks {
		sum := binary.BigEndian.Uint32(c.raw[len(c.raw)-4:])
		if c.name[0] >= 'A' && c.name[0] <= 'Z' && crc32.ChecksumIEEE(c.raw[4:len(c.raw)-4]) != sum {
			return true
		}
	}
	return false
}

func appendChunk(out []byte, name string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	from := len(out)
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[from:]))
}

// pngKept are the chunks that say how pixels look. All others go, known or not.
var pngKept = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "tRNS": true,
	"gAMA": true, "cHRM": true, "sRGB": true, "cICP": true, "sBIT": true,
}

func stripPNG(data []byte) ([]byte, error) {
	f := pngChunks(data)
	if !f.ended {
		return nil, problemTruncated(nil)
	}
	out := append(make([]byte, 0, len(data)), pngSignature...)
	for _, c := range f.chunks {
		switch {
		case pngKept[c.name]:
			out = append(out, c.raw...)
		case c.name == "iCCP":
			// The profile stays, its free-text name does not.
			if i := bytes.IndexByte(c.body, 0); i >= 0 {
				out = appendChunk(out, "iCCP", append([]byte("icc"), c.body[i:]...))
			}
		}
		if c.name == "IHDR" {
			if o := pngOrientation(f); o != 1 {
				out = appendChunk(out, "eXIf", bareExif(o))
			}
		}
	}
	return appendChunk(out, "IEND", nil), nil
}

func pngOrientation(f pngFile) int {
	for _, c := range f.chunks {
		if c.name == "eXIf" {
			return exifOrientation(c.body)
		}
	}
	return 1
}

// pngFrames counts the frames of an APNG; any other PNG has one.
func pngFrames(data []byte) int {
	for _, c := range pngChunks(data).chunks {
		if c.name == "acTL" && len(c.body) >= 4 {
			return max(1, int(binary.BigEndian.Uint32(c.body)))
		}
	}
	return 1
}

// markPNG puts an XMP packet behind IHDR, in the uncompressed form of iTXt.
func markPNG(data, xmp []byte) []byte {
	at := len(pngSignature) + 25
	out := append(make([]byte, 0, len(data)+len(xmp)+64), data[:at]...)
	out = appendChunk(out, "iTXt", append([]byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), xmp...))
	return append(out, data[at:]...)
}
