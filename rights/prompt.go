package rights

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

// ErasePrompt destroys what a person said and chose for a job that has ended: its prompt and
// history, and the words taken from the prompt that its results carry. ErrNotFound for
// anybody else's job; twice is no error.
func (r *Rights) ErasePrompt(ctx context.Context, by musa.Actor, job musa.JobID) error {
	var gone []string
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		j, err := tx.Job(ctx, job)
		if err != nil {
			return err
		}
		if j.Owner != by.Subject {
			return musa.ErrNotFound
		}
		if !j.State.Ended() {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "in_use",
				Public: "This job has not ended and still needs its description. Cancel the job first, then delete the description."}
		}
		records, err := tx.RecordsOfJob(ctx, job)
		if err != nil {
			return err
		}
		var ids []musa.RecordID
		gone = nil
		for _, rec := range records {
			if rec.State == musa.AssetActive {
				ids, gone = append(ids, rec.ID), append(gone, string(rec.ID))
			}
		}
		if len(ids) == 0 {
			return nil
		}
		if err := r.Eraser.Records(ctx, tx, ids); err != nil {
			return err
		}
		if err := r.forgetWords(ctx, tx, by, job); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "prompt_erased", Role: by.Role, Subject: by.Subject, Object: string(job)})
	})
	if err != nil {
		return fmt.Errorf("erase prompt of %s: %w", job, err)
	}
	return r.Eraser.Drop(gone)
}

// forgetWords seals the records of a job's results again without what was understood of the
// prompt. What cannot be opened any more has no words left.
func (r *Rights) forgetWords(ctx context.Context, tx db.Tx, by musa.Actor, job musa.JobID) error {
	made, err := tx.AssetsOfJob(ctx, job)
	if err != nil {
		return err
	}
	for _, a := range made {
		if err := r.forgetWordsOf(ctx, tx, by, a); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rights) forgetWordsOf(ctx context.Context, tx db.Tx, by musa.Actor, a db.Asset) error {
	grant := r.Policy().Decide(policy.Ask(tx.Now, by, musa.PurposeAnswerRights, vault.AssetItem(a)))
	if a.State != musa.AssetActive || errors.Is(grant.Err(), musa.ErrGone) {
		return nil
	}
	if err := grant.Err(); err != nil {
		return err
	}
	o, err := tx.AssetWithSecret(ctx, a.ID)
	if err != nil {
		return err
	}
	var info studio.Info
	locked := vault.LockedAsset(o)
	if err := r.Vault.OpenRecord(grant, locked, &info); err != nil {
		return err
	}
	if info.Made == nil || info.Made.Understood == "" {
		return nil
	}
	info.Made.Understood = ""
	sealed, err := r.Vault.Reseal(grant, locked, info)
	if err != nil {
		return err
	}
	return tx.ReplaceSealed(ctx, string(a.ID), sealed)
}
