package seal_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"musa/seal"
)

func TestKeyNeverPrints(t *testing.T) {
	t.Parallel()
	key := seal.NewKey()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key, "pointer", &key)
	said := log.String() + fmt.Sprintf("%v %+v %#v %x %X %s %q %d %v", key, key, key, key, key, key, key, key, &key)
	said += fmt.Sprint(struct{ K seal.Key }{key})
	for _, form := range []string{hex.EncodeToString(key[:4]), strings.ToUpper(hex.EncodeToString(key[:4])), fmt.Sprintf("%d %d", key[0], key[1]), string(key[:])} {
		if strings.Contains(said, form) {
			t.Fatalf("a printed key shows its bytes: %q", said)
		}
	}
	if out, err := json.Marshal(key); err == nil {
		t.Fatalf("a key was encoded as %d bytes of JSON", len(out))
	}
	key.Zero()
	if key != (seal.Key{}) {
		t.Fatal("Zero left bytes")
	}
}

func TestDerivedKeysDiffer(t *testing.T) {
	t.Parallel()
	key := seal.NewKey()
	first := key.Derive("a")
	if again := key.Derive("a"); again != first {
		t.Fatal("one label gave two keys")
	}
	fresh := seal.NewKey()
	if first == key || first == key.Derive("b") || first == fresh.Derive("a") || fresh == key {
		t.Fatal("two purposes share a key")
	}
}

func TestRecordOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := seal.NewKey()
		context := rapid.String().Draw(t, "context")
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plain")
		sealed, err := key.SealRecord(context, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := key.OpenRecord(context, sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %d bytes of %d: %v", len(got), len(plain), err)
		}
		if again, _ := key.SealRecord(context, plain); bytes.Equal(again, sealed) {
			t.Fatal("equal records look equal when sealed")
		}

		wantBroken := func(what string, context string, key seal.Key, sealed []byte) {
			if _, err := key.OpenRecord(context, sealed); !errors.Is(err, seal.ErrBroken) {
				t.Fatalf("%s: %v", what, err)
			}
		}
		other := rapid.String().Filter(func(s string) bool { return s != context }).Draw(t, "other")
		wantBroken("other context", other, key, sealed)
		wantBroken("other key", context, seal.NewKey(), sealed)
		wantBroken("cut", context, key, sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")])
		wantBroken("grown", context, key, append(bytes.Clone(sealed), 0))
		flipped := bytes.Clone(sealed)
		flipped[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		wantBroken("flipped", context, key, flipped)
	})
}

func TestWrappedKeyOpensOnlyForItsItem(t *testing.T) {
	t.Parallel()
	subject, item := seal.NewKey(), seal.NewKey()
	wrapped, err := subject.Wrap("as_one", item)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := subject.Unwrap("as_one", wrapped); err != nil || got != item {
		t.Fatalf("own key does not come back: %v", err)
	}
	for what, open := range map[string]func() (seal.Key, error){
		"other item":    func() (seal.Key, error) { return subject.Unwrap("as_two", wrapped) },
		"other subject": func() (seal.Key, error) { return seal.NewKey().Unwrap("as_one", wrapped) },
		"cut":           func() (seal.Key, error) { return subject.Unwrap("as_one", wrapped[:len(wrapped)-1]) },
		"empty":         func() (seal.Key, error) { return subject.Unwrap("as_one", nil) },
	} {
		if got, err := open(); !errors.Is(err, seal.ErrBroken) || got != (seal.Key{}) {
			t.Errorf("%s: %v", what, err)
		}
	}

	// A record is no wrapped key, though both are AES-256-GCM under one key and place.
	record, err := subject.SealRecord("as_one", item[:])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := subject.Unwrap("as_one", record); !errors.Is(err, seal.ErrBroken) {
		t.Fatalf("a record passed for a wrapped key: %v", err)
	}
}
