package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/policy"
	"musa/studio"
	"musa/vault"
)

// result is one output on its way into the vault.
type result struct {
	asset db.Asset
	info  studio.Info
	draft *vault.Draft
}

// finish seals the outputs, then commits them with the job's end and its price in one
// transaction. If that does not commit, nothing of them stays.
func (r *Runner) finish(ctx context.Context, j db.Job, w opened, outs []engine.Output, took time.Duration) (err error) {
	var results []result
	defer func() {
		if err == nil {
			return
		}
		for _, res := range results {
			err = errors.Join(err, res.draft.Drop(context.WithoutCancel(ctx)))
		}
	}()
	for _, out := range outs {
		res, err := r.seal(ctx, j, w, out, took)
		if err != nil {
			return err
		}
		results = append(results, res)
	}
	var next []musa.JobID
	err = r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		ok, err := tx.FinishJob(ctx, j.ID, j.Attempt, musa.JobSucceeded, "")
		if err != nil {
			return err
		}
		if !ok {
			return errFenced
		}
		if err := tx.Capture(ctx, j.Owner, j.ID, j.Held); err != nil {
			return err
		}
		owner, err := tx.Subject(ctx, j.Owner)
		if err != nil {
			return err
		}
		author := j.Author
		if owner.Kind == musa.SubjectWorkspace { // they may have left it while the job ran
			row, err := tx.Job(ctx, j.ID)
			if err != nil {
				return err
			}
			author = row.Author
		}
		for _, res := range results {
			res.asset.Author = author
			if owner.Unlogged > 0 {
				res.info = res.info.Wordless()
			}
			if err := r.keep(ctx, tx, w, res); err != nil {
				return err
			}
		}
		if next, err = studio.Settle(ctx, tx, r.Versions(), j); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "job_succeeded", Role: musa.RoleSystem, Subject: j.Owner, Object: string(j.ID)})
	})
	if err != nil {
		return fmt.Errorf("finish %s: %w", j.ID, err)
	}
	r.ended(ctx, j, next, musa.JobSucceeded)
	return nil
}

func (r *Runner) seal(ctx context.Context, j db.Job, w opened, out engine.Output, took time.Duration) (result, error) {
	now := r.Clock()
	a := db.Asset{ID: musa.NewAssetID(now), Owner: j.Owner, Author: j.Author, Category: musa.CategoryOutput,
		State: musa.AssetActive, Tier: w.tier, Job: j.ID, Created: musa.At(now), Commercial: j.Commercial}
	item := vault.AssetItem(a)
	item.New = true
	by := musa.Actor{Subject: j.Owner, Tier: w.tier, Role: musa.RoleSystem, Standing: w.standing}
	grant := r.Policy().Decide(policy.Ask(a.Created, by, musa.PurposeGenerate, item))
	if err := grant.Err(); err != nil {
		return result{}, err
	}
	draft, err := r.Vault.Seal(ctx, grant, a, []vault.Part{
		{Role: musa.BlobFull, Data: bytes.NewReader(out.Data)},
		{Role: musa.BlobThumb, Data: bytes.NewReader(out.Thumb)},
	})
	if err != nil {
		return result{}, err
	}
	a.Bytes = draft.Size()
	info := studio.Info{Name: resultName(w.info.Name, w.plan.Scale, out.Format), Format: out.Format, Width: out.Width,
		Height: out.Height, Bytes: int64(len(out.Data)), Made: &studio.Made{
			Engine: out.Engine, Model: out.Model, Scale: w.plan.Scale, Params: w.task.Params, Steps: out.Steps,
			Seconds: took.Seconds(), Checks: out.Checks, Understood: w.plan.Understood}}
	return result{asset: a, info: info, draft: draft}, nil
}

func (r *Runner) keep(ctx context.Context, tx db.Tx, w opened, res result) error {
	a := res.asset
	if err := vault.Belong(ctx, tx, r.Versions(), &a); err != nil {
		return err
	}
	secret, err := res.draft.Keep(ctx, tx, res.info)
	if err != nil {
		return err
	}
	if err := tx.InsertAsset(ctx, a, secret); err != nil {
		return err
	}
	return tx.InsertSource(ctx, a.ID, w.inputs...)
}

// resultName is what a result is offered as for download: the original's name, what was
// done to its size, and the format's ending.
func resultName(original string, scale int, format string) string {
	stem := strings.TrimSuffix(original, path.Ext(original))
	if stem == "" {
		stem = "picture"
	}
	ext := format
	if ext == "jpeg" {
		ext = "jpg"
	}
	if scale > 1 {
		return fmt.Sprintf("%s-%dx.%s", stem, scale, ext)
	}
	return stem + "-enhanced." + ext
}
