package rights

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"time"
)

// box is an archive while it is written: each file is hashed on its way out. Pictures are
// packed already and travel in deflate's stored blocks, which a reader can follow without
// knowing the size beforehand.
type box struct {
	zip   *zip.Writer
	flat  *flate.Writer // stores
	tight *flate.Writer // packs
	pack  bool          // the next file
	files []File
}

func newBox(w io.Writer) *box {
	flat, err := flate.NewWriter(io.Discard, flate.NoCompression)
	if err != nil {
		panic(err) // only levels out of range fail
	}
	tight, err := flate.NewWriter(io.Discard, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	b := &box{zip: zip.NewWriter(w), flat: flat, tight: tight}
	// One file after the other, so one compressor of each kind serves all: each takes a megabyte.
	b.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		c := b.flat
		if b.pack {
			c = b.tight
		}
		c.Reset(w)
		return c, nil
	})
	return b
}

// sum counts and hashes what passes through it.
type sum struct {
	to   io.Writer
	n    int64
	hash hash.Hash
}

func (s *sum) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.n += int64(n)
	s.hash.Write(p[:n])
	return n, err
}

// put writes one file and returns its line of contents.json.
func (b *box) put(name string, at time.Time, write func(io.Writer) error) (File, error) {
	out, err := b.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
	if err != nil {
		return File{}, err
	}
	s := &sum{to: out, hash: sha256.New()}
	if err := write(s); err != nil {
		return File{}, err
	}
	f := File{Name: name, Bytes: s.n, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
	b.files = append(b.files, f)
	return f, nil
}

// text writes one file that is worth packing.
func (b *box) text(name string, at time.Time, write func(io.Writer) error) error {
	b.pack = true
	_, err := b.put(name, at, write)
	b.pack = false
	return err
}

// json writes one value as a file.
func (b *box) json(name string, at time.Time, v any) error {
	return b.text(name, at, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// list writes values as one JSON array, each as it comes.
func (b *box) list(name string, at time.Time, each func(add func(any) error) error) error {
	return b.text(name, at, func(w io.Writer) error {
		l := &listing{w: w}
		return errors.Join(each(l.add), l.end())
	})
}

// listing is a JSON array that grows.
type listing struct {
	w io.Writer
	n int
}

func (l *listing) add(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	before := ",\n"
	if l.n == 0 {
		before = "[\n"
	}
	l.n++
	_, err = l.w.Write(append([]byte(before), raw...))
	return err
}

func (l *listing) end() error {
	last := "\n]\n"
	if l.n == 0 {
		last = "[]\n"
	}
	_, err := io.WriteString(l.w, last)
	return err
}

// held is a file that grows in memory, packed, while others are written: what is told of
// pictures waits there until the last of them is out.
type held struct {
	buf   bytes.Buffer
	tight *flate.Writer
	crc   hash.Hash32
	sum   *sum
}

func hold() *held {
	h := &held{crc: crc32.NewIEEE()}
	w, err := flate.NewWriter(&h.buf, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	h.tight = w
	h.sum = &sum{to: io.MultiWriter(w, h.crc), hash: sha256.New()}
	return h
}

func (h *held) Write(p []byte) (int, error) { return h.sum.Write(p) }

// release writes the file that was held.
func (b *box) release(name string, at time.Time, h *held) error {
	if err := h.tight.Close(); err != nil {
		return err
	}
	head := &zip.FileHeader{Name: name, Method: zip.Deflate, CRC32: h.crc.Sum32(), CompressedSize64: uint64(h.buf.Len()), UncompressedSize64: uint64(h.sum.n)}
	//lint:ignore SA1019 A raw header is written as it is, and takes its date from nowhere else.
	head.ModifiedDate, head.ModifiedTime = dosTime(at)
	out, err := b.zip.CreateRaw(head)
	if err != nil {
		return err
	}
	b.files = append(b.files, File{Name: name, Bytes: h.sum.n, SHA256: hex.EncodeToString(h.sum.hash.Sum(nil))})
	_, err = h.buf.WriteTo(out)
	return err
}

// dosTime is an instant as a ZIP header holds it: UTC, to two seconds.
func dosTime(at time.Time) (date, clock uint16) {
	at = at.UTC()
	return uint16((at.Year()-1980)<<9 | int(at.Month())<<5 | at.Day()), uint16(at.Hour()<<11 | at.Minute()<<5 | at.Second()/2)
}
