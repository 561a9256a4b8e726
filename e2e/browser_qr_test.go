//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// scanned is what a reader that is not ours reads from a picture of a code.
func scanned(t *testing.T, picture image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		t.Fatalf("the code cannot be read: %v", err)
	}
	return read.GetText()
}

// wantScannable looks at the code as the page shows it, in both themes and on a phone: an app that scans it gets
// the secret that stands beside it to be typed.
func wantScannable(b *tab, secret string) {
	b.t.Helper()
	for _, look := range []screen{desk, desk.in("dark"), phone} {
		b.look(look)
		shot, err := chromedp.Run(b.ctx, chromedp.Screenshot("[data-qr] .qr"))
		b.must("look at the code", err)
		picture, err := png.Decode(bytes.NewReader(shot))
		if err != nil {
			b.t.Fatal(err)
		}
		text := scanned(b.t, picture)
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("secret") != secret {
			b.t.Errorf("the code holds another secret than the page shows, or none")
		}
	}
	b.look(desk)
}

// wantEverySize has the page draw a code of every version that it knows, at and around its bounds.
func wantEverySize(b *tab) {
	b.t.Helper()
	for _, size := range []int{1, 14, 15, 26, 27, 42, 43, 62, 63, 84, 85, 106, 107, 122, 123, 152, 153, 180, 181, 213} {
		text := strings.ToValidUTF8(strings.Repeat("otpauth://totp/Ä?", size)[:size], "x")
		rows := see[[]string](b, fmt.Sprintf(`(async () => {
			const { draw } = await import(new URL('qr.js', document.querySelector('script[type=module]').src));
			return draw(new TextEncoder().encode(%q)).map((row) => row.map((dark) => (dark ? '#' : ' ')).join(''));
		})()`, text))
		if got := scanned(b.t, drawn(rows)); got != text {
			b.t.Errorf("a code of %d bytes reads %q, want %q", size, got, text)
		}
	}
}

// drawn is a picture of a code's modules, with the quiet zone around them.
func drawn(rows []string) image.Image {
	const module, quiet = 4, 4
	side := (len(rows) + 2*quiet) * module
	p := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			row, column := y/module-quiet, x/module-quiet
			if row < 0 || column < 0 || row >= len(rows) || column >= len(rows) || rows[row][column] != '#' {
				p.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return p
}
