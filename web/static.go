package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed static
var embedded embed.FS

const staticPrefix = "/static/"

// static serves the embedded files from memory under one address per content: the hash
// of the whole set stands in the path, so modules import each other by plain relative
// names and everything may be cached for ever.
type static struct {
	digest string
	files  map[string]file
}

type file struct {
	kind   string
	plain  []byte
	packed []byte // gzip; nil where packing gains nothing
}

func loadStatic() *static {
	s := &static{files: map[string]file{}}
	sum := sha256.New()
	// WalkDir goes in lexical order, so the digest is the same on every build.
	err := fs.WalkDir(embedded, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(name, "static/")
		fmt.Fprintf(sum, "%s %d\n", short, len(data))
		sum.Write(data)
		s.files[short] = file{kind: kindOf(short), plain: data, packed: pack(data)}
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("web: embedded files: %v", err))
	}
	s.digest = hex.EncodeToString(sum.Sum(nil))[:16]
	return s
}

func (s *static) address(name string) string {
	return staticPrefix + s.digest + "/" + name
}

// imported finds what a module asks for before it runs. What it asks for later, by
// import(), is none of the first page's weight.
var imported = regexp.MustCompile(`(?m)^import [^;]*?'\./([\w-]+\.js)'`)

// graph lists a script and all that it imports, in order of their names.
func (s *static) graph(script string) []string {
	seen := map[string]bool{}
	var walk func(string)
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, found := range imported.FindAllStringSubmatch(string(s.files[name].plain), -1) {
			walk("js/" + found[1])
		}
	}
	walk(script)
	return slices.Sorted(maps.Keys(seen))
}

func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest := strings.TrimPrefix(r.URL.Path, staticPrefix)
	digest, name, _ := strings.Cut(rest, "/")
	f, ok := s.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	// Another digest is a page of an older build that still stands open: serve it, but
	// let no cache remember the new bytes under the old name.
	h.Set("Cache-Control", "no-store")
	if digest == s.digest {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.plain
	if f.packed != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// A client that hung up is no error of ours.
	_, _ = w.Write(body)
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// packers keeps writers for the next page: each takes more than half a megabyte, and
// the start would make one for every file.
var packers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestCompression)
	return z
}}

func pack(data []byte) []byte {
	var b bytes.Buffer
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	if _, err := z.Write(data); err != nil {
		return nil
	}
	if err := z.Close(); err != nil || b.Len() >= len(data)*9/10 {
		return nil
	}
	return b.Bytes()
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// writeCompressed sends a page. Pages hold no secret beside text that a stranger controls,
// so compressing them leaks nothing by length.
func writeCompressed(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if takesGzip(r) {
		if packed := pack(body); packed != nil {
			w.Header().Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
