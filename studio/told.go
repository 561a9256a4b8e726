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

// JobsFor lists what a person ordered, newest first, with prompt and history as long as they
// live, and of the inputs only the ids. After is the last id of the page before, or empty.
func (s *Studio) JobsFor(ctx context.Context, by musa.Actor, purpose musa.Purpose, after musa.JobID, limit int) ([]Job, error) {
	var out []Job
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		out = nil
		rows, err := tx.JobsOf(ctx, by.Subject, after, limit)
		if err != nil {
			return err
		}
		for _, row := range rows {
			j := Job{Job: row}
			if err := s.recall(ctx, tx, by, purpose, &j); err != nil {
				return err
			}
			inputs, err := tx.InputsOf(ctx, row.ID)
			if err != nil {
				return err
			}
			for _, id := range inputs {
				j.Inputs = append(j.Inputs, Asset{Asset: db.Asset{ID: id}})
			}
			out = append(out, j)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("jobs of %s: %w", by.Subject, err)
	}
	return out, nil
}

// PromptsFor opens the prompts of some of a person's jobs, as long as they live.
func (s *Studio) PromptsFor(ctx context.Context, by musa.Actor, purpose musa.Purpose, jobs []musa.JobID) (map[musa.JobID]musa.Prompt, error) {
	out := map[musa.JobID]musa.Prompt{}
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		clear(out)
		for _, id := range jobs {
			if _, known := out[id]; known {
				continue
			}
			records, err := tx.RecordsOfJob(ctx, id)
			if err != nil {
				return err
			}
			for _, r := range records {
				grant := s.Policy().Decide(policy.Ask(tx.Now, by, purpose, vault.RecordItem(r.Record)))
				if r.Category != musa.CategoryPrompt || r.State != musa.AssetActive || errors.Is(grant.Err(), musa.ErrGone) {
					continue
				}
				if err := grant.Err(); err != nil {
					return err
				}
				locked, err := vault.LockedRecord(r)
				if err != nil {
					return err
				}
				if out[id], err = OpenPrompt(s.Vault, grant, locked); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("prompts of %d jobs: %w", len(jobs), err)
	}
	return out, nil
}
