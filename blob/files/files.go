// Package files keeps sealed blobs as files in a folder of this machine.
//
// It promises what blob does, against a crash of the process and of the machine: a blob
// is written beside its place, fsynced, moved there in one step that never replaces, and
// the folder is fsynced; a removed one leaves nothing. One process uses a folder at a time.
//
// It does not spread over disks and does not overwrite removed bytes: on a disk that
// remaps sectors nobody can, which is why all it ever holds is sealed.
package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"musa"
	"musa/blob"
)

// A blob lies right in the folder, under its name with each slash as a dot. A partial one
// has "+" and random characters behind. Neither sign occurs in a name, so that both ways
// are unique. File systems find names in large folders by a hash or a tree; folders within
// would cost a blob two more syncs when they come, and more again when they go.
const slash = "."

// Store is a folder of blobs.
type Store struct {
	root    string
	publish func(temp, final string) error
}

// New uses dir, and makes it (mode 0700) if it is not there. A Problem of kind
// ErrUnavailable says why it cannot.
func New(dir string) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("blob folder: %w", err)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, problem(root, err)
	}
	return &Store{root: root, publish: publish}, nil
}

func (s *Store) path(name string) string {
	return filepath.Join(s.root, strings.ReplaceAll(name, "/", slash))
}

// Put writes beside the blob's place and moves it there when all is on disk.
func (s *Store) Put(ctx context.Context, name string, r io.Reader) (size int64, err error) {
	if err := blob.CheckName(name); err != nil {
		return 0, err
	}
	if size, err = s.place(ctx, s.path(name), r); err != nil {
		return 0, problem(s.root, fmt.Errorf("put %s: %w", name, err))
	}
	return size, nil
}

func (s *Store) place(ctx context.Context, final string, r io.Reader) (int64, error) {
	if _, err := os.Lstat(final); err == nil {
		return 0, fs.ErrExist
	}
	temp := final + blob.PartialMark + strings.ToLower(rand.Text())
	size, err := write(ctx, temp, r)
	if err == nil {
		err = s.publish(temp, final)
	}
	if err != nil {
		if gone := os.Remove(temp); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return 0, err
	}
	return size, syncDir(s.root)
}

func write(ctx context.Context, path string, r io.Reader) (int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(f, &stoppable{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	return size, errors.Join(err, f.Close())
}

// stoppable ends a copy when its context does.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// Open gives a range of the file.
func (s *Store) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), blob.CheckName(name)); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fmt.Errorf("open %s before its start: %w", name, musa.ErrInvalid)
	}
	f, err := os.Open(s.path(name))
	if err != nil {
		return nil, problem(s.root, fmt.Errorf("open %s: %w", name, err))
	}
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", name, err), f.Close())
	}
	if n < 0 {
		return f, nil
	}
	return &ranged{io.LimitReader(f, n), f}, nil
}

type ranged struct {
	io.Reader
	io.Closer
}

// Stat tells size and age of a file.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	if err := errors.Join(ctx.Err(), blob.CheckName(name)); err != nil {
		return blob.Info{}, err
	}
	info, err := os.Lstat(s.path(name))
	if err != nil {
		return blob.Info{}, problem(s.root, fmt.Errorf("stat %s: %w", name, err))
	}
	return blob.Info{Name: name, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Remove unlinks the file and fsyncs the folder.
func (s *Store) Remove(ctx context.Context, name string) error {
	err := s.unlink(ctx, name)
	if err == nil {
		err = syncDir(s.root)
	}
	if err != nil {
		return problem(s.root, fmt.Errorf("remove %s: %w", name, err))
	}
	return nil
}

// unlinkers is how many files are unlinked at once: each waits for the disk to free it.
const unlinkers = 8

// RemoveAll unlinks the files and fsyncs the folder once.
func (s *Store) RemoveAll(ctx context.Context, names []string) map[string]error {
	var (
		mu    sync.Mutex // guards left
		left  = map[string]error{}
		group errgroup.Group
	)
	group.SetLimit(unlinkers)
	for _, name := range names {
		group.Go(func() error {
			if err := s.unlink(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				mu.Lock()
				defer mu.Unlock()
				left[name] = problem(s.root, fmt.Errorf("remove %s: %w", name, err))
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: the errors were gathered
	if err := syncDir(s.root); err != nil {
		for _, name := range names {
			left[name] = problem(s.root, fmt.Errorf("remove %s: %w", name, err))
		}
	}
	return left
}

// unlink takes the file out of the folder; the folder is not synced.
func (s *Store) unlink(ctx context.Context, name string) error {
	whole, rest, partial := strings.Cut(name, blob.PartialMark)
	if err := errors.Join(ctx.Err(), blob.CheckName(whole)); err != nil {
		return err
	}
	if partial && blob.CheckName(rest) != nil {
		return fmt.Errorf("malformed partial name: %w", musa.ErrInvalid)
	}
	path := s.path(name)
	if !partial {
		if err := unlinkTwins(path); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

// page is how many entries of the folder a listing holds in memory.
const page = 256

// List reads the folder page by page.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := s.list(ctx, s.root, prefix, func(b blob.Info) bool { return yield(b, nil) }); err != nil && !errors.Is(err, fs.SkipAll) {
			yield(blob.Info{}, problem(s.root, fmt.Errorf("list blobs: %w", err)))
		}
	}
}

// list looks into folders, too, though the store makes none: it says all that lies there.
func (s *Store) list(ctx context.Context, dir, prefix string, yield func(blob.Info) bool) (err error) {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for {
		entries, last := f.ReadDir(page)
		for _, d := range entries {
			if d.IsDir() {
				err = s.list(ctx, filepath.Join(dir, d.Name()), prefix, yield)
			} else {
				err = tell(d, prefix, yield)
			}
			// What was removed during the walk is no error.
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(last, io.EOF) {
			return nil
		}
		if last != nil {
			return last
		}
	}
}

func tell(d fs.DirEntry, prefix string, yield func(blob.Info) bool) error {
	name := strings.ReplaceAll(d.Name(), slash, "/")
	if !strings.HasPrefix(name, prefix) {
		return nil
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	if !yield(blob.Info{Name: name, Size: info.Size(), Modified: info.ModTime(), Partial: blob.Partial(name)}) {
		return fs.SkipAll
	}
	return nil
}

// probeSize is larger than what a full disk may still take in by chance.
const probeSize = 64 << 10

// Check writes a probe and removes it.
func (s *Store) Check(ctx context.Context) error {
	name := blob.ProbePrefix + strings.ToLower(rand.Text())
	if _, err := s.Put(ctx, name, io.LimitReader(zeros{}, probeSize)); err != nil {
		return err
	}
	return s.Remove(ctx, name)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
