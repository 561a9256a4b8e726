package proof

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"

	"musa/blob"
)

// window is how many bytes in a row count as a remain.
const window = 32

// A window of 32 bytes anywhere in a trace holds 8 bytes that begin at a multiple of 24.
// Those are noted; at each byte of a file the next 8 are looked up, first in a bit map
// that fits the processor's cache, and what is met is compared byte by byte.
const (
	anchor = 8
	stride = window - anchor
)

// Scanner looks for traces in raw bytes: any 32 in a row of one, or all of a shorter one.
// Runs with fewer than four different bytes in eight, such as zeros or plain white, are
// met everywhere and tell nothing; they are not looked for. Safe for concurrent use.
type Scanner struct {
	traces []Trace
	forms  []form
	shift  int
	filter []uint64 // two bits in one word for each noted anchor, by its hash
	places map[uint64][]spot
	seen   []bool // of each trace, whether it has an anchor
}

type form struct {
	data  []byte
	trace int
}

type spot struct{ form, at int32 }

// Hit is one trace met in one place.
type Hit struct {
	ID, Kind string // of the trace
	Where    string // the file or blob
	Offset   int64
}

// NewScanner prepares to look for traces.
func NewScanner(traces ...Trace) *Scanner {
	s := &Scanner{traces: traces, places: map[uint64][]spot{}, seen: make([]bool, len(traces))}
	for i, t := range traces {
		for _, data := range t.forms() {
			s.forms = append(s.forms, form{data, i})
			s.note(len(s.forms)-1, data)
		}
	}
	size := max(16, bits.Len(uint(len(s.places)))+5)
	s.shift, s.filter = 64-(size-6), make([]uint64, 1<<(size-6))
	for key := range s.places {
		h := key * mix
		s.filter[h>>s.shift] |= bitsOf(h)
	}
	return s
}

const mix = 0x9e3779b97f4a7c15

// bitsOf are an anchor's two bits, from parts of its hash that do not choose the word.
func bitsOf(h uint64) uint64 { return 1<<(h>>20&63) | 1<<(h>>26&63) }

func (s *Scanner) note(form int, data []byte) {
	step, short := stride, len(data) < window
	if short {
		step = 1
	}
	for at := 0; at+anchor <= len(data); at += step {
		if !varied(data[at : at+anchor]) {
			continue
		}
		key := binary.LittleEndian.Uint64(data[at:])
		s.places[key] = append(s.places[key], spot{int32(form), int32(at)})
		s.seen[s.forms[form].trace] = true
		if short {
			return
		}
	}
}

// Blind lists the traces that cannot be looked for: shorter than 8 bytes, or too uniform.
// A proof by this scanner says nothing about them.
func (s *Scanner) Blind() []Trace {
	var blind []Trace
	for i, t := range s.traces {
		if !s.seen[i] {
			blind = append(blind, t)
		}
	}
	return blind
}

func varied(b []byte) bool {
	var seen [4]uint64
	n := 0
	for _, c := range b {
		if bit := uint64(1) << (c & 63); seen[c>>6]&bit == 0 {
			seen[c>>6] |= bit
			n++
		}
	}
	return n >= 4
}

// chunk is how much of a file is looked at in one go.
const chunk = 1 << 20

// Reader looks through a stream and gives each trace's first place in it.
func (s *Scanner) Reader(where string, r io.Reader) ([]Hit, error) {
	met := map[int]int64{}
	buf, release := buffer()
	defer release()
	base := int64(0)
	for {
		n, err := fill(r, buf[len(buf):min(cap(buf), len(buf)+chunk)])
		buf = buf[:len(buf)+n]
		s.search(buf, base, met)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("scan %s: %w", where, err)
		}
		// What lies across two chunks is seen whole in the second.
		keep := min(len(buf), 2*window-1)
		base += int64(len(buf) - keep)
		buf = buf[:copy(buf[:keep], buf[len(buf)-keep:])]
	}
	return s.hits(where, met), nil
}

// fill reads until p is full or the source ends, which is io.EOF. What io.ReadFull says of a short
// read is also what a source says that broke off, and half a file is not free of remains.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// hits lists the first place of each trace that was met.
func (s *Scanner) hits(where string, met map[int]int64) []Hit {
	var hits []Hit
	for i, t := range s.traces {
		if at, ok := met[i]; ok {
			hits = append(hits, Hit{ID: t.ID, Kind: t.Kind, Where: where, Offset: at})
		}
	}
	return hits
}

func (s *Scanner) search(b []byte, base int64, met map[int]int64) {
	if len(s.places) == 0 {
		return
	}
	filter, shift := s.filter, uint(s.shift)
	mask := uint64(len(filter) - 1)
	for at := 0; at+anchor <= len(b); at++ {
		key := binary.LittleEndian.Uint64(b[at : at+anchor])
		h := key * mix
		if set := bitsOf(h); filter[h>>(shift&63)&mask]&set != set {
			continue
		}
		for _, p := range s.places[key] {
			f := s.forms[p.form]
			if _, done := met[f.trace]; done {
				continue
			}
			if from, ok := run(b, at, f.data, int(p.at)); ok {
				met[f.trace] = base + int64(from)
			}
		}
	}
}

// run says whether data agrees with b, at those places, over a whole window or all of a
// shorter data, and where in b the agreement begins.
func run(b []byte, at int, data []byte, in int) (from int, ok bool) {
	left, right := 0, anchor
	for left < window && in-left > 0 && at-left > 0 && data[in-left-1] == b[at-left-1] {
		left++
	}
	for right < window && in+right < len(data) && at+right < len(b) && data[in+right] == b[at+right] {
		right++
	}
	return at - left, left+right >= min(window, len(data))
}

// Files looks through everything under the roots: every byte of every file, and the names.
// A file that goes while it is looked at counts as gone.
func (s *Scanner) Files(ctx context.Context, roots ...string) ([]Hit, error) {
	var hits []Hit
	err := eachFile(ctx, roots, func(path string, f *os.File) error {
		met, err := s.Reader(path, f)
		if err != nil {
			return err
		}
		named := map[int]int64{}
		s.search([]byte(filepath.Base(path)), 0, named)
		hits = append(append(hits, met...), s.hits(path+" (its name)", named)...)
		return nil
	})
	return hits, err
}

// Blobs looks through every whole blob of a store; what unfinished writes left lies in its
// files, which Files reads.
func (s *Scanner) Blobs(ctx context.Context, store blob.Store) ([]Hit, error) {
	var hits []Hit
	for info, err := range store.List(ctx, "") {
		if err != nil {
			return hits, fmt.Errorf("scan blobs: %w", err)
		}
		if info.Partial {
			continue
		}
		src, err := store.Open(ctx, info.Name, 0, -1)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return hits, fmt.Errorf("scan blob %s: %w", info.Name, err)
		}
		met, err := s.Reader(info.Name, src)
		if err := errors.Join(err, src.Close()); err != nil {
			return hits, err
		}
		hits = append(hits, met...)
	}
	return hits, nil
}

// eachFile opens every regular file under the roots.
func eachFile(ctx context.Context, roots []string, each func(path string, f *os.File) error) error {
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && path != root {
				return nil
			}
			if err := errors.Join(err, ctx.Err()); err != nil || !d.Type().IsRegular() {
				return err
			}
			f, err := os.Open(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return errors.Join(each(path, f), f.Close())
		})
		if err != nil {
			return fmt.Errorf("read files: %w", err)
		}
	}
	return nil
}
