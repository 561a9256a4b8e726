//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"musa/api"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/pix"
	"musa/proof"
)

// What is planted: words that stand nowhere else.
const (
	plantedPrompt = "make it sharper: Zebrafink-Quarzuhr-7Q2Z under the northern lights"
	plantedName   = "Zebrafink-Quarzuhr-holiday-8K3M.jpg"
)

// TestNothingInClear scans all that a server writes, while it works on a picture of 48
// megapixels, after it was killed in the middle, and after the work.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := nodes.Server(t, dir)
	s.Start()
	w := watch(t, s.Temp, s.Home)
	markers(t, s, large(t, 8000, 6000), []string{filepath.Join(dir, "data"), s.Temp, s.Home, s.Log})
	w.Quiet()
}

// TestNothingInClearScaled does the same where the database, the blobs and the queue are
// servers with files of their own.
func TestNothingInClearScaled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	common := newShared(t)
	s := nodes.Server(t, dir, common.flags()...)
	s.Env = common.env()
	s.Start()
	w := watch(t, s.Temp, s.Home)
	markers(t, s, large(t, 4500, 3000), append(common.roots(), filepath.Join(dir, "data"), s.Temp, s.Home, s.Log))
	w.Quiet()
}

func markers(t *testing.T, s *nodes.Node, photo []byte, roots []string) {
	g := s.Guest()
	roots = slices.DeleteFunc(roots, func(dir string) bool { _, err := os.Stat(dir); return err != nil })
	traces := []proof.Trace{proof.Plain("prompt", []byte(plantedPrompt)), proof.Plain("file name", []byte(plantedName))}
	traces = append(traces, runs("uploaded file", photo)...)
	traces = append(traces, pixels(t, "uploaded", photo)...)

	// A first round tells what the made file will be: the same work gives the same bytes.
	made := g.Content(g.Made(upload48(g, photo).ID, work()).ID)
	g.Want(http.StatusOK, made, nil)
	traces = append(traces, runs("made file", made.Body)...)
	traces = append(traces, pixels(t, "made", made.Body)...)
	look := proof.NewScanner(traces...)
	control(t, look, traces, photo, made.Body)
	clean(t, look, roots, "after the first job")

	a := upload48(g, photo)
	j := g.Enhance(a.ID, work())
	scans := 0
	for ended := watchJob(g, j.ID); !ended(); {
		clean(t, look, roots, "while the job runs")
		scans++
	}
	t.Logf("%d scans while a job ran", scans)
	if scans < 2 {
		t.Errorf("the job ended after %d scans: too soon to tell anything", scans)
	}
	if again := g.Content(g.Await(j.ID).Outputs[0].ID); !bytes.Equal(again.Body, made.Body) {
		t.Error("the second result differs from the first: the scans looked for the wrong bytes")
	}

	killed := g.Enhance(upload48(g, photo).ID, work())
	until(t, "the job to run", func() bool { return g.Job(killed.ID).State == "running" })
	s.Kill()
	clean(t, look, roots, "after kill -9")
	s.Start()
	clean(t, look, roots, "after the start that follows")
	if got := g.Await(killed.ID); got.State != "succeeded" {
		t.Errorf("the job that was killed ended %q", got.State)
	}
	s.Stop()
	clean(t, look, roots, "after all")
}

func upload48(g *musatest.Client, photo []byte) api.Asset { return g.Upload(plantedName, photo) }

// work is an order that takes some seconds on so large a picture.
func work() musatest.Order {
	return musatest.Order{"prompt": plantedPrompt, "params": map[string]any{"scale": 1, "format": "jpeg",
		"steps": map[string]string{"sharpen": "on", "light": "on", "colour": "on", "denoise": "off", "deblock": "off"}}}
}

// large is a real photograph, enlarged to w × h pixels, with the grain of a camera.
func large(t *testing.T, w, h int) []byte {
	t.Helper()
	small, err := pix.Decode(t.Context(), photos.Read(t, "astronaut.png"), pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	big, err := small.Resize(t.Context(), w, h, pix.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	defer big.Close()
	grain := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	raw, bands, err := big.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = byte(min(int(raw[i])/2+32+int(grain.Uint32()%32), 255))
	}
	shot, err := pix.FromPixels(raw, w, h, bands)
	if err != nil {
		t.Fatal(err)
	}
	defer shot.Close()
	data, err := shot.Encode(t.Context(), pix.Encode{Format: pix.JPEG, Quality: 85})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// run64 is how long a planted run is; any 32 bytes of it in a row are met.
const run64 = 64

// runs are runs of a file from all over it.
func runs(what string, data []byte) []proof.Trace {
	var traces []proof.Trace
	const n = 40
	for i := 1; i <= n; i++ {
		at := i * (len(data) - run64) / (n + 1)
		for !varied(data[at : at+run64]) {
			at++
		}
		traces = append(traces, proof.Plain(fmt.Sprint(what, " ", i), data[at:at+run64]))
	}
	return traces
}

// varied says whether a run is unlike every other: white and smooth fields are met anywhere.
func varied(run []byte) bool {
	for from := 0; from < len(run); from += 8 {
		different := map[byte]bool{}
		for _, b := range run[from : from+8] {
			different[b] = true
		}
		if len(different) < 5 {
			return false
		}
	}
	return true
}

// pixels are runs of a picture's decoded pixels.
func pixels(t *testing.T, what string, file []byte) []proof.Trace {
	t.Helper()
	i, err := pix.Decode(t.Context(), file, pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	raw, _, err := i.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	return runs("pixels "+what, raw)
}

// clean scans for every marker and names those that it met.
func clean(t *testing.T, look *proof.Scanner, roots []string, when string) {
	t.Helper()
	hits, err := look.Files(t.Context(), roots...)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for _, h := range hits {
		t.Errorf("%s: %s lies in clear at %d of %s", when, h.ID, h.Offset, h.Where)
	}
}

// control shows that the scan can fail: over a copy written in clear it finds every marker
// that is varied enough to be looked for, and at least most.
func control(t *testing.T, look *proof.Scanner, traces []proof.Trace, photo, made []byte) {
	t.Helper()
	dir := t.TempDir()
	var all bytes.Buffer
	fmt.Fprintf(&all, "%s\n%s\n", plantedPrompt, plantedName)
	for _, file := range [][]byte{photo, made} {
		i, err := pix.Decode(t.Context(), file, pix.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		all.Write(file)
		all.Write(i.View())
		i.Close()
	}
	if err := os.WriteFile(filepath.Join(dir, "in clear"), all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	hits, err := look.Files(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, h := range hits {
		found[h.ID] = true
	}
	for _, trace := range traces {
		if !found[trace.ID] {
			t.Errorf("the scan does not find %s in a copy in clear", trace.ID)
		}
	}
}

// watchJob follows a job; the function it returns says whether the job has ended.
func watchJob(g *musatest.Client, id string) func() bool {
	return func() bool {
		s := g.Job(id).State
		return s != "queued" && s != "running"
	}
}

// watcher hears of every file that is made in some folders, however short it lives.
type watcher struct {
	t  *testing.T
	fd int
}

func watch(t *testing.T, dirs ...string) *watcher {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO); err != nil {
			t.Fatal(err)
		}
	}
	w := &watcher{t: t, fd: fd}
	t.Cleanup(func() { unix.Close(fd) })
	return w
}

// Quiet checks that no file was ever made there.
func (w *watcher) Quiet() {
	w.t.Helper()
	buf := make([]byte, 1<<16)
	n, err := unix.Read(w.fd, buf)
	if err == unix.EAGAIN {
		return
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for at := 0; at+unix.SizeofInotifyEvent <= n; {
		event := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
		from := at + unix.SizeofInotifyEvent
		at = from + int(event.Len)
		// liborc, under libvips, maps the machine code that it compiles through a file with
		// no bytes of a picture, and unlinks it before use.
		if name := strings.TrimRight(string(buf[from:at]), "\x00"); !strings.HasPrefix(name, "orcexec.") {
			w.t.Errorf("a file was made outside the store: %s", name)
		}
	}
}
