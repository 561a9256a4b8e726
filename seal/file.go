package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"musa"
)

// maxFile bounds what Load reads: thousands of rotations fit.
const maxFile = 4 << 20

// Create draws a new keyset and writes it to path, mode 0600, durably. It never
// overwrites: fs.ErrExist if something lies there.
func Create(path string) (*Keyset, error) {
	k, err := generate(path)
	if err != nil {
		return nil, err
	}
	raw, err := k.encode(k.wrapping)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	temp, err := writeTemp(path, raw)
	if err != nil {
		return nil, unwritable(path, err)
	}
	// A hard link appears whole or not at all, and refuses to replace.
	err = os.Link(temp, path)
	if err := errors.Join(err, os.Remove(temp)); err != nil {
		return nil, unwritable(path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, unwritable(path, err)
	}
	return k, nil
}

// Load reads a keyset. ErrNoKeyset if there is no file; ErrBadKeyset if others than its
// owner may read it, or if it is damaged.
func Load(path string) (*Keyset, error) {
	raw, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &musa.Problem{
			Kind: musa.ErrUnavailable, Code: "keyset_missing",
			Public: fmt.Sprintf("The keyset file %s is not there. Put the keyset of this data back, or name its file "+
				"in the setting \"keys\". Without it the data cannot be opened by anyone.", path),
			Cause: fmt.Errorf("%w: %s", ErrNoKeyset, path),
		}
	}
	if err != nil {
		return nil, bad(path, err.Error())
	}
	defer clear(raw)
	k, err := decode(path, raw)
	if err != nil {
		return nil, bad(path, err.Error())
	}
	return k, nil
}

func bad(path, why string) error {
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "keyset_unusable",
		Public: fmt.Sprintf("The keyset file %s cannot be used: %s. Mend that, or put back a copy of the file.", path, why),
		Cause:  fmt.Errorf("%w: %s: %s", ErrBadKeyset, path, why),
	}
}

func unwritable(path string, err error) error {
	p := &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "keyset_unwritable",
		Public: fmt.Sprintf("The keyset file %s cannot be written. Make room there, let the server write to its folder, "+
			"or name another file in the setting \"keys\".", path),
		Cause: fmt.Errorf("write keyset: %w", err),
	}
	if errors.Is(err, fs.ErrExist) {
		p.Kind, p.Code = musa.ErrConflict, "keyset_exists"
		p.Public = fmt.Sprintf("The keyset file %s exists already and is never overwritten. Use it, or name another file "+
			"in the setting \"keys\".", path)
	}
	return p
}

// readPrivate judges the opened file, not the path, so that it cannot be swapped between.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("others than its owner may read it (mode %04o); run: chmod 600 %s", mode, path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, errors.New("it is too large to be a keyset")
	}
	return raw, nil
}

// replace puts raw in the place of the file at path, durably and whole or not at all.
func replace(path string, raw []byte) error {
	temp, err := writeTemp(path, raw)
	if err != nil {
		return unwritable(path, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return unwritable(path, errors.Join(err, os.Remove(temp)))
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return unwritable(path, err)
	}
	return nil
}

// writeTemp writes beside path, since only there a rename is atomic. CreateTemp opens
// with mode 0600.
func writeTemp(path string, raw []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
