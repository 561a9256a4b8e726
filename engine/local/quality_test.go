package local_test

import (
	"flag"
	"testing"

	"musa"
	"musa/engine"
	"musa/engine/local"
	"musa/musatest/photos"
	"musa/pix"
)

// Whole photographs take minutes: go test ./engine/local -run Quality -v -args -whole
var whole = flag.Bool("whole", false, "measure whole photographs instead of crops")

// The doubling must undo a halving better than the classic filters do, on real
// photographs, in both usual measures. The halving is an antialiased bicubic.
func TestQualityBeatsClassicFilters(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	for _, c := range []struct {
		name string
		x, y int // of the crop
	}{
		{"astronaut.png", 160, 20}, {"chelsea.png", 100, 40}, {"coffee.png", 180, 60},
		{"rocket.jpg", 240, 120}, {"hubble_deep_field.jpg", 400, 300}, {"motorcycle_left.png", 300, 180},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			original := crop(t, c.name, c.x, c.y, 192, 192)
			if *whole {
				original = even(t, c.name)
			}
			w, h := original.Size()
			small := resample(t, original, w/2, h/2, bicubic)
			type score struct{ psnr, ssim float64 }
			rate := func(img *pix.Image) score {
				p, err := pix.PSNR(img, original)
				if err != nil {
					t.Fatal(err)
				}
				s, err := pix.SSIM(img, original)
				if err != nil {
					t.Fatal(err)
				}
				return score{p, s}
			}
			enlarge := func(quality string) *pix.Image {
				order := task(musa.KindUpscale, encode(t, small, pix.Encode{Format: pix.PNG}))
				order.Params = engine.Params{Scale: 2, Quality: quality, Steps: map[string]string{engine.StepDeblock: engine.SwitchOff}}
				_, out := run(t, e, order)
				return decode(t, out.Data)
			}
			plain, fine := rate(resample(t, small, w, h, bicubic)), rate(resample(t, small, w, h, lanczos))
			fast, best := rate(enlarge(engine.QualityFast)), rate(enlarge(engine.QualityBest))
			t.Logf("| %s %d×%d | %.2f / %.3f | %.2f / %.3f | %.2f / %.3f | %.2f / %.3f |", c.name, w, h,
				plain.psnr, plain.ssim, fine.psnr, fine.ssim, fast.psnr, fast.ssim, best.psnr, best.ssim)
			for name, s := range map[string]score{"fast": fast, "best": best} {
				if s.psnr <= max(plain.psnr, fine.psnr) || s.ssim <= max(plain.ssim, fine.ssim) {
					t.Errorf("%s does not beat the classic filters", name)
				}
			}
		})
	}
}

// even decodes a photograph and cuts it to even sides.
func even(t *testing.T, name string) *pix.Image {
	t.Helper()
	img := decode(t, photos.Read(t, name))
	w, h := img.Size()
	return crop(t, name, 0, 0, w&^1, h&^1)
}

func TestDeblockBringsAJPEGNearerToItsOriginal(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	original := crop(t, "astronaut.png", 160, 20, 192, 192)
	data := encode(t, original, pix.Encode{Format: pix.JPEG, Quality: 25})
	order := task(musa.KindEnhance, data)
	order.Params = engine.Params{Scale: 1, Format: "png"}
	plan, out := run(t, e, order)
	if s, _ := plan.Step(engine.StepDeblock); !s.On {
		t.Fatalf("it was not chosen: %+v", s)
	}
	before, err := pix.PSNR(decode(t, data), original)
	if err != nil {
		t.Fatal(err)
	}
	after, err := pix.PSNR(decode(t, out.Data), original)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("quality 25: %.2f dB before, %.2f dB after", before, after)
	if after < before+0.3 {
		t.Errorf("%.2f dB became %.2f dB, want 0.3 dB more", before, after)
	}
}
