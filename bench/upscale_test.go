package bench_test

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"musa"
	"musa/engine"
	"musa/engine/local"
	"musa/musatest"
	"musa/neural"
	"musa/pix"
)

// upscales is how often the sides take turns: one of four tiles takes seconds.
const upscales = 2

// BenchmarkUpscale doubles a picture of four full tiles: by neural.Apply, by the whole local
// engine (decoding, checks, mark, preview and encoding included), and by bare onnxruntime
// with the same network on four tensors of the same shape. Goal: x-bare ≥ 0.95, where 1 is
// as fast as the bare run.
func BenchmarkUpscale(b *testing.B) {
	for _, c := range []struct {
		network neural.Network
		quality string
		side    int // of a picture of two by two full tiles
		tensor  int // side of a tile with its context
	}{
		{neural.UpConv2x, engine.QualityFast, 512, 256 + 2*7},
		{neural.CUNet2x, engine.QualityBest, 496, 256 + 2*18},
	} {
		b.Run(string(c.network), func(b *testing.B) {
			models := musatest.Models(b)
			nets := neural.Open(models)
			b.Cleanup(func() { nets.Close() })
			tiles := neural.Tiles(c.network, c.side, c.side)
			src := neural.Raster{Pix: scene(b, c.side, c.side), Width: c.side, Height: c.side, Bands: 3}
			dst := neural.Raster{Pix: make([]byte, 3*4*c.side*c.side), Width: 2 * c.side, Height: 2 * c.side, Bands: 3}
			apply := func() { must(b, nets.Apply(b.Context(), c.network, dst, src, nil)) }
			whole := enlarger(b, nets, c.side, c.quality)
			apply() // loads the network, and the library that the bare session needs
			bare := newBareNetwork(b, filepath.Join(models, string(c.network)+".onnx"), c.tensor)
			bare.run(b, 1)
			whole()
			var tiled, full, theirs time.Duration
			for b.Loop() {
				for range upscales {
					theirs += timed(func() { bare.run(b, tiles) })
					tiled += timed(apply)
					full += timed(whole)
				}
			}
			n := float64(b.N * upscales * tiles)
			b.ReportMetric(ms(tiled)/n, "tile-ms")
			b.ReportMetric(ms(theirs)/n, "bare-tile-ms")
			b.ReportMetric(theirs.Seconds()/tiled.Seconds(), "x-bare")
			b.ReportMetric(theirs.Seconds()/full.Seconds(), "engine-x-bare")
		})
	}
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

// enlarger doubles a PNG through the local engine, with nothing but the network switched on.
func enlarger(b *testing.B, nets *neural.Runtime, side int, quality string) func() {
	b.Helper()
	e, err := local.New(local.Config{Models: nets})
	must(b, err)
	off := map[string]string{engine.StepDeblock: engine.SwitchOff, engine.StepDenoise: engine.SwitchOff, engine.StepSharpen: engine.SwitchOff,
		engine.StepLight: engine.SwitchOff, engine.StepColour: engine.SwitchOff}
	task := engine.Task{Kind: musa.KindUpscale, Params: engine.Params{Scale: 2, Quality: quality, Format: "jpeg", Steps: off},
		Inputs: []engine.Input{{Asset: "as_bench", Data: encoded(b, side, side, pix.Encode{Format: pix.PNG})}}}
	plan, err := e.Plan(b.Context(), task)
	must(b, err)
	return func() {
		_, err := e.Run(b.Context(), task, plan, nil)
		must(b, err)
	}
}

type bareNetwork struct {
	session *ort.DynamicAdvancedSession
	input   *ort.Tensor[float32]
}

// newBareNetwork opens a session with as many threads as neural takes, and otherwise with
// onnxruntime's own choices.
func newBareNetwork(b *testing.B, file string, side int) *bareNetwork {
	b.Helper()
	opts, err := ort.NewSessionOptions()
	must(b, err)
	defer opts.Destroy()
	must(b, opts.SetIntraOpNumThreads(runtime.GOMAXPROCS(0)))
	must(b, opts.SetInterOpNumThreads(1))
	session, err := ort.NewDynamicAdvancedSession(file, []string{"in"}, []string{"out"}, opts)
	must(b, err)
	b.Cleanup(func() { session.Destroy() })
	input, err := ort.NewEmptyTensor[float32](ort.NewShape(1, 3, int64(side), int64(side)))
	must(b, err)
	b.Cleanup(func() { input.Destroy() })
	for i := range input.GetData() {
		input.GetData()[i] = float32(i%255) / 255
	}
	return &bareNetwork{session, input}
}

func (n *bareNetwork) run(b *testing.B, tiles int) {
	for range tiles {
		out := []ort.Value{nil}
		must(b, n.session.Run([]ort.Value{n.input}, out))
		must(b, out[0].Destroy())
	}
}
