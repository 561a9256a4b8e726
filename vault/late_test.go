package vault_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"musa"
	"musa/blob"
	"musa/vault"
)

// late loses its answers: a write ends after its caller was told that it failed.
type late struct {
	blob.Store
	end func(context.Context) error
}

var errNoAnswer = errors.New("no answer")

func (l *late) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	all, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	l.end = func(ctx context.Context) error {
		_, err := l.Store.Put(ctx, name, bytes.NewReader(all))
		return err
	}
	return 0, errNoAnswer
}

// A write that failed by its answer and ends all the same leaves nothing for ever.
func TestAWriteThatEndsAfterItFailed(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	before := s.stored(t)
	store := &late{Store: s.Blobs}
	v := vault.New(vault.Config{DB: s.House.DB, Blobs: store, Keys: s.Keys, Clock: s.Clock.Now})
	_, err := v.Seal(t.Context(), s.decide(musa.PurposeDeliver), s.opening.Asset, []vault.Part{{Role: musa.BlobFull, Data: bytes.NewReader(make([]byte, 100_000))}})
	if !errors.Is(err, errNoAnswer) {
		t.Fatalf("got %v", err)
	}
	if err := store.end(t.Context()); err != nil || s.stored(t) != before+1 {
		t.Fatalf("the write ends late: %v, %d blobs", err, s.stored(t))
	}
	s.Clock.Turn(10*time.Minute + time.Second)
	if err := s.Keeper.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.stored(t); got != before {
		t.Errorf("%d blobs after the sweep, want %d", got, before)
	}
}
