package pix

import (
	"context"
	"math"
	"runtime"
	"slices"
)

// Measures is what a picture's own pixels say about it. Brightness runs from 0 to 1.
type Measures struct {
	Mean       float64    // mean luma
	Low        float64    // luma of the 1st percentile
	Median     float64    // of the 50th
	High       float64    // of the 99th
	Shadows    float64    // share of pixels at luma 0 or 1 of 255
	Highlights float64    // share at 254 or 255
	Cast       [3]float64 // mean red, green and blue, each over their mean; 1,1,1 is neutral
	Colourful  float64    // mean distance of a pixel's largest and smallest band, 0 to 1
	Noise      float64    // standard deviation of noise, in steps of 255
	Blockiness float64    // JPEG blocks: how much steps on the 8×8 grid exceed the others; 0 is none, above 0.3 visible
	Sharpness  float64    // 1 where edges are one pixel wide, 0.1 over ten; 1 if there are no edges to judge

	blockStep float64 // excess of steps on the grid, in steps of 255
}

// Contrast is the distance of the dark and the bright end.
func (m Measures) Contrast() float64 { return m.High - m.Low }

// sampleBudget bounds the pixels looked at, so that 48 megapixels cost what 4 do.
const sampleBudget = 4 << 20

// stripeRows is a multiple of JPEG's blocks.
const stripeRows = 128

// Measure looks at the picture, by stripes if it is large. Transparent pixels count as
// they are.
func (i *Image) Measure() (Measures, error) { return i.measure(context.Background()) }

func (i *Image) measure(ctx context.Context) (Measures, error) {
	if i.closed.Load() {
		return Measures{}, errClosed
	}
	w, h := i.Size()
	s := sampler{pixels: i.View(), width: w, bands: i.Bands()}
	stripes := (h + stripeRows - 1) / stripeRows
	looked := min(stripes, max(1, sampleBudget/w/stripeRows))
	for k := range looked {
		// A stripe begins on the block grid, so that all see the same phase.
		top := k * stripes / looked * stripeRows
		if err := s.stripe(ctx, top, min(stripeRows, h-top)); err != nil {
			return Measures{}, err
		}
	}
	runtime.KeepAlive(i)
	return s.sum(), nil
}

type sampler struct {
	pixels       []byte
	width, bands int

	histogram  [256]int
	band       [3]float64
	colourful  float64
	noise      []float64 // per block of 16×16
	steps      [2][8]float64
	stepCounts [2][8]float64
	edges      []float64
}

// stripe looks four times at the same rows, and between at the context.
func (s *sampler) stripe(ctx context.Context, top, rows int) error {
	luma := make([]byte, s.width*rows)
	tone := func(luma []byte, _ int) { s.tone(luma, s.pixels[top*s.width*s.bands:]) }
	for _, look := range []func(luma []byte, rows int){tone, s.grain, s.grid, s.edge} {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		look(luma, rows)
	}
	return nil
}

// tone fills in luma and counts brightness and colour.
func (s *sampler) tone(luma, pixels []byte) {
	n := s.bands
	for k := range luma {
		p := pixels[k*n : k*n+n]
		if n < 3 {
			luma[k] = p[0]
			s.histogram[p[0]]++
			continue
		}
		y := byte((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
		luma[k] = y
		s.histogram[y]++
		s.band[0] += float64(p[0])
		s.band[1] += float64(p[1])
		s.band[2] += float64(p[2])
		s.colourful += float64(max(p[0], p[1], p[2]) - min(p[0], p[1], p[2]))
	}
}

// grain estimates noise in each block by Immerkær's operator (1996), which is blind to
// constant and evenly rising areas.
func (s *sampler) grain(luma []byte, rows int) {
	const block = 16
	w := s.width
	for y0 := 1; y0+block < rows; y0 += block {
		for x0 := 1; x0+block < w; x0 += block {
			sum, mean := 0, 0
			for y := y0; y < y0+block; y++ {
				for x := x0; x < x0+block; x++ {
					o := y*w + x
					a, b, c := luma[o-w-1:], luma[o-1:], luma[o+w-1:]
					v := int(a[0]) - 2*int(a[1]) + int(a[2]) - 2*int(b[0]) + 4*int(b[1]) - 2*int(b[2]) + int(c[0]) - 2*int(c[1]) + int(c[2])
					sum += max(v, -v)
					mean += int(b[1])
				}
			}
			// Clipped areas have lost their noise and say nothing.
			if m := mean / (block * block); m >= 8 && m <= 247 {
				s.noise = append(s.noise, float64(sum)/(block*block)*math.Sqrt(math.Pi/2)/6)
			}
		}
	}
}

// maxStep leaves real edges out of the search for blocks.
const maxStep = 40

// grid sums the steps between neighbours by their place within eight.
func (s *sampler) grid(luma []byte, rows int) {
	w := s.width
	for y := 1; y < rows; y++ {
		row, above := luma[y*w:y*w+w], luma[(y-1)*w:y*w]
		for x := 1; x < w; x++ {
			d := int(row[x]) - int(row[x-1])
			if d = max(d, -d); d <= maxStep {
				s.steps[0][x&7] += float64(d)
				s.stepCounts[0][x&7]++
			}
			d = int(row[x]) - int(above[x])
			if d = max(d, -d); d <= maxStep {
				s.steps[1][y&7] += float64(d)
				s.stepCounts[1][y&7]++
			}
		}
	}
}

// edge collects, for stretches of 32 pixels with real contrast, the steepest step's
// share of the whole rise.
func (s *sampler) edge(luma []byte, rows int) {
	const stretch, contrast = 32, 48
	w := s.width
	for y := 0; y < rows; y += 4 {
		row := luma[y*w : y*w+w]
		for x0 := 0; x0+stretch <= w; x0 += stretch / 2 {
			low, high, steep := 255, 0, 0
			for x := x0; x < x0+stretch; x++ {
				v := int(row[x])
				low, high = min(low, v), max(high, v)
				if x > x0 {
					d := v - int(row[x-1])
					steep = max(steep, d, -d)
				}
			}
			if high-low >= contrast {
				s.edges = append(s.edges, float64(steep)/float64(high-low))
			}
		}
	}
}

func (s *sampler) sum() Measures {
	m := Measures{Cast: [3]float64{1, 1, 1}, Sharpness: 1}
	total := 0
	for v, n := range s.histogram {
		total += n
		m.Mean += float64(v*n) / 255
	}
	m.Mean /= float64(total)
	m.Low, m.Median, m.High = s.percentile(total, 0.01), s.percentile(total, 0.5), s.percentile(total, 0.99)
	m.Shadows = float64(s.histogram[0]+s.histogram[1]) / float64(total)
	m.Highlights = float64(s.histogram[254]+s.histogram[255]) / float64(total)
	if mean := (s.band[0] + s.band[1] + s.band[2]) / 3; mean > 0 {
		for b := range 3 {
			m.Cast[b] = s.band[b] / mean
		}
		m.Colourful = s.colourful / float64(total) / 255
	}
	if len(s.noise) > 0 {
		slices.Sort(s.noise)
		// The calmest blocks show noise best; a low rank of many guesses lies a tenth
		// below their mean.
		m.Noise = s.noise[len(s.noise)*15/100] / 0.9
	}
	m.Blockiness, m.blockStep = s.blocks()
	if len(s.edges) > 0 {
		slices.Sort(s.edges)
		m.Sharpness = s.edges[len(s.edges)*3/4]
	}
	return m
}

func (s *sampler) percentile(total int, share float64) float64 {
	seen := 0
	for v, n := range s.histogram {
		if seen += n; float64(seen) >= share*float64(total) {
			return float64(v) / 255
		}
	}
	return 1
}

// blocks compares the strongest of eight phases with the median one; a cropped JPEG
// has its grid at another phase.
func (s *sampler) blocks() (score, step float64) {
	for axis := range 2 {
		var means []float64
		for p := range 8 {
			if n := s.stepCounts[axis][p]; n > 0 {
				means = append(means, s.steps[axis][p]/n)
			}
		}
		if len(means) < 8 {
			continue
		}
		slices.Sort(means)
		// A quarter of a step keeps flat drawings from dividing by nothing.
		score += (means[7] - means[3]) / (means[3] + 0.25) / 2
		step += (means[7] - means[3]) / 2
	}
	return score, step
}
