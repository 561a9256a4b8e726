package db

import (
	"context"

	"musa"
)

// takeTurn lets one transaction at a time count and announce an owner's jobs in a
// lane. Two that count at once would each find room for one more.
func (tx Tx) takeTurn(ctx context.Context, owner musa.SubjectID, lane string) error {
	if !tx.writes || tx.dialect != PostgreSQL {
		return nil
	}
	_, err := tx.exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(?, 1))", string(owner)+"/"+lane)
	return err
}

// OutCount counts an owner's jobs that are announced in a lane and have not ended. In
// a Write nobody else announces for this owner until the end.
func (tx Tx) OutCount(ctx context.Context, owner musa.SubjectID, lane string) (int, error) {
	if err := tx.takeTurn(ctx, owner, lane); err != nil {
		return 0, wrapf(err, "jobs of %s that are out", owner)
	}
	var n int
	err := tx.get(ctx, &n, "SELECT COUNT(*) FROM jobs WHERE lane = ? AND owner = ? AND state IN ('queued', 'running') AND announced > 0", lane, owner)
	return n, wrapf(err, "jobs of %s that are out", owner)
}

// NextToAnnounce marks the owner's oldest waiting job of a lane as announced and
// returns it; false when none waits. Announce it to the queue after the commit.
func (tx Tx) NextToAnnounce(ctx context.Context, owner musa.SubjectID, lane string) (Job, bool, error) {
	if err := tx.takeTurn(ctx, owner, lane); err != nil {
		return Job{}, false, wrapf(err, "next job of %s", owner)
	}
	var list []Job
	err := tx.get(ctx, &list, `UPDATE jobs SET announced = ? WHERE id = (SELECT id FROM jobs WHERE lane = ? AND owner = ?
		AND state IN ('queued', 'running') AND state = 'queued' AND announced = 0 ORDER BY id LIMIT 1) RETURNING *`, tx.Now, lane, owner)
	if err != nil || len(list) == 0 {
		return Job{}, false, wrapf(err, "next job of %s", owner)
	}
	return list[0], true, nil
}

// Announced lists open jobs that were announced, after an id, for the sweep that
// announces again what nobody holds.
func (tx Tx) Announced(ctx context.Context, after musa.JobID, limit int) ([]Job, error) {
	var list []Job
	err := tx.get(ctx, &list, "SELECT * FROM jobs WHERE state IN ('queued', 'running') AND announced > 0 AND id > ? ORDER BY id LIMIT ?", after, limit)
	return list, wrapf(err, "announced jobs")
}

// Waiting is an owner who has jobs in a lane of which none is announced: a turn that
// was lost and has to be given.
type Waiting struct {
	Owner musa.SubjectID
	Lane  string
}

// WaitingOwners lists the owners whose turn was lost, for the sweep.
func (tx Tx) WaitingOwners(ctx context.Context, limit int) ([]Waiting, error) {
	var list []Waiting
	err := tx.get(ctx, &list, `SELECT lane, owner FROM jobs WHERE state IN ('queued', 'running')
		GROUP BY lane, owner HAVING MAX(announced) = 0 ORDER BY lane, owner LIMIT ?`, limit)
	return list, wrapf(err, "waiting owners")
}

// Position tells how many queued jobs come before this one, as far as can be known: 0
// is next, and also what a job that is not queued has.
func (tx Tx) Position(ctx context.Context, id musa.JobID) (int, error) {
	var n int
	err := tx.bun.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM jobs AS o WHERE o.lane = j.lane AND o.state IN ('queued', 'running')
		AND o.state = 'queued' AND o.id <> j.id AND (
			(o.announced > 0 AND (j.announced = 0 OR o.announced < j.announced OR (o.announced = j.announced AND o.id < j.id)))
			OR (o.announced = 0 AND j.announced = 0 AND o.owner = j.owner AND o.id < j.id)))
		FROM jobs AS j WHERE j.id = ? AND j.state = 'queued'`, id).Scan(&n)
	if err = missing(err); err == nil || !isMissing(err) {
		return n, wrapf(err, "position of job %s", id)
	}
	_, err = tx.Job(ctx, id)
	return 0, err
}
