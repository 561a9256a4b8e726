package photos_test

import (
	"bytes"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"testing"

	"musa/musatest/photos"
)

func TestPhotographsAreThere(t *testing.T) {
	t.Parallel()
	for _, name := range photos.Names() {
		cfg, _, err := image.DecodeConfig(bytes.NewReader(photos.Read(t, name)))
		if err != nil || cfg.Width < 400 || cfg.Height < 250 {
			t.Errorf("%s: %d×%d, %v", name, cfg.Width, cfg.Height, err)
		}
	}
}
