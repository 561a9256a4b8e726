package local

import (
	"context"
	"fmt"
	"time"

	"musa"
	"musa/engine"
	"musa/neural"
	"musa/pix"
)

// The provenance of a picture that no network has touched: IPTC's word for correction by
// plain algorithms.
const markCorrected pix.Mark = "algorithmicallyEnhanced"

const thumbSide = 512

// Run carries out the plan: one pass over the picture for each stage, then the file.
func (e *Engine) Run(ctx context.Context, t engine.Task, p engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	if len(t.Inputs) != 1 {
		return nil, fmt.Errorf("run without its one input: %w", musa.ErrInvalid)
	}
	img, err := pix.Decode(ctx, t.Inputs[0].Data, e.limits)
	if err != nil {
		return nil, ofInput(err)
	}
	r := &run{engine: e, plan: p, img: img, report: report}
	defer func() { r.img.Close() }()
	if err := r.begin(); err != nil {
		return nil, err
	}
	before, err := look(img)
	if err != nil {
		return nil, err
	}
	for i, st := range r.stages {
		if err := r.carry(ctx, i, st); err != nil {
			return nil, fmt.Errorf("step %s: %w", st.step.Name, err)
		}
	}
	checks, err := check(r.img, p, before)
	if err != nil {
		return nil, err
	}
	out, err := r.encode(ctx, checks)
	if err != nil {
		return nil, err
	}
	return []engine.Output{out}, nil
}

// run is one task in work. Its image is always the latest; it owns it.
type run struct {
	engine *Engine
	plan   engine.Plan
	img    *pix.Image
	report func(engine.Progress)

	stages []stage
	left   []float64 // estimated seconds of each stage, then of the encoding
	done   int
	total  int
}

// begin lays out the stages and sees that the plan was made for this picture.
func (r *run) begin() error {
	w, h := r.img.Size()
	if w*r.plan.Scale != r.plan.Width || h*r.plan.Scale != r.plan.Height {
		return fmt.Errorf("the plan was made for another picture: %w", musa.ErrInvalid)
	}
	r.stages = stages(r.plan)
	for _, st := range r.stages {
		r.total += st.units(w, h)
		r.left = append(r.left, r.engine.seconds(st, w, h))
		w, h = w*st.scale(), h*st.scale()
	}
	r.total++
	r.left = append(r.left, megapixels(w, h)*secondsOut[pix.Format(r.plan.Format)])
	return nil
}

// say reports; share is how much of stage i is left.
func (r *run) say(i int, step string, share float64) {
	if r.report == nil {
		return
	}
	seconds := r.left[i] * share
	for _, s := range r.left[i+1:] {
		seconds += s
	}
	r.report(engine.Progress{Step: step, Done: r.done, Total: r.total, Seconds: seconds})
}

func (r *run) carry(ctx context.Context, i int, st stage) error {
	r.say(i, st.step.Name, 1)
	next, err := r.apply(ctx, i, st)
	if err != nil {
		return err
	}
	r.img.Close()
	r.img = next
	if st.network == "" {
		r.done++
	}
	r.say(i, st.step.Name, 0)
	return nil
}

func (r *run) apply(ctx context.Context, i int, st stage) (*pix.Image, error) {
	if st.network != "" {
		return r.network(ctx, i, st)
	}
	s := st.step.Settings
	switch st.step.Name {
	case engine.StepDenoise:
		return r.img.Denoise(ctx, st.step.Strength)
	case engine.StepLight:
		return r.img.Light(ctx, pix.Light{Exposure: s[settingExposure], Contrast: s[settingContrast]})
	case engine.StepColour:
		return r.img.Colour(ctx, pix.Colour{Balance: [3]float64{s[settingRed], s[settingGreen], s[settingBlue]}, Saturation: s[settingSaturation]})
	case engine.StepSharpen:
		return r.img.Sharpen(ctx, st.step.Strength)
	}
	return nil, fmt.Errorf("no such step: %w", musa.ErrInvalid)
}

// network paints the stage's result tile by tile. Colour goes through the network;
// transparency is enlarged on its own and laid back.
func (r *run) network(ctx context.Context, i int, st stage) (_ *pix.Image, err error) {
	w, h := r.img.Size()
	src := r.img
	if src.Alpha() {
		if src, err = bled(ctx, src); err != nil {
			return nil, err
		}
		defer src.Close()
	}
	out, err := pix.Blank(w*st.scale(), h*st.scale(), src.Bands())
	if err != nil {
		return nil, err
	}
	start, done := time.Now(), r.done
	err = r.engine.models.Apply(ctx, st.network, raster(out), raster(src), func(n, of int) {
		// The estimate follows what this run's own tiles took, turns of others included.
		r.left[i] = time.Since(start).Seconds() / float64(n) * float64(of)
		r.done = done + n
		r.say(i, st.step.Name, float64(of-n)/float64(of))
	})
	if err == nil && src.Alpha() {
		err = layAlpha(ctx, out, r.img)
	}
	if err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

func raster(i *pix.Image) neural.Raster {
	w, h := i.Size()
	return neural.Raster{Pix: i.View(), Width: w, Height: h, Bands: i.Bands()}
}

func (r *run) encode(ctx context.Context, checks []string) (engine.Output, error) {
	last := len(r.left) - 1
	r.say(last, "encode", 1)
	w, h := r.img.Size()
	format := pix.Format(r.plan.Format)
	data, err := r.img.Encode(ctx, pix.Encode{Format: format, Mark: r.mark()})
	if err != nil {
		return engine.Output{}, err
	}
	if format == pix.JPEG && r.img.Alpha() {
		checks = append(checks, "Transparency was laid on white, because JPEG has none.")
	}
	thumb, err := thumbnail(ctx, r.img)
	if err != nil {
		return engine.Output{}, fmt.Errorf("thumbnail: %w", err)
	}
	r.done = r.total
	r.say(last, "encode", 0)
	return engine.Output{Data: data, Format: r.plan.Format, Width: w, Height: h, Thumb: thumb, Engine: r.engine.Name(),
		Model: r.plan.Model, Steps: r.plan.Steps, Checks: checks}, nil
}

// mark says what the picture is: worked on by a trained network, by plain algorithms, or
// not at all.
func (r *run) mark() pix.Mark {
	mark := pix.Mark("")
	for _, st := range r.stages {
		if st.network != "" {
			return pix.MarkEdited
		}
		mark = markCorrected
	}
	return mark
}

func thumbnail(ctx context.Context, img *pix.Image) (_ []byte, err error) {
	w, h := img.Size()
	small := img
	if long := max(w, h); long > thumbSide {
		small, err = img.Resize(ctx, max(1, w*thumbSide/long), max(1, h*thumbSide/long), pix.Lanczos)
		if err != nil {
			return nil, err
		}
		defer small.Close()
	}
	return small.Encode(ctx, pix.Encode{Format: pix.WebP, Quality: 80})
}
