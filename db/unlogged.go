package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// OrderLogsOfJob ends the records of some categories of a job now: hidden from this commit on,
// their keys destroyed within the policy's time.
func (tx Tx) OrderLogsOfJob(ctx context.Context, job musa.JobID, which []musa.Category) error {
	return tx.orderLogs(ctx, which, "job = ?3 AND job <> ''", job)
}

// OrderLogsOf does so with all of an owner's, but those of jobs that have not ended and still
// need them.
func (tx Tx) OrderLogsOf(ctx context.Context, owner musa.SubjectID, which []musa.Category) error {
	return tx.orderLogs(ctx, which, "owner = ?3 AND NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = records.job AND j.ended = 0)", owner)
}

func (tx Tx) orderLogs(ctx context.Context, which []musa.Category, where string, of any) error {
	if len(which) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE records SET ordered = ?0, ends = ?0, reason = ?1 WHERE state = 'active' AND category IN (?2) AND (ends = 0 OR ends > ?0) AND "+where,
		tx.Now, musa.EndOrdered, bun.List(which), of)
	return wrapf(err, "end logs of %v", of)
}
