// Package neural runs the neural networks of the studio on this machine's processor
// and keeps the files they need.
//
// Promises:
//   - What runs is what models.lock.json pins: packages by their registry's integrity sum,
//     every file taken from them and every converted network by SHA-256. A file that
//     differs is not loaded.
//   - One session per network; work is done tile by tile with all cores, and jobs take
//     turns after each tile, so a large picture delays a small one by one tile at a time.
//   - A cancelled context returns at once, and its tile stops at the network's next operation.
//   - Memory is bounded by the tile, besides the pictures that the caller holds.
//   - Nothing is fetched while running; Pull is the only function that reaches out, and
//     it does so through the npm client and whatever registry that is configured for.
//
// Non-goals: decoding, encoding and everything else about files of pictures; graphics cards.
package neural

import (
	"fmt"

	"musa"
)

// Network names one neural network.
type Network string

// The networks.
const (
	CUNet2x  Network = "cunet-2x"      // the best doubling
	UpConv2x Network = "upconv7-2x"    // the fast doubling
	ESRGAN4x Network = "esrgan-4x"     // quadruples photographs
	CUNetN0  Network = "cunet-noise-0" // cleans JPEG artefacts, lightest
	CUNetN1  Network = "cunet-noise-1"
	CUNetN2  Network = "cunet-noise-2"
	CUNetN3  Network = "cunet-noise-3" // heaviest
)

// Networks lists every network that can be pulled.
func Networks() []Network {
	return []Network{CUNet2x, UpConv2x, ESRGAN4x, CUNetN0, CUNetN1, CUNetN2, CUNetN3}
}

// shape is what the tiler must know of a network.
type shape struct {
	scale   int     // output side per input side
	context int     // pixels around a tile that the network needs to see
	crops   bool    // the network itself drops the context (valid convolutions)
	blend   int     // input pixels over which neighbouring tiles are mixed
	tile    int     // side of a full tile, without context, in input pixels
	even    int     // a tile's side with context must be a multiple of this
	factor  float32 // what 8-bit values are multiplied with on the way in
	guess   float64 // seconds per million input pixels on one core, before any was measured
}

// Sizes follow from measurements: ESRGAN's tiles agree within 0.14 of 255 with 24 pixels
// of context; cunet pools over the whole tile, so its tiles differ by 2 to 4 and are
// mixed over 16 pixels; upconv7 is exact.
var shapes = map[Network]shape{
	CUNet2x:  {scale: 2, context: 18, crops: true, blend: 16, tile: 256, even: 4, factor: 1. / 255, guess: 20},
	UpConv2x: {scale: 2, context: 7, crops: true, tile: 256, even: 1, factor: 1. / 255, guess: 10},
	ESRGAN4x: {scale: 4, context: 24, tile: 128, even: 1, factor: 1, guess: 98},
	CUNetN0:  {scale: 1, context: 28, crops: true, blend: 16, tile: 256, even: 4, factor: 1. / 255, guess: 7},
	CUNetN1:  {scale: 1, context: 28, crops: true, blend: 16, tile: 256, even: 4, factor: 1. / 255, guess: 7},
	CUNetN2:  {scale: 1, context: 28, crops: true, blend: 16, tile: 256, even: 4, factor: 1. / 255, guess: 7},
	CUNetN3:  {scale: 1, context: 28, crops: true, blend: 16, tile: 256, even: 4, factor: 1. / 255, guess: 7},
}

// Scale is how much larger the network makes a side; 0 for an unknown network.
func (n Network) Scale() int { return shapes[n].scale }

// PullCommand is what an operator types to get the networks.
const PullCommand = "musa models pull"

func missing(what string, cause error) *musa.Problem {
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "model_missing", Cause: cause,
		Public: fmt.Sprintf("A part of the local engine is missing (%s). Whoever runs this server can fetch it with: %s", what, PullCommand)}
}

func corrupt(what string, cause error) *musa.Problem {
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "model_corrupt", Cause: cause,
		Public: fmt.Sprintf("A part of the local engine is not what it should be (%s). Whoever runs this server can fetch it anew with: %s", what, PullCommand)}
}
