package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"musa/blob"
)

// fan keeps the two levels of folders: made and fsynced before a blob goes in, gone when
// the last went out, never taken away under a running write.
type fan struct {
	mu      sync.Mutex // guards entries, each users count, and every rmdir
	entries map[string]*folder
}

type folder struct {
	users int

	mu      sync.Mutex // guards durable, and making the folder
	durable bool       // it exists, and its parent was fsynced since
}

// enter makes dir and its parent, durably, and keeps them until
// leave. On an error it has left already.
func (f *fan) enter(dir string) error {
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := f.keep(d).ensure(d); err != nil {
			if d == dir {
				return errors.Join(err, f.leave(dir))
			}
			return errors.Join(err, f.quit(d))
		}
	}
	return nil
}

// hold keeps folders that may or may not be there from being taken away by another.
func (f *fan) hold(dir string) {
	f.keep(filepath.Dir(dir))
	f.keep(dir)
}

// leave ends what enter or hold began, and takes away folders that are empty.
func (f *fan) leave(dir string) error {
	return errors.Join(f.quit(dir), f.quit(filepath.Dir(dir)))
}

func (f *fan) keep(dir string) *folder {
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := f.entries[dir]
	if entry == nil {
		entry = &folder{}
		f.entries[dir] = entry
	}
	entry.users++
	return entry
}

func (f *fan) quit(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := f.entries[dir]
	if entry.users--; entry.users > 0 {
		return nil
	}
	err := os.Remove(dir)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		delete(f.entries, dir)
		return nil
	case errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EEXIST):
		return nil
	}
	delete(f.entries, dir)
	return err
}

func (d *folder) ensure(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.durable {
		return nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	d.durable = true
	return nil
}

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
