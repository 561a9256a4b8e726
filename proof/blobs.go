package proof

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"slices"
	"strings"

	"musa"
	"musa/blob"
)

// Kinds of fault between rows of blobs and bytes in the store.
const (
	FaultLost     = "blob_lost"         // a row without bytes
	FaultOrphan   = "blob_orphan"       // bytes without a row
	FaultPartial  = "blob_partial"      // what a write left unfinished
	FaultSize     = "blob_size"         // more or fewer bytes than the row says
	FaultBlobItem = "blob_without_item" // live, of no asset
)

// presence remembers which names the store has, by hash: a million take some 40 MB.
type presence map[uint64]struct{}

var presenceSeed = maphash.MakeSeed()

func (p presence) add(name string)      { p[maphash.String(presenceSeed, name)] = struct{}{} }
func (p presence) has(name string) bool { _, ok := p[maphash.String(presenceSeed, name)]; return ok }

// stored lists the store and asks for the row of each name. The list comes before the
// rows, since a row is there before its bytes and as long as they are.
func (r *round) stored(ctx context.Context, found func(Fault)) error {
	var page []blob.Info
	for info, err := range r.Blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if info.Partial {
			if at := musa.At(info.Modified); at < r.ago(staleWrite) {
				found(Fault{Kind: FaultPartial, Where: "blob store", ID: info.Name, Since: at, Words: "what a write left that never ended: scratch of a crash"})
			}
			continue
		}
		r.present.add(info.Name)
		if page = append(page, info); len(page) == pageSize {
			if err := r.match(ctx, page, found); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	return r.match(ctx, page, found)
}

// match compares a page of stored names with their rows.
func (r *round) match(ctx context.Context, page []blob.Info, found func(Fault)) error {
	if len(page) == 0 {
		return nil
	}
	type row struct {
		state string
		size  int64
	}
	rows, args, marks := map[string]row{}, make([]any, len(page)), make([]string, len(page))
	for i, info := range page {
		args[i], marks[i] = info.Name, fmt.Sprintf("$%d", i+1)
	}
	err := r.look(ctx, func(scanned *sql.Rows) error {
		var name string
		var b row
		err := scanned.Scan(&name, &b.state, &b.size)
		rows[name] = b
		return err
	}, "SELECT name, state, size FROM blobs WHERE name IN ("+strings.Join(marks, ", ")+")", args...)
	if err != nil {
		return fmt.Errorf("rows of stored blobs: %w", err)
	}
	for _, info := range page {
		b, ok := rows[info.Name]
		switch {
		case ok && b.state == string(musa.BlobLive) && b.size != info.Size:
			found(Fault{Kind: FaultSize, Where: "blob store", ID: info.Name, Since: musa.At(info.Modified), Words: "has more or fewer bytes than its row says"})
		case !ok:
			// It may have been removed since it was listed.
			if _, err := r.Blobs.Stat(ctx, info.Name); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return err
			}
			found(Fault{Kind: FaultOrphan, Where: "blob store", ID: info.Name, Since: musa.At(info.Modified), Words: "bytes that no row knows: nothing ends them"})
		}
	}
	r.passed("blob store", int64(len(page)))
	return nil
}

// blobs walks the rows and asks for what the list did not show.
func (r *round) blobs(ctx context.Context, found func(Fault)) error {
	type absent struct {
		name string
		at   musa.Millis
	}
	var missing []absent
	err := r.walk(ctx, "blobs", `WITH page AS (SELECT * FROM blobs WHERE name > $1 ORDER BY name LIMIT $2)
		SELECT p.name, p.role, p.state, p.created, COALESCE(a.state, '') FROM page AS p LEFT JOIN assets AS a ON a.id = p.asset ORDER BY p.name`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var name, role, state, asset string
			var created musa.Millis
			if err := rows.Scan(&name, &role, &state, &created, &asset); err != nil {
				return nil, err
			}
			fault := func(kind, words string) {
				found(Fault{Kind: kind, Where: "blobs", ID: name, Since: created, Words: words})
			}
			live := state == string(musa.BlobLive)
			if live && asset == "" {
				fault(FaultBlobItem, "is live, and the asset it belongs to has no row: nothing ends it")
			}
			if !slices.Contains([]string{"writing", "live", "doomed"}, state) || !slices.Contains([]string{"full", "thumb"}, role) {
				fault(FaultState, "is in a state or role that does not exist")
			}
			// Those of something erased may go at any moment, before their rows.
			if live && asset != string(musa.AssetErased) && !r.present.has(name) {
				missing = append(missing, absent{name, created})
			}
			return []any{name}, nil
		})
	if err != nil {
		return err
	}
	for _, m := range missing {
		lost, err := r.lost(ctx, m.name)
		if err != nil {
			return err
		}
		if lost {
			found(Fault{Kind: FaultLost, Where: "blob store", ID: m.name, Since: m.at, Words: "its row says that the bytes are there, and they are not"})
		}
	}
	return nil
}

// lost asks again, store first and row after: a name may be younger than the list, or gone
// by now with its row.
func (r *round) lost(ctx context.Context, name string) (bool, error) {
	if _, err := r.Blobs.Stat(ctx, name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	live := false
	err := r.look(ctx, func(*sql.Rows) error { live = true; return nil }, "SELECT 1 FROM blobs AS b WHERE name = $1 AND state = 'live' AND NOT EXISTS (SELECT 1 FROM assets AS a WHERE a.id = b.asset AND a.state = 'erased')", name)
	return live, err
}
