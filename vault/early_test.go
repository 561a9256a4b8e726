package vault_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"musa"
	"musa/blob"
	"musa/policy"
	"musa/vault"
)

// hasty is a store that gives up before it read all, and tells when a blob is dropped.
type hasty struct {
	blob.Store
	dropped chan struct{}
}

func (h hasty) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	io.ReadFull(r, make([]byte, 1))
	return 0, musa.ErrUnavailable
}

func (h hasty) Remove(ctx context.Context, name string) error {
	close(h.dropped)
	return h.Store.Remove(ctx, name)
}

// endless is a source that is being read until its bytes were dropped, or for a moment.
type endless struct {
	dropped chan struct{}
	late    bool
}

func (e *endless) Read(p []byte) (int, error) {
	select {
	case <-e.dropped:
		e.late = true
	case <-time.After(100 * time.Millisecond):
	}
	return len(p), nil
}

// When a store gives up early, nobody still reads the source, or seals under the draft's key,
// once that key is overwritten.
func TestSealingEndsBeforeItsKeyIsOverwritten(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	e := &endless{dropped: make(chan struct{})}
	fresh := vault.New(s.Eraser.Vault.Config)
	fresh.Blobs = hasty{fresh.Blobs, e.dropped}
	a := s.opening.Asset
	a.ID = musa.NewAssetID(s.Clock.Now())
	g := s.Policy.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: s.owner, Purpose: musa.PurposeDeliver, Item: vault.AssetItem(a)})
	if _, err := fresh.Seal(t.Context(), g, a, []vault.Part{{Role: musa.BlobFull, Data: e}}); !errors.Is(err, musa.ErrUnavailable) {
		t.Fatalf("a store that gives up gives %v", err)
	}
	if e.late {
		t.Error("the source was read after its bytes were dropped")
	}
}
