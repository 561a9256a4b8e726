package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
	"musa/erasure"
	"musa/policy"
	"musa/proof"
	"musa/seal"
)

// Restore says what is restored and where to. DB and Blobs are new and empty, or marked by a
// restore that was broken off.
type Restore struct {
	Target blob.Store
	Copy   musa.BackupID // empty for the newest
	// Moved says that the copy moves a store that is switched off: also one that no journal
	// follows is taken. Everything erased after it comes back.
	Moved bool
	// Accept serves the store in spite of the faults that the look at it finds.
	Accept bool
	DB     *db.DB
	Blobs  blob.Store
	Keys   *seal.Keyset
	Clock  musa.Clock
	Log    *slog.Logger
	// Versions reads the versions of the policy that a store took up.
	Versions func(context.Context, *db.DB) (*policy.Versions, error)
	// Progress hears what is restored and how far; it may be nil.
	Progress func(what string, n int64)
}

// Restored is what came of it.
type Restored struct {
	Copy   Copy          `json:"copy"`
	Rows   int64         `json:"rows"`
	Keys   int64         `json:"keys"`
	Blobs  int64         `json:"blobs"`
	Bytes  int64         `json:"bytes"`  // of blobs
	Erased int64         `json:"erased"` // that the journal named
	Replay int64         `json:"replay"` // things in the copy that were erased, or are due, and stay so
	Repeat int64         `json:"repeat"` // decisions after the copy that the journal named and that were taken again
	Lost   int64         `json:"lost"`   // blobs that the target does not have
	Faults []proof.Fault `json:"faults"` // what the look at the whole store found
	Served bool          `json:"served"` // a server may start with it; false while it has faults that nobody accepted
}

// restore is one on its way.
type restore struct {
	Restore
	from  vessel
	man   manifest
	*said        // what the journal says
	keys  string // the key copy's edition
	out   Restored

	erases *erasure.Eraser // made when it is first needed
	looked time.Time       // when keepUp last looked into the journal
	behind bool            // what keepUp learned is not all done yet
	soiled bool            // keepUp erased something
}

// Run makes the store again. Nothing is served from it before it was looked at whole: it is
// marked, and a restore that was broken off or found faults is repeated by calling Run again. What was erased since the copy
// was made gets no key, and is erased once more by its rows. A *musa.Problem refuses a target
// without its journal, or with a journal that is not whole, a copy that no journal follows
// unless Moved, and a store that is not empty.
func (r Restore) Run(ctx context.Context) (Restored, error) {
	s := &restore{Restore: r, from: newVessel(r.Target, r.Keys)}
	if err := s.run(ctx); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return s.out, nil
}

func (s *restore) run(ctx context.Context) error {
	index, ranges, err := s.plan(ctx)
	if err != nil {
		return err
	}
	again, err := s.DB.BeginRestore(ctx, s.Keys.ID())
	if err != nil {
		return err
	}
	if err := s.room(ctx, again); err != nil {
		return err
	}
	if err := s.rows(ctx); err != nil {
		return err
	}
	if err := s.loadKeys(ctx, index, ranges); err != nil {
		return err
	}
	if err := s.DB.Mend(ctx, s.man.FirstAudit); err != nil {
		return err
	}
	// A server that goes on erasing, as beside a rehearsal, takes bytes out of the target.
	for more := true; more; {
		if err := s.replay(ctx); err != nil {
			return err
		}
		if err := s.repeat(ctx); err != nil {
			return err
		}
		if err := s.ended(ctx); err != nil {
			return err
		}
		if err := s.blobs(ctx); err != nil {
			return err
		}
		if more, err = s.overtaken(ctx); err != nil {
			return err
		}
		more, s.behind = more || s.behind, false
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	if err := s.confirm(ctx); err != nil {
		return err
	}
	return s.release(ctx)
}

// release looks at the store and lets it be served when it is whole, or when its faults are
// accepted. From then on it is a store of its own keyset, whose erasures the target that it
// came from may not learn of.
func (s *restore) release(ctx context.Context) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Instance(ctx, s.Keys.ID()); err != nil || !s.adrift() {
			return err
		}
		return tx.OpenGap(ctx)
	})
	if err != nil {
		return err
	}
	if err := s.prove(ctx); err != nil || len(s.out.Faults) > 0 && !s.Accept {
		return err
	}
	s.out.Served = true
	return s.DB.FinishRestore(ctx)
}

// adrift says that the journal does not name every erasure after the copy.
func (s *restore) adrift() bool { return s.man.Aside || s.gap > 0 }

// room refuses a blob store that holds anything, unless an earlier try left it there.
func (s *restore) room(ctx context.Context, again bool) error {
	for info, err := range s.Blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if !again && !info.Partial {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "restore_not_empty", Field: "blobs",
				Public: "The new blob store is not empty, and a restore never overwrites. Name an empty one with --data or --blobs."}
		}
	}
	return nil
}

// rows loads the copy's rows, chunk by chunk.
func (s *restore) rows(ctx context.Context) error {
	shapes, err := s.shapes(ctx, db.DumpTables())
	if err != nil {
		return err
	}
	for _, c := range s.man.Chunks {
		plain, hash, err := s.from.get(ctx, c.Name)
		if err == nil && !slices.Equal(hash, c.Hash) {
			err = fmt.Errorf("%s is not the chunk that the manifest names: %w", c.Name, seal.ErrBroken)
		}
		if err != nil {
			return damaged(err)
		}
		n := int64(0)
		err = readChunk(plain, func(h header, rows [][]json.RawMessage) error {
			shape, ok := shapes[h.Table]
			if !ok {
				return fmt.Errorf("rows of %s: %w", h.Table, musa.ErrInvalid)
			}
			n += int64(len(rows))
			s.passed("rows", s.out.Rows+n)
			return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				return tx.Load(ctx, db.Loading{Shape: shape, From: h.Columns, Rows: rows})
			})
		})
		if err != nil {
			return err
		}
		if s.out.Rows += n; n != c.Rows {
			return damaged(fmt.Errorf("%s has %d rows, the manifest says %d", c.Name, n, c.Rows))
		}
	}
	return nil
}

func damaged(err error) error {
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "backup_damaged", Field: "from", Cause: err,
		Public: "A part of the backup is missing or was changed. Put it back, or restore another copy with --copy; `musa backup list` shows them."}
}

func (s *restore) shapes(ctx context.Context, tables []string) (map[string]db.Shape, error) {
	list, err := s.DB.Shapes(ctx, tables)
	shapes := map[string]db.Shape{}
	for _, one := range list {
		shapes[one.Table] = one
	}
	return shapes, err
}

// loadKeys gives keys back, owners' first: of what is not erased, not due, and has a row.
func (s *restore) loadKeys(ctx context.Context, x keyIndex, ranges map[int][]string) error {
	shapes, err := s.shapes(ctx, db.KeyTables())
	if err != nil {
		return err
	}
	for _, table := range db.KeyTables() {
		for i, r := range x.Ranges {
			if r.Table != table {
				continue
			}
			name, plain, err := s.keyRange(ctx, i, ranges)
			if err != nil {
				return damaged(err)
			}
			err = readChunk(plain, func(h header, rows [][]json.RawMessage) error {
				if h.Table != table {
					return fmt.Errorf("%s holds rows of %s: %w", name, h.Table, musa.ErrInvalid)
				}
				return s.loadPage(ctx, db.Loading{Shape: shapes[table], From: h.Columns, Rows: rows})
			})
			clear(plain)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// judge says by which column a key is judged, and how.
var judges = map[string]struct {
	column string
	may    func(db.Tx, context.Context, []string) (map[string]bool, error)
}{
	"subject_keys": {"subject", db.Tx.Alive},
	"secrets":      {"id", db.Tx.Openable},
	"sessions":     {"subject", db.Tx.Keyed},
	"logins":       {"subject", db.Tx.Keyed},
	"vouchers":     {"subject", db.Tx.Keyed},
	"api_keys":     {"subject", db.Tx.Keyed},
}

func (s *restore) loadPage(ctx context.Context, l db.Loading) error {
	judge := judges[l.Table]
	at := slices.Index(l.From, judge.column)
	if at < 0 {
		return fmt.Errorf("keys of %s without %s: %w", l.Table, judge.column, musa.ErrInvalid)
	}
	ids := make([]string, len(l.Rows))
	for i, row := range l.Rows {
		if err := json.Unmarshal(row[at], &ids[i]); err != nil {
			return fmt.Errorf("keys of %s: %w", l.Table, err)
		}
	}
	own := slices.Index(l.From, "id") // of what lets somebody in: what was ended stays so
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		may, err := judge.may(tx, ctx, ids)
		if err != nil {
			return err
		}
		kept := l
		kept.Rows = nil
		for i, row := range l.Rows {
			_, gone := s.gone[ids[i]]
			if own >= 0 && !gone {
				var id string
				if err := json.Unmarshal(row[own], &id); err != nil {
					return fmt.Errorf("keys of %s: %w", l.Table, err)
				}
				_, gone = s.gone[id]
			}
			if may[ids[i]] && !gone {
				kept.Rows = append(kept.Rows, row)
			}
		}
		s.out.Keys += int64(len(kept.Rows))
		s.passed("keys", s.out.Keys)
		return tx.Load(ctx, kept)
	})
}

// blobs brings the bytes of what is live, and removes what an earlier try had brought too much.
func (s *restore) blobs(ctx context.Context) error {
	there := map[string]int64{}
	for info, err := range s.Blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		there[info.Name] = info.Size
	}
	var count, size, lost atomic.Int64
	for after := ""; ; {
		if err := s.keepUp(ctx); err != nil {
			return err
		}
		var page []db.Blob
		err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			page, err = tx.LiveBlobs(ctx, after, blobPage)
			return err
		})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		var names []string
		for _, b := range page {
			after = b.Name
			if n, ok := there[b.Name]; ok && n == b.Size {
				delete(there, b.Name)
				count.Add(1)
				size.Add(n)
				continue
			}
			if _, ok := there[b.Name]; ok {
				if err := s.Blobs.Remove(ctx, b.Name); err != nil {
					return err
				}
				delete(there, b.Name)
			}
			names = append(names, b.Name)
		}
		err = each(ctx, names, func(ctx context.Context, name string) error {
			n, err := carry(ctx, s.Target, blobPrefix+name, s.Blobs, name)
			if errors.Is(err, fs.ErrNotExist) {
				lost.Add(1)
				return nil
			}
			size.Add(n)
			s.passed("blobs", count.Add(1))
			return err
		})
		if err != nil {
			return fmt.Errorf("bring blobs: %w", err)
		}
	}
	for name := range there {
		if !strings.HasPrefix(name, blob.ProbePrefix) {
			if err := s.Blobs.Remove(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	s.out.Blobs, s.out.Bytes, s.out.Lost = count.Load(), size.Load(), lost.Load()
	return nil
}

func (s *restore) passed(what string, n int64) {
	if s.Progress != nil {
		s.Progress(what, n)
	}
}
