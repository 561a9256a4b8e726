//go:build e2e

package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// axe-core, as its package is published. The digest is the registry's own of this version.
const (
	axePackage = "axe-core@4.14.1"
	axeFile    = "axe-core-4.14.1.tgz"
	axeDigest  = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axe returns the checker's source, fetched once into the user's cache.
func axe(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "musa-axe")
	packed, err := os.ReadFile(filepath.Join(cache, axeFile))
	if errors.Is(err, os.ErrNotExist) {
		packed, err = fetchAxe(cache)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha512.Sum512(packed); base64.StdEncoding.EncodeToString(sum[:]) != axeDigest {
		t.Fatalf("%s in %s is not the file that was published", axeFile, cache)
	}
	source, err := unpack(packed, "package/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// fetchAxe packs beside its place and renames: an interrupted one leaves nothing that looks whole.
func fetchAxe(cache string) (packed []byte, err error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(cache, "fetch-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	npm := exec.Command("npm", "pack", "--silent", "--pack-destination", work, axePackage)
	npm.Dir = work
	if out, err := npm.CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(out)))
	}
	if err := os.Rename(filepath.Join(work, axeFile), filepath.Join(cache, axeFile)); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(cache, axeFile))
}

func unpack(packed []byte, name string) (string, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(plain); ; {
		head, err := files.Next()
		if err != nil {
			return "", err
		}
		if head.Name == name {
			data, err := io.ReadAll(files)
			return string(data), err
		}
	}
}

type violation struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Nodes []string `json:"nodes"`
}

const runAxe = `axe.run(document).then(({ violations }) => JSON.stringify(violations.map(({ id, help, nodes }) =>
	({ id, help, nodes: nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + ' — ' + n.failureSummary) }))))`

// accessible lets axe-core look at the page as it stands, in both themes, at a desk and on
// a phone, and leaves the screen as the last argument says.
func (b *tab) accessible(state string, back screen) {
	b.t.Helper()
	b.accessibleOn(state, back, desk, desk.in("dark"), phone, phone.in("dark"))
}

// accessibleOn is accessible on some screens.
func (b *tab) accessibleOn(state string, back screen, screens ...screen) {
	b.t.Helper()
	if !see[bool](b, `'axe' in window`) {
		b.act(axe(b.t))
	}
	for _, s := range screens {
		b.look(s)
		see[bool](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
		b.fits()
		var found []violation
		if err := json.Unmarshal([]byte(see[string](b, runAxe)), &found); err != nil {
			b.t.Fatal(err)
		}
		for _, v := range found {
			b.t.Errorf("%s, %s at %d px: %s (%s)", state, s.theme, s.width, v.Help, v.ID)
			for _, n := range v.Nodes {
				b.t.Logf("  %s", n)
			}
		}
	}
	b.look(back)
}
