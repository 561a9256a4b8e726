package pix_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"musa/pix"
)

// BenchmarkThumbnail makes a 512 px WebP of a 12-megapixel JPEG, and lets bare libvips
// do the same in the same run. The metric x-bare is ours over theirs; the goal is 1.15.
func BenchmarkThumbnail(b *testing.B) {
	data := encoded(b, noisy(b, scene(b, 4000, 3000), 3), pix.Encode{Format: pix.JPEG, Quality: 85})
	bare := bareLibvips(b, data)
	for b.Loop() {
		i, err := pix.Thumbnail(context.Background(), data, 512)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := i.Encode(context.Background(), pix.Encode{Format: pix.WebP, Quality: 80}); err != nil {
			b.Fatal(err)
		}
		i.Close()
	}
	b.ReportMetric(bare, "bare-µs/op")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/bare, "x-bare")
}

// bareLibvips compiles and runs testdata/bare.c; the headers are here, for the package
// needs them as well.
func bareLibvips(b *testing.B, data []byte) float64 {
	b.Helper()
	dir := b.TempDir()
	picture, program := filepath.Join(dir, "picture"), filepath.Join(dir, "bare")
	if err := os.WriteFile(picture, data, 0o600); err != nil {
		b.Fatal(err)
	}
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "vips").Output()
	if err != nil {
		b.Fatal(err)
	}
	args := append([]string{"-O2", "-o", program, "testdata/bare.c"}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(program, picture, "20").Output()
	if err != nil {
		b.Fatal(err)
	}
	us, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return us
}

// BenchmarkDenoise smooths 12 megapixels; the goal is 3 s on two cores.
func BenchmarkDenoise(b *testing.B) {
	i := noisy(b, scene(b, 4000, 3000), 12)
	for b.Loop() {
		out, err := i.Denoise(context.Background(), 0.6)
		if err != nil {
			b.Fatal(err)
		}
		out.Close()
	}
}

// BenchmarkResize doubles 3 megapixels and halves 48.
func BenchmarkResize(b *testing.B) {
	for name, from := range map[string][2]int{"double": {2000, 1500}, "halve": {8000, 6000}} {
		b.Run(name, func(b *testing.B) {
			i := scene(b, from[0], from[1])
			for b.Loop() {
				out, err := i.Resize(context.Background(), 4000, 3000, pix.Lanczos)
				if err != nil {
					b.Fatal(err)
				}
				out.Close()
			}
		})
	}
}
