package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"musa"
	"musa/db"
)

// A chunk is lines of JSON: first its header, then one array a row. Numbers, texts and null
// are JSON's own, bytes are base64; the column's kind says which a string is.
type header struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Kinds   []string `json:"kinds"`
}

const (
	// chunkSize is from how many bytes on a chunk is closed.
	chunkSize = 4 << 20
	// rowPage is how many rows one read takes: far from a second's worth.
	rowPage = 1000
)

type writer struct {
	to   *bytes.Buffer
	json *json.Encoder
	head header
	rows int64
	err  error
}

func newWriter(to *bytes.Buffer, s db.Shape) *writer {
	w := &writer{to: to, json: json.NewEncoder(to), head: header{s.Table, s.Columns, s.Kinds}}
	w.json.SetEscapeHTML(false)
	w.err = w.json.Encode(w.head)
	return w
}

func (w *writer) row(values []any) error {
	if w.err == nil {
		w.err = w.json.Encode(values)
		w.rows++
	}
	return w.err
}

// readChunk gives the rows of a chunk, a page at a time.
func readChunk(plain []byte, each func(h header, rows [][]json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(plain))
	var h header
	if err := dec.Decode(&h); err != nil {
		return fmt.Errorf("header of a chunk: %w", err)
	}
	var rows [][]json.RawMessage
	for {
		var row []json.RawMessage
		err := dec.Decode(&row)
		if err != nil && err != io.EOF {
			return fmt.Errorf("row of %s: %w", h.Table, err)
		}
		if err == nil {
			rows = append(rows, row)
		}
		if err == io.EOF || len(rows) == rowPage {
			if len(rows) > 0 {
				if err := each(h, rows); err != nil {
					return err
				}
			}
			rows = rows[:0]
		}
		if err == io.EOF {
			return nil
		}
	}
}

// chunk is a part of a copy's rows.
type chunk struct {
	Name string `json:"name"`
	Hash []byte `json:"hash"` // of its stored bytes
	Rows int64  `json:"rows"`
}

// rowsCopy writes a store's rows into the target.
type rowsCopy struct {
	*Archive
	man  *manifest
	omit []string // categories that the policy leaves out
}

func (c *rowsCopy) all(ctx context.Context, m db.Moment) error {
	shapes, err := c.DB.Shapes(ctx, db.DumpTables())
	if err != nil {
		return err
	}
	for _, s := range shapes {
		if err := c.table(ctx, s, m); err != nil {
			return err
		}
	}
	return c.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		c.man.FirstAudit, err = tx.FirstAudit(ctx)
		return err
	})
}

func (c *rowsCopy) table(ctx context.Context, s db.Shape, m db.Moment) error {
	var plain bytes.Buffer
	w := newWriter(&plain, s)
	if s.Table == "audit_heads" && m.Audit.Seq > 0 {
		if err := w.row(m.EndOfAudit(s)); err != nil {
			return err
		}
	}
	page := db.Page{Shape: s, Moment: m, Limit: rowPage}
	for {
		rows, err := c.DB.Dump(ctx, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if c.omitted(s, row) {
				continue
			}
			if err := w.row(row); err != nil {
				return fmt.Errorf("write %s: %w", s.Table, err)
			}
		}
		over := len(rows) < rowPage
		if plain.Len() >= chunkSize || over {
			if err := c.close(ctx, &plain, w); err != nil {
				return err
			}
			if w = newWriter(&plain, s); over {
				return nil
			}
		}
		page.After = s.KeyOf(rows[len(rows)-1])
	}
}

func (c *rowsCopy) close(ctx context.Context, plain *bytes.Buffer, w *writer) error {
	defer plain.Reset()
	defer func() { clear(plain.Bytes()) }()
	if w.rows == 0 {
		return w.err
	}
	name := rowsName(c.man.ID, fmt.Sprintf("%05d", len(c.man.Chunks)+1))
	size, hash, err := c.sealed.put(ctx, name, plain.Bytes())
	if err != nil {
		return err
	}
	c.man.Chunks = append(c.man.Chunks, chunk{name, hash, w.rows})
	c.man.Rows += w.rows
	c.man.Bytes += size
	c.passed("rows", c.man.Rows)
	return nil
}

// manifest says what belongs to a copy and what it is true of.
type manifest struct {
	Version    int           `json:"version"`
	ID         musa.BackupID `json:"id"`
	Keyset     string        `json:"keyset"`
	At         musa.Millis   `json:"at"` // later things are not in it
	Policies   []string      `json:"policies"`
	Journal    link          `json:"journal"` // what it names is not in it
	Aside      bool          `json:"aside"`   // the journal does not go on
	Chunks     []chunk       `json:"chunks"`
	Rows       int64         `json:"rows"`
	Blobs      int64         `json:"blobs"`
	Missing    int64         `json:"missing"` // blobs that the store had lost
	Keys       int64         `json:"keys"`
	Bytes      int64         `json:"bytes"` // written for it
	FirstAudit int64         `json:"first_audit"`
}

const manifestVersion = 1

func (v vessel) manifest(ctx context.Context, id musa.BackupID) (m manifest, err error) {
	plain, _, err := v.get(ctx, rowsName(id, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(plain, &m); err != nil {
		return m, fmt.Errorf("manifest of %s: %w", id, err)
	}
	if m.Version != manifestVersion {
		return m, &musa.Problem{Kind: musa.ErrUnavailable, Code: "backup_newer", Field: "from",
			Public: "The backup is of version " + strconv.Itoa(m.Version) + ", which this program does not know. Restore it with the program that made it."}
	}
	return m, nil
}
