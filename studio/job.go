package studio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/policy"
	"musa/queue"
	"musa/vault"
)

// Job is an order as its owner sees it.
type Job struct {
	db.Job
	Prompt   musa.Prompt
	Plan     *engine.Plan // nil once the history's end has come
	Params   engine.Params
	Origin   *Origin     // where it was before an import; nil for what was made here
	Ends     musa.Millis // when the first of prompt and plan goes; 0 when none is left
	Inputs   []Asset
	Outputs  []Asset
	Position int // jobs before this one; 0 when it runs or ended
	Progress Progress
	Public   string // for a job that failed: what happened, in words
}

// Progress is how far a job is.
type Progress struct {
	Step        string
	Done, Total int
	Seconds     float64 // left, as estimated
}

// Job shows one job to its owner; ErrNotFound for anybody else.
func (s *Studio) Job(ctx context.Context, by musa.Actor, id musa.JobID) (Job, error) {
	var j Job
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		row, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		if row.Owner != by.Subject {
			return musa.ErrNotFound
		}
		j = Job{Job: row, Public: failureWords(row.Code), Progress: Progress{Done: row.Done, Total: row.Total}}
		if row.State == musa.JobQueued {
			if j.Position, err = tx.Position(ctx, row.ID); err != nil {
				return err
			}
		}
		if err := s.recall(ctx, tx, by, musa.PurposeDeliver, &j); err != nil {
			return err
		}
		return s.pictures(ctx, tx, by, &j)
	})
	if err != nil {
		return Job{}, fmt.Errorf("job %s: %w", id, err)
	}
	return j, nil
}

// recall opens the job's prompt and history, each as long as the policy lets it live.
func (s *Studio) recall(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, j *Job) error {
	records, err := tx.RecordsOfJob(ctx, j.ID)
	if err != nil {
		return err
	}
	for _, r := range records {
		grant := s.Policy().Decide(policy.Ask(tx.Now, by, purpose, vault.RecordItem(r.Record)))
		if r.State != musa.AssetActive || errors.Is(grant.Err(), musa.ErrGone) {
			continue
		}
		if err := grant.Err(); err != nil {
			return err
		}
		if r.Ends > 0 && (j.Ends == 0 || r.Ends < j.Ends) {
			j.Ends = r.Ends
		}
		locked, err := vault.LockedRecord(r)
		if err != nil {
			return err
		}
		switch r.Category {
		case musa.CategoryPrompt:
			var p prompted
			if err := s.Vault.OpenRecord(grant, locked, &p); err != nil {
				return err
			}
			j.Prompt = p.Prompt
		case musa.CategoryHistory:
			var h History
			if err := s.Vault.OpenRecord(grant, locked, &h); err != nil {
				return err
			}
			j.Plan, j.Params, j.Origin = &h.Plan, h.Params, h.Origin
		}
	}
	return nil
}

func (s *Studio) pictures(ctx context.Context, tx db.Tx, by musa.Actor, j *Job) error {
	inputs, err := tx.InputsOf(ctx, j.ID)
	if err != nil {
		return err
	}
	outputs, err := tx.AssetsOfJob(ctx, j.ID)
	if err != nil {
		return err
	}
	for _, in := range inputs {
		a, err := tx.Asset(ctx, in)
		if errors.Is(err, musa.ErrNotFound) {
			continue // its tombstone's time is over, too
		}
		if err != nil {
			return err
		}
		v, err := s.show(ctx, tx, by, a)
		if err != nil {
			return err
		}
		j.Inputs = append(j.Inputs, v)
	}
	for _, a := range outputs {
		v, err := s.show(ctx, tx, by, a)
		if err != nil {
			return err
		}
		j.Outputs = append(j.Outputs, v)
	}
	return nil
}

// Cancel ends a job that has not ended: credits return, the input's own rule starts to run,
// and the node that works on it is told to stop. A job that ended already is ErrConflict.
func (s *Studio) Cancel(ctx context.Context, by musa.Actor, id musa.JobID) (Job, error) {
	var next []musa.JobID
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		j, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		if j.Owner != by.Subject {
			return musa.ErrNotFound
		}
		ok, err := tx.CancelJob(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "job_ended", Public: "This job has ended already."}
		}
		if err := tx.Release(ctx, j.Owner, id, j.Held); err != nil {
			return err
		}
		next, err = Settle(ctx, tx, s.Versions(), j)
		if err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "job_cancelled", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return Job{}, fmt.Errorf("cancel %s: %w", id, err)
	}
	s.tell(ctx, next, queue.Notice{Kind: queue.NoticeCancel, IDs: []string{string(id)}}, queue.Notice{Kind: queue.NoticeDue})
	s.Queue.Report(queue.Progress{Job: id, State: musa.JobCancelled})
	return s.Job(ctx, by, id)
}

// tell announces jobs and spreads notices. A loss is made good by the sweeps.
func (s *Studio) tell(ctx context.Context, next []musa.JobID, notices ...queue.Notice) {
	for _, id := range next {
		if err := s.Queue.Announce(ctx, Lane, id); err != nil {
			s.Log.Warn("announce job", "job", id, "err", err)
		}
	}
	for _, n := range notices {
		if err := s.Queue.Broadcast(n); err != nil {
			s.Log.Warn("broadcast notice", "kind", n.Kind, "err", err)
		}
	}
}

// Settle does, in the transaction that ends a job, what every ending has in common: its
// inputs are no longer in use by it, so their rule begins to run, and its owner's next
// waiting job may be announced. The caller announces what is returned after the commit.
func Settle(ctx context.Context, tx db.Tx, v *policy.Versions, j db.Job) ([]musa.JobID, error) {
	changed, err := tx.EndUse(ctx, j.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range changed {
		vault.SetEnd(v, tx.Now, &a)
		if err := tx.SaveAsset(ctx, a); err != nil {
			return nil, err
		}
	}
	if err := unlog(ctx, tx, v, j); err != nil {
		return nil, err
	}
	next, ok, err := tx.NextToAnnounce(ctx, j.Owner, j.Lane)
	if err != nil || !ok {
		return nil, err
	}
	return []musa.JobID{next.ID}, nil
}

// unlog ends what was said for a job with the job itself, where its owner switched the
// interaction log off: also while the job was under way. Promise W-21.
func unlog(ctx context.Context, tx db.Tx, v *policy.Versions, j db.Job) error {
	owner, err := tx.Subject(ctx, j.Owner) // locked: a switch comes wholly before or wholly after
	if err != nil || owner.Unlogged == 0 {
		return err
	}
	var stopped []musa.Category
	words, _ := v.InForce(tx.Now).OffSwitch.Get("interaction_log")
	for _, w := range words {
		stopped = append(stopped, musa.Category(w))
	}
	return tx.OrderLogsOfJob(ctx, j.ID, stopped)
}

// watchEvery is how often a watcher looks at the database, should a message be lost.
const watchEvery = 2 * time.Second

// Watch sends the job as it changes, beginning with how it stands now, and closes the
// channel when the job has ended or ctx has. ErrNotFound for a foreign job.
func (s *Studio) Watch(ctx context.Context, by musa.Actor, id musa.JobID) (<-chan Job, error) {
	watch, stop := context.WithCancel(ctx)
	progress, err := s.Queue.Watch(watch, id) // before the first look, so that nothing is missed
	if err != nil {
		stop()
		return nil, fmt.Errorf("watch %s: %w", id, err)
	}
	j, err := s.Job(ctx, by, id)
	if err != nil {
		stop()
		return nil, err
	}
	out := make(chan Job)
	go func() {
		defer stop()
		defer close(out)
		s.follow(ctx, by, j, progress, out)
	}()
	return out, nil
}

func (s *Studio) follow(ctx context.Context, by musa.Actor, j Job, progress <-chan queue.Progress, out chan<- Job) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case out <- j:
		case <-ctx.Done():
			return
		}
		if j.State.Ended() {
			return
		}
		last := j.Progress
		select {
		case <-ctx.Done():
			return
		case p, ok := <-progress:
			if ok && p.State == musa.JobRunning && j.State == musa.JobRunning {
				j.Progress = Progress{Step: p.Step, Done: p.Done, Total: p.Total, Seconds: p.Seconds}
				continue
			}
		case <-tick.C:
		}
		fresh, err := s.Job(ctx, by, j.ID)
		if err != nil {
			return // the reader reconnects, and is told then
		}
		if fresh.State == musa.JobRunning && last.Done > fresh.Progress.Done {
			fresh.Progress = last
		}
		j = fresh
	}
}

// OpenPrompt opens a job's sealed prompt for whoever may work on it.
func OpenPrompt(v *vault.Vault, g policy.Grant, l vault.Locked) (musa.Prompt, error) {
	var p prompted
	err := v.OpenRecord(g, l, &p)
	return p.Prompt, err
}
