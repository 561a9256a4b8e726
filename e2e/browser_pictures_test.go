//go:build e2e

package e2e_test

import (
	"flag"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"musa/musatest"
)

var pictures = flag.Bool("pictures", false, "take the pictures of the README anew, into doc/pictures")

// picture takes what is in sight into doc/pictures, when the pictures are asked for.
func (b *tab) picture(name string) {
	b.t.Helper()
	if !*pictures {
		return
	}
	b.act(`scrollTo(0, 0); document.activeElement.blur()`)
	b.must("move the mouse away", chromedp.Do(b.ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2)))
	quality := int64(90)
	shot, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality})
	b.must("take a picture", err)
	path := filepath.Join(musatest.Root(b.t), "doc", "pictures", name+".jpg")
	b.must("make the folder", os.MkdirAll(filepath.Dir(path), 0o755))
	b.must("save a picture", os.WriteFile(path, shot.Data, 0o644))
}
