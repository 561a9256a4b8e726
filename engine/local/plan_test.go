package local_test

import (
	"errors"
	"strings"
	"testing"

	"musa"
	"musa/engine"
	"musa/engine/local"
	"musa/neural"
	"musa/pix"
)

func flat(t *testing.T, w, h int) []byte {
	t.Helper()
	p := make([]byte, 3*w*h)
	for i := range p {
		p[i] = byte(90 + i%60)
	}
	return encode(t, fromPixels(t, p, w, h, 3), pix.Encode{Format: pix.PNG})
}

func TestTooLargeIsSaidBeforeTheWork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		w, h   int
		format string
		scale  int
		max    int64
		ok     bool
	}{
		{"jpeg at its end", 16383, 4, "jpeg", 4, 0, true},
		{"jpeg past its end", 16384, 4, "jpeg", 4, 0, false},
		{"webp at its end", 8191, 4, "webp", 2, 0, true},
		{"webp past its end", 8192, 4, "webp", 2, 0, false},
		{"png holds it", 16384, 4, "png", 4, 0, true},
		{"pixels at the limit", 50, 40, "png", 2, 8000, true},
		{"pixels past the limit", 50, 40, "png", 2, 7999, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, local.Config{MaxPixels: c.max})
			order := task(musa.KindUpscale, flat(t, c.w, c.h))
			order.Params = engine.Params{Scale: c.scale, Format: c.format}
			plan, err := e.Plan(t.Context(), order)
			if c.ok {
				if err != nil || plan.Width != c.w*c.scale {
					t.Errorf("got %v and %d wide", err, plan.Width)
				}
				return
			}
			var p *musa.Problem
			if !errors.As(err, &p) || p.Code != "result_too_large" || !errors.Is(err, musa.ErrTooLarge) || p.Field != "params.scale" {
				t.Errorf("got %v, want result_too_large", err)
			}
		})
	}
}

func TestNetworkFollowsSizeAndQuality(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	small, large := flat(t, 200, 100), flat(t, 2001, 1000)
	for _, c := range []struct {
		data    []byte
		scale   int
		quality string
		model   string
	}{
		{small, 2, "", string(neural.CUNet2x)},
		{large, 2, "", string(neural.UpConv2x)},
		{large, 2, engine.QualityBest, string(neural.CUNet2x)},
		{small, 2, engine.QualityFast, string(neural.UpConv2x)},
		{small, 4, "", string(neural.ESRGAN4x)},
		{small, 4, engine.QualityFast, string(neural.UpConv2x) + "+" + string(neural.UpConv2x)},
	} {
		order := task(musa.KindUpscale, c.data)
		order.Params = engine.Params{Scale: c.scale, Quality: c.quality}
		plan, err := e.Plan(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		if plan.Model != c.model || plan.Seconds <= 0 || plan.Tiles < 1 {
			t.Errorf("%d× %q: model %s, %.1f s, %d tiles; want %s", c.scale, c.quality, plan.Model, plan.Seconds, plan.Tiles, c.model)
		}
	}
}

func TestStepsFollowTheMeasurements(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	photo := crop(t, "chelsea.png", 100, 50, 192, 192)
	dark := darkened(t, photo)
	for _, c := range []struct {
		name string
		data []byte
		step string
		on   bool
	}{
		{"clean", encode(t, photo, pix.Encode{Format: pix.PNG}), engine.StepDeblock, false},
		{"blocky", encode(t, photo, pix.Encode{Format: pix.JPEG, Quality: 20}), engine.StepDeblock, true},
		{"quiet", encode(t, photo, pix.Encode{Format: pix.PNG}), engine.StepDenoise, false},
		{"noisy", encode(t, noisy(t, photo, 30), pix.Encode{Format: pix.PNG}), engine.StepDenoise, true},
		{"well lit", encode(t, photo, pix.Encode{Format: pix.PNG}), engine.StepLight, false},
		{"dark", encode(t, dark, pix.Encode{Format: pix.PNG}), engine.StepLight, true},
		{"small", encode(t, photo, pix.Encode{Format: pix.PNG}), engine.StepUpscale, true},
		{"large", flat(t, 2600, 1600), engine.StepUpscale, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan, err := e.Plan(t.Context(), task(musa.KindEnhance, c.data))
			if err != nil {
				t.Fatal(err)
			}
			if s, ok := plan.Step(c.step); !ok || s.On != c.on {
				t.Errorf("%+v, want on=%v", s, c.on)
			}
			// What was chosen can be switched the other way, and says so.
			sw := map[bool]string{true: engine.SwitchOff, false: engine.SwitchOn}[c.on]
			order := task(musa.KindEnhance, c.data)
			order.Params.Steps = map[string]string{c.step: sw}
			plan, err = e.Plan(t.Context(), order)
			if err != nil {
				t.Fatal(err)
			}
			if s, _ := plan.Step(c.step); s.On == c.on {
				t.Errorf("switched %s, but %+v", sw, s)
			}
		})
	}
}

// noisy adds noise of a fixed sequence, about amount/4 in deviation.
func noisy(t *testing.T, img *pix.Image, amount int) *pix.Image {
	t.Helper()
	p, bands, err := img.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint32(1)
	for i := range p {
		seed = seed*1664525 + 1013904223
		p[i] = byte(min(max(int(p[i])+int(seed>>16)%(2*amount+1)-amount, 0), 255))
	}
	w, h := img.Size()
	return fromPixels(t, p, w, h, bands)
}

func darkened(t *testing.T, img *pix.Image) *pix.Image {
	t.Helper()
	p, bands, err := img.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	for i := range p {
		p[i] /= 3
	}
	w, h := img.Size()
	return fromPixels(t, p, w, h, bands)
}

func TestContradictionsNameTheField(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	data := flat(t, 40, 30)
	off := map[string]string{engine.StepUpscale: engine.SwitchOff}
	for _, c := range []struct {
		kind   musa.JobKind
		params engine.Params
		field  string
	}{
		{musa.KindUpscale, engine.Params{Scale: 1}, "params.scale"},
		{musa.KindUpscale, engine.Params{Steps: off}, "params.steps.upscale"},
		{musa.KindEnhance, engine.Params{Scale: 2, Steps: off}, "params.steps.upscale"},
	} {
		order := task(c.kind, data)
		order.Params = c.params
		_, err := e.Plan(t.Context(), order)
		var p *musa.Problem
		if !errors.As(err, &p) || p.Field != c.field {
			t.Errorf("got %v, want a problem with %s", err, c.field)
		}
	}
}

func TestWordsInSevenLanguages(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	data := flat(t, 40, 30)
	for _, c := range []struct{ prompt, part string }{
		{"Please make it bigger", "twice as large"},
		{"4x please", "four times"},
		{"vierfach vergrößern", "four times"},
		{"Mach es heller!", "brighten"},
		{"plus grand et plus net", "twice as large"},
		{"plus grand et plus net", "sharpen"},
		{"hazlo más nítido", "sharpen"},
		{"sem ruído, por favor", "clean"},
		{"quitar el ruido", "clean"},
		{"放大四倍", "four times"},
		{"照片更亮一点", "brighten"},
		{"ノイズを消して", "clean"},
		{"もっと明るくして", "brighten"},
		{"schönere Farben", "colours"},
		{"make it darker", "darken"},
	} {
		order := task(musa.KindEnhance, data)
		order.Prompt = musa.Prompt(c.prompt)
		plan, err := e.Plan(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(plan.Understood, "Understood:") || !strings.Contains(plan.Understood, c.part) {
			t.Errorf("%s: %q, want %q", c.prompt, plan.Understood, c.part)
		}
	}
}

func TestWordsThatMeanNothingAreSaidSo(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	for prompt, want := range map[musa.Prompt]string{
		"":                            "",
		"put a hat on the cat":        "Nothing in these words",
		"一张漂亮的照片":                     "Nothing in these words",
		"a decorated hallway":         "Nothing in these words",
		"the corner of a helpdesk":    "Nothing in these words",
		"une photo de ma grand-tante": "Understood",
	} {
		order := task(musa.KindEnhance, flat(t, 40, 30))
		order.Prompt = prompt
		plan, err := e.Plan(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(plan.Understood, want) || (want == "" && plan.Understood != "") {
			t.Errorf("%s: %q, want %q", prompt.Reveal(), plan.Understood, want)
		}
	}
}

func TestPromptTurnsStepsOn(t *testing.T) {
	t.Parallel()
	e := newEngine(t, local.Config{})
	order := task(musa.KindUpscale, flat(t, 40, 30))
	order.Prompt = "sharper and cleaner please"
	plan, err := e.Plan(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	for name, on := range map[string]bool{engine.StepSharpen: true, engine.StepDenoise: true, engine.StepDeblock: true, engine.StepLight: false} {
		if s, _ := plan.Step(name); s.On != on {
			t.Errorf("%+v, want on=%v", s, on)
		}
	}
}
