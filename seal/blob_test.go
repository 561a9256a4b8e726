package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"musa/seal"
)

const (
	header  = 33
	segment = 64 << 10
	sealed  = segment + 16
)

// noise is reproducible bytes of which no two segments are alike.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	var s [32]byte
	s[0], s[1] = byte(seed), byte(seed>>8)
	rand.NewChaCha8(s).Read(b)
	return b
}

func sealBlob(t testing.TB, key seal.Key, asset string, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, key, asset)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write(plain); err != nil || n != len(plain) {
		t.Fatalf("wrote %d of %d: %v", n, len(plain), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// store serves ranges as a blob store does, and counts the calls.
type store struct {
	bytes []byte
	calls int
}

func (s *store) open(off, n int64) (io.ReadCloser, error) {
	s.calls++
	size := int64(len(s.bytes))
	off = min(off, size)
	if n < 0 || off+n > size {
		n = size - off
	}
	return io.NopCloser(bytes.NewReader(s.bytes[off : off+n])), nil
}

func openBlob(blob []byte, key seal.Key, asset string) ([]byte, error) {
	r, err := seal.NewReader((&store{bytes: blob}).open, int64(len(blob)), key, asset)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// sizes are the lengths at which a segment begins or ends, and any other.
func sizes() *rapid.Generator[int] {
	return rapid.OneOf(
		rapid.SampledFrom([]int{0, 1, segment - 1, segment, segment + 1, 2 * segment, 2*segment + 1, 3*segment - 1}),
		rapid.IntRange(0, 4*segment),
	)
}

// stored is how long a blob of that many plain bytes is.
func stored(plain int64) int64 { return header + plain + max(1, (plain+segment-1)/segment)*16 }

func TestBlobSizes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<50).Draw(t, "n")
		back, err := seal.PlainSize(stored(n))
		if err != nil || back != n {
			t.Fatalf("%d bytes become %d: %v", n, back, err)
		}
	})
	for _, impossible := range []int64{-1, 0, header, header + 15, header + sealed + 1, header + sealed + 16} {
		if n, err := seal.PlainSize(impossible); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%d sealed bytes hold %d: %v", impossible, n, err)
		}
	}
}

func TestEveryRangeReadsAsThePlainRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key, plain := seal.NewKey(), noise(1, sizes().Draw(t, "size"))
		var out bytes.Buffer
		w, err := seal.NewWriter(&out, key, "as_x/full")
		if err != nil {
			t.Fatal(err)
		}
		for rest := plain; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "write")
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Fatal(err)
		}
		if int64(out.Len()) != stored(int64(len(plain))) {
			t.Fatalf("%d plain bytes sealed to %d", len(plain), out.Len())
		}
		s := &store{bytes: out.Bytes()}
		r, err := seal.NewReader(s.open, int64(out.Len()), key, "as_x/full")
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			off := rapid.IntRange(0, len(plain)).Draw(t, "off")
			n := rapid.IntRange(0, len(plain)-off).Draw(t, "n")
			got := make([]byte, n)
			if rapid.Bool().Draw(t, "seek") {
				_, err = r.Seek(int64(off-len(plain)), io.SeekEnd)
				if err == nil {
					_, err = io.ReadFull(r, got)
				}
			} else {
				_, err = r.ReadAt(got, int64(off))
			}
			if n > 0 && (err != nil || !bytes.Equal(got, plain[off:off+n])) {
				t.Fatalf("range %d+%d of %d: %v", off, n, len(plain), err)
			}
			soff, sn := seal.SealedRange(int64(off), int64(n))
			if n > 0 && (soff > int64(out.Len()) || sn%sealed != 0 || sn > int64(n)/segment*sealed+2*sealed) {
				t.Fatalf("range %d+%d lies at %d+%d", off, n, soff, sn)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 1)); err == nil || (err == io.EOF && len(plain) == 0) {
			t.Fatal("a closed reader still reads")
		}
	})
}

func TestReaderKeepsTheContractOfIO(t *testing.T) {
	t.Parallel()
	key, plain := seal.NewKey(), noise(2, 300) // it reads byte by byte: the ranges test crosses segments
	blob := sealBlob(t, key, "as_x/full", plain)
	r, err := seal.NewReader((&store{bytes: blob}).open, int64(len(blob)), key, "as_x/full")
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(r, plain); err != nil {
		t.Fatal(err)
	}
}

func TestARunOfReadsIsOneCall(t *testing.T) {
	t.Parallel()
	key, plain := seal.NewKey(), noise(3, 9*segment+5)
	s := &store{bytes: sealBlob(t, key, "as_x/full", plain)}
	r, err := seal.NewReader(s.open, int64(len(s.bytes)), key, "as_x/full")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil || s.calls != 1 {
		t.Fatalf("reading all took %d calls: %v", s.calls, err)
	}
	if _, err := r.Seek(2*segment+9, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, r, 5*segment); err != nil || s.calls != 2 {
		t.Fatalf("one run after a seek took %d calls: %v", s.calls-1, err)
	}
	if _, err := r.ReadAt(make([]byte, 3*segment), 10); err != nil || s.calls != 3 {
		t.Fatalf("one ranged read took %d calls: %v", s.calls-2, err)
	}
}

func TestDamagedBlobsAreDetected(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := seal.NewKey()
		plain := noise(4, rapid.SampledFrom([]int{0, 5, segment, 3 * segment, 3*segment + 9}).Draw(t, "size"))
		blob := bytesOf(t, key, "as_x/full", plain)
		twin := bytesOf(t, key, "as_x/full", plain) // same asset and key: another salt
		segments := (len(blob) - header + sealed - 1) / sealed
		part := func(b []byte, i int) []byte { return b[header+i*sealed : min(header+(i+1)*sealed, len(b))] }
		damaged := bytes.Clone(blob)
		asset := "as_x/full"
		what := rapid.SampledFrom([]string{"flip", "cut", "cut segment", "grow", "swap", "splice", "repeat", "move", "asset", "key"}).Draw(t, "what")
		switch what {
		case "flip":
			damaged[rapid.IntRange(0, len(blob)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case "cut":
			damaged = damaged[:rapid.IntRange(0, len(blob)-1).Draw(t, "length")]
		case "cut segment":
			damaged = damaged[:header+rapid.IntRange(0, segments-1).Draw(t, "length")*sealed]
		case "grow":
			damaged = append(damaged, noise(5, rapid.IntRange(1, sealed+20).Draw(t, "more"))...)
		case "swap":
			if segments < 3 {
				return
			}
			copy(part(damaged, 0), part(blob, 1))
			copy(part(damaged, 1), part(blob, 0))
		case "splice":
			i := rapid.IntRange(0, segments-1).Draw(t, "segment")
			copy(part(damaged, i), part(twin, i))
		case "repeat":
			if len(plain) == 0 {
				return
			}
			damaged = append(bytes.Clone(blob[:header+sealed*(segments-1)]), bytes.Repeat(part(blob, segments-1), 2)...)
		case "move":
			copy(damaged[:header], twin[:header])
		case "asset":
			asset = "as_x/thumb"
		case "key":
			key = seal.NewKey()
		}
		got, err := openBlob(damaged, key, asset)
		if !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("%s: opened %d bytes: %v", what, len(got), err)
		}
		if !bytes.HasPrefix(plain, got) {
			t.Fatalf("%s: gave bytes that were never sealed", what)
		}
	})
}

func bytesOf(t *rapid.T, key seal.Key, asset string, plain []byte) []byte {
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, key, asset)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnclosedBlobNeverOpens(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10, segment, 2*segment + 1} {
		var out bytes.Buffer
		key := seal.NewKey()
		w, err := seal.NewWriter(&out, key, "as_x/full")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(noise(6, size)); err != nil {
			t.Fatal(err)
		}
		if _, err := openBlob(out.Bytes(), key, "as_x/full"); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%d bytes without an end: %v", size, err)
		}
	}
}

type full struct{ room int }

var errFull = errors.New("no room")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterReportsAFullStore(t *testing.T) {
	t.Parallel()
	if _, err := seal.NewWriter(&full{}, seal.NewKey(), "a"); !errors.Is(err, errFull) {
		t.Fatalf("header: %v", err)
	}
	w, err := seal.NewWriter(&full{room: header + sealed}, seal.NewKey(), "a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(noise(7, 4*segment))
	if !errors.Is(err, errFull) || !errors.Is(w.Close(), errFull) {
		t.Fatalf("segment: %v", err)
	}
}

func TestStoreFaultIsNotABrokenSeal(t *testing.T) {
	t.Parallel()
	key := seal.NewKey()
	blob := sealBlob(t, key, "a", noise(8, 2*segment))
	fault := errors.New("line dropped")
	open := func(off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(blob[off:off+sealed]), iotest.ErrReader(fault))), nil
	}
	r, err := seal.NewReader(open, int64(len(blob)), key, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, fault) || errors.Is(err, seal.ErrBroken) {
		t.Fatalf("a dropped line: %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20, 16 << 20} {
		plain, key := noise(9, size), seal.NewKey()
		b.Run(fmt.Sprintf("write/%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				w, err := seal.NewWriter(io.Discard, key, "as_x/full")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(plain); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("read/%dKiB", size>>10), func(b *testing.B) {
			s := &store{bytes: sealBlob(b, key, "as_x/full", plain)}
			b.SetBytes(int64(size))
			for b.Loop() {
				r, err := seal.NewReader(s.open, int64(len(s.bytes)), key, "as_x/full")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, r); err != nil || n != int64(size) {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkKeys(b *testing.B) {
	keyset, key := newKeyset(b), seal.NewKey()
	id := newSubject()
	wrapped, err := keyset.WrapSubject(id, key)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("wrap subject", func(b *testing.B) {
		for b.Loop() {
			if _, err := keyset.WrapSubject(id, key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open subject", func(b *testing.B) {
		for b.Loop() {
			if _, err := keyset.OpenSubject(id, wrapped); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("record 256 B", func(b *testing.B) {
		plain := noise(10, 256)
		for b.Loop() {
			if _, err := key.SealRecord("x", plain); err != nil {
				b.Fatal(err)
			}
		}
	})
}
