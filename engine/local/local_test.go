package local_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"musa"
	"musa/engine"
	"musa/engine/enginetest"
	"musa/engine/local"
	"musa/musatest/photos"
	"musa/neural"
	"musa/pix"
)

// nets is one runtime for all tests, over models that are pulled when missing.
var nets = sync.OnceValues(func() (*neural.Runtime, error) {
	dir := os.Getenv("MUSA_MODELS")
	if dir == "" {
		dir = filepath.Join("..", "..", "models")
	}
	return neural.Open(dir), neural.Pull(context.Background(), neural.Config{Dir: dir})
})

func models(t testing.TB) *neural.Runtime {
	t.Helper()
	r, err := nets()
	if err != nil {
		t.Fatalf("pull models: %v", err)
	}
	return r
}

func newEngine(t testing.TB, c local.Config) *local.Engine {
	t.Helper()
	if c.Models == nil {
		c.Models = models(t)
	}
	e, err := local.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// crop cuts a rectangle out of a photograph.
func crop(t testing.TB, name string, x, y, w, h int) *pix.Image {
	t.Helper()
	img, err := pix.Decode(t.Context(), photos.Read(t, name), pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	fullW, _ := img.Size()
	n := img.Bands()
	var cut []byte
	for row := y; row < y+h; row++ {
		at := n * (row*fullW + x)
		cut = append(cut, img.View()[at:at+n*w]...)
	}
	return fromPixels(t, cut, w, h, n)
}

func fromPixels(t testing.TB, p []byte, w, h, bands int) *pix.Image {
	t.Helper()
	out, err := pix.FromPixels(p, w, h, bands)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

func encode(t testing.TB, img *pix.Image, e pix.Encode) []byte {
	t.Helper()
	data, err := img.Encode(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t testing.TB, data []byte) *pix.Image {
	t.Helper()
	img, err := pix.Decode(t.Context(), data, pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	return img
}

func task(kind musa.JobKind, data []byte) engine.Task {
	return engine.Task{Kind: kind, Inputs: []engine.Input{{Data: data}}}
}

func run(t testing.TB, e *local.Engine, order engine.Task) (engine.Plan, engine.Output) {
	t.Helper()
	plan, err := e.Plan(t.Context(), order)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	outs, err := e.Run(t.Context(), order, plan, nil)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	return plan, outs[0]
}

func TestEngine(t *testing.T) {
	t.Parallel()
	short := task(musa.KindEnhance, encode(t, crop(t, "coffee.png", 200, 100, 64, 48), pix.Encode{Format: pix.PNG}))
	long := task(musa.KindUpscale, encode(t, crop(t, "coffee.png", 100, 50, 340, 200), pix.Encode{Format: pix.JPEG}))
	long.Params.Scale, long.Params.Quality = 4, engine.QualityBest
	enginetest.Run(t, enginetest.Subject{Engine: newEngine(t, local.Config{}), Short: short, Long: long})
}

func TestResultIsMarkedAndBare(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	for _, f := range []string{"jpeg", "png", "webp"} {
		order := task(musa.KindUpscale, encode(t, crop(t, "chelsea.png", 150, 80, 40, 30), pix.Encode{Format: pix.PNG}))
		order.Params.Format, order.Params.Quality = f, engine.QualityFast
		plan, out := run(t, e, order)
		if !bytes.Contains(out.Data, []byte(pix.MarkEdited)) {
			t.Errorf("%s: the result does not say that a model worked on it", f)
		}
		img := decode(t, out.Data)
		if w, h := img.Size(); w != 80 || h != 60 || plan.Width != 80 || plan.Height != 60 {
			t.Errorf("%s: %d×%d, want 80×60", f, w, h)
		}
		if bytes.Contains(out.Thumb, []byte("DigitalSourceType")) {
			t.Errorf("%s: the thumbnail carries metadata", f)
		}
	}
}

func TestPlainStepsMarkNoModel(t *testing.T) {
	t.Parallel()
	order := task(musa.KindEnhance, encode(t, crop(t, "chelsea.png", 150, 80, 40, 30), pix.Encode{Format: pix.PNG}))
	order.Params.Scale = 1
	order.Params.Steps = map[string]string{engine.StepSharpen: engine.SwitchOn}
	plan, out := run(t, newEngine(t, local.Config{}), order)
	if plan.Model != "none" || bytes.Contains(out.Data, []byte(pix.MarkEdited)) {
		t.Errorf("model %q; a picture that no network touched says that one did", plan.Model)
	}
	if !bytes.Contains(out.Data, []byte("algorithmicallyEnhanced")) {
		t.Error("the result does not say that it was corrected")
	}
}

func TestTransparencyIsKept(t *testing.T) {
	t.Parallel()
	const side = 49
	p := make([]byte, 4*side*side)
	for i := range side * side {
		// A bright disc on nothing; under the nothing lies black.
		dx, dy := i%side-side/2, i/side-side/2
		if dx*dx+dy*dy < 18*18 {
			copy(p[4*i:], []byte{230, 180, 60, 255})
		}
	}
	data := encode(t, fromPixels(t, p, side, side, 4), pix.Encode{Format: pix.PNG})
	e := newEngine(t, local.Config{})
	for _, quality := range []string{engine.QualityFast, engine.QualityBest} {
		order := task(musa.KindUpscale, data)
		order.Params.Quality = quality
		_, out := run(t, e, order)
		img := decode(t, out.Data)
		if !img.Alpha() {
			t.Fatal("transparency is lost")
		}
		v := img.View()
		pixel := func(x, y int) []byte { return v[4*(y*2*side+x):][:4] }
		if a := pixel(side, side)[3]; a != 255 {
			t.Errorf("%s: the middle has alpha %d, want 255", quality, a)
		}
		if a := pixel(1, 1)[3]; a != 0 {
			t.Errorf("%s: the corner has alpha %d, want 0", quality, a)
		}
		// The disc is symmetric, so its transparency must be: nothing may shift.
		for i := range 2 * side {
			if l, r := int(pixel(i, side)[3]), int(pixel(2*side-1-i, side)[3]); l-r > 1 || r-l > 1 {
				t.Errorf("%s: alpha %d at %d, but %d on the other side", quality, l, i, r)
			}
		}
		for i := 0; i < len(v); i += 4 {
			if c := v[i : i+4]; c[3] > 64 && c[0] < 190 {
				t.Fatalf("%s: a dark fringe at the edge: %v", quality, c)
			}
		}
	}
}

func TestMissingModelIsToldByPlan(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{Models: neural.Open(t.TempDir())})
	data := encode(t, crop(t, "chelsea.png", 150, 80, 40, 30), pix.Encode{Format: pix.PNG})
	_, err := e.Plan(t.Context(), task(musa.KindUpscale, data))
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "model_missing" || !strings.Contains(p.Public, neural.PullCommand) {
		t.Errorf("got %v, want model_missing with the command", err)
	}
	order := task(musa.KindEnhance, data)
	order.Params.Scale = 1
	if _, err := e.Plan(t.Context(), order); err != nil {
		t.Errorf("work that needs no network is refused: %v", err)
	}
}

func TestPlanOfAnotherPictureIsRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	a := task(musa.KindUpscale, encode(t, crop(t, "chelsea.png", 150, 80, 40, 30), pix.Encode{Format: pix.PNG}))
	b := task(musa.KindUpscale, encode(t, crop(t, "chelsea.png", 150, 80, 41, 30), pix.Encode{Format: pix.PNG}))
	plan, err := e.Plan(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(t.Context(), b, plan, nil); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("got %v, want invalid", err)
	}
}
