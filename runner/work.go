package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/policy"
	"musa/queue"
	"musa/studio"
	"musa/vault"
)

// errFenced means that the row has moved on without this attempt.
var errFenced = errors.New("another attempt or its owner ended the job")

// opened is a job with everything an engine needs.
type opened struct {
	engine   engine.Engine
	task     engine.Task
	plan     engine.Plan
	inputs   []musa.AssetID
	info     studio.Info // of the first input, zero without one
	tier     musa.Tier
	standing musa.Standing
}

// open opens the job's inputs, prompt and plan, on the owner's behalf, for the purpose
// "generate".
func (r *Runner) open(ctx context.Context, j db.Job) (opened, error) {
	e, ok := r.Engines[j.Engine]
	if !ok {
		return opened{}, fmt.Errorf("engine of %s is not on this node: %w", j.ID, musa.ErrUnavailable)
	}
	w := opened{engine: e, task: engine.Task{Kind: j.Kind}}
	type sealed struct {
		grant  policy.Grant
		locked vault.Locked
		blob   db.Blob
	}
	var pictures []sealed
	by := musa.Actor{Subject: j.Owner, Role: musa.RoleSystem}
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		// A cancel that came between the claim and now found nobody to tell.
		row, err := tx.Job(ctx, j.ID)
		if err != nil {
			return err
		}
		if row.State != musa.JobRunning || row.Attempt != j.Attempt {
			return errFenced
		}
		sub, err := tx.Subject(ctx, j.Owner)
		if err != nil {
			return err
		}
		w.tier, by.Tier = sub.Tier, sub.Tier
		w.standing, by.Standing = sub.Standing(), sub.Standing()
		if err := studio.Reach(ctx, tx, r.Policy(), j.Owner, e); err != nil {
			return err
		}
		ids, err := tx.InputsOf(ctx, j.ID)
		if err != nil {
			return err
		}
		w.inputs, pictures = ids, pictures[:0]
		for _, id := range ids {
			o, err := tx.AssetWithSecret(ctx, id)
			if err != nil {
				return err
			}
			grant, err := r.grant(tx, by, vault.AssetItem(o.Asset))
			if err != nil {
				return err
			}
			b, err := full(ctx, tx, id)
			if err != nil {
				return err
			}
			pictures = append(pictures, sealed{grant, vault.LockedAsset(o), b})
		}
		return r.recall(ctx, tx, by, j, &w)
	})
	if err != nil {
		return opened{}, fmt.Errorf("open %s: %w", j.ID, err)
	}
	for i, p := range pictures {
		if i == 0 {
			if err := r.Vault.OpenRecord(p.grant, p.locked, &w.info); err != nil {
				return opened{}, err
			}
		}
		data, err := r.read(ctx, p.grant, p.locked, p.blob)
		if err != nil {
			return opened{}, err
		}
		w.task.Inputs = append(w.task.Inputs, engine.Input{Asset: w.inputs[i], Data: data})
	}
	return w, nil
}

func (r *Runner) grant(tx db.Tx, by musa.Actor, i policy.Item) (policy.Grant, error) {
	g := r.Policy().Decide(policy.Ask(tx.Now, by, musa.PurposeGenerate, i))
	return g, g.Err()
}

func full(ctx context.Context, tx db.Tx, id musa.AssetID) (db.Blob, error) {
	blobs, err := tx.BlobsOf(ctx, id)
	if err != nil {
		return db.Blob{}, err
	}
	for _, b := range blobs {
		if b.Role == musa.BlobFull && b.State == musa.BlobLive {
			return b, nil
		}
	}
	return db.Blob{}, fmt.Errorf("asset %s: %w", id, musa.ErrGone)
}

// recall opens the prompt and the plan that the order sealed.
func (r *Runner) recall(ctx context.Context, tx db.Tx, by musa.Actor, j db.Job, w *opened) error {
	records, err := tx.RecordsOfJob(ctx, j.ID)
	if err != nil {
		return err
	}
	for _, rec := range records {
		grant, err := r.grant(tx, by, vault.RecordItem(rec.Record))
		if err != nil {
			return err
		}
		locked, err := vault.LockedRecord(rec)
		if err != nil {
			return err
		}
		switch rec.Category {
		case musa.CategoryPrompt:
			w.task.Prompt, err = studio.OpenPrompt(r.Vault, grant, locked)
		case musa.CategoryHistory:
			var h studio.History
			err = r.Vault.OpenRecord(grant, locked, &h)
			w.task.Params, w.plan = h.Params, h.Plan
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) read(ctx context.Context, g policy.Grant, l vault.Locked, b db.Blob) (data []byte, err error) {
	c, err := r.Vault.Open(ctx, g, l, b)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	buf := bytes.NewBuffer(make([]byte, 0, c.Size()))
	if _, err := io.Copy(buf, c); err != nil {
		return nil, fmt.Errorf("read %s: %w", l.ID, err)
	}
	return buf.Bytes(), nil
}

// paint runs the engine, spreads its progress and keeps the row's beat.
func (r *Runner) paint(ctx context.Context, j db.Job, w opened) ([]engine.Output, error) {
	beat := &pulse{runner: r, job: j}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wait sync.WaitGroup
	done := make(chan struct{})
	wait.Go(func() { beat.run(ctx, done, stop) })
	outs, err := w.engine.Run(ctx, w.task, w.plan, beat.progress)
	close(done)
	wait.Wait()
	if err != nil && errors.Is(context.Cause(ctx), errFenced) {
		return nil, errFenced
	}
	return outs, err
}

// pulse carries progress to watchers at once and to the row now and then.
type pulse struct {
	runner *Runner
	job    db.Job
	mu     sync.Mutex
	last   studio.Progress // guarded by mu
	told   time.Time       // guarded by mu
}

// reportEvery bounds how often watchers hear of progress.
const reportEvery = 100 * time.Millisecond

func (p *pulse) progress(e engine.Progress) {
	p.mu.Lock()
	p.last = studio.Progress{Step: e.Step, Done: e.Done, Total: e.Total, Seconds: e.Seconds}
	now := p.runner.Clock()
	tell := now.Sub(p.told) >= reportEvery || e.Done == e.Total
	if tell {
		p.told = now
	}
	last := p.last
	p.mu.Unlock()
	if tell {
		p.runner.report(p.job, last, musa.JobRunning)
	}
}

// run renews the row until the engine is done. A row that moved on stops the engine.
func (p *pulse) run(ctx context.Context, done <-chan struct{}, stop context.CancelCauseFunc) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p.mu.Lock()
		last := p.last
		p.mu.Unlock()
		var ok bool
		err := p.runner.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			j := p.job
			j.Done, j.Total = last.Done, last.Total
			ok, err = tx.BeatJob(ctx, j)
			return err
		})
		if err == nil && !ok {
			stop(errFenced)
			return
		}
	}
}

// fail ends the job without a result: the hold is released and the inputs' rule begins.
func (r *Runner) fail(ctx context.Context, j db.Job, code string) error {
	var next []musa.JobID
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		ok, err := tx.FinishJob(ctx, j.ID, j.Attempt, musa.JobFailed, code)
		if err != nil || !ok {
			return err
		}
		if err := tx.Release(ctx, j.Owner, j.ID, j.Held); err != nil {
			return err
		}
		if next, err = studio.Settle(ctx, tx, r.Versions(), j); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "job_failed", Role: musa.RoleSystem, Subject: j.Owner, Object: string(j.ID)})
	})
	if err != nil {
		return fmt.Errorf("fail %s: %w", j.ID, err)
	}
	r.ended(ctx, j, next, musa.JobFailed)
	return nil
}

// ended tells whoever waits: the next job's runner, the watchers, and retention, because
// the end of a job can be the end of its original.
func (r *Runner) ended(ctx context.Context, j db.Job, next []musa.JobID, state musa.JobState) {
	for _, id := range next {
		if err := r.Queue.Announce(ctx, j.Lane, id); err != nil {
			r.Log.Warn("announce job", "job", id, "err", err)
		}
	}
	r.report(j, studio.Progress{}, state)
	if err := r.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDue}); err != nil {
		r.Log.Warn("broadcast notice", "kind", queue.NoticeDue, "err", err)
	}
}
