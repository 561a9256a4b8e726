package proof

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

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

// itemsPage is how many items one query looks for.
const itemsPage = 500

// Item looks for what is left of one asset or record that was erased: its key and sealed
// record, rows of its blobs, and their bytes in the store. Nothing left is an empty list.
// An error means that it could not look; then nothing is proven.
func (i *Inspector) Item(ctx context.Context, id string) ([]Remain, error) {
	left, err := i.Items(ctx, id)
	return left[id], err
}

// Items looks for what is left of several, as Item does. What is clean has no entry.
func (i *Inspector) Items(ctx context.Context, ids ...string) (map[string][]Remain, error) {
	left := map[string][]Remain{}
	for page := range slices.Chunk(ids, itemsPage) {
		if err := i.items(ctx, page, left); err != nil {
			return nil, err
		}
	}
	return left, nil
}

func (i *Inspector) items(ctx context.Context, ids []string, left map[string][]Remain) error {
	type place struct{ id, name, role string }
	var places []place
	list, args := marks(ids)
	err := i.look(ctx, func(rows *sql.Rows) error {
		var what, id, name, role string
		var sealed int64
		if err := rows.Scan(&what, &id, &name, &role, &sealed); err != nil {
			return err
		}
		if what == "blobs" {
			places = append(places, place{id, name, role})
			return nil
		}
		left[id] = append(left[id], Remain{RemainKey, "secrets"})
		if sealed > 0 {
			left[id] = append(left[id], Remain{RemainRecord, "secrets"})
		}
		return nil
	}, `SELECT 'secrets', id, '', '', LENGTH(sealed) FROM secrets WHERE id IN (`+list+`) AND length(wrapped) > 0
		UNION ALL SELECT 'blobs', asset, name, role, 0 FROM blobs WHERE asset IN (`+list+`)`, args...)
	if err != nil {
		return fmt.Errorf("look for rows of %d items: %w", len(ids), err)
	}
	for _, p := range places {
		switch _, err := i.Blobs.Stat(ctx, p.name); {
		case errors.Is(err, fs.ErrNotExist):
			left[p.id] = append(left[p.id], Remain{RemainEntry, "blobs"})
		case err != nil:
			return fmt.Errorf("look for bytes of %s: %w", p.id, err)
		case p.role == string(musa.BlobThumb):
			left[p.id] = append(left[p.id], Remain{RemainThumbnail, "blob store"})
		default:
			left[p.id] = append(left[p.id], Remain{RemainBytes, "blob store"})
		}
	}
	return nil
}

// Subject looks for what is left of an owner who was erased: their key, anything sealed for
// them, a session, and rows of blobs of what was theirs.
func (i *Inspector) Subject(ctx context.Context, id string) ([]Remain, error) {
	var left []Remain
	err := i.look(ctx, func(rows *sql.Rows) error {
		var kind, where string
		if err := rows.Scan(&kind, &where); err != nil {
			return err
		}
		left = append(left, Remain{kind, where})
		return nil
	}, `SELECT 'key', 'subject_keys' FROM subject_keys WHERE subject = $1 AND length(wrapped) > 0
		UNION ALL SELECT 'key', 'secrets' FROM secrets WHERE subject = $1 AND length(wrapped) > 0
		UNION ALL SELECT 'session', 'sessions' FROM sessions WHERE subject = $1
		UNION ALL SELECT 'entry', 'blobs' FROM blobs AS b JOIN assets AS a ON a.id = b.asset WHERE a.owner = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s: %w", id, err)
	}
	return left, nil
}

// marks are the placeholders of a list, and its values.
func marks(ids []string) (string, []any) {
	var b strings.Builder
	args := make([]any, len(ids))
	for n, id := range ids {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", n+1)
		args[n] = id
	}
	return b.String(), args
}
