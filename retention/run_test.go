package retention_test

import (
	"context"
	"testing"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/queue"
)

// stuck is a store whose removals hang until it is freed.
type stuck struct {
	blob.Store
	begun chan struct{}
	free  chan struct{}
}

func (s stuck) RemoveAll(ctx context.Context, names []string) map[string]error {
	select {
	case s.begun <- struct{}{}:
	default:
	}
	select {
	case <-s.free:
	case <-ctx.Done():
	}
	return s.Store.RemoveAll(ctx, names)
}

// Keys are destroyed in time while the store takes its own over the removal of bytes.
func TestASlowStoreDoesNotKeepKeysAlive(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	slow := stuck{s.Eraser.Blobs, make(chan struct{}, 1), make(chan struct{})}
	s.Eraser.Blobs = slow
	first := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	s.Clock.Turn(30 * time.Minute)
	second := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	run(t, s)
	s.Clock.Turn(30 * time.Minute)
	<-slow.begun
	s.Clock.Turn(30 * time.Minute)
	wait, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	for g.Asset(second.ID).State != "erased" {
		if wait.Err() != nil {
			t.Fatalf("five seconds after its end the second picture is %q", g.Asset(second.ID).State)
		}
	}
	if got := g.Asset(first.ID).State; got != "erased" {
		t.Errorf("the first picture is %q, want erased: its bytes are still there", got)
	}
	close(slow.free)
}

// A node that may have missed notices cuts what it is sending: one could have been the word
// that its key is destroyed.
func TestMissedNoticesCutReaders(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	run(t, s)
	c := reader(t, s, g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID)
	late := time.After(5 * time.Second)
	for again := time.NewTicker(50 * time.Millisecond); ; {
		if err := s.Queue.Broadcast(queue.Notice{Kind: queue.NoticeMissed}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-c:
			return
		case <-late:
			t.Fatal("the reader goes on")
		case <-again.C: // Run may not have listened yet
		}
	}
}

// reader opens a picture and gives what is closed when it may no longer be read.
func reader(t *testing.T, s *musatest.Studio, id string) <-chan struct{} {
	t.Helper()
	var by musa.Actor
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, musa.AssetID(id))
		by = musa.Actor{Subject: a.Owner, Tier: a.Tier, Role: musa.RoleSubject}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.House.Studio.Content(t.Context(), by, musa.AssetID(id), musa.BlobFull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.Done()
}

func run(t *testing.T, s *musatest.Studio) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- house.Run(ctx, s.Keeper.Run) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("retention: %v", err)
		}
	})
}
