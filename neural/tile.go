package neural

import (
	"context"
	"errors"
	"fmt"
	"time"

	"musa"
)

// Raster is a picture in memory: interleaved 8-bit RGB or RGBA without gaps. Networks
// see and make red, green and blue; an alpha byte is neither read nor written.
type Raster struct {
	Pix    []byte
	Width  int
	Height int
	Bands  int // 3 or 4
}

func (r Raster) check() error {
	if r.Width < 1 || r.Height < 1 || r.Bands < 3 || r.Bands > 4 || len(r.Pix) != r.Bands*r.Width*r.Height {
		return fmt.Errorf("a raster of %d bytes is not %d×%d×%d: %w", len(r.Pix), r.Width, r.Height, r.Bands, musa.ErrInvalid)
	}
	return nil
}

// span is one tile's extent along one axis, in input pixels.
type span struct {
	start, size int
	blend       int // how many of its first pixels are mixed with the tile before
}

// spans cuts a side into the fewest tiles that fit, all of one size: equal tiles see
// equally much of the picture, which networks that pool over a tile need, and let the
// runtime plan its memory once.
func (s shape) spans(side int) []span {
	if side <= s.tile {
		return []span{{size: side}}
	}
	step := s.tile - s.blend
	n := (side - s.blend + step - 1) / step
	size := (side + (n-1)*s.blend + n - 1) / n
	out := []span{{size: size}}
	for i := 1; i < n; i++ {
		out = append(out, span{start: min(i*(size-s.blend), side-size), size: size, blend: s.blend})
	}
	return out
}

// Tiles is how many tiles Apply takes for a picture of this size.
func Tiles(n Network, width, height int) int {
	s, ok := shapes[n]
	if !ok {
		return 0
	}
	return len(s.spans(width)) * len(s.spans(height))
}

// Estimate is how long Apply would take on this machine if it had nothing else to do,
// from what its tiles took lately.
func (r *Runtime) Estimate(n Network, width, height int) time.Duration {
	s, ok := shapes[n]
	if !ok {
		return 0
	}
	var across, down int
	for _, sp := range s.spans(width) {
		across += s.padded(sp.size)
	}
	for _, sp := range s.spans(height) {
		down += s.padded(sp.size)
	}
	return time.Duration(r.secondsPer(n) * float64(across) * float64(down) / 1e6 * float64(time.Second))
}

// padded is the side of what the network is given for a tile of this size.
func (s shape) padded(size int) int {
	full := size + 2*s.context
	return (full + s.even - 1) / s.even * s.even
}

// Apply carries src through the network, tile by tile, into dst, which the caller has
// made n.Scale() times as large a side. report, which may be nil, is called after each
// tile. It returns ctx.Err() within a second of ctx's end, and *musa.Problem
// (ErrUnavailable) when the network is missing or corrupt; dst then holds any part of
// the result.
func (r *Runtime) Apply(ctx context.Context, n Network, dst, src Raster, report func(done, total int)) error {
	s, ok := shapes[n]
	if !ok {
		return missing("an unknown network", nil)
	}
	if err := errors.Join(src.check(), dst.check()); err != nil {
		return err
	}
	if dst.Width != src.Width*s.scale || dst.Height != src.Height*s.scale {
		return fmt.Errorf("%s makes no %d×%d of %d×%d: %w", n, dst.Width, dst.Height, src.Width, src.Height, musa.ErrInvalid)
	}
	columns, rows := s.spans(src.Width), s.spans(src.Height)
	done := 0
	for _, y := range rows {
		for _, x := range columns {
			out, err := r.run(ctx, n, s.cut(src, x, y))
			if err != nil {
				return err
			}
			if err := s.paste(dst, out, x, y); err != nil {
				return fmt.Errorf("network %s: %w", n, err)
			}
			done++
			if report != nil {
				report(done, len(rows)*len(columns))
			}
		}
	}
	return nil
}

// cut takes a tile and its context out of the picture; beyond the edges the nearest
// pixel is repeated.
func (s shape) cut(src Raster, x, y span) planes {
	w, h := s.padded(x.size), s.padded(y.size)
	p := planes{data: make([]float32, 3*w*h), width: w, height: h}
	red, green, blue := p.data[:w*h], p.data[w*h:2*w*h], p.data[2*w*h:]
	for row := range h {
		line := clamp(y.start-s.context+row, src.Height) * src.Width
		for col := range w {
			from := src.Bands * (line + clamp(x.start-s.context+col, src.Width))
			at := row*w + col
			red[at] = float32(src.Pix[from]) * s.factor
			green[at] = float32(src.Pix[from+1]) * s.factor
			blue[at] = float32(src.Pix[from+2]) * s.factor
		}
	}
	return p
}

func clamp(v, size int) int { return min(max(v, 0), size-1) }

// paste writes a tile's result into the picture. Where it overlaps the tiles before it
// (left and above), the two are mixed along a ramp, so that no edge can be seen.
func (s shape) paste(dst Raster, out planes, x, y span) error {
	inset := s.context * s.scale
	if s.crops {
		inset = 0
	}
	w, h := x.size*s.scale, y.size*s.scale
	if out.width < inset+w || out.height < inset+h {
		return fmt.Errorf("a tile came back as %d×%d, want at least %d×%d", out.width, out.height, inset+w, inset+h)
	}
	plane := out.width * out.height
	back := 1 / s.factor
	for row := range h {
		down := ramp(row, y.blend*s.scale)
		to := dst.Bands * ((y.start*s.scale+row)*dst.Width + x.start*s.scale)
		from := (inset+row)*out.width + inset
		for col := range w {
			weight := down * ramp(col, x.blend*s.scale)
			for c := range 3 {
				v := out.data[c*plane+from+col] * back
				at := to + dst.Bands*col + c
				if weight < 1 {
					old := float32(dst.Pix[at])
					v = old + (v-old)*weight
				}
				dst.Pix[at] = byte(min(max(v, 0), 255) + 0.5)
			}
		}
	}
	return nil
}

// ramp is the weight of the newer tile at a distance from its edge.
func ramp(at, length int) float32 {
	if at >= length {
		return 1
	}
	return (float32(at) + 0.5) / float32(length)
}
