package bench_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"musa"
	"musa/house"
	"musa/lang"
	"musa/pix"
	"musa/rights"
	"musa/studio"
)

// The goal's size is -export.assets 10000 -export.side 190, which is 1 GiB: some minutes go into
// making it.
var (
	exportAssets = flag.Int("export.assets", 100, "how many pictures an account has that is exported")
	exportSide   = flag.Int("export.side", 190, "their width and height in pixels; they do not compress")
	importAssets = flag.Int("import.assets", 50, "how many pictures an archive has that is imported")
)

// stocked is a house with one person who has n pictures, each of other bytes.
func stocked(b *testing.B, s stores, n int) (*house.House, musa.Actor, int64) {
	b.Helper()
	h := newHouse(b, s)
	by := person(b, h.DB, h.Studio.Vault.NewSubject)
	var total atomic.Int64
	var all errgroup.Group
	all.SetLimit(hands)
	for i := range n {
		all.Go(func() error {
			data, err := grain(b.Context(), *exportSide, byte(i), byte(i>>8))
			if err != nil {
				return err
			}
			total.Add(int64(len(data)))
			_, err = h.Studio.Admit(b.Context(), by, studio.Upload{Name: "picture-" + strconv.Itoa(i) + ".png", Save: true, Body: bytes.NewReader(data)})
			return err
		})
	}
	must(b, all.Wait())
	return h, by, total.Load()
}

// grain is a picture of noise, told apart by its seed.
func grain(ctx context.Context, side int, seed ...byte) ([]byte, error) {
	raw := make([]byte, 0, side*side*3+32)
	sum := sha256.Sum256(seed)
	for len(raw) < side*side*3 {
		raw = append(raw, sum[:]...)
		sum = sha256.Sum256(sum[:])
	}
	img, err := pix.FromPixels(raw[:side*side*3], side, side, 3)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	return img.Encode(ctx, pix.Encode{Format: pix.PNG})
}

// BenchmarkExport writes the archive of an account and watches the process's memory meanwhile.
// Goal: 1 GiB in 10,000 assets in 60 s, with 200 MB.
func BenchmarkExport(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h, by, total := stocked(b, s, *exportAssets)
		runtime.GC()
		b.SetBytes(total)
		var peak int64
		for b.Loop() {
			stop, seen := watchMemory()
			out := &counted{}
			must(b, h.Rights.Export(b.Context(), by, rights.Parcel{Words: lang.Match("en", "")}, out))
			stop()
			peak = max(peak, <-seen)
			if out.n < total {
				b.Fatalf("an archive of %d bytes holds pictures of %d", out.n, total)
			}
		}
		b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
		b.ReportMetric(float64(*exportAssets), "assets")
	}, embedded, scaled)
}

type counted struct{ n int64 }

func (c *counted) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// watchMemory looks at the resident memory of this process until it is stopped.
func watchMemory() (stop context.CancelFunc, seen <-chan int64) {
	ctx, stop := context.WithCancel(context.Background())
	out := make(chan int64, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var peak int64
		for {
			peak = max(peak, resident())
			select {
			case <-ctx.Done():
				out <- peak
				return
			case <-tick.C:
			}
		}
	}()
	return stop, out
}

// resident is this process's resident memory in bytes.
func resident() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkImport brings an archive into an empty account, and compares what came of it.
func BenchmarkImport(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h, by, total := stocked(b, s, *importAssets)
		path := filepath.Join(b.TempDir(), "archive.zip")
		file, err := os.Create(path)
		must(b, err)
		defer file.Close()
		must(b, h.Rights.Export(b.Context(), by, rights.Parcel{Words: lang.Match("en", "")}, file))
		to := newHouse(b, s)
		b.SetBytes(total)
		for b.Loop() {
			other := person(b, to.DB, to.Studio.Vault.NewSubject)
			_, err := file.Seek(0, io.SeekStart)
			must(b, err)
			got, err := to.Rights.Import(b.Context(), other, file)
			must(b, err)
			b.StopTimer()
			same(b, h, by, to, other, got)
			b.StartTimer()
		}
	}, embedded, scaled)
}

// same compares every picture there with what it was.
func same(b *testing.B, from *house.House, by musa.Actor, to *house.House, other musa.Actor, got rights.Imported) {
	b.Helper()
	if got.Pictures != *importAssets {
		b.Fatalf("%d of %d pictures came", got.Pictures, *importAssets)
	}
	read := func(h *house.House, by musa.Actor, id string) []byte {
		c, err := h.Studio.Content(b.Context(), by, musa.AssetID(id), musa.BlobFull)
		must(b, err)
		defer c.Close()
		data, err := io.ReadAll(c)
		must(b, err)
		return data
	}
	for _, id := range got.Ids {
		if !bytes.Equal(read(from, by, id.Was), read(to, other, id.Is)) {
			b.Fatalf("%s is another picture there", id.Was)
		}
	}
}
