package pix

import "encoding/binary"

// tiffReader walks one image file directory of TIFF 6.0, which EXIF uses as well.
type tiffReader struct {
	data  []byte
	order binary.ByteOrder
}

func newTIFF(data []byte) (tiffReader, bool) {
	if len(data) < 8 {
		return tiffReader{}, false
	}
	switch string(data[:4]) {
	case "II*\x00":
		return tiffReader{data, binary.LittleEndian}, true
	case "MM\x00*":
		return tiffReader{data, binary.BigEndian}, true
	}
	return tiffReader{}, false
}

// tag returns the unsigned values of a tag in the first directory; whole is false if
// the directory or the values lie beyond the file's end.
func (t tiffReader) tag(want uint16) (values []int64, whole bool) {
	at := int64(t.order.Uint32(t.data[4:]))
	size := int64(len(t.data))
	if at+2 > size {
		return nil, false
	}
	n := int64(t.order.Uint16(t.data[at:]))
	for i := range n {
		entry := at + 2 + 12*i
		if entry+12 > size {
			return nil, false
		}
		e := t.data[entry : entry+12]
		if t.order.Uint16(e) != want {
			continue
		}
		width := map[uint16]int64{1: 1, 3: 2, 4: 4}[t.order.Uint16(e[2:])]
		count := int64(t.order.Uint32(e[4:]))
		values := e[8:]
		if width*count > 4 {
			off := int64(t.order.Uint32(e[8:]))
			if off+width*count > size {
				return nil, false
			}
			values = t.data[off : off+width*count]
		}
		return t.numbers(values, width, count), true
	}
	return nil, true
}

func (t tiffReader) numbers(b []byte, width, count int64) []int64 {
	var out []int64
	for i := range count {
		switch width {
		case 1:
			out = append(out, int64(b[i]))
		case 2:
			out = append(out, int64(t.order.Uint16(b[2*i:])))
		case 4:
			out = append(out, int64(t.order.Uint32(b[4*i:])))
		}
	}
	return out
}

func (t tiffReader) first(want uint16) int64 {
	if v, _ := t.tag(want); len(v) > 0 {
		return v[0]
	}
	return 0
}

// Tags of TIFF 6.0.
const (
	tagWidth, tagHeight                    = 256, 257
	tagStripOffsets, tagStripCounts        = 273, 279
	tagTileOffsets, tagTileCounts          = 324, 325
	tagOrientation                  uint16 = 274
)

func tiffExtent(data []byte) (w, h int64) {
	t, ok := newTIFF(data)
	if !ok {
		return 0, 0
	}
	return t.first(tagWidth), t.first(tagHeight)
}

// tiffWhole says whether the first picture's strips or tiles all lie in the file.
func tiffWhole(data []byte) bool {
	t, ok := newTIFF(data)
	if !ok {
		return false
	}
	for _, pair := range [][2]uint16{{tagStripOffsets, tagStripCounts}, {tagTileOffsets, tagTileCounts}} {
		offsets, a := t.tag(pair[0])
		counts, b := t.tag(pair[1])
		if !a || !b {
			return false
		}
		for i := range min(len(offsets), len(counts)) {
			if offsets[i]+counts[i] > int64(len(data)) {
				return false
			}
		}
	}
	return true
}

// exifOrientation reads the one field of EXIF that belongs to the pixels: 1 to 8.
func exifOrientation(tiff []byte) int {
	t, ok := newTIFF(tiff)
	if !ok {
		return 1
	}
	if o := int(t.first(tagOrientation)); o >= 1 && o <= 8 {
		return o
	}
	return 1
}

// bareExif is an EXIF block that holds the orientation and nothing else.
func bareExif(orientation int) []byte {
	return []byte{
		'I', 'I', '*', 0, 8, 0, 0, 0, // header; the directory begins at 8
		1, 0, // one entry
		0x12, 0x01, 3, 0, 1, 0, 0, 0, byte(orientation), 0, 0, 0,
		0, 0, 0, 0, // no further directory, so no thumbnail
	}
}
