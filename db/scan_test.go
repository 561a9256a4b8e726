package db_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// scan counts the needles of which 32 bytes in a row lie in any file below dir.
func scan(t testing.TB, dir string, needles [][]byte) int {
	t.Helper()
	s := scanner{chunks: map[uint64][]place{}, filter: make([]uint64, 1<<18), found: map[int]bool{}, needles: needles}
	for n, needle := range needles {
		// Each window of 32 bytes holds a whole chunk of 8 at a multiple of 8.
		for at := 0; at+8 <= len(needle); at += 8 {
			chunk := binary.LittleEndian.Uint64(needle[at:])
			s.chunks[chunk] = append(s.chunks[chunk], place{n, at})
			s.filter[chunk&0xffffff>>6] |= 1 << (chunk & 63)
		}
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var data []byte
			if data, err = os.ReadFile(path); err == nil {
				s.look(data)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the server removed it meanwhile
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(s.found)
}

type place struct{ needle, at int }

type scanner struct {
	needles [][]byte
	chunks  map[uint64][]place
	filter  []uint64 // of the low 24 bits of the chunks
	found   map[int]bool
}

func (s *scanner) look(data []byte) {
	for i := 0; i+8 <= len(data); i++ {
		chunk := binary.LittleEndian.Uint64(data[i:])
		if s.filter[chunk&0xffffff>>6]&(1<<(chunk&63)) == 0 {
			continue
		}
		for _, p := range s.chunks[chunk] {
			if !s.found[p.needle] && run(data, i, s.needles[p.needle], p.at) >= 32 {
				s.found[p.needle] = true
			}
		}
	}
}

// run is how many bytes agree around two places.
func run(data []byte, i int, needle []byte, at int) int {
	from, to := 0, 8
	for i+from > 0 && at+from > 0 && data[i+from-1] == needle[at+from-1] {
		from--
	}
	for i+to < len(data) && at+to < len(needle) && data[i+to] == needle[at+to] {
		to++
	}
	return to - from
}

func TestTheScanFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	needle := []byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	for _, c := range []struct {
		part []byte
		want int
	}{{needle[3:35], 1}, {needle[3:34], 0}, {needle, 1}} {
		if err := os.WriteFile(filepath.Join(dir, "f"), bytes.Join([][]byte{[]byte("--"), c.part, []byte("--")}, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := scan(t, dir, [][]byte{needle}); got != c.want {
			t.Errorf("of %d bytes it finds %d", len(c.part), got)
		}
	}
}
