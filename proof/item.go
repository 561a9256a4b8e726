package proof

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"musa"
)

// What can remain of an item.
const (
	RemainKey       = "key"       // the wrapped key: everything of the item still opens
	RemainRecord    = "record"    // its small sealed record
	RemainBytes     = "bytes"     // sealed bytes in the blob store
	RemainThumbnail = "thumbnail" // sealed bytes of its small form
	RemainEntry     = "entry"     // a row that says where bytes lay; the bytes are gone
)

// Remain is something left of an erased item.
type Remain struct {
	Kind  string
	Where string // the table or the store
}

// Item looks for what is left of one asset or record that was erased: its key and sealed
// record, rows of its blobs, and their bytes in the store. Nothing left is an empty list.
// An error means that it could not look; then nothing is proven.
func (i *Inspector) Item(ctx context.Context, id string) ([]Remain, error) {
	var left []Remain
	type place struct{ name, role string }
	var places []place
	err := i.look(ctx, func(rows *sql.Rows) error {
		var what, name, role string
		var sealed int64
		if err := rows.Scan(&what, &name, &role, &sealed); err != nil {
			return err
		}
		if what == "blobs" {
			places = append(places, place{name, role})
			return nil
		}
		left = append(left, Remain{RemainKey, "secrets"})
		if sealed > 0 {
			left = append(left, Remain{RemainRecord, "secrets"})
		}
		return nil
	}, `SELECT 'secrets', '', '', LENGTH(sealed) FROM secrets WHERE id = $1 AND length(wrapped) > 0
		UNION ALL SELECT 'blobs', name, role, 0 FROM blobs WHERE asset = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s: %w", id, err)
	}
	for _, p := range places {
		switch _, err := i.Blobs.Stat(ctx, p.name); {
		case errors.Is(err, fs.ErrNotExist):
			left = append(left, Remain{RemainEntry, "blobs"})
		case err != nil:
			return nil, fmt.Errorf("look for bytes of %s: %w", id, err)
		case p.role == string(musa.BlobThumb):
			left = append(left, Remain{RemainThumbnail, "blob store"})
		default:
			left = append(left, Remain{RemainBytes, "blob store"})
		}
	}
	return left, nil
}
