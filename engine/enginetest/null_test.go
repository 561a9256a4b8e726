package enginetest_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"
	"time"

	"musa"
	"musa/engine"
	"musa/engine/enginetest"
)

func TestNull(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	task := engine.Task{Kind: musa.KindEnhance, Inputs: []engine.Input{{Data: buf.Bytes()}}}
	enginetest.Run(t, enginetest.Subject{Engine: &enginetest.Null{Tiles: 50, Hold: 5 * time.Millisecond}, Short: task, Long: task})
}
