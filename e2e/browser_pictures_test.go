//go:build e2e

package e2e_test

import (
	"flag"
	"os"
	"path/filepath"

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
	data, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	b.must("take a picture", err)
	path := filepath.Join(musatest.Root(b.t), "doc", "pictures", name+".png")
	b.must("make the folder", os.MkdirAll(filepath.Dir(path), 0o755))
	b.must("save a picture", os.WriteFile(path, data, 0o644))
}
