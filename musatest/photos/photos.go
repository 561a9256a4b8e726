// Package photos gives tests real photographs. None is kept in the repository: they are
// taken from the Debian package python3-skimage (its data directory: public domain or
// CC0), fetched once by apt-get into the user's cache directory.
package photos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const (
	source = "python3-skimage"
	inside = "usr/lib/python3/dist-packages/skimage/data"
)

// Names lists the colour photographs, by their file names in Dir.
func Names() []string {
	return []string{"astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg", "retina.jpg"}
}

// Dir returns the directory that holds the photographs, fetching them at first use.
// It fails the test when that is not possible.
func Dir(t testing.TB) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("photos: no cache directory: %v", err)
	}
	cache := filepath.Join(base, "musa-photos")
	if err := fill(cache); err != nil {
		t.Fatalf("photos: fetch %s: %v", source, err)
	}
	return filepath.Join(cache, "data")
}

// Read returns one photograph's encoded bytes.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(t), name))
	if err != nil {
		t.Fatalf("photos: %v", err)
	}
	return data
}

// fill brings the photographs into cache unless they are there. Tests of several packages
// run as several processes, hence the file lock; the last act is one rename, so a cache
// is whole or absent.
func fill(cache string) (err error) {
	if _, err := os.Stat(filepath.Join(cache, "data")); err == nil {
		return nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(cache, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if _, err := os.Stat(filepath.Join(cache, "data")); err == nil {
		return nil
	}
	work, err := os.MkdirTemp(cache, "unpack-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := run(work, "apt-get", "download", source); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("apt-get left %d archives (%v)", len(archives), err)
	}
	if err := run(work, "dpkg", "-x", archives[0], "tree"); err != nil {
		return err
	}
	return os.Rename(filepath.Join(work, "tree", inside), filepath.Join(cache, "data"))
}

func run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
