package bench_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"musa/blob"
	"musa/pix"
	"musa/seal"
)

// previews is how many each side makes in one round.
const previews = 10

// BenchmarkThumbnail makes a 512 px WebP of a 12-megapixel JPEG, sealed and stored. Its peer
// is libvips alone, in C, with one fsync of the same bytes. Goal: x-bare ≤ 1.15.
func BenchmarkThumbnail(b *testing.B) {
	data := encoded(b, 4000, 3000, pix.Encode{Format: pix.JPEG, Quality: 85})
	bare := newBareVips(b, data)
	store, key := openBlobs(b, embedded), seal.NewKey()
	var ours, theirs time.Duration
	made := 0
	for b.Loop() {
		for range rounds {
			theirs += bare.round(b)
			began := time.Now()
			for range previews {
				preview(b, store, key, data, "asset/"+strconv.Itoa(made))
				made++
			}
			ours += time.Since(began)
		}
	}
	b.ReportMetric(ms(ours)/float64(made), "thumbnail-ms")
	b.ReportMetric(ms(theirs)/float64(made), "bare-thumbnail-ms")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "x-bare")
}

func preview(b *testing.B, store blob.Store, key seal.Key, data []byte, name string) {
	img, err := pix.Thumbnail(b.Context(), data, 512)
	must(b, err)
	defer img.Close()
	small, err := img.Encode(b.Context(), pix.Encode{Format: pix.WebP, Quality: 80})
	must(b, err)
	pr, pw := io.Pipe()
	go func() {
		w, err := seal.NewWriter(pw, key, name)
		if err == nil {
			if _, err = w.Write(small); err == nil {
				err = w.Close()
			}
		}
		pw.CloseWithError(err)
	}()
	_, err = store.Put(b.Context(), name, pr)
	must(b, err)
}

type bareVips struct{ program, picture, out string }

// newBareVips compiles testdata/bare.c: the headers are here, for pix needs them as well.
func newBareVips(b *testing.B, data []byte) bareVips {
	b.Helper()
	dir := b.TempDir()
	v := bareVips{filepath.Join(dir, "bare"), filepath.Join(dir, "picture"), filepath.Join(dir, "out")}
	must(b, os.WriteFile(v.picture, data, 0o600))
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "vips").Output()
	must(b, err)
	args := append([]string{"-O2", "-o", v.program, "testdata/bare.c"}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return v
}

// round is what a round took the program, by its own clock: its start does not count.
func (v bareVips) round(b *testing.B) time.Duration {
	b.Helper()
	out, err := exec.Command(v.program, v.picture, strconv.Itoa(previews), v.out).Output()
	must(b, err)
	us, err := strconv.Atoi(strings.TrimSpace(string(out)))
	must(b, err)
	return previews * time.Duration(us) * time.Microsecond
}
