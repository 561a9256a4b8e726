package studio

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// Trained says whether a picture of the person's would be among those that the service may
// train with now, by the same gate that every use goes through; if not, why not in words.
func (s *Studio) Trained(ctx context.Context, by musa.Actor, id musa.AssetID) (is bool, why string, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Asset(ctx, id)
		if err != nil {
			return err
		}
		if err := Present(by, a); err != nil {
			return err
		}
		program := by
		program.Role = musa.RoleSystem
		refusal := s.Policy().Decide(policy.Ask(tx.Now, program, musa.PurposeTrain, vault.AssetItem(a))).Err()
		is, why = refusal == nil, ""
		var p *musa.Problem
		if errors.As(refusal, &p) {
			why = p.Public
		}
		return nil
	})
	if err != nil {
		return false, "", fmt.Errorf("training of %s: %w", id, err)
	}
	return is, why, nil
}
