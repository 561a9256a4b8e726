package backup

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"musa/blob"
	"musa/db"
)

const (
	// carriers is how many blobs are copied or removed at once: each waits for a disk or a
	// network.
	carriers = 4
	blobPage = 500
)

// each does something for every name, several at once. It ends with the first failure.
func each(ctx context.Context, names []string, do func(context.Context, string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(carriers)
	for _, name := range names {
		group.Go(func() error { return do(ctx, name) })
	}
	return group.Wait()
}

// nameSet remembers names by hash: a million take some 40 MB.
type nameSet map[uint64]struct{}

var nameSeed = maphash.MakeSeed()

func (s nameSet) add(name string)      { s[maphash.String(nameSeed, name)] = struct{}{} }
func (s nameSet) has(name string) bool { _, ok := s[maphash.String(nameSeed, name)]; return ok }

// carry copies a blob as it is from one store to another; the size that came over.
func carry(ctx context.Context, from blob.Store, name string, to blob.Store, as string) (int64, error) {
	src, err := from.Open(ctx, name, 0, -1)
	if err != nil {
		return 0, err
	}
	size, err := to.Put(ctx, as, src)
	return size, errors.Join(err, src.Close())
}

// copyBlobs copies what is live and not in the target yet, after taking out of it what is
// not live any more: a process that died between a copy and its check may have left that.
func (a *Archive) copyBlobs(ctx context.Context, m *manifest) error {
	there, err := a.sweepBlobs(ctx)
	if err != nil {
		return err
	}
	var copied, size, missing, total atomic.Int64
	for after := ""; ; {
		var page []db.Blob
		err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			page, err = tx.LiveBlobs(ctx, after, blobPage)
			return err
		})
		if err != nil {
			return fmt.Errorf("blobs to copy: %w", err)
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].Name
		names, err := a.belonging(ctx, page)
		if err != nil {
			return err
		}
		total.Add(int64(len(names)))
		names = slices.DeleteFunc(names, there.has)
		err = each(ctx, names, func(ctx context.Context, name string) error {
			n, err := a.copyBlob(ctx, name)
			if errors.Is(err, errLost) {
				missing.Add(1)
				return nil
			}
			size.Add(n)
			a.passed("blobs", copied.Add(1))
			return err
		})
		if err != nil {
			return err
		}
	}
	m.Blobs, m.Missing = total.Load(), missing.Load()
	m.Bytes += size.Load()
	if m.Missing > 0 {
		a.Log.Error("backup: the store has lost blobs that its rows call live; musa verify names them")
	}
	return nil
}

// errLost says that a live blob has no bytes.
var errLost = errors.New("a live blob has no bytes")

// copyBlob copies one blob. Its removal may have overtaken the copy: then the copy goes, too.
func (a *Archive) copyBlob(ctx context.Context, name string) (int64, error) {
	size, err := carry(ctx, a.Blobs, name, a.Target, blobPrefix+name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("copy a blob: %w", err)
	}
	live, look := a.live(ctx, name)
	switch {
	case look != nil:
		return 0, errors.Join(look, a.sealed.drop(context.WithoutCancel(ctx), blobPrefix+name))
	case !live[name]:
		return 0, a.sealed.drop(ctx, blobPrefix+name)
	case errors.Is(err, fs.ErrNotExist):
		return 0, errLost
	}
	return size, nil
}

// sweepBlobs lists the blobs in the target and removes those that are not live.
func (a *Archive) sweepBlobs(ctx context.Context) (nameSet, error) {
	there := nameSet{}
	var page []string
	judge := func() error {
		if len(page) == 0 {
			return nil
		}
		live, err := a.live(ctx, page...)
		if err != nil {
			return err
		}
		for _, name := range page {
			if live[name] {
				there.add(name)
			}
		}
		dead := slices.DeleteFunc(page, func(name string) bool { return live[name] })
		err = a.Forget(ctx, dead)
		page = page[:0]
		return err
	}
	for info, err := range a.Target.List(ctx, blobPrefix) {
		if err != nil {
			return nil, fmt.Errorf("list copied blobs: %w", err)
		}
		if info.Partial {
			continue
		}
		if page = append(page, strings.TrimPrefix(info.Name, blobPrefix)); len(page) == blobPage {
			if err := judge(); err != nil {
				return nil, err
			}
		}
	}
	return there, judge()
}
