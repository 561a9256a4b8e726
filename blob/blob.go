// Package blob keeps sealed bytes by name. It is the port; the drivers are blob/files (a
// folder on this machine) and blob/s3 (a bucket), and blobtest is the one suite that both
// pass.
//
// It promises: what Put returned for survives a crash; a name holds one whole blob or
// none; what Remove returned for is gone from the store, with every older version and
// unfinished part of it; List shows everything that lies there, finished or not.
//
// A store sees sealed bytes and opaque names only. Whoever holds it alone learns how
// many blobs there are, how large and how old; whoever can write to it can destroy
// blobs, but not change or exchange one unnoticed: the seal tells.
//
// It does not seal, count references or know when something is due.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"musa"
)

// Store keeps sealed bytes by name. All methods may be called at once from anywhere;
// trouble with the store itself is a *musa.Problem of kind ErrUnavailable.
type Store interface {
	// Put stores what r gives under a new name, durably, and returns its size in bytes.
	// The name shows the whole blob or, after any error, nothing. fs.ErrExist if the name
	// was written before: nothing is ever replaced.
	Put(ctx context.Context, name string, r io.Reader) (size int64, err error)
	// Open gives n bytes from off, fewer where the blob ends; a negative n means to its
	// end. The caller closes it. fs.ErrNotExist if there is no such blob.
	Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)
	// Stat tells size and age. fs.ErrNotExist if there is no such blob.
	Stat(ctx context.Context, name string) (Info, error)
	// Remove takes a blob's bytes away, durably, or what List showed as partial.
	// fs.ErrNotExist if there is no such blob.
	Remove(ctx context.Context, name string) error
	// RemoveAll takes many blobs' bytes away, durably and for less than one by one, and tells
	// which could not be removed and why. One that is not there is none of these.
	RemoveAll(ctx context.Context, names []string) map[string]error
	// List gives every stored name with the prefix, in no order, also what unfinished
	// writes left. After an error nothing follows.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Check writes and removes a probe: can the store be written and purged now? The
	// Problem says why not, and the way out.
	Check(ctx context.Context) error
}

// Info describes one stored thing.
type Info struct {
	Name     string
	Size     int64 // bytes as stored; of a partial one, what is known of it
	Modified time.Time
	Partial  bool // left by a write that is running or never finished; Remove takes its name
}

// MaxName is the most bytes a name may have.
const MaxName = 200

// PartialMark parts a blob's name from the rest of the name of a partial one. No blob's
// name has it.
const PartialMark = "+"

// ProbePrefix begins the names that Check writes. One that a crash left counts as partial.
const ProbePrefix = "probe-"

// Partial says whether List must show the name as partial.
func Partial(name string) bool {
	return strings.Contains(name, PartialMark) || strings.HasPrefix(name, ProbePrefix)
}

// CheckName refuses what is not a blob's name: parts of a-z, 0-9, _ and -, parted by
// single slashes, up to MaxName bytes.
func CheckName(name string) error {
	if len(name) > MaxName {
		return fmt.Errorf("blob name of %d bytes: %w", len(name), musa.ErrInvalid)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.ContainsFunc(part, foreign) {
			return fmt.Errorf("malformed blob name: %w", musa.ErrInvalid)
		}
	}
	return nil
}

func foreign(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// Sweep removes what writes left unfinished that began before the bound, and returns how
// much. Writes younger than the bound may still be running.
func Sweep(ctx context.Context, s Store, before time.Time) (removed int, err error) {
	var stale []string
	for info, err := range s.List(ctx, "") {
		if err != nil {
			return 0, fmt.Errorf("sweep: %w", err)
		}
		if info.Partial && info.Modified.Before(before) {
			stale = append(stale, info.Name)
		}
	}
	for _, name := range stale {
		switch err := s.Remove(ctx, name); {
		case errors.Is(err, fs.ErrNotExist): // finished, or swept by another node
		case err != nil:
			return removed, fmt.Errorf("sweep: %w", err)
		default:
			removed++
		}
	}
	return removed, nil
}
