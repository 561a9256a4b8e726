package db

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"musa"
)

// Job is one order of work. Its words and measures are sealed records.
//
// Category: generation_log.
type Job struct {
	bun.BaseModel `bun:"table:jobs"`

	ID            musa.JobID     `bun:",pk"`
	Owner         musa.SubjectID // who pays
	Author        musa.SubjectID
	Kind          musa.JobKind
	Lane          string // the queue that it waits in
	State         musa.JobState
	Attempt       int // raised by each delivery; fences what a runner may commit
	Session       musa.SessionID
	Engine        string
	Model         string
	Runner        string // the node that works on it
	Created       musa.Millis
	Announced     musa.Millis // 0: waits for its owner's turn
	Started       musa.Millis
	Sent          musa.Millis // when a remote call was about to leave; it is never sent twice
	Beat          musa.Millis // when its runner was last heard of
	Done          int         // units of work done at that beat, of Total
	Total         int
	Ended         musa.Millis
	Held          int64   // credits
	Code          string  // of the problem it failed with
	Seconds       float64 // estimate
	PolicyVersion string
	Commercial    bool // what it makes is used commercially, says its owner
}

var jobTable = Table{Name: "jobs", Category: musa.CategoryGenerationLog,
	Columns: columns(musa.CategoryGenerationLog, "id", "owner", "author", "kind", "lane", "state", "attempt", "session", "engine", "model",
		"runner", "created", "announced", "started", "sent", "beat", "done", "total", "ended", "held", "code", "seconds", "policy_version", "commercial"), Owner: "owner",
	Edges: []Edge{{"owner", "subjects", Keep}, {"author", "subjects", Keep}, {"session", "sessions", Detach}}}

// JobInput is an asset that a job works on.
//
// Category: generation_log.
type JobInput struct {
	bun.BaseModel `bun:"table:job_inputs"`

	Job      musa.JobID `bun:",pk"`
	Position int        `bun:",pk"`
	Asset    musa.AssetID
}

var jobInputTable = Table{Name: "job_inputs", Category: musa.CategoryGenerationLog,
	Columns: columns(musa.CategoryGenerationLog, "job", "position", "asset"),
	Edges:   []Edge{{"job", "jobs", Follow}, {"asset", "assets", Follow}}}

// InsertJob adds a queued job and notes that it uses its inputs, in their order.
// musa.ErrGone when an input is erased or due.
func (tx Tx) InsertJob(ctx context.Context, j Job, inputs ...musa.AssetID) error {
	if err := tx.insert(ctx, &j); err != nil {
		return fmt.Errorf("insert job %s: %w", j.ID, err)
	}
	if len(inputs) == 0 {
		return nil
	}
	rows := make([]JobInput, len(inputs))
	distinct := map[musa.AssetID]bool{}
	for i, a := range inputs {
		rows[i] = JobInput{Job: j.ID, Position: i, Asset: a}
		distinct[a] = true
	}
	n, err := tx.exec(ctx, "UPDATE assets SET uses = uses + 1 WHERE id IN (?) AND state = 'active' AND (ends = 0 OR ends > ?)",
		bun.List(inputs), tx.Now)
	if err == nil && n != len(distinct) {
		err = musa.ErrGone
	}
	if err != nil {
		return fmt.Errorf("use inputs of job %s: %w", j.ID, err)
	}
	return wrapf(tx.insert(ctx, &rows), "insert inputs of job %s", j.ID)
}

// Job finds a job; musa.ErrNotFound. In a Write its row stays locked until the end.
func (tx Tx) Job(ctx context.Context, id musa.JobID) (Job, error) {
	var j Job
	err := tx.get(ctx, &j, "SELECT * FROM jobs WHERE id = ? ?", id, tx.locked(forUpdate))
	return j, wrapf(err, "job %s", id)
}

// InputsOf lists a job's inputs in their order.
func (tx Tx) InputsOf(ctx context.Context, job musa.JobID) ([]musa.AssetID, error) {
	var ids []musa.AssetID
	err := tx.get(ctx, &ids, "SELECT asset FROM job_inputs WHERE job = ? ORDER BY position", job)
	return ids, wrapf(err, "inputs of job %s", job)
}

// JobsOf lists an owner's jobs older than after ("" for all), newest first.
func (tx Tx) JobsOf(ctx context.Context, owner musa.SubjectID, after musa.JobID, limit int) ([]Job, error) {
	var list []Job
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM jobs WHERE owner = ? ? ORDER BY id DESC LIMIT ?", owner, older, limit)
	return list, wrapf(err, "jobs of %s", owner)
}

// Claim is a runner's wish to work on the job of a delivery.
type Claim struct {
	Job         musa.JobID
	Runner      string
	Redelivered bool // the queue gave up on the runner that had it before
}

// silent is how long the runner of a job must not have been heard of before a plain
// delivery may take the job from it: the queue has forgotten its own count then.
const silent = 30 * time.Second

// MaxOut is how many of an owner's jobs are announced in a lane at once, so that nobody's
// crowd delays another's first by more.
const MaxOut = 2

// ClaimJob gives the job to the runner with a fresh attempt: a queued job to anybody, a
// running one by redelivery, or when its runner fell silent. It says false when the job
// has ended, or is another runner's: Job tells which.
func (tx Tx) ClaimJob(ctx context.Context, c Claim) (Job, bool, error) {
	heard := tx.Now.Add(-silent)
	if c.Redelivered {
		heard = tx.Now
	}
	var list []Job
	err := tx.get(ctx, &list, `UPDATE jobs SET state = 'running', attempt = attempt + 1, runner = ?, beat = ?, done = 0, total = 0,
		started = CASE WHEN started = 0 THEN ? ELSE started END
		WHERE id = ? AND (state = 'queued' OR (state = 'running' AND beat <= ?)) RETURNING *`,
		c.Runner, tx.Now, tx.Now, c.Job, heard)
	if err != nil || len(list) == 0 {
		return Job{}, false, wrapf(err, "claim job %s", c.Job)
	}
	return list[0], true, nil
}

// BeatJob notes that the runner of this attempt lives and how far it is. It says false
// when the job has ended or is another's by now.
func (tx Tx) BeatJob(ctx context.Context, j Job) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE jobs SET beat = ?, done = ?, total = ? WHERE id = ? AND attempt = ? AND state = 'running'",
		tx.Now, j.Done, j.Total, j.ID, j.Attempt)
	return n == 1, wrapf(err, "beat of job %s", j.ID)
}

// SendJob marks that a remote call is about to leave for the job. It says false when
// one was marked before, or when another runner has the job.
func (tx Tx) SendJob(ctx context.Context, id musa.JobID, attempt int) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE jobs SET sent = ? WHERE id = ? AND attempt = ? AND state = 'running' AND sent = 0", tx.Now, id, attempt)
	return n == 1, wrapf(err, "mark job %s as sent", id)
}

// FinishJob ends the job for the runner of this attempt. It says false when the job
// has ended or is another's by now: then nothing that was made may be kept.
func (tx Tx) FinishJob(ctx context.Context, id musa.JobID, attempt int, state musa.JobState, code string) (bool, error) {
	if !state.Ended() {
		return false, fmt.Errorf("finish job %s as %s: %w", id, state, musa.ErrInvalid)
	}
	n, err := tx.exec(ctx, "UPDATE jobs SET state = ?, code = ?, ended = ? WHERE id = ? AND attempt = ? AND state = 'running'",
		state, code, tx.Now, id, attempt)
	return n == 1, wrapf(err, "finish job %s", id)
}

// CancelJob ends the job from any open state, and says false when it had ended.
func (tx Tx) CancelJob(ctx context.Context, id musa.JobID) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE jobs SET state = 'cancelled', ended = ? WHERE id = ? AND state IN ('queued', 'running')", tx.Now, id)
	return n == 1, wrapf(err, "cancel job %s", id)
}

// RequeueJobs returns running jobs to the queue: at the start of a node that is the
// only one, where no runner can be alive. Their attempts stay and fence.
func (tx Tx) RequeueJobs(ctx context.Context) (int, error) {
	n, err := tx.exec(ctx, "UPDATE jobs SET state = 'queued' WHERE state = 'running'")
	return n, wrapf(err, "requeue jobs")
}

// EndUse notes that an ended job no longer uses its inputs, and returns them as they
// now stand. An input without any other open job gets JobEnded = now. Call it once, in
// the transaction that ended the job.
func (tx Tx) EndUse(ctx context.Context, job musa.JobID) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, `UPDATE assets SET uses = uses - 1, job_ended = CASE WHEN uses = 1 THEN ? ELSE job_ended END
		WHERE uses > 0 AND state = 'active' AND id IN (SELECT asset FROM job_inputs WHERE job = ?) RETURNING *`, tx.Now, job)
	return list, wrapf(err, "end use of inputs of job %s", job)
}

// DropJobs forgets up to limit jobs that were made before an instant and have ended.
func (tx Tx) DropJobs(ctx context.Context, before musa.Millis, limit int) (int, error) {
	var ids []musa.JobID
	err := tx.get(ctx, &ids, "SELECT id FROM jobs WHERE ended > 0 AND created < ? ORDER BY created LIMIT ? ?", before, limit, tx.locked(skipLocked))
	if err != nil || len(ids) == 0 {
		return 0, wrapf(err, "old jobs")
	}
	if _, err := tx.exec(ctx, "DELETE FROM job_inputs WHERE job IN (?)", bun.List(ids)); err != nil {
		return 0, wrapf(err, "drop inputs of old jobs")
	}
	n, err := tx.exec(ctx, "DELETE FROM jobs WHERE id IN (?)", bun.List(ids))
	return n, wrapf(err, "drop old jobs")
}
