package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"musa/blob"
)

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// publish moves temp to final in one step that never replaces. File systems without that
// step (old ZFS, some network ones) get two: link, then unlink.
func publish(temp, final string) error {
	err := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, final, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return publishByLink(temp, final)
	}
	if err != nil {
		return &os.LinkError{Op: "publish", Old: filepath.Base(temp), New: filepath.Base(final), Err: err}
	}
	return nil
}

func publishByLink(temp, final string) error {
	if err := os.Link(temp, final); err != nil {
		return err
	}
	return os.Remove(temp)
}

// unlinkTwins takes the partial names that a crash in publishByLink left on the bytes of
// the whole blob at path: with them the bytes would outlive it.
func unlinkTwins(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Nlink < 2 {
		return nil
	}
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), filepath.Base(path)+blob.PartialMark) {
			continue
		}
		other := filepath.Join(dir, entry.Name())
		twin, err := os.Lstat(other)
		if err == nil && os.SameFile(info, twin) {
			err = os.Remove(other)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
