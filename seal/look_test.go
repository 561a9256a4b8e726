package seal_test

import (
	"bytes"
	"strings"
	"testing"

	"musa/seal"
)

func TestLooksSealed(t *testing.T) {
	t.Parallel()
	k := seal.NewKey()
	for _, n := range []int{0, 1, 50, 300, 5000} {
		for range 200 {
			sealed, err := k.SealRecord("rc_1", make([]byte, n))
			if err != nil {
				t.Fatal(err)
			}
			if !seal.LooksSealed(sealed) {
				t.Fatalf("a sealed record of %d bytes does not look sealed", n)
			}
		}
	}
	words := "\x01" + strings.Repeat(`{"prompt":"a cat under a plane tree"}`, 200)
	for name, clear := range map[string][]byte{
		"nothing": nil, "JSON": []byte(`{"name":"cat.png","format":"png","width":300}`), "words behind a version byte": []byte(words),
		"few words behind it": []byte(words[:80]), "a JPEG": append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte{7, 9}, 3000)...), "one byte, again and again": bytes.Repeat([]byte{1}, 5000),
	} {
		if seal.LooksSealed(clear) {
			t.Errorf("%s looks sealed", name)
		}
	}
}
