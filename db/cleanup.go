package db

import (
	"context"

	"musa"
)

// CleanupState is where an asset stands that entered the cleanup queue.
type CleanupState string

// The states of the cleanup queue.
const (
	CleanupWaiting CleanupState = "waiting" // its end has come, its key is still there
	CleanupErasing CleanupState = "erasing" // its key is destroyed, its bytes are on their way out
	CleanupFailed  CleanupState = "failed"  // as erasing, and removing its bytes has failed so far
	CleanupPurged  CleanupState = "purged"  // all of it is gone, within the life of tombstones
)

// CleanupCounts are how many assets stand where.
type CleanupCounts struct {
	Waiting, Erasing, Failed, Purged int
}

// CleanupLine is one asset of the queue.
type CleanupLine struct {
	ID       musa.AssetID
	Category musa.Category
	Ends     musa.Millis
	Erased   musa.Millis
	Purged   musa.Millis
	Tries    int64
	Cause    string
}

// CountCleanup counts the queue at one moment.
func (tx Tx) CountCleanup(ctx context.Context) (CleanupCounts, error) {
	var c CleanupCounts
	var erased int
	err := tx.bun.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM assets WHERE state = 'active' AND ends > 0 AND ends <= ?0),
		(SELECT COUNT(*) FROM assets WHERE state = 'erased'),
		(SELECT COUNT(*) FROM removals AS r JOIN assets AS a ON a.id = r.asset WHERE a.state = 'erased'),
		(SELECT COUNT(*) FROM assets WHERE state = 'purged' AND purged > ?1)`, tx.Now, tx.Now.Add(-TombstoneLife)).
		Scan(&c.Waiting, &erased, &c.Failed, &c.Purged)
	c.Erasing = erased - c.Failed
	return c, wrapf(err, "count cleanup")
}

// CleanupPlace is where a page of the queue begins: behind this asset at this instant.
type CleanupPlace struct {
	At musa.Millis
	ID musa.AssetID
}

// cleanupPages are the pages of each state, in the order in which its assets came to it.
var cleanupPages = map[CleanupState]string{
	CleanupWaiting: "a.state = 'active' AND a.ends > 0 AND a.ends <= ?0 AND (a.ends, a.id) > (?1, ?2) ORDER BY a.ends, a.id",
	CleanupErasing: "a.state = 'erased' AND r.asset IS NULL AND (a.erased, a.id) > (?1, ?2) ORDER BY a.erased, a.id",
	CleanupFailed:  "a.state = 'erased' AND r.asset IS NOT NULL AND (a.erased, a.id) > (?1, ?2) ORDER BY a.erased, a.id",
	CleanupPurged:  "a.state = 'purged' AND (a.purged, a.id) > (?1, ?2) ORDER BY a.purged, a.id",
}

// CleanupPage lists assets of one state of the queue behind a place; musa.ErrInvalid for a
// state that there is not.
func (tx Tx) CleanupPage(ctx context.Context, state CleanupState, after CleanupPlace, limit int) ([]CleanupLine, error) {
	page, ok := cleanupPages[state]
	if !ok {
		return nil, wrapf(musa.ErrInvalid, "cleanup")
	}
	if oldest := tx.Now.Add(-TombstoneLife); state == CleanupPurged && after.At < oldest {
		after = CleanupPlace{At: oldest, ID: "~"} // behind every id of that instant
	}
	var list []CleanupLine
	err := tx.get(ctx, &list, `SELECT a.id, a.category, a.ends, a.erased, a.purged, COALESCE(r.tries, 0) AS tries, COALESCE(r.cause, '') AS cause
		FROM assets AS a LEFT JOIN removals AS r ON r.asset = a.id WHERE `+page+" LIMIT ?3", tx.Now, after.At, after.ID, limit)
	return list, wrapf(err, "cleanup of what is %s", state)
}
