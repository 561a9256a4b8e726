package musatest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Markers are bytes that must not lie anywhere in clear, by name.
type Markers map[string][]byte

// run is the length of a marker that is cut out of something larger.
const run = 64

// Runs adds runs of some data as markers: spread over it, none of them constant, since a
// run of one colour is nobody's.
func (m Markers) Runs(name string, data []byte, n int) {
	step := max(1, (len(data)-run)/(n+1))
	for i, at := 0, step; i < n && at+run <= len(data); at += run {
		window := data[at : at+run]
		if bytes.Count(window, window[:1]) > run/4 {
			continue
		}
		m[fmt.Sprintf("%s at %d", name, at)] = window
		i++
		at += step
	}
}

// Find looks for markers in every file below the folders, and for files that begin like a
// picture. It returns what was found where, by the marker's name. Files that vanish while
// it looks are gone, not clean: what they held is looked for where it went.
func Find(t testing.TB, dirs []string, m Markers) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return ignoreAbsent(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return ignoreAbsent(err)
			}
			for name, marker := range m {
				if bytes.Contains(data, marker) {
					found[name] = path
				}
			}
			if kind := signature(data); kind != "" {
				found["a file that begins like "+kind] = path
			}
			return nil
		})
		must(t, err)
	}
	return found
}

func ignoreAbsent(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func signature(data []byte) string {
	for kind, begin := range map[string]string{"JPEG": "\xff\xd8\xff", "PNG": "\x89PNG\r\n", "GIF": "GIF8", "TIFF": "II*\x00"} {
		if bytes.HasPrefix(data, []byte(begin)) {
			return kind
		}
	}
	if len(data) > 12 && (string(data[8:12]) == "WEBP" || string(data[4:8]) == "ftyp") {
		return "WebP or AVIF"
	}
	return ""
}

// InClear writes markers to a folder as a careless store would, and returns the folder: the
// control that shows that Find can find.
func InClear(t testing.TB, m Markers) string {
	t.Helper()
	dir := t.TempDir()
	i := 0
	for _, marker := range m {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.db", i)), append([]byte("padding before it "), marker...), 0o600))
		i++
	}
	return dir
}
