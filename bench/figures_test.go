package bench_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/pix"
)

// rounds is how often the two sides of a ratio take turns.
const rounds = 3

// percentile is the smallest figure that p percent of all do not exceed.
func percentile(all []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// purse is what a person of a benchmark may spend.
const purse = 1 << 40

// person is a new guest, entered as account enters one.
func person(b *testing.B, d *db.DB, key func(musa.SubjectID) ([]byte, error)) musa.Actor {
	b.Helper()
	id := musa.NewSubjectID(time.Now())
	wrapped, err := key(id)
	must(b, err)
	must(b, d.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
		s := db.Subject{ID: id, Kind: musa.SubjectGuest, Tier: musa.TierGuest, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now}
		if err := tx.InsertSubject(ctx, s, wrapped); err != nil {
			return err
		}
		return tx.Grant(ctx, id, purse)
	}))
	return musa.Actor{Subject: id, Tier: musa.TierGuest, Role: musa.RoleSubject}
}

// small is a PNG of 64 pixels a side.
func small(b *testing.B) []byte {
	b.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		img.SetNRGBA(i%64, i/64, color.NRGBA{R: uint8(i), G: uint8(i / 7), B: uint8(i / 64), A: 255})
	}
	var buf bytes.Buffer
	must(b, png.Encode(&buf, img))
	return buf.Bytes()
}

// scene is a smooth picture with the noise of a camera, the same in every run.
func scene(b *testing.B, w, h int) []byte {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, 3*w*h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				v := 128 + 90*math.Sin(float64(x*(c+1))/97)*math.Cos(float64(y)/61) + r.NormFloat64()*4
				out[3*(y*w+x)+c] = byte(min(max(v, 0), 255))
			}
		}
	}
	return out
}

// encoded is a scene as a file.
func encoded(b *testing.B, w, h int, how pix.Encode) []byte {
	b.Helper()
	img, err := pix.FromPixels(scene(b, w, h), w, h, 3)
	must(b, err)
	defer img.Close()
	data, err := img.Encode(b.Context(), how)
	must(b, err)
	return data
}
