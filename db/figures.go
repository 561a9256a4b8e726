package db

import (
	"context"
	"math"
	"strings"

	"musa"
)

// Lag is how long purged assets took from their end to the destruction of their key and to
// the removal of their bytes, in milliseconds, each rounded up.
type Lag struct {
	Slot       musa.Millis // the beginning of the span in which the bytes went
	Key, Purge int64
	Assets     int
}

// lagStep rounds a lag up: to 0.1 s below a minute, to a second below an hour, to a minute
// above.
func lagStep(ms string) string {
	return strings.ReplaceAll(`CASE WHEN ms < 60000 THEN (ms + 99) / 100 * 100 WHEN ms < 3600000 THEN (ms + 999) / 1000 * 1000
		ELSE (ms + 59999) / 60000 * 60000 END`, "ms", ms)
}

// LagPage says which assets Lags counts: those whose bytes went at or after an instant, the
// first Limit of them and a few more, told apart by spans of Slot milliseconds.
type LagPage struct {
	From  musa.Millis
	Slot  musa.Millis
	Limit int
}

// Lags counts purged assets by their lags, and says from when on there are more; 0 when there
// are none. What went before its end, with its owner, counts from its erasure.
func (tx Tx) Lags(ctx context.Context, p LagPage) (list []Lag, next musa.Millis, err error) {
	// The columns are those of assets_tombstones: no row of assets is read.
	err = tx.get(ctx, &next, `SELECT COALESCE((SELECT purged + 1 FROM assets WHERE state = 'purged' AND purged >= ? ORDER BY purged LIMIT 1 OFFSET ?), 0)`,
		p.From, p.Limit)
	if err != nil {
		return nil, 0, wrapf(err, "page of lags")
	}
	to := next
	if to == 0 {
		to = math.MaxInt64
	}
	err = tx.get(ctx, &list, `SELECT slot, `+lagStep("k")+` AS key, `+lagStep("p")+` AS purge, COUNT(*) AS assets
		FROM (SELECT purged / ?2 * ?2 AS slot, erased - due AS k, purged - due AS p
			FROM (SELECT purged, erased, CASE WHEN ends = 0 OR ends > erased THEN erased ELSE ends END AS due
				FROM assets WHERE state = 'purged' AND purged >= ?0 AND purged < ?1) AS gone) AS lags
		GROUP BY 1, 2, 3`, p.From, to, p.Slot)
	return list, next, wrapf(err, "lags")
}

// ErasedAssets counts the assets whose keys were destroyed since an instant and whose bytes
// have not gone yet.
func (tx Tx) ErasedAssets(ctx context.Context, since musa.Millis) (int, error) {
	var n int
	err := tx.get(ctx, &n, "SELECT COUNT(*) FROM assets WHERE state = 'erased' AND erased >= ?", since)
	return n, wrapf(err, "erased assets")
}

// BackupTimes is when copies of the store were made and tried; 0 for never.
type BackupTimes struct {
	Finished  musa.Millis // the last that was finished began then
	Rehearsed musa.Millis // one was restored into a scratch store then
}

// BackupTimes tells when the last copy was begun that was also finished, and when one was
// last restored to try it.
func (tx Tx) BackupTimes(ctx context.Context) (BackupTimes, error) {
	var b BackupTimes
	err := tx.bun.QueryRowContext(ctx, `SELECT COALESCE(MAX(CASE WHEN finished > 0 AND code = '' THEN started END), 0),
		COALESCE(MAX(rehearsed), 0) FROM backups`).Scan(&b.Finished, &b.Rehearsed)
	return b, wrapf(missing(err), "times of backups")
}
