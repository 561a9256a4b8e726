package proof

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// FaultRelic is a destroyed key that still lies in a file.
const FaultRelic = "key_remains"

// A row of secrets, in a page or a log of either database: the item's id, its owner's, then
// the wrapped key, which begins with its version, 1. PostgreSQL puts a length of one byte
// before each.
var secretRow = regexp.MustCompile(`(?s)((?:as|rc|lo|vo|ke)_[0-9a-hjkmnp-tv-z]{26}).?su_[0-9a-hjkmnp-tv-z]{26}.?\x01`)

// An owner's id, of which idLen bytes make one.
var ownerID = regexp.MustCompile(`^su_[0-9a-hjkmnp-tv-z]{26}`)

const idLen = 29

// rowSpan is more than such a row's beginning takes.
const rowSpan = 128

// relics reads the raw files: rows of keys that the tables do not have any more, and
// pictures in clear.
func (r *round) relics(ctx context.Context, found func(Fault)) error {
	return eachFile(ctx, r.Roots, func(path string, f *os.File) error {
		ids, err := r.secretRows(path, f, found)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		r.passed("files", 1)
		for len(ids) > 0 {
			n := min(len(ids), pageSize)
			if err := r.buried(ctx, path, ids[:n], found); err != nil {
				return err
			}
			ids = ids[n:]
		}
		return nil
	})
}

// keyRow is the id of the item or owner whose wrapped key follows the owner's id at a place;
// empty where none does.
func keyRow(b []byte, at int) string {
	if m := secretRow.FindSubmatch(b[max(0, at-30):min(len(b), at+40)]); m != nil {
		return string(m[1])
	}
	return ownerRow(b, at)
}

// ownerRow is an owner's id at a place if it is that of a row of subject_keys: the id, then the
// wrapped key of 66 bytes, which begins with two versions, 1 and 1. Before the id SQLite has the last word of the row's header, which
// says that such a key follows; PostgreSQL has the id's length there, and the key's before the
// key. Other rows hold an owner's id and ones, too, but not between these.
func ownerRow(b []byte, at int) string {
	end := at + idLen
	if at < 2 || end+3 > len(b) || !ownerID.Match(b[at:end]) {
		return ""
	}
	sqlite := bytes.HasSuffix(b[:at], []byte("\x81\x10")) && bytes.HasPrefix(b[end:], []byte("\x01\x01"))
	postgres := b[at-1] == '=' && bytes.HasPrefix(b[end:], []byte("\x87\x01\x01"))
	if !sqlite && !postgres {
		return ""
	}
	return string(b[at:end])
}

// secretRows lists the items and owners of which a row with their key lies in the file.
func (r *round) secretRows(path string, f *os.File, found func(Fault)) (ids []string, err error) {
	src := bufio.NewReaderSize(f, chunk)
	if head, _ := src.Peek(64); picture(head) {
		found(Fault{Kind: FaultClear, Where: path, Words: "this file is a picture in clear"})
	}
	seen := map[string]bool{}
	buf := make([]byte, 0, chunk+rowSpan)
	for {
		n, err := fill(src, buf[len(buf):min(cap(buf), len(buf)+chunk)])
		buf = buf[:len(buf)+n]
		// Most of what is read has no such row: a plain search is far faster than the pattern.
		for rest := buf; ; {
			at := bytes.Index(rest, []byte("su_"))
			if at < 0 {
				break
			}
			if id := keyRow(rest, at); id != "" && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
			rest = rest[at+3:]
		}
		if err == io.EOF {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		keep := min(len(buf), rowSpan)
		buf = buf[:copy(buf[:keep], buf[len(buf)-keep:])]
	}
}

// buried reports those of the items that have no key by the tables, unless they were
// erased so lately that the files need not be clean yet.
func (r *round) buried(ctx context.Context, path string, ids []string, found func(Fault)) error {
	marks, args := make([]string, len(ids)), make([]any, len(ids), len(ids)+1)
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
	}
	in, bound := strings.Join(marks, ", "), fmt.Sprintf("$%d", len(ids)+1)
	excused := map[string]bool{}
	err := r.look(ctx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		excused[id] = true
		return err
	}, `SELECT id FROM secrets WHERE length(wrapped) > 0 AND id IN (`+in+`) UNION ALL SELECT id FROM assets WHERE id IN (`+in+`) AND state = 'erased' AND erased >= `+bound+`
		UNION ALL SELECT id FROM records WHERE id IN (`+in+`) AND state = 'erased' AND erased >= `+bound+`
		UNION ALL SELECT subject FROM subject_keys WHERE length(wrapped) > 0 AND subject IN (`+in+`)
		UNION ALL SELECT id FROM subjects WHERE id IN (`+in+`) AND state = 'erased' AND closed >= `+bound+`
		UNION ALL SELECT item FROM strays WHERE item IN (`+in+`) AND at >= `+bound, append(args, int64(r.ago(r.PurgeWithin)))...)
	if err != nil {
		return fmt.Errorf("keys of items in %s: %w", path, err)
	}
	for _, id := range ids {
		if !excused[id] {
			found(Fault{Kind: FaultRelic, Where: path, ID: id, Words: "its key was destroyed by the tables, and still lies in this file"})
		}
	}
	return nil
}
