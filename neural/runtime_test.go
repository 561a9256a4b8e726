package neural_test

import (
	"context"
	"errors"
	"image"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/neural"
)

func TestDoublingRecoversWhatHalvingLost(t *testing.T) {
	t.Parallel()
	whole := photo(t, "astronaut.png", image.Rect(160, 40, 320, 200))
	small := halve(whole)
	plain := blank(whole.Width, whole.Height)
	for y := range whole.Height {
		for x := range whole.Width {
			copy(plain.Pix[3*(y*whole.Width+x):][:3], small.Pix[3*(y/2*small.Width+x/2):][:3])
		}
	}
	for _, n := range []neural.Network{neural.CUNet2x, neural.UpConv2x} {
		got, err := apply(t.Context(), nets(t), n, small, nil)
		if err != nil {
			t.Fatal(err)
		}
		gain := psnr(got, whole) - psnr(plain, whole)
		t.Logf("%s: %.2f dB, repeated pixels %.2f dB", n, psnr(got, whole), psnr(plain, whole))
		if gain < 3 {
			t.Errorf("%s gains %.2f dB over repeated pixels, want 3", n, gain)
		}
	}
}

func TestScaleOfEachNetwork(t *testing.T) {
	t.Parallel()
	// Odd sides, smaller than any context: the padding must make up for it.
	small := photo(t, "coffee.png", image.Rect(200, 150, 200+23, 150+17))
	for _, n := range neural.Networks() {
		got, err := apply(t.Context(), nets(t), n, small, nil)
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		if got.Width != 23*n.Scale() || got.Height != 17*n.Scale() || len(got.Pix) != 3*got.Width*got.Height {
			t.Errorf("%s made %d×%d of 23×17", n, got.Width, got.Height)
		}
		// Each network keeps the picture: its mean colour stays within a few levels.
		for c := range 3 {
			if d := meanOf(got, c) - meanOf(small, c); d > 6 || d < -6 {
				t.Errorf("%s moves channel %d by %.1f levels", n, c, d)
			}
		}
	}
}

func meanOf(r neural.Raster, channel int) float64 {
	var s float64
	for i := channel; i < len(r.Pix); i += 3 {
		s += float64(r.Pix[i])
	}
	return s / float64(len(r.Pix)/3)
}

// A tiled picture must equal the untiled one. The middle of a picture larger than one
// tile is compared with the same place computed as one tile.
func TestTilesShowNoSeams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		network neural.Network
		side    int // of a picture that takes two tiles across
		most    int // largest difference allowed, of 255
		mean    float64
	}{
		{neural.UpConv2x, 300, 1, 0.02},
		{neural.ESRGAN4x, 140, 1, 0.02},
		{neural.CUNet2x, 300, 3, 0.15},
		{neural.CUNetN1, 300, 3, 0.15},
	} {
		t.Run(string(c.network), func(t *testing.T) {
			t.Parallel()
			const high = 60
			wide := photo(t, "coffee.png", image.Rect(100, 100, 100+c.side, 100+high))
			if neural.Tiles(c.network, wide.Width, wide.Height) != 2 {
				t.Fatalf("%d tiles, want two", neural.Tiles(c.network, wide.Width, wide.Height))
			}
			tiled, err := apply(t.Context(), nets(t), c.network, wide, nil)
			if err != nil {
				t.Fatal(err)
			}
			// One tile around the seam, and of it what no border reaches.
			const margin, core = 40, 20
			from := c.side/2 - core/2 - margin
			one, err := apply(t.Context(), nets(t), c.network, crop(wide, image.Rect(from, 0, from+core+2*margin, high)), nil)
			if err != nil {
				t.Fatal(err)
			}
			k := c.network.Scale()
			a := crop(tiled, image.Rect(k*(from+margin), 0, k*(from+margin+core), k*high))
			b := crop(one, image.Rect(k*margin, 0, k*(margin+core), k*high))
			most, mean := worst(a, b)
			t.Logf("largest difference %d, mean %.3f of 255", most, mean)
			if most > c.most || mean > c.mean {
				t.Errorf("tiled and untiled differ by up to %d (mean %.3f), want %d (%.3f)", most, mean, c.most, c.mean)
			}
		})
	}
}

// A tile that is told to stop must give its turn on long before it would have ended.
// Both times are taken under the same load, so their ratio is what counts.
func TestCancelStopsARunningTile(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runtime := neural.Open(modelsDir(t))
	var last, told time.Time
	var tile time.Duration
	_, err := apply(ctx, runtime, neural.ESRGAN4x, blank(640, 128), func(done, _ int) {
		if done == 2 {
			tile = time.Since(last)
			time.AfterFunc(tile/8, func() {
				told = time.Now()
				cancel()
			})
		}
		last = time.Now()
	})
	returned := time.Since(told)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if returned > time.Second {
		t.Errorf("it took %v to return", returned)
	}
	if err := runtime.Close(); err != nil {
		t.Fatal(err)
	}
	if freed := time.Since(told); freed > tile*6/10 {
		t.Errorf("the tile kept its turn for %v, a whole one takes %v", freed, tile)
	}
}

func TestASmallJobPassesALargeOne(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runtime := neural.Open(modelsDir(t))
	large := blank(2560, 256)
	small := blank(32, 32)
	var mu sync.Mutex
	done, total, first := 0, 0, make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		_, err := apply(ctx, runtime, neural.UpConv2x, large, func(d, n int) {
			mu.Lock()
			defer mu.Unlock()
			if done, total = d, n; d == 1 {
				close(first)
			}
		})
		ended <- err
	}()
	<-first
	if _, err := apply(ctx, runtime, neural.UpConv2x, small, nil); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	passed := done
	mu.Unlock()
	cancel()
	<-ended
	if passed > 4 {
		t.Errorf("the small job waited for %d of %d tiles of the large one", passed, total)
	}
	if err := runtime.Release(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if _, err := apply(t.Context(), runtime, neural.UpConv2x, small, nil); err != nil {
		t.Errorf("a network that was released is not loaded again: %v", err)
	}
	if err := runtime.Close(); err != nil {
		t.Error(err)
	}
	if _, err := apply(t.Context(), runtime, neural.UpConv2x, small, nil); err == nil {
		t.Error("a closed runtime still works")
	}
}

func TestEstimateGrowsWithTheWork(t *testing.T) {
	t.Parallel()
	r := neural.Open(t.TempDir())
	small, large := r.Estimate(neural.CUNet2x, 200, 200), r.Estimate(neural.CUNet2x, 2000, 2000)
	if small <= 0 || large < 50*small {
		t.Errorf("a hundredfold picture is estimated at %v, the small one at %v", large, small)
	}
	if fast := r.Estimate(neural.UpConv2x, 2000, 2000); fast >= large {
		t.Errorf("the fast network is estimated at %v, the best at %v", fast, large)
	}
}

func TestAlphaIsLeftAlone(t *testing.T) {
	t.Parallel()
	src := neural.Raster{Width: 20, Height: 20, Bands: 4, Pix: make([]byte, 4*20*20)}
	dst := neural.Raster{Width: 40, Height: 40, Bands: 4, Pix: make([]byte, 4*40*40)}
	for i := range src.Pix {
		src.Pix[i] = 200
	}
	for i := 3; i < len(dst.Pix); i += 4 {
		dst.Pix[i] = 77
	}
	if err := nets(t).Apply(t.Context(), neural.UpConv2x, dst, src, nil); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(dst.Pix); i += 4 {
		if p := dst.Pix[i : i+4]; p[3] != 77 || p[0] < 190 || p[1] < 190 || p[2] < 190 {
			t.Fatalf("pixel %d became %v", i/4, p)
		}
	}
}

func TestRastersThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	r := neural.Open(t.TempDir())
	for _, c := range []struct{ dst, src neural.Raster }{
		{blank(20, 20), neural.Raster{}},
		{blank(21, 20), blank(10, 10)},
		{neural.Raster{Pix: make([]byte, 5), Width: 20, Height: 20, Bands: 3}, blank(10, 10)},
	} {
		if err := r.Apply(t.Context(), neural.UpConv2x, c.dst, c.src, nil); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("got %v, want invalid", err)
		}
	}
}
