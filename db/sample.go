package db

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"musa"
)

// Sample is one sealed item as it lies in the store: enough to see that it is sealed.
type Sample struct {
	Secret     Secret
	SubjectKey []byte // its owner's, wrapped under the instance's key
	Blobs      []Blob // live; none for a record
}

// EndSpan is between which instants what is active ends; zeros when nothing does.
func (tx Tx) EndSpan(ctx context.Context) (first, last musa.Millis, err error) {
	err = tx.bun.QueryRowContext(ctx, `SELECT COALESCE(MIN(ends), 0), COALESCE(MAX(ends), 0) FROM assets WHERE state = 'active' AND ends > 0`).Scan(&first, &last)
	return first, last, wrapf(missing(err), "ends of assets")
}

// Samples takes up to limit active assets that end at or after an instant, and as many of the
// newest assets and records. However many there are, it reads few.
func (tx Tx) Samples(ctx context.Context, ends musa.Millis, limit int) ([]Sample, error) {
	var ids []string
	err := tx.get(ctx, &ids, `SELECT id FROM (SELECT id FROM assets WHERE state = 'active' AND ends > 0 AND ends >= ?0 ORDER BY ends LIMIT ?1) AS later
		UNION SELECT id FROM (SELECT id, state FROM assets ORDER BY id DESC LIMIT ?1) AS newest WHERE state = 'active'
		UNION SELECT id FROM (SELECT id, state FROM records ORDER BY id DESC LIMIT ?1) AS written WHERE state = 'active'`, ends, limit)
	if err != nil || len(ids) == 0 {
		return nil, wrapf(err, "sample items")
	}
	list, err := tx.samples(ctx, ids)
	if err != nil {
		return nil, wrapf(missing(err), "sample secrets")
	}
	for i := range list {
		if list[i].Blobs, err = tx.liveBlobs(ctx, list[i].Secret.ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (tx Tx) samples(ctx context.Context, ids []string) (list []Sample, err error) {
	found, err := tx.bun.QueryContext(ctx, `SELECT s.id, s.subject, s.wrapped, s.sealed, k.wrapped FROM secrets AS s
		JOIN subject_keys AS k ON k.subject = s.subject AND length(k.wrapped) > 0 WHERE length(s.wrapped) > 0 AND s.id IN (?)`, bun.List(ids))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var s Sample
		if err := found.Scan(&s.Secret.ID, &s.Secret.Subject, &s.Secret.Wrapped, &s.Secret.Sealed, &s.SubjectKey); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, found.Err()
}

func (tx Tx) liveBlobs(ctx context.Context, asset string) ([]Blob, error) {
	var list []Blob
	err := tx.get(ctx, &list, "SELECT * FROM blobs WHERE asset = ? AND state = 'live'", asset)
	return list, wrapf(err, "blobs of %s", asset)
}
