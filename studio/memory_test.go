package studio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/studio"
)

// An order over more bytes than are held at once is refused. It must not hold a part of
// the memory and wait for the rest, which nobody but itself could give back.
func TestAnOrderLargerThanTheMemory(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	data := photos.Read(t, "chelsea.png")
	a := s.Guest().Upload("cat.png", data)
	config := s.House.Studio.Config
	config.Memory = int64(3 * len(data))
	small := studio.New(config)
	by := musa.Actor{Tier: musa.TierGuest, Role: musa.RoleSubject}
	err := s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		row, err := tx.Asset(ctx, musa.AssetID(a.ID))
		by.Subject = row.Owner
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	o := studio.Order{Kind: musa.KindEnhance, Inputs: []musa.AssetID{musa.AssetID(a.ID)}}
	if _, err := small.Plan(ctx, by, o); err != nil {
		t.Fatalf("one picture that fits: %v", err)
	}
	for range 3 {
		o.Inputs = append(o.Inputs, o.Inputs[0])
	}
	if _, err := small.Plan(ctx, by, o); !errors.Is(err, musa.ErrTooLarge) {
		t.Errorf("four pictures where three fit: %v, want too large", err)
	}
	o.Inputs = o.Inputs[:1]
	if _, err := small.Plan(ctx, by, o); err != nil {
		t.Errorf("one picture after the refusal: %v", err)
	}
}
