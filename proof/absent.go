package proof

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
