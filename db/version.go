package db

import (
	"context"

	"musa"
)

// AssetsOfOtherVersions lists active assets whose end was set by another version of the
// policy, by id, from after an id.
func (tx Tx) AssetsOfOtherVersions(ctx context.Context, version string, after musa.AssetID, limit int) ([]Asset, error) {
	var list []Asset
	err := tx.get(ctx, &list, "SELECT * FROM assets WHERE state = 'active' AND policy_version <> ? AND id > ? ORDER BY id LIMIT ? ?",
		version, after, limit, tx.locked(forUpdate))
	return list, wrapf(err, "assets of other policy versions")
}

// RecordsOfOtherVersions lists active records in the same way.
func (tx Tx) RecordsOfOtherVersions(ctx context.Context, version string, after musa.RecordID, limit int) ([]Record, error) {
	var list []Record
	err := tx.get(ctx, &list, "SELECT * FROM records WHERE state = 'active' AND policy_version <> ? AND id > ? ORDER BY id LIMIT ? ?",
		version, after, limit, tx.locked(forUpdate))
	return list, wrapf(err, "records of other policy versions")
}
