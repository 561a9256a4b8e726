package db

import "context"

// Scrub makes deleted keys unrecoverable from the database's files. dirty are the ids
// of the items and subjects whose keys were deleted, or none for "anything". It says
// false when it could not finish now, as while a reader is open: try again later, and
// call nothing purged until then.
func (d *DB) Scrub(ctx context.Context, dirty []string) (clean bool, err error) {
	if d.dialect == SQLite {
		return d.scrubSQLite(ctx)
	}
	return d.scrubPostgres(ctx, dirty)
}
