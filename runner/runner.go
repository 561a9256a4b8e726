// Package runner carries admitted jobs through an engine and settles what they cost.
//
// It promises that a job ends once: every delivery raises the row's attempt, and only the
// attempt that the row bears can complete it, in one transaction with its results, its
// price and the start of its inputs' own end. A runner that dies leaves nothing but rows
// that the next delivery and the sweeps take up.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// maxAttempts ends a job that keeps taking its runners down with it.
const maxAttempts = 5

// sweepEvery is how often rows that the queue may have lost are announced again.
const sweepEvery = 5 * time.Second

// beatEvery is how often a running job's row is renewed, progress included.
const beatEvery = 5 * time.Second

// Config is what a Runner leans on. All fields are needed.
type Config struct {
	DB      *db.DB
	Vault   *vault.Vault
	Queue   *queue.Queue
	Engines map[string]engine.Engine
	Policy  func() *policy.Document // in force now
	// Versions are all that were taken up.
	Versions func() *policy.Versions
	Clock    musa.Clock
	Log      *slog.Logger
	Node     string // this node's name, for the row
	Width    int    // jobs carried at once
}

// Runner is one node's hands.
type Runner struct {
	Config
	refill  chan struct{}
	mu      sync.Mutex
	running map[musa.JobID]context.CancelCauseFunc // guarded by mu
}

// New makes a runner.
func New(c Config) *Runner {
	return &Runner{Config: c, refill: make(chan struct{}, 1), running: map[musa.JobID]context.CancelCauseFunc{}}
}

// errCancelled is the cause of a run that its owner ended.
var errCancelled = errors.New("cancelled by its owner")

// Run carries jobs until ctx ends, then waits for those under way to stop. Those go back
// to the queue.
func (r *Runner) Run(ctx context.Context) error {
	if r.Queue.Embedded() {
		// Nobody else can hold a row: what was running died with the last process.
		err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.RequeueJobs(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("requeue jobs of the last run: %w", err)
		}
	}
	if err := r.Queue.Listen(ctx, r.hear); err != nil {
		return fmt.Errorf("listen for cancels: %w", err)
	}
	var wait sync.WaitGroup
	wait.Go(func() { r.sweep(ctx) })
	err := r.Queue.Work(ctx, studio.Lane, r.Width, r.carry)
	wait.Wait()
	return err
}

func (r *Runner) hear(n queue.Notice) {
	switch n.Kind {
	case queue.NoticeRefill, queue.NoticeMissed:
		// The server forgot the jobs, or this node missed word of it: announce them again.
		select {
		case r.refill <- struct{}{}:
		default:
		}
		return
	case queue.NoticeCancel:
	default:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range n.IDs {
		if cancel, ok := r.running[musa.JobID(id)]; ok {
			cancel(errCancelled)
		}
	}
}

func (r *Runner) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := r.Sweep(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("sweep of announced jobs", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.refill:
		}
	}
}

// Sweep announces every open, announced job again. The queue keeps one message per job, so
// that only lost ones are new. It also gives owners whose turn was lost their next turn.
func (r *Runner) Sweep(ctx context.Context) error {
	if err := r.turns(ctx); err != nil {
		return err
	}
	var after musa.JobID
	for {
		var page []db.Job
		err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			page, err = tx.Announced(ctx, after, sweepPage)
			return err
		})
		if err != nil {
			return fmt.Errorf("list announced jobs: %w", err)
		}
		for _, j := range page {
			if err := r.Queue.Announce(ctx, j.Lane, j.ID); err != nil {
				return fmt.Errorf("announce %s: %w", j.ID, err)
			}
		}
		if len(page) < sweepPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

const sweepPage = 1000

// turns gives owners who wait without a turn their next one.
func (r *Runner) turns(ctx context.Context) error {
	var waiting []db.Waiting
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		waiting, err = tx.WaitingOwners(ctx, sweepPage)
		return err
	})
	if err != nil || len(waiting) == 0 {
		return err
	}
	return r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, w := range waiting {
			if _, _, err := tx.NextToAnnounce(ctx, w.Owner, w.Lane); err != nil {
				return err
			}
		}
		return nil
	})
}

// carry works on one delivery. A nil return takes the message off the queue.
func (r *Runner) carry(ctx context.Context, d queue.Delivery) error {
	var (
		j    db.Job
		mine bool
	)
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		j, mine, err = tx.ClaimJob(ctx, db.Claim{Job: d.Job, Runner: r.Node, Redelivered: d.Redelivered})
		if err == nil && !mine {
			j, err = tx.Job(ctx, d.Job)
		}
		return err
	})
	switch {
	case errors.Is(err, musa.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("claim %s: %w", d.Job, err)
	case !mine && j.State.Ended():
		return nil
	case !mine:
		return fmt.Errorf("job %s is held by another runner", d.Job) // back to the queue until that one ends or dies
	}
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.hold(j.ID, cancel)
	defer r.let(j.ID)
	r.report(j, studio.Progress{}, musa.JobRunning)
	return r.work(run, ctx, j)
}

func (r *Runner) hold(id musa.JobID, cancel context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[id] = cancel
}

func (r *Runner) let(id musa.JobID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
}

// work runs the engine and ends the job. node is the context of the node itself, run that
// of this job: the job's owner may end one without the other.
func (r *Runner) work(run, node context.Context, j db.Job) error {
	if j.Attempt > maxAttempts {
		return r.fail(node, j, studio.CodeCrashed)
	}
	began := r.Clock()
	w, err := r.open(run, j)
	if err == nil {
		var outs []engine.Output
		outs, err = r.paint(run, j, w)
		if err == nil {
			err = r.finish(run, j, w, outs, r.Clock().Sub(began))
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(run), errCancelled), errors.Is(err, errFenced):
		return nil // the row has ended, or belongs to a later attempt
	case node.Err() != nil:
		return fmt.Errorf("job %s: node stops: %w", j.ID, node.Err())
	}
	r.Log.Warn("job failed", "job", j.ID, "attempt", j.Attempt, "err", err)
	return r.fail(node, j, codeOf(err))
}

// codeOf is what the job's row tells its owner about an error.
func codeOf(err error) string {
	var p *musa.Problem
	switch {
	case errors.Is(err, musa.ErrGone), errors.Is(err, musa.ErrNotFound):
		return studio.CodeInput
	case errors.As(err, &p):
		return p.Code
	}
	return studio.CodeEngine
}

func (r *Runner) report(j db.Job, p studio.Progress, state musa.JobState) {
	r.Queue.Report(queue.Progress{Job: j.ID, Attempt: j.Attempt, State: state, Step: p.Step, Done: p.Done, Total: p.Total, Seconds: p.Seconds})
}
