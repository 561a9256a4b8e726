package seal_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/seal"
)

func newKeyset(t testing.TB) *seal.Keyset {
	t.Helper()
	k, err := seal.Create(filepath.Join(t.TempDir(), "musa.keys"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newSubject() musa.SubjectID { return musa.NewSubjectID(time.UnixMilli(1)) }

func TestKeysetSurvivesARestart(t *testing.T) {
	t.Parallel()
	k := newKeyset(t)
	id, key := newSubject(), seal.NewKey()
	wrapped, err := k.WrapSubject(id, key)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.Load(k.Path())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.OpenSubject(id, wrapped); err != nil || got != key {
		t.Fatalf("subject's key lost: %v", err)
	}
	if again.ID() != k.ID() || !bytes.Equal(again.Digest("mail", "a"), k.Digest("mail", "a")) || !again.Signer().Equal(k.Signer()) {
		t.Fatal("another fingerprint, digest or signer after loading")
	}
	note := []byte("head")
	if !ed25519.Verify(k.Signer().Public().(ed25519.PublicKey), note, ed25519.Sign(again.Signer(), note)) {
		t.Fatal("signature does not verify")
	}
	if err := again.Require(k.ID()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(k.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("keyset file has mode %v: %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(k.Path())); len(left) != 1 {
		t.Fatalf("%d files beside the keyset", len(left)-1)
	}
}

func TestSubjectKeyOpensOnlyForItsSubject(t *testing.T) {
	t.Parallel()
	k := newKeyset(t)
	id, key := newSubject(), seal.NewKey()
	wrapped, err := k.WrapSubject(id, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.OpenSubject(newSubject(), wrapped); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("another subject: %v", err)
	}
	for at := range wrapped {
		changed := bytes.Clone(wrapped)
		changed[at] ^= 0x40
		if _, err := k.OpenSubject(id, changed); !errors.Is(err, seal.ErrBroken) && !errors.Is(err, seal.ErrWrongKeyset) {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	if _, err := k.OpenSubject(id, wrapped[:20]); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("cut: %v", err)
	}
}

func TestWrongKeysetIsRefusedByName(t *testing.T) {
	t.Parallel()
	right, wrong := newKeyset(t), newKeyset(t)
	err := wrong.Require(right.ID())
	var problem *musa.Problem
	if !errors.As(err, &problem) || !errors.Is(err, seal.ErrWrongKeyset) || !errors.Is(err, musa.ErrUnavailable) {
		t.Fatalf("wrong keyset: %v", err)
	}
	for _, name := range []string{wrong.Path(), wrong.ID(), right.ID()} {
		if !strings.Contains(problem.Public, name) || !strings.Contains(err.Error(), name) {
			t.Errorf("the words do not name %s: %s", name, problem.Public)
		}
	}
	id := newSubject()
	wrapped, err := right.WrapSubject(id, seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.OpenSubject(id, wrapped); !errors.Is(err, seal.ErrWrongKeyset) || !strings.Contains(err.Error(), wrong.ID()) {
		t.Fatalf("opened with the wrong keyset: %v", err)
	}
}

func TestMissingKeysetNamesFileAndWayOut(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "musa.keys")
	_, err := seal.Load(path)
	var problem *musa.Problem
	if !errors.Is(err, seal.ErrNoKeyset) || !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &problem) {
		t.Fatalf("missing keyset: %v", err)
	}
	if !strings.Contains(problem.Public, path) || !strings.Contains(err.Error(), path) {
		t.Fatalf("the words do not name the file: %s", problem.Public)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	t.Parallel()
	k := newKeyset(t)
	before, err := os.ReadFile(k.Path())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Create(k.Path()); !errors.Is(err, fs.ErrExist) || !errors.Is(err, musa.ErrConflict) {
		t.Fatalf("created twice: %v", err)
	}
	if after, _ := os.ReadFile(k.Path()); !bytes.Equal(before, after) {
		t.Fatal("the keyset changed")
	}
	if _, err := seal.Create(filepath.Join(t.TempDir(), "none", "musa.keys")); !errors.Is(err, musa.ErrUnavailable) {
		t.Fatalf("no folder: %v", err)
	}
}

func TestUnusableKeysetFiles(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(newKeyset(t).Path())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		mode fs.FileMode
		says string
	}{
		"group may read":  {good, 0o640, "chmod 600"},
		"world may read":  {good, 0o604, "chmod 600"},
		"group may write": {good, 0o620, "chmod 600"},
		"empty":           {nil, 0o600, "not a whole keyset"},
		"cut":             {good[:len(good)/2], 0o600, "not a whole keyset"},
		"other file":      {[]byte(`{"kty":"oct"}`), 0o600, "not a whole keyset"},
		"followed":        {append(bytes.Clone(good), "{}"...), 0o600, "follows"},
		"newer":           {bytes.Replace(good, []byte(`"musa_keyset": 1`), []byte(`"musa_keyset": 2`), 1), 0o600, "version is 2"},
		"short seed":      {[]byte(`{"musa_keyset":1,"wrapping":{},"lookup":{"version":1,"key":""},"signing_seed":"AAAA"}`), 0o600, "length"},
		"no wrapping":     {replaceWrapping(t, good), 0o600, "wrapping keys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "musa.keys")
			if err := errors.Join(os.WriteFile(path, c.raw, 0o600), os.Chmod(path, c.mode)); err != nil {
				t.Fatal(err)
			}
			_, err := seal.Load(path)
			var problem *musa.Problem
			if !errors.Is(err, seal.ErrBadKeyset) || !errors.As(err, &problem) {
				t.Fatalf("loaded: %v", err)
			}
			if !strings.Contains(problem.Public, path) || !strings.Contains(problem.Public, c.says) {
				t.Fatalf("the words %q do not name the file or say %q", problem.Public, c.says)
			}
		})
	}
	if _, err := seal.Load(t.TempDir()); !errors.Is(err, seal.ErrBadKeyset) {
		t.Errorf("a folder: %v", err)
	}
}

func replaceWrapping(t *testing.T, good []byte) []byte {
	t.Helper()
	from, to := bytes.Index(good, []byte(`"wrapping"`)), bytes.Index(good, []byte(`"lookup"`))
	if from < 0 || to < 0 {
		t.Fatal("the keyset file has another shape")
	}
	return append(append(bytes.Clone(good[:from]), `"wrapping": {"primaryKeyId": 7, "key": []}, `...), good[to:]...)
}

func TestRotationKeepsOldKeysOpen(t *testing.T) {
	t.Parallel()
	k := newKeyset(t)
	other, err := seal.Load(k.Path()) // another process
	if err != nil {
		t.Fatal(err)
	}
	id, key := newSubject(), seal.NewKey()
	old, err := k.WrapSubject(id, key)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := k.ID()
	if err := k.Rotate(); err != nil {
		t.Fatal(err)
	}
	fresh, err := k.WrapSubject(id, key)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(old[2:6], fresh[2:6]) || k.ID() != fingerprint {
		t.Fatal("rotation did not change the primary key, or changed the fingerprint")
	}
	// The other process goes on running: it takes the new key up when it meets it.
	for _, holder := range []*seal.Keyset{k, other} {
		for _, wrapped := range [][]byte{old, fresh} {
			if got, err := holder.OpenSubject(id, wrapped); err != nil || got != key {
				t.Fatalf("after rotation: %v", err)
			}
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(k.Path())); len(left) != 1 {
		t.Fatalf("%d files beside the keyset", len(left)-1)
	}
	stranger := newKeyset(t)
	theirs, err := stranger.WrapSubject(id, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(stranger.Path(), k.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.OpenSubject(id, theirs); !errors.Is(err, seal.ErrWrongKeyset) {
		t.Fatalf("another keyset was taken up: %v", err)
	}
	if _, err := other.OpenSubject(id, fresh); err != nil {
		t.Fatalf("beside another keyset's file: %v", err)
	}
}

func TestDigestsAreKeyedAndApart(t *testing.T) {
	t.Parallel()
	a, b := newKeyset(t), newKeyset(t)
	seen := map[string]string{}
	for what, digest := range map[string][]byte{
		"a":             a.Digest("mail", "x@example.org"),
		"other keyset":  b.Digest("mail", "x@example.org"),
		"other purpose": a.Digest("address", "x@example.org"),
		"other value":   a.Digest("mail", "y@example.org"),
		"moved border":  a.Digest("mailx", "@example.org"),
	} {
		if len(digest) != 33 || digest[0] != 1 {
			t.Errorf("%s: %d bytes, version %d", what, len(digest), digest[0])
		}
		if twin, ok := seen[string(digest)]; ok {
			t.Errorf("%s equals %s", what, twin)
		}
		seen[string(digest)] = what
	}
}

func TestKeysetNeverPrints(t *testing.T) {
	t.Parallel()
	k := newKeyset(t)
	said := fmt.Sprintf("%v %+v %#v %s %x", k, k, k, k, k)
	seed := k.Signer().Seed()
	for _, secret := range []string{string(seed), base64.StdEncoding.EncodeToString(seed), fmt.Sprintf("%x", seed), fmt.Sprintf("%d %d %d", seed[0], seed[1], seed[2])} {
		if strings.Contains(said, secret) {
			t.Fatalf("a printed keyset shows its seed: %s", said)
		}
	}
}
