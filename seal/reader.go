package seal

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Opener gives n sealed bytes from off; a negative n means to the end.
type Opener func(off, n int64) (io.ReadCloser, error)

// Reader opens a sealed blob. Read and Seek walk it as one stream: a run of reads costs
// one Opener call, and only a seek out of the current segment begins another run. ReadAt
// fetches its own range and may be called from several goroutines; Read, Seek and Close
// may not. Every byte it gives was authenticated at its position.
type Reader struct {
	open  Opener
	key   Key
	asset string
	salt  [saltSize]byte
	plain int64 // bytes in the blob
	count int64 // segments in the blob

	seg    *segments
	pos    int64         // plain position of the next Read
	run    io.ReadCloser // sealed bytes from segment next on; nil between runs
	next   int64
	have   []byte // the open segment, plain
	haveAt int64  // its index; -1 when none is open
	sealed []byte

	pool sync.Pool // buffers of ReadAt
}

// NewReader begins to open a sealed blob of size bytes and reads its header. ErrBroken for
// a size or header that no blob has; a wrong key or asset shows at the first read.
func NewReader(open func(off, n int64) (io.ReadCloser, error), size int64, key Key, asset string) (*Reader, error) {
	plain, err := PlainSize(size)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", asset, err)
	}
	r := &Reader{
		open: open, key: key, asset: asset, plain: plain, haveAt: -1,
		count: max(1, (plain+segmentSize-1)/segmentSize), sealed: make([]byte, sealedSize),
	}
	r.pool.New = func() any { b := make([]byte, sealedSize); return &b }
	// The run goes on to the first segments, so that reading all costs one call.
	run, err := open(0, -1)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", asset, err)
	}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(run, header); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: header: %w", asset, short(err)), run.Close())
	}
	if header[0] != versionBlob {
		return nil, errors.Join(fmt.Errorf("open %s: format version %d: %w", asset, header[0], ErrBroken), run.Close())
	}
	copy(r.salt[:], header[1:])
	if r.seg, err = newSegments(key, r.salt[:], asset); err != nil {
		return nil, errors.Join(err, run.Close())
	}
	r.run = run
	return r, nil
}

// Format hides the key and the open segment from fmt.
func (r *Reader) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "[sealed %s]", r.asset) }

// Size is how many plain bytes the blob holds, as its sealed size tells.
func (r *Reader) Size() int64 { return r.plain }

// Read gives the next bytes. At the end it has opened the last segment, so io.EOF also
// says that nothing was cut off.
func (r *Reader) Read(p []byte) (int, error) {
	if r.pos >= r.plain && r.pos > 0 {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if index := r.pos / segmentSize; index != r.haveAt {
		if err := r.fetch(index); err != nil {
			return 0, fmt.Errorf("read %s: %w", r.asset, err)
		}
	}
	n := copy(p, r.have[r.pos%segmentSize:])
	if n == 0 {
		return 0, io.EOF
	}
	r.pos += int64(n)
	return n, nil
}

// Seek moves the next Read; it costs nothing by itself.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.plain
	default:
		return 0, errors.New("seal: seek from nowhere")
	}
	if offset < 0 {
		return 0, errors.New("seal: seek before the start")
	}
	r.pos = offset
	return offset, nil
}

// ReadAt gives the bytes at off by one ranged call, apart from Read's position.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("seal: read before the start")
	}
	if off >= r.plain {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), r.plain-off)]
	if len(want) == 0 {
		return 0, nil
	}
	soff, sn := SealedRange(off, int64(len(want)))
	run, err := r.open(soff, sn)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", r.asset, err)
	}
	n, err = r.fill(want, off, run)
	if err := errors.Join(err, run.Close()); err != nil {
		return n, fmt.Errorf("read %s: %w", r.asset, err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// fill opens the segments on run into want. It keys its own cipher: Read's is not shared.
func (r *Reader) fill(want []byte, off int64, run io.Reader) (int, error) {
	seg, err := newSegments(r.key, r.salt[:], r.asset)
	if err != nil {
		return 0, err
	}
	buf := r.pool.Get().(*[]byte)
	defer r.pool.Put(buf)
	n := 0
	for n < len(want) {
		at := off + int64(n)
		plain, err := r.segment(seg, run, *buf, at/segmentSize)
		if err != nil {
			return n, err
		}
		n += copy(want[n:], plain[at%segmentSize:])
		clear(plain)
	}
	return n, nil
}

// fetch opens the segment with that index, going on with the run where it can.
func (r *Reader) fetch(index int64) error {
	r.forget()
	if r.run != nil && r.next != index {
		if err := r.stop(); err != nil {
			return err
		}
	}
	if r.run == nil {
		soff, _ := SealedRange(index*segmentSize, 1)
		run, err := r.open(soff, -1)
		if err != nil {
			return err
		}
		r.run, r.next = run, index
	}
	plain, err := r.segment(r.seg, r.run, r.sealed, index)
	if err != nil {
		return errors.Join(err, r.stop())
	}
	r.have, r.haveAt, r.next = plain, index, index+1
	return nil
}

// segment reads one sealed segment from run and opens it in place in buf.
func (r *Reader) segment(seg *segments, run io.Reader, buf []byte, index int64) ([]byte, error) {
	size, last := int64(sealedSize), index == r.count-1
	if last {
		size = r.plain - index*segmentSize + tagSize
	}
	buf = buf[:size]
	if _, err := io.ReadFull(run, buf); err != nil {
		return nil, fmt.Errorf("segment %d: %w", index, short(err))
	}
	return seg.open(buf[:0], buf, place{index: index, last: last})
}

// short turns an early end into ErrBroken: the size promised more bytes.
func short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrBroken
	}
	return err
}

func (r *Reader) forget() {
	clear(r.have)
	r.have, r.haveAt = nil, -1
}

func (r *Reader) stop() error {
	if r.run == nil {
		return nil
	}
	err := r.run.Close()
	r.run = nil
	return err
}

// Close ends the run and wipes the key and the open segment. Reading afterwards fails.
func (r *Reader) Close() error {
	r.forget()
	r.key.Zero()
	r.seg = nil
	r.open = func(int64, int64) (io.ReadCloser, error) { return nil, errors.New("reader is closed") }
	return r.stop()
}
