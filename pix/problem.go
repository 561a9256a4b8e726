package pix

import (
	"fmt"

	"musa"
)

// Every refusal has its own code and says the way out. None repeats what was sent.

func invalid(code, public string, cause error) error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: code, Field: "file", Public: public, Cause: cause}
}

func unsupported(code, public string, cause error) error {
	return &musa.Problem{Kind: musa.ErrUnsupported, Code: code, Field: "file", Public: public, Cause: cause}
}

func tooLarge(code, public string) error {
	return &musa.Problem{Kind: musa.ErrTooLarge, Code: code, Field: "file", Public: public}
}

func problemEmpty() error {
	return invalid("image_empty", "The file is empty. Choose the picture again; if it comes from a cloud folder, download it first.", nil)
}

func problemTruncated(cause error) error {
	return invalid("image_truncated", "The picture is cut off: its end is missing. Copy or download it again, then try once more.", cause)
}

func problemDamaged(cause error) error {
	return invalid("image_damaged", "The picture is damaged and cannot be read. Open it in an image program, save it as JPEG or PNG, and try that file.", cause)
}

func problemBytes(limit int64) error {
	return tooLarge("image_too_large", fmt.Sprintf("The file is larger than %d MB. Save it as JPEG or WebP, or make it smaller.", limit>>20))
}

func problemPixels(l Limits) error {
	return tooLarge("image_too_many_pixels", fmt.Sprintf("The picture has too many pixels: at most %d megapixels and %d pixels a side are taken. Make it smaller and try again.", l.Pixels/1_000_000, l.Side))
}

func problemAnimated() error {
	return unsupported("image_animated", "The file is an animation; only still pictures are taken. Save the frame you want as PNG and send that.", nil)
}

func problemSlow(limit Limits, cause error) error {
	return &musa.Problem{
		Kind: musa.ErrTooLarge, Code: "image_too_slow", Field: "file",
		Public: fmt.Sprintf("Reading the picture took longer than %s. Save it as JPEG or PNG and try that file.", limit.Time),
		Cause:  cause,
	}
}

func problemCodec(f Format) error {
	return unsupported("image_no_codec", fmt.Sprintf("This server cannot read %s: its libvips lacks the codec. Send JPEG, PNG or WebP; or ask whoever runs the server to install libheif with the plugin for %s.", formatNames[f], codecNames[f]), nil)
}

func problemFormat(f Format) error {
	return unsupported("image_no_encoder", fmt.Sprintf("This server cannot write %s: its libvips lacks the encoder. Choose JPEG, PNG or WebP.", formatNames[f]), nil)
}

func problemSide(f Format) error {
	return tooLarge("image_side_too_long", fmt.Sprintf("The result is too large for %s, which ends at %d pixels a side. Choose PNG, or a smaller size.", formatNames[f], f.MaxSide()))
}

var formatNames = map[Format]string{
	JPEG: "JPEG", PNG: "PNG", WebP: "WebP", AVIF: "AVIF", HEIC: "HEIC", TIFF: "TIFF", GIF: "GIF",
}

var codecNames = map[Format]string{
	JPEG: "JPEG", PNG: "PNG", WebP: "WebP", AVIF: "AV1 (dav1d or aom)", HEIC: "HEVC (libde265)", TIFF: "TIFF", GIF: "GIF",
}
