package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed blob, version 1:
//
//	offset 0   1 byte    version, 1
//	offset 1  32 bytes   random salt
//	then       segments  each 65,536 plain bytes, sealed, and 16 bytes tag; only the last may
//	                     hold fewer, and it holds none only when the whole blob is empty
//
// The blob's own key is HKDF-SHA256(key, salt, "musa blob v1" ‖ asset): it seals this blob
// alone. A segment's nonce is its index (11 bytes, big endian) and one byte that is 1 in
// the last segment, so a nonce occurs once. Associated data: version, index, last, asset.
// Cutting at a segment's end leaves no last segment; appending leaves one in the middle;
// moving one changes its index; splicing in another blob's meets another salt.
const (
	versionBlob = 1
	saltSize    = 32
	headerSize  = 1 + saltSize
	segmentSize = 64 << 10
	sealedSize  = segmentSize + tagSize
)

// segments seals and opens the segments of one blob.
type segments struct {
	gcm   cipher.AEAD
	aad   []byte
	nonce [nonceSize]byte
}

func newSegments(key Key, salt []byte, asset string) (*segments, error) {
	own := key.derive(salt, "musa blob v1\x00"+asset)
	defer own.Zero()
	gcm, err := newGCM(own)
	if err != nil {
		return nil, err
	}
	aad := make([]byte, 10, 10+len(asset))
	aad[0] = versionBlob
	return &segments{gcm: gcm, aad: append(aad, asset...)}, nil
}

type place struct {
	index int64
	last  bool
}

func (s *segments) at(p place) {
	binary.BigEndian.PutUint64(s.nonce[3:11], uint64(p.index))
	s.nonce[11] = 0
	if p.last {
		s.nonce[11] = 1
	}
	binary.BigEndian.PutUint64(s.aad[1:9], uint64(p.index))
	s.aad[9] = s.nonce[11]
}

func (s *segments) seal(dst, plain []byte, p place) []byte {
	s.at(p)
	return s.gcm.Seal(dst, s.nonce[:], plain, s.aad)
}

func (s *segments) open(dst, sealed []byte, p place) ([]byte, error) {
	s.at(p)
	plain, err := s.gcm.Open(dst, s.nonce[:], sealed, s.aad)
	if err != nil {
		return nil, fmt.Errorf("segment %d: %w", p.index, ErrBroken)
	}
	return plain, nil
}

// Writer seals what is written to it, segment by segment, so that no more than one
// segment waits in memory. A blob that was not closed never opens.
type Writer struct {
	dst    io.Writer
	seg    *segments
	plain  []byte // at most one segment, kept back until it is known whether it is the last
	sealed []byte
	index  int64
	err    error
}

// NewWriter begins a blob on dst and writes its header. The asset names what is sealed
// ("as_…/full") and must be given again to open it. Close ends the blob; dst stays open.
func NewWriter(dst io.Writer, key Key, asset string) (*Writer, error) {
	header := make([]byte, headerSize)
	header[0] = versionBlob
	rand.Read(header[1:])
	seg, err := newSegments(key, header[1:], asset)
	if err != nil {
		return nil, err
	}
	if _, err := dst.Write(header); err != nil {
		return nil, fmt.Errorf("seal %s: %w", asset, err)
	}
	return &Writer{dst: dst, seg: seg, plain: make([]byte, 0, segmentSize), sealed: make([]byte, 0, sealedSize)}, nil
}

var errClosed = errors.New("seal: write after close")

// Write seals every segment that p completes and that something follows.
func (w *Writer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 && w.err == nil {
		if len(w.plain) == segmentSize && w.flush(place{index: w.index}) != nil {
			break
		}
		n := min(len(p), segmentSize-len(w.plain))
		w.plain = append(w.plain, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, w.err
}

// Close seals the last segment. Closing twice does nothing.
func (w *Writer) Close() error {
	if errors.Is(w.err, errClosed) {
		return nil
	}
	if w.err != nil {
		return w.err
	}
	if err := w.flush(place{index: w.index, last: true}); err != nil {
		return err
	}
	w.err = errClosed
	return nil
}

func (w *Writer) flush(p place) error {
	w.sealed = w.seg.seal(w.sealed[:0], w.plain, p)
	clear(w.plain)
	w.plain = w.plain[:0]
	w.index++
	if _, err := w.dst.Write(w.sealed); err != nil {
		w.err = fmt.Errorf("seal segment %d: %w", p.index, err)
	}
	return w.err
}

// PlainSize is how many bytes a sealed blob of that size holds. ErrBroken for a size that
// no blob has. It does not replace opening: a blob cut at a segment's end still has a size.
func PlainSize(sealed int64) (int64, error) {
	body := sealed - headerSize
	full, rest := body/sealedSize, body%sealedSize
	switch {
	case body < tagSize, rest != 0 && rest < tagSize, rest == tagSize && full > 0:
		return 0, fmt.Errorf("sealed size: %w", ErrBroken)
	case rest == 0:
		return full * segmentSize, nil
	}
	return full*segmentSize + rest - tagSize, nil
}

// SealedRange is where the segments lie that hold n plain bytes from off. It may reach past
// the blob's end. A negative n means to the end, and gives a negative length.
func SealedRange(off, n int64) (soff, sn int64) {
	first := off / segmentSize
	soff = headerSize + first*sealedSize
	switch {
	case n < 0:
		return soff, -1
	case n == 0:
		return soff, 0
	}
	return soff, ((off+n-1)/segmentSize - first + 1) * sealedSize
}
