package proof

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"musa"
)

// Trace is what is looked for in raw bytes: something of an item as it was before its
// erasure, or a plain marker. It redacts itself wherever it is printed.
type Trace struct {
	ID   string
	Kind string // RemainKey, RemainRecord, RemainBytes, RemainThumbnail, RemainPlain
	data []byte
}

// RemainPlain is plaintext.
const RemainPlain = "plaintext"

// Format shows id and kind alone.
func (t Trace) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "[%s of %s]", t.Kind, t.ID) }

// Plain traces plaintext: a prompt, a file name, bytes of a picture or of its pixels. The
// scanner keeps data; do not change it. Shorter than 8 bytes cannot be looked for.
func Plain(id string, data []byte) Trace { return Trace{ID: id, Kind: RemainPlain, data: data} }

// Record notes, before an erasure, what must not be found after it: the wrapped key, the
// sealed record and every sealed byte of the items, and the wrapped keys of the subjects
// among ids. It holds all of it in memory. An id of which nothing is there is
// musa.ErrNotFound: a proof that looks for nothing proves nothing.
func (i *Inspector) Record(ctx context.Context, ids ...string) ([]Trace, error) {
	var traces []Trace
	for _, id := range ids {
		of, err := i.record(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("record what is there of %s: %w", id, err)
		}
		traces = append(traces, of...)
	}
	return traces, nil
}

func (i *Inspector) record(ctx context.Context, id string) (traces []Trace, err error) {
	add := func(kind string, data []byte) {
		if len(data) > 0 {
			traces = append(traces, Trace{ID: id, Kind: kind, data: data})
		}
	}
	query := "SELECT wrapped, sealed FROM secrets WHERE id = $1 AND length(wrapped) > 0"
	if strings.HasPrefix(id, "su_") {
		query = "SELECT wrapped, NULL FROM subject_keys WHERE subject = $1 AND length(wrapped) > 0"
	}
	err = i.look(ctx, func(rows *sql.Rows) error {
		var wrapped, sealed []byte
		if err := rows.Scan(&wrapped, &sealed); err != nil {
			return err
		}
		add(RemainKey, wrapped)
		add(RemainRecord, sealed)
		return nil
	}, query, id)
	if err != nil {
		return nil, err
	}
	type place struct{ name, role string }
	var places []place
	err = i.look(ctx, func(rows *sql.Rows) error {
		var p place
		err := rows.Scan(&p.name, &p.role)
		places = append(places, p)
		return err
	}, "SELECT name, role FROM blobs WHERE asset = $1", id)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		data, err := i.bytes(ctx, p.name)
		if err != nil {
			return nil, err
		}
		kind := RemainBytes
		if p.role == string(musa.BlobThumb) {
			kind = RemainThumbnail
		}
		add(kind, data)
	}
	if len(traces) == 0 {
		return nil, musa.ErrNotFound
	}
	return traces, nil
}

func (i *Inspector) bytes(ctx context.Context, name string) (data []byte, err error) {
	src, err := i.Blobs.Open(ctx, name, 0, -1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	return io.ReadAll(src)
}

// forms are the ways in which a trace may have been written: as it is, and keys and
// records also as a server's text log or JSON writes bytes.
func (t Trace) forms() [][]byte {
	forms := [][]byte{t.data}
	if t.Kind != RemainKey && t.Kind != RemainRecord {
		return forms
	}
	forms = append(forms, []byte(hex.EncodeToString(t.data)))
	for skip := range 3 {
		if rest := len(t.data) - skip; rest >= 3 {
			forms = append(forms, []byte(base64.RawStdEncoding.EncodeToString(t.data[skip:skip+rest/3*3])))
		}
	}
	return forms
}
