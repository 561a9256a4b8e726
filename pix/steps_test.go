package pix_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"musa/pix"
)

var ctx = context.Background()

func TestMeasureTellsPicturesApart(t *testing.T) {
	t.Parallel()
	plain := scene(t, 640, 480)
	clean := measured(t, plain)
	if clean.Noise > 1 || clean.Blockiness > 0.25 || clean.Mean < 0.3 || clean.Mean > 0.7 {
		t.Errorf("clean: %+v", clean)
	}
	for _, sigma := range []float64{4, 10, 25} {
		if got := measured(t, noisy(t, plain, sigma)).Noise; math.Abs(got-sigma) > sigma*0.4 {
			t.Errorf("noise of %v was measured as %.2f", sigma, got)
		}
	}
	last := clean.Blockiness
	for _, q := range []int{60, 30, 10} {
		m := measured(t, decoded(t, encoded(t, plain, pix.Encode{Format: pix.JPEG, Quality: q})))
		if m.Blockiness <= last {
			t.Errorf("quality %d: blockiness %.3f is not above %.3f", q, m.Blockiness, last)
		}
		last = m.Blockiness
	}
	if good := measured(t, decoded(t, encoded(t, plain, pix.Encode{Format: pix.JPEG, Quality: 95}))); good.Blockiness > 0.3 || last < 0.6 {
		t.Errorf("blockiness at quality 95: %.3f, at 10: %.3f", good.Blockiness, last)
	}
	dark := measured(t, changed(t, plain, func(v float64) float64 { return v * 0.25 }))
	if dark.Mean > 0.15 || dark.High > 0.3 || clean.Mean < 2*dark.Mean {
		t.Errorf("dark: %+v", dark)
	}
	small := made(t)(plain.Resize(ctx, 160, 120, pix.Lanczos))
	soft := measured(t, made(t)(small.Resize(ctx, 640, 480, pix.Bicubic)))
	if clean.Sharpness < 0.5 || soft.Sharpness > clean.Sharpness*0.6 {
		t.Errorf("sharpness: sharp %.2f, soft %.2f", clean.Sharpness, soft.Sharpness)
	}
}

func TestDenoiseTakesNoiseAndLeavesEdges(t *testing.T) {
	t.Parallel()
	plain := scene(t, 480, 360)
	for _, sigma := range []float64{8, 15, 30} {
		worse := noisy(t, plain, sigma)
		better := made(t)(worse.Denoise(ctx, 1))
		before, after := psnr(t, plain, worse), psnr(t, plain, better)
		if after < before+4 {
			t.Errorf("sigma %v: %.1f dB became %.1f", sigma, before, after)
		}
		if was, is := measured(t, worse).Noise, measured(t, better).Noise; is > was*0.5 {
			t.Errorf("sigma %v: noise %.1f became %.1f", sigma, was, is)
		}
	}
	same := made(t)(plain.Denoise(ctx, 1))
	if p := psnr(t, plain, same); p < 40 {
		t.Errorf("a clean picture came back at %.1f dB", p)
	}
}

func TestDenoiseTakesBlocks(t *testing.T) {
	t.Parallel()
	plain := scene(t, 480, 360)
	for _, q := range []int{10, 20} {
		worse := decoded(t, encoded(t, plain, pix.Encode{Format: pix.JPEG, Quality: q}))
		better := made(t)(worse.Denoise(ctx, 1))
		if was, is := measured(t, worse).Blockiness, measured(t, better).Blockiness; is > was*0.8 {
			t.Errorf("quality %d: blockiness %.2f became %.2f", q, was, is)
		}
		if was, is := psnr(t, plain, worse), psnr(t, plain, better); is < was+0.2 {
			t.Errorf("quality %d: %.2f dB became %.2f", q, was, is)
		}
	}
}

func TestSharpenSteepensSoftEdges(t *testing.T) {
	t.Parallel()
	plain := scene(t, 480, 360)
	small := made(t)(plain.Resize(ctx, 200, 150, pix.Lanczos))
	soft := made(t)(small.Resize(ctx, 480, 360, pix.Bicubic))
	sharp := made(t)(soft.Sharpen(ctx, 1))
	if was, is := measured(t, soft).Sharpness, measured(t, sharp).Sharpness; is < was*1.15 {
		t.Errorf("sharpness %.3f became %.3f", was, is)
	}
	if p := psnr(t, soft, made(t)(soft.Sharpen(ctx, 0))); p < 45 {
		t.Errorf("amount 0 changed the picture to %.1f dB", p)
	}
}

func TestLightLiftsWithoutClipping(t *testing.T) {
	t.Parallel()
	dark := changed(t, scene(t, 320, 240), func(v float64) float64 { return v * 0.3 })
	was := measured(t, dark)
	for _, e := range []float64{0.3, 0.6, 1} {
		m := measured(t, made(t)(dark.Light(ctx, pix.Light{Exposure: e})))
		if m.Mean < was.Mean*1.15 || m.Highlights > was.Highlights || m.Shadows > was.Shadows {
			t.Errorf("exposure %v: %+v, was %+v", e, m, was)
		}
	}
	if m := measured(t, made(t)(dark.Light(ctx, pix.Light{Exposure: -0.5}))); m.Mean >= was.Mean {
		t.Errorf("lowered from %.3f to %.3f", was.Mean, m.Mean)
	}
	if i := made(t)(dark.Light(ctx, pix.Light{})); !bytes.Equal(i.View(), dark.View()) {
		t.Error("the zero Light changed something")
	}
	flat := changed(t, scene(t, 320, 240), func(v float64) float64 { return 100 + v*0.2 })
	if a, b := measured(t, flat), measured(t, made(t)(flat.Light(ctx, pix.Light{Contrast: 1}))); b.Contrast() < a.Contrast()*1.2 {
		t.Errorf("contrast %.3f became %.3f", a.Contrast(), b.Contrast())
	}
}

func TestColourBalancesAndSaturates(t *testing.T) {
	t.Parallel()
	plain := scene(t, 320, 240)
	m := measured(t, plain)
	if i := made(t)(plain.Colour(ctx, pix.Colour{})); !bytes.Equal(i.View(), plain.View()) {
		t.Error("the zero Colour changed something")
	}
	even := measured(t, made(t)(plain.Colour(ctx, pix.Colour{Balance: [3]float64{1 / m.Cast[0], 1 / m.Cast[1], 1 / m.Cast[2]}})))
	for b, c := range even.Cast {
		if math.Abs(c-1) > 0.02 {
			t.Errorf("band %d: cast %.3f became %.3f", b, m.Cast[b], c)
		}
	}
	if g := measured(t, made(t)(plain.Colour(ctx, pix.Colour{Saturation: -1}))); g.Colourful > 0.005 {
		t.Errorf("grey is still colourful: %.3f", g.Colourful)
	}
	if g := measured(t, made(t)(plain.Colour(ctx, pix.Colour{Saturation: 0.5}))); g.Colourful < m.Colourful*1.2 {
		t.Errorf("colour %.3f became %.3f", m.Colourful, g.Colourful)
	}
}

func TestEditsKeepAlphaAndBands(t *testing.T) {
	t.Parallel()
	for bands := 1; bands <= 4; bands++ {
		p := make([]byte, 70*50*bands)
		for k := range p {
			p[k] = byte(k * 7)
		}
		i := made(t)(pix.FromPixels(p, 70, 50, bands))
		for name, edit := range map[string]func() (*pix.Image, error){
			"denoise": func() (*pix.Image, error) { return i.Denoise(ctx, 1) },
			"sharpen": func() (*pix.Image, error) { return i.Sharpen(ctx, 1) },
			"light":   func() (*pix.Image, error) { return i.Light(ctx, pix.Light{Exposure: 0.5}) },
			"colour":  func() (*pix.Image, error) { return i.Colour(ctx, pix.Colour{Saturation: 0.5}) },
		} {
			out := made(t)(edit())
			if w, h := out.Size(); w != 70 || h != 50 || out.Bands() != bands {
				t.Errorf("%s: %d bands became %d×%d×%d", name, bands, w, h, out.Bands())
				continue
			}
			for k := bands - 1; bands%2 == 0 && k < len(p); k += bands {
				if out.View()[k] != p[k] {
					t.Errorf("%s: alpha changed", name)
					break
				}
			}
		}
		if w, h := made(t)(i.Resize(ctx, 33, 91, pix.Bicubic)).Size(); w != 33 || h != 91 {
			t.Errorf("resized %d bands to %d×%d", bands, w, h)
		}
	}
}

// The promise is width × height × bands and little more; a picture that must be turned
// is where a second copy would hide. The child alone has a quiet peak.
func TestDecodeOf48MegapixelsStaysBounded(t *testing.T) {
	t.Parallel()
	if out := child(t, "PIX_TEST_CHILD=large"); out != "" {
		t.Error(out)
	}
}

func TestClearPixelsDoNotBleed(t *testing.T) {
	t.Parallel()
	p := make([]byte, 64*64*4)
	for k := range 64 * 64 {
		if k%64 < 32 {
			copy(p[4*k:], []byte{0, 255, 0, 0}) // clear green
		} else {
			copy(p[4*k:], []byte{255, 0, 0, 255})
		}
	}
	i := made(t)(pix.FromPixels(p, 64, 64, 4))
	for k, v := range made(t)(i.Resize(ctx, 16, 16, pix.Lanczos)).View() {
		if k%4 == 1 && v > 8 {
			t.Fatalf("green of clear pixels bled: %d", v)
		}
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	a := scene(t, 300, 300)
	if p := psnr(t, a, a); !math.IsInf(p, 1) {
		t.Errorf("a picture differs from itself: %v", p)
	}
	// One step everywhere is exactly 20·log10(255).
	if p := psnr(t, a, changed(t, a, func(v float64) float64 { return v + 1 })); math.Abs(p-48.1308) > 0.001 {
		t.Errorf("one step: %v dB", p)
	}
	last := 1.0
	for _, sigma := range []float64{0, 5, 20, 60} {
		s, err := pix.SSIM(a, noisy(t, a, sigma))
		if err != nil || s > last || sigma == 0 && math.Abs(s-1) > 1e-6 || s < 0 {
			t.Errorf("sigma %v: %v, %v", sigma, s, err)
		}
		last = s
	}
	if _, err := pix.PSNR(a, scene(t, 299, 300)); err == nil {
		t.Error("unequal sizes were compared")
	}
}

func TestCancelStopsARunningPipeline(t *testing.T) {
	t.Parallel()
	big := made(t)(pix.Blank(6000, 6000, 3))
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := big.Sharpen(gone, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("already cancelled: %v", err)
	}
	soon, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := big.Denoise(soon, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled while running: %v", err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it stopped after %v", d)
	}
	// The input is shared: a stop of one reader must not stop the next.
	if _, err := big.Resize(ctx, 60, 60, pix.Linear); err != nil {
		t.Errorf("after a cancel: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	i := scene(t, 300, 200)
	good := encoded(t, i, pix.Encode{Format: pix.JPEG})
	var wg sync.WaitGroup
	for k := range 24 {
		wg.Go(func() {
			data := good
			if k%2 == 1 {
				data = good[:len(good)-100]
			}
			d, err := pix.Decode(ctx, data, pix.Limits{})
			if (err != nil) != (k%2 == 1) {
				t.Errorf("%d: %v", k, err)
			}
			if err == nil {
				d.Close()
				d.Close()
			}
			if e, err := i.Sharpen(ctx, 0.5); err != nil {
				t.Error(err)
			} else {
				e.Close()
			}
		})
	}
	wg.Wait()
}

func TestAClosedImageSaysSo(t *testing.T) {
	t.Parallel()
	i, err := pix.Blank(4, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	i.Close()
	if _, _, err := i.Pixels(); err == nil {
		t.Error("pixels of a closed image")
	}
	if _, err := i.Sharpen(ctx, 1); err == nil {
		t.Error("an edit of a closed image")
	}
	if _, err := i.Encode(ctx, pix.Encode{Format: pix.PNG}); err == nil {
		t.Error("an encode of a closed image")
	}
}
