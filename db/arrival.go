package db

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// idHead is how much of an id stands before its tail (musa.TailOf), counted from 1 as SQL does.
const idHead = 14

// ArrivedAssets finds, by the tails of their ids, which of an owner's active assets came of
// something that is known by them.
func (tx Tx) ArrivedAssets(ctx context.Context, owner musa.SubjectID, tails []string) (map[string]musa.AssetID, error) {
	var ids []musa.AssetID
	err := tx.get(ctx, &ids, "SELECT id FROM assets WHERE owner = ? AND state = 'active' AND ordered = 0 AND substr(id, ?) IN (?)", owner, idHead, listed(tails))
	out := make(map[string]musa.AssetID, len(ids))
	for _, id := range ids {
		out[string(id)[idHead-1:]] = id
	}
	return out, wrapf(err, "arrived assets of %s", owner)
}

// ArrivedJobs does the same for jobs.
func (tx Tx) ArrivedJobs(ctx context.Context, owner musa.SubjectID, tails []string) (map[string]musa.JobID, error) {
	var ids []musa.JobID
	err := tx.get(ctx, &ids, "SELECT id FROM jobs WHERE owner = ? AND substr(id, ?) IN (?)", owner, idHead, listed(tails))
	out := make(map[string]musa.JobID, len(ids))
	for _, id := range ids {
		out[string(id)[idHead-1:]] = id
	}
	return out, wrapf(err, "arrived jobs of %s", owner)
}

// InsertPastJob adds a job that was done elsewhere and uses nothing here.
func (tx Tx) InsertPastJob(ctx context.Context, j Job, inputs ...musa.AssetID) error {
	if !j.State.Ended() {
		return fmt.Errorf("past job %s is %s: %w", j.ID, j.State, musa.ErrInvalid)
	}
	if err := tx.insert(ctx, &j); err != nil {
		return fmt.Errorf("insert past job %s: %w", j.ID, err)
	}
	if len(inputs) == 0 {
		return nil
	}
	rows := make([]JobInput, len(inputs))
	for i, a := range inputs {
		rows[i] = JobInput{Job: j.ID, Position: i, Asset: a}
	}
	return wrapf(tx.insert(ctx, &rows), "insert inputs of past job %s", j.ID)
}

// RenewBlobs says of blobs that are being written that their writer lives.
func (tx Tx) RenewBlobs(ctx context.Context, names []string) error {
	_, err := tx.exec(ctx, "UPDATE blobs SET created = ? WHERE state = 'writing' AND name IN (?)", tx.Now, bun.List(names))
	return wrapf(err, "renew %d blobs", len(names))
}

// TailIn is the tail of an id that is there.
func TailIn(id string) string { return id[min(idHead-1, len(id)):] }
