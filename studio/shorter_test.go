package studio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
	"musa/studio"
)

// What the policy in force ends earlier than the stored end is hidden and refused alike.
func TestAShorterPolicyHides(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	a := s.Guest().Upload("cat.png", photos.Read(t, "chelsea.png"))
	text := strings.Replace(string(s.Policy.YAML()), "keep: 1h", "keep: 1m", 1)
	shorter, err := policies.Parse("./shorter.yaml", func(string) ([]byte, error) { return []byte(text), nil })
	if err != nil || text == string(s.Policy.YAML()) {
		t.Fatalf("no shorter policy: %v", err)
	}
	config := s.House.Studio.Config
	config.Policy = func() *policy.Document { return shorter }
	by := musa.Actor{Tier: musa.TierGuest, Role: musa.RoleSubject}
	err = s.House.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		row, err := tx.Asset(ctx, musa.AssetID(a.ID))
		by.Subject = row.Owner
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in := studio.New(config)
	for _, c := range []struct {
		after time.Duration
		gone  bool
	}{{59 * time.Second, false}, {time.Second, true}} {
		s.Clock.Turn(c.after)
		shown, err := in.Asset(t.Context(), by, musa.AssetID(a.ID))
		if err != nil || shown.Hidden != c.gone {
			t.Errorf("hidden is %v (%v), want %v", shown.Hidden, err, c.gone)
		}
		content, err := in.Content(t.Context(), by, musa.AssetID(a.ID), musa.BlobFull)
		if errors.Is(err, musa.ErrGone) != c.gone {
			t.Errorf("its content: %v, want gone: %v", err, c.gone)
		}
		if err == nil {
			content.Close()
		}
	}
}
