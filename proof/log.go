package proof

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"musa"
)

// Kinds of fault about the transparency log.
const (
	FaultForged     = "receipt_forged"   // not the one that was logged
	FaultReceiptGap = "receipt_lost"     // logged, and not there
	FaultLog        = "log_broken"       // a stored hash does not follow from those below
	FaultLogCut     = "log_cut"          // it was longer, or is longer than signed
	FaultCheckpoint = "checkpoint_wrong" // a signed root is not the log's
)

type hash = [sha256.Size]byte

// The tree is that of RFC 6962, computed here once more: a leaf is SHA-256(0 ‖ data), a
// node SHA-256(1 ‖ left ‖ right). Hashes are stored as they come to be: each leaf, then
// every subtree that it completes.
func leafHash(data []byte) hash { return sha256.Sum256(append([]byte{0}, data...)) }

func nodeHash(left, right hash) hash {
	b := make([]byte, 0, 1+2*sha256.Size)
	return sha256.Sum256(append(append(append(b, 1), left[:]...), right[:]...))
}

// storedCount is how many hashes a log of size leaves has stored.
func storedCount(size int64) int64 { return 2*size - int64(bits.OnesCount64(uint64(size))) }

// root folds the complete subtrees of a log into its root.
func root(stack []hash) hash {
	if len(stack) == 0 {
		return sha256.Sum256(nil)
	}
	h := stack[len(stack)-1]
	for i := len(stack) - 2; i >= 0; i-- {
		h = nodeHash(stack[i], h)
	}
	return h
}

// rootOf reads size and root out of a signed checkpoint; whether its signature holds is a
// Check of the caller's.
func rootOf(note string) (size int64, root hash, ok bool) {
	lines := strings.SplitN(note, "\n", 4)
	if len(lines) < 4 {
		return 0, root, false
	}
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	raw, err2 := base64.StdEncoding.DecodeString(lines[2])
	return size, root, err1 == nil && err2 == nil && copy(root[:], raw) == len(root) && len(raw) == len(root)
}

// log grows the whole tree again from the receipts and compares every stored hash and
// every signed root on the way.
func (r *round) log(ctx context.Context, found func(Fault)) error {
	// What is signed now is looked at; a server that runs goes on growing.
	size, ended, signed, err := r.signedSize(ctx, found)
	if err != nil {
		return err
	}
	leaves, hashes := r.leaves(ctx, size), r.hashes(ctx, storedCount(size))
	var stack []hash
	n := int64(0)
	defer func() { r.passed("transparency log", n%pageSize) }()
	for ; n < size; n++ {
		at := storedCount(n)
		stored, ok, err := hashes(at)
		if err != nil {
			return err
		}
		if !ok {
			found(Fault{Kind: FaultLog, Where: "log_hashes", ID: strconv.FormatInt(at, 10), Words: "this hash is missing: what follows cannot be proven"})
			return nil
		}
		id, leaf, ok, err := leaves(n)
		switch {
		case err != nil:
			return err
		case !ok && n < ended:
		case !ok:
			found(Fault{Kind: FaultReceiptGap, Where: "receipts", ID: strconv.FormatInt(n, 10), Words: "the receipt of this place in the log is not there"})
		case leafHash(leaf) != stored:
			found(Fault{Kind: FaultForged, Where: "receipts", ID: id, Words: "is not the receipt that was logged at its place"})
		}
		// The log is judged by its own leaves, so that one forged receipt is one fault.
		stack = append(stack, stored)
		for done := n + 1; done&1 == 0; done >>= 1 {
			at++
			top := len(stack) - 2
			stack = append(stack[:top], nodeHash(stack[top], stack[top+1]))
			stored, ok, err := hashes(at)
			if err != nil {
				return err
			}
			if !ok || stored != stack[top] {
				found(Fault{Kind: FaultLog, Where: "log_hashes", ID: strconv.FormatInt(at, 10), Words: "this hash does not follow from those below it"})
				return nil
			}
		}
		if want, ok := signed[n+1]; ok && want != root(stack) {
			found(Fault{Kind: FaultCheckpoint, Where: "checkpoints", ID: strconv.FormatInt(n+1, 10), Words: "the root that was signed is not the log's: its past was changed"})
		}
		if (n+1)%pageSize == 0 {
			r.passed("transparency log", pageSize)
		}
	}
	return r.beyond(ctx, size, found)
}

// signedSize reads all signed roots, and the largest size among them; ended is the size at
// which the log was so long ago that its receipts may be gone.
func (r *round) signedSize(ctx context.Context, found func(Fault)) (size, ended int64, roots map[int64]hash, err error) {
	roots = map[int64]hash{}
	err = r.walk(ctx, "checkpoints", "SELECT size, note, created FROM checkpoints WHERE size > $1 ORDER BY size LIMIT $2", []any{int64(-1)},
		func(rows *sql.Rows) ([]any, error) {
			var at int64
			var note string
			var created musa.Millis
			if err := rows.Scan(&at, &note, &created); err != nil {
				return nil, err
			}
			said, root, ok := rootOf(note)
			if !ok || said != at {
				found(Fault{Kind: FaultCheckpoint, Where: "checkpoints", ID: strconv.FormatInt(at, 10), Words: "the signed text is not of this form or size"})
			} else {
				roots[at] = root
			}
			if size = at; r.ReceiptsFor > 0 && created.Add(r.ReceiptsFor) <= r.Now {
				ended = at
			}
			return []any{at}, nil
		})
	return size, ended, roots, err
}

// beyond looks for a log that is longer than what was signed: then the last checkpoints
// were cut off. Sequencing writes all three in one transaction, and a server that runs may
// have done so since: then there is a longer checkpoint now.
func (r *round) beyond(ctx context.Context, size int64, found func(Fault)) error {
	var receipts, hashes, newest int64
	err := r.look(ctx, func(rows *sql.Rows) error { return rows.Scan(&receipts, &hashes, &newest) },
		`SELECT (SELECT COUNT(*) FROM receipts WHERE position >= $1), (SELECT COUNT(*) FROM log_hashes WHERE position >= $2),
		(SELECT COALESCE(MAX(size), 0) FROM checkpoints)`, size, storedCount(size))
	if err == nil && newest == size && receipts+hashes > 0 {
		found(Fault{Kind: FaultLogCut, Where: "checkpoints", ID: strconv.FormatInt(size, 10), Words: "the log is longer than any signed checkpoint says: the last were cut off"})
	}
	return err
}

// sequence reads pages of a query in order of a position and gives the row at one; false
// when there is none. Positions must be asked in rising order.
func sequence[T any](ctx context.Context, r *round, query string, end int64, scan func(*sql.Rows) (int64, T, error)) func(at int64) (T, bool, error) {
	type entry struct {
		at  int64
		row T
	}
	var page []entry
	from, over := int64(0), false
	return func(at int64) (row T, ok bool, err error) {
		for !over && (len(page) == 0 || page[len(page)-1].at < at) {
			page = page[:0]
			err := r.look(ctx, func(rows *sql.Rows) error {
				n, row, err := scan(rows)
				page = append(page, entry{n, row})
				return err
			}, query, max(from, at), end, pageSize)
			if err != nil {
				return row, false, fmt.Errorf("log at %d: %w", at, err)
			}
			if over = len(page) < pageSize; len(page) > 0 {
				from = page[len(page)-1].at + 1
			}
		}
		for len(page) > 0 && page[0].at < at {
			page = page[1:]
		}
		if len(page) == 0 || page[0].at != at {
			return row, false, nil
		}
		return page[0].row, true, nil
	}
}

func (r *round) hashes(ctx context.Context, end int64) func(int64) (hash, bool, error) {
	return sequence(ctx, r, "SELECT position, hash FROM log_hashes WHERE position >= $1 AND position < $2 ORDER BY position LIMIT $3", end,
		func(rows *sql.Rows) (at int64, h hash, err error) {
			var raw []byte
			err = rows.Scan(&at, &raw)
			copy(h[:], raw)
			return at, h, err
		})
}

func (r *round) leaves(ctx context.Context, end int64) func(int64) (string, []byte, bool, error) {
	type receipt struct {
		id   string
		leaf []byte
	}
	next := sequence(ctx, r, "SELECT position, id, leaf FROM receipts WHERE position >= $1 AND position < $2 AND position >= 0 ORDER BY position LIMIT $3", end,
		func(rows *sql.Rows) (at int64, one receipt, err error) {
			err = rows.Scan(&at, &one.id, &one.leaf)
			return at, one, err
		})
	return func(at int64) (string, []byte, bool, error) {
		one, ok, err := next(at)
		return one.id, one.leaf, ok, err
	}
}
