package rights

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"musa"
)

// unbox reads a ZIP archive as it arrives, from its local headers: an archive is never laid
// on a disk, where it would lie in clear, and its directory comes only at the end. What it
// says of itself there is not believed, since nobody reads it.
type unbox struct {
	r    *bufio.Reader
	flat io.ReadCloser
}

func newUnbox(r io.Reader) *unbox {
	b := bufio.NewReaderSize(r, 64<<10)
	return &unbox{r: b, flat: flate.NewReader(b)}
}

// The layout of a ZIP file, as far as a stream needs it (APPNOTE 4.3).
const (
	localMark  = 0x04034b50
	centralSig = 0x02014b50
	emptyEnd   = 0x06054b50
	descriptor = 0x08074b50

	flagSealed = 1 << 0 // encrypted
	flagLater  = 1 << 3 // sizes and checksum follow the bytes

	methodStore   = 0
	methodDeflate = 8

	unknown32 = 1<<32 - 1
	zip64ID   = 1
)

// parcelFile is one file of an archive while it is read; read it to its end before the next.
type parcelFile struct {
	name string
	src  *unbox
	body io.Reader
	crc  hash.Hash32
	left int64  // of a stored one
	want uint32 // its checksum, where it came first
	late bool   // the checksum follows
	wide bool   // its sizes take eight bytes
	n    uint64
	size uint64
	done bool
}

// next finds the next file; io.EOF after the last.
func (u *unbox) next() (*parcelFile, error) {
	var h [30]byte
	if _, err := io.ReadFull(u.r, h[:4]); err != nil {
		return nil, cut(err)
	}
	switch mark := binary.LittleEndian.Uint32(h[:]); mark {
	case localMark:
	case centralSig, emptyEnd:
		return nil, io.EOF
	default:
		return nil, notAnArchive()
	}
	if _, err := io.ReadFull(u.r, h[4:]); err != nil {
		return nil, cut(err)
	}
	flags, method := binary.LittleEndian.Uint16(h[6:]), binary.LittleEndian.Uint16(h[8:])
	f := &parcelFile{src: u, crc: crc32.NewIEEE(), want: binary.LittleEndian.Uint32(h[14:]), late: flags&flagLater != 0}
	packed, size := uint64(binary.LittleEndian.Uint32(h[18:])), uint64(binary.LittleEndian.Uint32(h[22:]))
	name := make([]byte, binary.LittleEndian.Uint16(h[26:]))
	extra := make([]byte, binary.LittleEndian.Uint16(h[28:]))
	if _, err := io.ReadFull(u.r, name); err != nil {
		return nil, cut(err)
	}
	if _, err := io.ReadFull(u.r, extra); err != nil {
		return nil, cut(err)
	}
	f.name = string(name)
	packed, size, f.wide = wide(extra, packed, size)
	f.size, f.left = size, int64(packed)
	switch {
	case flags&flagSealed != 0:
		return nil, badArchive("archive_sealed", "This archive is locked with a password. Send it as it was exported.")
	case method == methodStore && !f.late:
		f.body = io.LimitReader(u.r, f.left)
	case method == methodDeflate:
		if err := u.flat.(flate.Resetter).Reset(u.r, nil); err != nil {
			return nil, err
		}
		f.body = u.flat
	default:
		return nil, badArchive("archive_packing", "This archive is packed in a way that cannot be read as it arrives. Send it as it was exported.")
	}
	return f, nil
}

// wide reads sizes that do not fit into four bytes.
func wide(extra []byte, packed, size uint64) (uint64, uint64, bool) {
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			break
		}
		if id == zip64ID {
			for field, at := []*uint64{&size, &packed}, extra[:n]; len(field) > 0 && len(at) >= 8; field = field[1:] {
				if *field[0] == unknown32 {
					*field[0] = binary.LittleEndian.Uint64(at)
					at = at[8:]
				}
			}
			return packed, size, true
		}
		extra = extra[n:]
	}
	return packed, size, false
}

// Read reads the file's own bytes, and at their end compares them with its checksum.
func (f *parcelFile) Read(p []byte) (int, error) {
	if f.done {
		return 0, io.EOF
	}
	n, err := f.body.Read(p)
	f.n += uint64(n)
	f.crc.Write(p[:n])
	if errors.Is(err, io.EOF) {
		f.done = true
		if err := f.check(); err != nil {
			return n, err
		}
		return n, io.EOF
	}
	if err != nil {
		return n, cut(err)
	}
	return n, nil
}

// check compares what came with what the archive says of it.
func (f *parcelFile) check() error {
	want, size := f.want, f.size
	if f.late {
		var raw [24]byte
		if _, err := io.ReadFull(f.src.r, raw[:4]); err != nil {
			return cut(err)
		}
		if binary.LittleEndian.Uint32(raw[:]) == descriptor {
			if _, err := io.ReadFull(f.src.r, raw[:4]); err != nil {
				return cut(err)
			}
		}
		want = binary.LittleEndian.Uint32(raw[:])
		sizes := raw[:8]
		if f.wide {
			sizes = raw[:16]
		}
		if _, err := io.ReadFull(f.src.r, sizes); err != nil {
			return cut(err)
		}
		size = uint64(binary.LittleEndian.Uint32(sizes[4:]))
		if f.wide {
			size = binary.LittleEndian.Uint64(sizes[8:])
		}
	}
	if f.crc.Sum32() != want || f.n != size {
		return badArchive("archive_damaged", "A file in this archive is damaged: its bytes are not those that were packed. Export again, or send another copy.")
	}
	return nil
}

func badArchive(code, public string) error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: code, Field: "archive", Public: public + " Nothing was taken over."}
}

func notAnArchive() error {
	return badArchive("archive_unreadable", "This is no ZIP archive that Musa exported.")
}

// cut words the end of the bytes before the end of the archive.
func cut(err error) error {
	var p *musa.Problem
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &p):
		return err
	case errors.As(err, &corrupt):
		return badArchive("archive_damaged", "A file in this archive is damaged and cannot be unpacked. Export again, or send another copy.")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badArchive("archive_cut", "The archive ends before it is complete. Send it again.")
	}
	return fmt.Errorf("read archive: %w", badArchive("archive_cut", "The archive broke off before it was complete. Send it again."))
}
