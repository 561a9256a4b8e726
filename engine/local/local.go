// Package local enhances and enlarges pictures on this server: neural networks for
// enlarging and for JPEG artefacts, libvips for noise, light, colour and sharpness.
//
// Promises: a plan's steps are chosen from the picture's own measurements and the words
// of the prompt, each with its reason, each switchable; a result that its format or the
// pixel limit cannot hold is refused by Plan, before any work; transparency is kept;
// memory is the pixels of input and output plus one tile; the result is checked for its
// size and against being blank; it is marked as what it is. Nothing leaves the server.
//
// Non-goals: understanding language. The prompt is read for known words in seven
// languages, and the plan says which were understood, or that none were.
package local

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/engine"
	"musa/neural"
	"musa/pix"
)

// Config is what the engine stands on.
type Config struct {
	Models *neural.Runtime
	// Limits bound an input; zero fields take pix.DefaultLimits.
	Limits pix.Limits
	// MaxPixels bounds the result, because it is held in memory: three bytes a pixel.
	// 0 = 200 million, which is 48 megapixels doubled.
	MaxPixels int64
}

const defaultMaxPixels = 200_000_000

// Engine is the local engine.
type Engine struct {
	models *neural.Runtime
	limits pix.Limits
	max    int64
}

// New returns the engine. It loads nothing; a missing network is told by Plan.
func New(c Config) (*Engine, error) {
	if c.Models == nil {
		return nil, errors.New("local engine: no neural runtime is given")
	}
	if c.MaxPixels == 0 {
		c.MaxPixels = defaultMaxPixels
	}
	return &Engine{models: c.Models, limits: c.Limits, max: c.MaxPixels}, nil
}

// Name is "local".
func (*Engine) Name() string { return "local" }

// Kinds are enhance and upscale.
func (*Engine) Kinds() []musa.JobKind { return []musa.JobKind{musa.KindEnhance, musa.KindUpscale} }

const maxPrompt = 4000

// Plan measures the picture and chooses the steps. It decodes the picture once.
func (e *Engine) Plan(ctx context.Context, t engine.Task) (engine.Plan, error) {
	need := engine.Need{Kinds: e.Kinds(), MinInputs: 1, MaxInputs: 1, Prompt: maxPrompt}
	if err := need.Check(t); err != nil {
		return engine.Plan{}, err
	}
	info, err := pix.Head(t.Inputs[0].Data, e.limits)
	if err != nil {
		return engine.Plan{}, ofInput(err)
	}
	format, err := outputFormat(t.Params.Format, info.Format)
	if err != nil {
		return engine.Plan{}, err
	}
	scale, why, err := e.chooseScale(t, info, format)
	if err != nil {
		return engine.Plan{}, err
	}
	img, err := pix.Decode(ctx, t.Inputs[0].Data, e.limits)
	if err != nil {
		return engine.Plan{}, ofInput(err)
	}
	defer img.Close()
	m, err := img.Measure()
	if err != nil {
		return engine.Plan{}, fmt.Errorf("measure: %w", err)
	}
	c := chooser{task: t, wish: readPrompt(t.Prompt), m: m, scale: scale}
	plan := engine.Plan{Steps: c.steps(why), Scale: scale, Width: info.Width * scale, Height: info.Height * scale,
		Format: string(format), Understood: c.wish.understood(), Notice: engine.NoticeLocal}
	return e.price(plan, info, t.Params.Quality)
}

// price fills in networks, tiles and time, and refuses when a network is missing.
func (e *Engine) price(p engine.Plan, info pix.Info, quality string) (engine.Plan, error) {
	p.Model = modelName(upscalers(p.Scale, info.Width*info.Height, quality))
	p.Tiles = 1
	w, h := info.Width, info.Height
	seconds := megapixels(w, h) * secondsIn
	for _, st := range stages(p) {
		if err := e.readyFor(st); err != nil {
			return engine.Plan{}, err
		}
		seconds += e.seconds(st, w, h)
		p.Tiles += st.units(w, h) - 1
		w, h = w*st.scale(), h*st.scale()
	}
	p.Seconds = seconds + megapixels(w, h)*secondsOut[pix.Format(p.Format)]
	return p, nil
}

func (e *Engine) readyFor(st stage) error {
	if st.network == "" {
		return nil
	}
	return e.models.Ready(st.network)
}

// Rough costs of libvips per megapixel on one core; the networks' are measured.
const (
	secondsIn   = 0.03
	secondsStep = 0.15
)

var secondsOut = map[pix.Format]float64{pix.JPEG: 0.03, pix.PNG: 0.3, pix.WebP: 0.3, pix.AVIF: 1.5}

func megapixels(w, h int) float64 { return float64(w) * float64(h) / 1e6 }

func (e *Engine) seconds(st stage, w, h int) float64 {
	if st.network == "" {
		return megapixels(w, h) * secondsStep
	}
	return e.models.Estimate(st.network, w, h).Seconds()
}

// ofInput names the input as the field of a problem with the picture.
func ofInput(err error) error {
	var p *musa.Problem
	if !errors.As(err, &p) {
		return fmt.Errorf("read the input: %w", err)
	}
	named := *p
	named.Field = "inputs"
	return &named
}

// outputFormat is what was asked for, or the input's own where that can be written.
func outputFormat(asked string, input pix.Format) (pix.Format, error) {
	if asked != "" {
		f := pix.Format(asked)
		if !pix.CanEncode(f) {
			return "", &musa.Problem{Kind: musa.ErrUnsupported, Code: "format_unavailable", Field: "params.format",
				Public: "This server cannot write this format: its libvips lacks the encoder. Choose jpeg, png or webp."}
		}
		return f, nil
	}
	switch {
	case pix.CanEncode(input):
		return input, nil
	case input == pix.TIFF || input == pix.GIF:
		return pix.PNG, nil
	}
	return pix.JPEG, nil
}

// autoPixels is the size up to which a picture is enlarged without being asked.
const autoPixels = 4_000_000

// chooseScale settles how much larger the picture gets, and why.
func (e *Engine) chooseScale(t engine.Task, info pix.Info, f pix.Format) (int, string, error) {
	wish := readPrompt(t.Prompt)
	asked := t.Params.Scale
	if t.Params.Switch(engine.StepUpscale) == engine.SwitchOff {
		if t.Kind == musa.KindUpscale || asked > 1 {
			return 0, "", &musa.Problem{Kind: musa.ErrInvalid, Code: "nothing_to_upscale", Field: "params.steps.upscale",
				Public: "The picture is to be enlarged, but the step that does so is switched off. Switch it on or leave the scale at 1."}
		}
		return 1, "Switched off.", nil
	}
	switch {
	case asked == 1 && t.Kind == musa.KindUpscale:
		return 0, "", &musa.Problem{Kind: musa.ErrInvalid, Code: "nothing_to_upscale", Field: "params.scale",
			Public: "An upscale makes a picture larger. Choose scale 2 or 4, or enhance instead."}
	case asked != 0:
		return asked, scaleWords(asked) + " as asked.", e.fits(info, asked, f)
	case wish.scale != 0:
		return wish.scale, scaleWords(wish.scale) + " as the words ask.", e.fits(info, wish.scale, f)
	case t.Kind == musa.KindUpscale || t.Params.Switch(engine.StepUpscale) == engine.SwitchOn:
		return 2, scaleWords(2) + " as asked.", e.fits(info, 2, f)
	case info.Width*info.Height > autoPixels:
		return 1, fmt.Sprintf("It already has %.1f megapixels; enlarging is left to you.", megapixels(info.Width, info.Height)), nil
	case e.fits(info, 2, f) != nil:
		return 1, "Its format cannot hold a larger picture.", nil
	}
	return 2, fmt.Sprintf("It has only %.1f megapixels; a neural network doubles both sides.", megapixels(info.Width, info.Height)), nil
}

func scaleWords(scale int) string {
	switch scale {
	case 2:
		return "Both sides doubled,"
	case 4:
		return "Both sides quadrupled,"
	}
	return "The size stays,"
}

// fits says whether format and limit hold the result.
func (e *Engine) fits(info pix.Info, scale int, f pix.Format) error {
	w, h := info.Width*scale, info.Height*scale
	if side := f.MaxSide(); max(w, h) > side {
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: "result_too_large", Field: "params.scale",
			Public: fmt.Sprintf("At %d× the result would be %d × %d pixels, but %s ends at %d a side. Choose a smaller scale, or the format png.", scale, w, h, f, side)}
	}
	if int64(w)*int64(h) > e.max {
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: "result_too_large", Field: "params.scale",
			Public: fmt.Sprintf("At %d× the result would have %d megapixels; this server makes at most %d. Choose a smaller scale.", scale, w*h/1_000_000, e.max/1_000_000)}
	}
	return nil
}
