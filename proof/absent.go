package proof

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Absent says whether the store has no bytes under a name. An error means that it could
// not look; then nothing is proven.
func (i *Inspector) Absent(ctx context.Context, name string) (bool, error) {
	switch _, err := i.Blobs.Stat(ctx, name); {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("look for a blob: %w", err)
	}
	return false, nil
}

// lookers is how many looks into the store are under way at once.
const lookers = 16

// AbsentAll says of each name whether the store has no bytes under it, as Absent does, or why
// it could not look.
func (i *Inspector) AbsentAll(ctx context.Context, names []string) (there []string, failed map[string]error) {
	var (
		mu    sync.Mutex // guards there and failed
		group errgroup.Group
	)
	failed = map[string]error{}
	group.SetLimit(lookers)
	for _, name := range names {
		group.Go(func() error {
			absent, err := i.Absent(ctx, name)
			if err == nil && absent {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[name] = err
			} else {
				there = append(there, name)
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: the errors were gathered
	return there, failed
}
