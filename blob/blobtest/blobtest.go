// Package blobtest says what every blob.Store must do. A driver's own tests run it on a
// real store; what passes may keep a studio's bytes.
package blobtest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"musa/blob"
)

// Rig is one empty store and what the suite cannot do through the port.
type Rig struct {
	Store blob.Store
	// Partial leaves what a writer of that name leaves that died halfway.
	Partial func(t testing.TB, name string)
	// Empty fails the test if anything at all is left where the store keeps its bytes.
	Empty func(t testing.TB)
}

// big crosses the part size of every driver that writes in parts.
const big = 17<<20 + 3

// Run holds a driver to the port's promises. It calls fresh once for each.
func Run(t *testing.T, fresh func(t testing.TB) Rig) {
	for name, test := range map[string]func(*testing.T, Rig){
		"comes back as it went in":         comesBack,
		"gives ranges":                     givesRanges,
		"is written once":                  writtenOnce,
		"one of many writers wins":         oneWriterWins,
		"a failed write leaves nothing":    failedWrite,
		"a cancelled write leaves nothing": cancelledWrite,
		"knows what is absent":             knowsAbsent,
		"removes many":                     removesMany,
		"refuses other names":              refusesNames,
		"lists all by prefix":              listsAll,
		"sweeps what was left unfinished":  sweeps,
		"checks without a trace":           checks,
		"bears many at once":               bearsMany,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

// Noise is reproducible bytes.
func Noise(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// Put stores bytes or ends the test.
func Put(t testing.TB, s blob.Store, name string, content []byte) {
	t.Helper()
	size, err := s.Put(t.Context(), name, bytes.NewReader(content))
	if err != nil || size != int64(len(content)) {
		t.Fatalf("put %s: %d of %d bytes: %v", name, size, len(content), err)
	}
}

// Get reads a range or ends the test.
func Get(t testing.TB, s blob.Store, name string, off, n int64) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), name, off, n)
	if err != nil {
		t.Fatalf("open %s at %d+%d: %v", name, off, n, err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %s at %d+%d: %v", name, off, n, err)
	}
	return got
}

// Names lists everything under the prefix, by name.
func Names(t testing.TB, s blob.Store, prefix string) map[string]blob.Info {
	t.Helper()
	found := map[string]blob.Info{}
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		if _, twice := found[info.Name]; twice {
			t.Errorf("%s listed twice", info.Name)
		}
		found[info.Name] = info
	}
	return found
}

// Gone ends the test if the name can still be found in any way.
func Gone(t testing.TB, s blob.Store, name string) {
	t.Helper()
	if _, err := s.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("stat %s: %v", name, err)
	}
	if r, err := s.Open(t.Context(), name, 0, -1); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("open %s: %v, %v", name, r, err)
	}
	if found := Names(t, s, name); len(found) != 0 {
		t.Fatalf("listed: %v", found)
	}
}
