package api_test

import (
	"bytes"
	"context"
	"testing"

	"musa/musatest"
	"musa/pix"
)

// What a camera wrote about the person behind it is gone from the stored original: where
// they stood, when, with what.
func TestMetadataIsRemoved(t *testing.T) {
	t.Parallel()
	img, err := pix.Blank(32, 24, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	plain, err := img.Encode(context.Background(), pix.Encode{Format: pix.JPEG})
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("GPS 48.137154 N 11.576124 E, camera 4711")
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"), secret...)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	photo := append(append(append([]byte{}, plain[:2]...), segment...), plain[2:]...)
	g := musatest.New(t, musatest.Rig{}).Guest()
	stored := g.Content(g.Upload("me.jpg", photo).ID).Body
	if bytes.Contains(stored, secret) || bytes.Contains(stored, []byte("Exif")) {
		t.Error("the stored original still says where it was taken")
	}
	if len(stored) < len(plain)/2 {
		t.Errorf("%d bytes are stored of a picture of %d", len(stored), len(plain))
	}
}
