// Package enginetest is the suite that every engine passes, and the null engine that
// benches run to measure everything but the engine. The product never imports it.
package enginetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"slices"
	"sync"
	"time"

	"musa"
	"musa/engine"
)

// Null answers each task with a small grey PNG. It does no work unless told to.
type Null struct {
	// Tiles is how many units of progress a run reports; 0 means 1.
	Tiles int
	// Hold is how long each unit waits, so that a run can be caught in the middle.
	Hold time.Duration
	// Fail is what a run returns after its last unit instead of a picture.
	Fail error
}

const nullSide = 16

// Name is "null".
func (*Null) Name() string { return "null" }

// Kinds is every kind that makes a picture from a picture.
func (*Null) Kinds() []musa.JobKind {
	return []musa.JobKind{musa.KindEnhance, musa.KindUpscale, musa.KindEdit, musa.KindRemoveBackground}
}

// Plan promises the grey picture.
func (n *Null) Plan(ctx context.Context, t engine.Task) (engine.Plan, error) {
	need := engine.Need{Kinds: n.Kinds(), MinInputs: 1, MaxInputs: 1, Prompt: 4000}
	if err := need.Check(t); err != nil {
		return engine.Plan{}, err
	}
	if !known(t.Inputs[0].Data) {
		return engine.Plan{}, &musa.Problem{Kind: musa.ErrUnsupported, Code: "image_unknown", Field: "inputs",
			Public: "This is not a picture in a format that we know."}
	}
	return engine.Plan{Steps: []engine.Step{{Name: engine.StepUpscale, On: true, Why: "Nothing is done."}}, Model: "none", Scale: 1,
		Width: nullSide, Height: nullSide, Format: "png", Tiles: n.tiles(), Notice: engine.NoticeLocal, Seconds: n.Hold.Seconds() * float64(n.tiles())}, ctx.Err()
}

// Run waits Hold for each unit, then returns the picture.
func (n *Null) Run(ctx context.Context, _ engine.Task, p engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	for i := range n.tiles() {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("null run: %w", ctx.Err())
		case <-time.After(n.Hold):
		}
		if report != nil {
			report(engine.Progress{Step: engine.StepUpscale, Done: i + 1, Total: n.tiles(), Seconds: n.Hold.Seconds() * float64(n.tiles()-i-1)})
		}
	}
	if n.Fail != nil {
		return nil, n.Fail
	}
	return []engine.Output{{Data: slices.Clone(grey()), Format: "png", Width: nullSide, Height: nullSide, Thumb: slices.Clone(greyThumb()),
		Engine: n.Name(), Model: p.Model, Steps: p.Steps, Checks: []string{"Nothing was done."}}}, nil
}

func (n *Null) tiles() int { return max(n.Tiles, 1) }

// The picture and its thumbnail are encoded once: a bench measures everything else. Runs
// get copies, because an output belongs to whoever ordered it.
var (
	grey      = sync.OnceValue(drawGrey)
	greyThumb = sync.OnceValue(drawGreyThumb)
)

func drawGrey() []byte {
	img := image.NewGray(image.Rect(0, 0, nullSide, nullSide))
	for i := range img.Pix {
		img.Pix[i] = 128
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		panic(fmt.Sprintf("encode a grey picture in memory: %v", err))
	}
	return buf.Bytes()
}

// drawGreyThumb is a lossless WebP of one grey pixel, written by hand because the standard
// library writes none: VP8L header, no transforms, five one-symbol prefix codes.
func drawGreyThumb() []byte {
	var w bits
	w.put(0x2f, 8)
	w.put(0, 14) // width - 1
	w.put(0, 14) // height - 1
	w.put(0, 4)  // no alpha, version 0
	w.put(0, 3)  // no transform, no colour cache, no meta prefix codes
	for _, symbol := range []uint32{128, 128, 128, 255} {
		w.put(1, 1) // simple code
		w.put(0, 1) // one symbol
		w.put(1, 1) // of eight bits
		w.put(symbol, 8)
	}
	w.put(1, 1) // distance code: one symbol, zero
	w.put(0, 1)
	w.put(0, 1)
	w.put(0, 1)
	body := w.bytes()
	if len(body)%2 == 1 {
		body = append(body, 0)
	}
	out := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(12+len(body)))...)
	out = append(out, "WEBPVP8L"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(w.bytes())))
	return append(out, body...)
}

// bits writes little-endian bit fields.
type bits struct {
	out []byte
	n   int
}

func (b *bits) put(v uint32, n int) {
	for i := range n {
		if b.n%8 == 0 {
			b.out = append(b.out, 0)
		}
		b.out[b.n/8] |= byte(v>>i&1) << (b.n % 8)
		b.n++
	}
}

func (b *bits) bytes() []byte { return b.out }
