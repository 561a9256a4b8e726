package vault_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

// shelf is a studio with one picture of a guest.
type shelf struct {
	*musatest.Studio
	opening db.Opening
	blob    db.Blob
	owner   musa.Actor
}

func newShelf(t *testing.T) shelf {
	t.Helper()
	s := shelf{Studio: musatest.New(t, musatest.Rig{})}
	a := s.Guest().Upload("cat.png", photos.Read(t, "chelsea.png"))
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		if s.opening, err = tx.AssetWithSecret(ctx, musa.AssetID(a.ID)); err != nil {
			return err
		}
		blobs, err := tx.BlobsOf(ctx, s.opening.Asset.ID)
		s.blob = blobs[0]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.owner = musa.Actor{Subject: s.opening.Asset.Owner, Tier: musa.TierGuest, Role: musa.RoleSubject}
	return s
}

func (s shelf) decide(purpose musa.Purpose) policy.Grant {
	return s.Policy.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: s.owner, Purpose: purpose, Item: vault.AssetItem(s.opening.Asset)})
}

func (s shelf) open(t *testing.T) *vault.Content {
	t.Helper()
	c, err := s.Eraser.Vault.Open(t.Context(), s.decide(musa.PurposeDeliver), vault.LockedAsset(s.opening), s.blob)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestNothingOpensWithoutAGrant(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	v, locked := s.Eraser.Vault, vault.LockedAsset(s.opening)
	other := s.opening.Asset
	other.ID = musa.NewAssetID(s.Clock.Now())
	elsewhere := s.Policy.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: s.owner, Purpose: musa.PurposeDeliver, Item: vault.AssetItem(other)})
	if err := elsewhere.Err(); err != nil {
		t.Fatalf("the other grant is none: %v", err)
	}
	for name, g := range map[string]policy.Grant{"the zero grant": {}, "an undeclared purpose": s.decide("sell"), "another item's grant": elsewhere} {
		if _, err := v.Open(t.Context(), g, locked, s.blob); !errors.Is(err, vault.ErrNoGrant) {
			t.Errorf("%s opens bytes: %v", name, err)
		}
		var info studio.Info
		if err := v.OpenRecord(g, locked, &info); !errors.Is(err, vault.ErrNoGrant) {
			t.Errorf("%s opens the record: %v", name, err)
		}
		if _, err := v.Seal(t.Context(), g, s.opening.Asset, nil); !errors.Is(err, vault.ErrNoGrant) {
			t.Errorf("%s seals: %v", name, err)
		}
	}
	if _, err := io.ReadAll(s.open(t)); err != nil {
		t.Errorf("with its grant it does not open: %v", err)
	}
}

func TestAReaderStopsAtTheEnd(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	c := s.open(t)
	s.Clock.Turn(s.opening.Asset.Ends.Time().Sub(s.Clock.Now()) - time.Millisecond)
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatalf("a millisecond before the end: %v", err)
	}
	s.Clock.Turn(time.Millisecond)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, musa.ErrGone) {
		t.Errorf("at the end: %v", err)
	}
	select {
	case <-c.Done():
	default:
		t.Error("who waits for a slow client is not told")
	}
}

func TestShutCutsOpenReaders(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	c := s.open(t)
	s.Eraser.Vault.Shut([]string{"as_another"})
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatalf("cut with another's: %v", err)
	}
	s.Eraser.Vault.Shut([]string{string(s.opening.Asset.ID)})
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, musa.ErrGone) {
		t.Errorf("after the key was destroyed: %v", err)
	}
}

// A process that dies between sealing and committing leaves rows that name every byte.
func TestADraftThatIsNeverKept(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a := s.opening.Asset
	a.ID = musa.NewAssetID(s.Clock.Now())
	item := vault.AssetItem(a)
	item.New = true
	g := s.Policy.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: s.owner, Purpose: musa.PurposeGenerate, Item: item})
	seal := func() *vault.Draft {
		d, err := s.Eraser.Vault.Seal(t.Context(), g, a, []vault.Part{{Role: musa.BlobFull, Data: bytes.NewReader(make([]byte, 200_000))}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	before := s.stored(t)
	d := seal()
	if got := s.stored(t); got != before+1 {
		t.Fatalf("%d blobs while sealing, want %d", got, before+1)
	}
	if err := d.Drop(t.Context()); err != nil || s.stored(t) != before {
		t.Errorf("dropped: %v, %d blobs", err, s.stored(t))
	}
	seal() // and nobody drops it
	if err := s.Recover(t.Context()); err != nil || s.stored(t) != before {
		t.Errorf("after the start of the next process: %v, %d blobs, want %d", err, s.stored(t), before)
	}
}

// Bytes that went live stay, whoever thinks that they did not: the answer to a commit can
// be lost, and a slow write can end after the sweep has listed it.
func TestWhatWentLiveIsNotDiscarded(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a := s.opening.Asset
	a.ID = musa.NewAssetID(s.Clock.Now())
	item := vault.AssetItem(a)
	item.New = true
	g := s.Policy.Decide(policy.Facts{Now: musa.At(s.Clock.Now()), Actor: s.owner, Purpose: musa.PurposeGenerate, Item: item})
	d, err := s.Eraser.Vault.Seal(t.Context(), g, a, []vault.Part{{Role: musa.BlobFull, Data: bytes.NewReader(make([]byte, 200_000))}})
	if err != nil {
		t.Fatal(err)
	}
	var name string
	err = s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		blobs, err := tx.BlobsOf(ctx, a.ID)
		if err != nil {
			return err
		}
		name = blobs[0].Name
		secret, err := d.Keep(ctx, tx, studio.Info{Name: "kept"})
		if err != nil {
			return err
		}
		return tx.InsertAsset(ctx, a, secret)
	})
	if err != nil {
		t.Fatal(err)
	}
	before := s.stored(t)
	for who, f := range map[string]func() error{
		"its own draft": func() error { return d.Drop(t.Context()) },
		"the sweep":     func() error { return s.Eraser.Vault.Discard(t.Context(), name) },
	} {
		if err := f(); err != nil || s.stored(t) != before {
			t.Errorf("%s: %v, %d blobs are left of %d", who, err, s.stored(t), before)
		}
	}
}

// A part that cannot be read leaves nothing behind.
func TestABrokenPart(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a := s.opening.Asset
	before := s.stored(t)
	broken := io.MultiReader(bytes.NewReader(make([]byte, 100_000)), broken{})
	_, err := s.Eraser.Vault.Seal(t.Context(), s.decide(musa.PurposeDeliver), a, []vault.Part{{Role: musa.BlobFull, Data: broken}})
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	if got := s.stored(t); got != before {
		t.Errorf("%d blobs, want %d", got, before)
	}
}

var errBroken = errors.New("the source broke")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func (s shelf) stored(t *testing.T) int {
	t.Helper()
	n := 0
	for _, err := range s.Blobs.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
