package vault_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/blob"
	"musa/policy"
	"musa/vault"
)

// hasty is a store that gives up while its source is being read, and tells when a blob is dropped.
type hasty struct {
	blob.Store
	reading, dropped chan struct{}
}

func (h hasty) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	go io.Copy(io.Discard, r) // ends with the pipe
	<-h.reading
	return 0, musa.ErrUnavailable
}

func (h hasty) Remove(ctx context.Context, name string) error {
	close(h.dropped)
	return h.Store.Remove(ctx, name)
}

// slow is a source whose first read lasts until the bytes are dropped, or for a moment.
type slow struct {
	reading, dropped, over chan struct{}
	once                   sync.Once
	late                   bool // written before over is closed
}

func (s *slow) Read(p []byte) (int, error) {
	s.once.Do(func() {
		close(s.reading)
		select {
		case <-s.dropped:
			s.late = true
		case <-time.After(100 * time.Millisecond):
		}
		close(s.over)
	})
	return len(p), nil
}

// When a store gives up early, nobody still reads the source, or seals under the draft's key,
// once that key is overwritten.
func TestSealingEndsBeforeItsKeyIsOverwritten(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	e := &slow{reading: make(chan struct{}), dropped: make(chan struct{}), over: make(chan struct{})}
	fresh := vault.New(s.Eraser.Vault.Config)
	fresh.Blobs = hasty{fresh.Blobs, e.reading, e.dropped}
	a := s.opening.Asset
	a.ID = musa.NewAssetID(s.Clock.Now())
	g := s.Policy.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: s.owner, Purpose: musa.PurposeDeliver, Item: vault.AssetItem(a)})
	if _, err := fresh.Seal(t.Context(), g, a, []vault.Part{{Role: musa.BlobFull, Data: e}}); !errors.Is(err, musa.ErrUnavailable) {
		t.Fatalf("a store that gives up gives %v", err)
	}
	<-e.over
	if e.late {
		t.Error("the source was read after its bytes were dropped")
	}
}
