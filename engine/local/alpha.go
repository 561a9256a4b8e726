package local

import (
	"context"
	"math"

	"musa/pix"
)

// bleedReach is how far colour is carried into transparent areas, in pixels: as far as a
// network sees around a pixel that it makes.
const bleedReach = 8

// bled copies a picture with alpha and fills the colour under fully transparent pixels
// near visible ones with their neighbours' mean. What lies there is often black, which a
// network would carry into the visible edge as a dark fringe.
func bled(ctx context.Context, img *pix.Image) (*pix.Image, error) {
	w, h := img.Size()
	out, err := pix.FromPixels(img.View(), w, h, img.Bands())
	if err != nil {
		return nil, err
	}
	b := bleeder{pix: out.View(), width: w, height: h, known: make([]byte, w*h)}
	for i := range b.known {
		if b.pix[4*i+3] != 0 {
			b.known[i] = 1
		}
	}
	for round := byte(1); round <= bleedReach; round++ {
		if err := ctx.Err(); err != nil {
			out.Close()
			return nil, err
		}
		if !b.spread(round) {
			break
		}
	}
	return out, nil
}

type bleeder struct {
	pix           []byte
	width, height int
	known         []byte // the round in which a pixel got its colour, 1 = had it; 0 = none yet
}

// spread gives colour to all pixels beside those of earlier rounds.
func (b bleeder) spread(round byte) (grew bool) {
	for y := range b.height {
		for x := range b.width {
			at := y*b.width + x
			if b.known[at] != 0 {
				continue
			}
			var sum [3]int
			n := 0
			for _, d := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
				nx, ny := x+d[0], y+d[1]
				if nx < 0 || ny < 0 || nx >= b.width || ny >= b.height {
					continue
				}
				from := ny*b.width + nx
				if k := b.known[from]; k == 0 || k > round {
					continue
				}
				for c := range 3 {
					sum[c] += int(b.pix[4*from+c])
				}
				n++
			}
			if n == 0 {
				continue
			}
			for c := range 3 {
				b.pix[4*at+c] = byte(sum[c] / n)
			}
			b.known[at] = round + 1
			grew = true
		}
	}
	return grew
}

// layAlpha enlarges the source's transparency to the result's size, which is a whole
// multiple, and lays it in. It uses Catmull-Rom, pixel centres on pixel centres as the
// networks do; libvips lays enlarged pixels half a pixel aside.
func layAlpha(ctx context.Context, dst, src *pix.Image) error {
	w, h := src.Size()
	dw, dh := dst.Size()
	l := alphaLines{pix: src.View(), width: w, height: h, scale: dw / w}
	for i := range l.lines {
		l.lines[i], l.held[i] = make([]float32, dw), -1
	}
	out := dst.View()
	for y := range dh {
		if err := ctx.Err(); err != nil {
			return err
		}
		base, weight := phase(y, l.scale)
		var rows [4][]float32
		for i := range rows {
			rows[i] = l.line(min(max(base-1+i, 0), h-1))
		}
		for x := range dw {
			v := rows[0][x]*weight[0] + rows[1][x]*weight[1] + rows[2][x]*weight[2] + rows[3][x]*weight[3]
			out[4*(y*dw+x)+3] = byte(min(max(v, 0), 255) + 0.5)
		}
	}
	return nil
}

// alphaLines enlarges the transparency of single lines and holds the last four.
type alphaLines struct {
	pix                  []byte
	width, height, scale int
	lines                [4][]float32
	held                 [4]int // which source line lies in lines; -1 = none
}

func (l *alphaLines) line(y int) []float32 {
	slot := y & 3
	if l.held[slot] == y {
		return l.lines[slot]
	}
	l.held[slot] = y
	from, to := l.pix[4*y*l.width:], l.lines[slot]
	for x := range to {
		base, weight := phase(x, l.scale)
		var v float32
		for i := range weight {
			v += weight[i] * float32(from[4*min(max(base-1+i, 0), l.width-1)+3])
		}
		to[x] = v
	}
	return to
}

// phase finds the source pixel at or before an enlarged one's centre, and the
// Catmull-Rom weights of it, the one before and the two after.
func phase(at, scale int) (base int, weight [4]float32) {
	centre := (float64(at)+0.5)/float64(scale) - 0.5
	base = int(math.Floor(centre))
	t := float32(centre - float64(base))
	return base, [4]float32{
		t * (-0.5 + t*(1-0.5*t)), 1 + t*t*(-2.5+1.5*t), t * (0.5 + t*(2-1.5*t)), t * t * (-0.5 + 0.5*t),
	}
}
