package backup

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"musa"
	"musa/blob"
	"musa/seal"
)

// What lies in a target, by name:
//
//	rows/ID/00001 …            rows of the copy ID, in chunks
//	rows/ID/manifest           what belongs to the copy; written last, so that without it there is none
//	blob/NAME                  the blob NAME of the store
//	keys/ID/00001-000000000007 a range of the key copy, as it was after entry 7 of the journal
//	keys/ID/index              which ranges there are; written last
//	journal/000000000001 …     what was erased
//
// All but the blobs are version 1 of one format: seal's sealed record, its context the name,
// of the gzip of JSON. A holder learns sizes, times and how many, and who can write can
// destroy, but not change, exchange or move anything unnoticed.
const (
	rowsPrefix    = "rows/"
	blobPrefix    = "blob/"
	keysPrefix    = "keys/"
	journalPrefix = "journal/"

	manifestName = "manifest"
	indexName    = "index"
)

func rowsName(id musa.BackupID, part string) string { return rowsPrefix + string(id) + "/" + part }

func journalName(seq int64) string { return fmt.Sprintf("%s%012d", journalPrefix, seq) }

func rangeName(edition string, n int, seq int64) string {
	return fmt.Sprintf("%s%s/%05d-%012d", keysPrefix, edition, n, seq)
}

func indexOf(edition string) string { return keysPrefix + edition + "/" + indexName }

// numbered reads a name that is a prefix and a number.
func numbered(name, prefix string) (n int64, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	return n, err == nil && n > 0
}

// vessel seals what is put into the target and opens what is taken from it.
type vessel struct {
	blob.Store
	keys map[string]seal.Key // by prefix
}

// Format hides the keys.
func (v vessel) Format(s fmt.State, _ rune) { io.WriteString(s, "[backup target]") }

func newVessel(target blob.Store, keys *seal.Keyset) vessel {
	return vessel{target, map[string]seal.Key{
		rowsPrefix: keys.Derive("backup rows"), keysPrefix: keys.Derive("backup keys"), journalPrefix: keys.Derive("backup journal"),
	}}
}

func (v vessel) key(name string) seal.Key {
	prefix, _, _ := strings.Cut(name, "/")
	return v.keys[prefix+"/"]
}

// put seals and stores something under a new name, and returns its stored size and hash.
func (v vessel) put(ctx context.Context, name string, plain []byte) (int64, []byte, error) {
	var small bytes.Buffer
	zip, err := gzip.NewWriterLevel(&small, gzip.BestSpeed)
	if err != nil {
		return 0, nil, fmt.Errorf("pack %s: %w", name, err)
	}
	_, err = zip.Write(plain)
	if err := errors.Join(err, zip.Close()); err != nil {
		return 0, nil, fmt.Errorf("pack %s: %w", name, err)
	}
	defer clear(small.Bytes())
	sealed, err := v.key(name).SealRecord(name, small.Bytes())
	if err != nil {
		return 0, nil, fmt.Errorf("seal %s: %w", name, err)
	}
	size, err := v.Put(ctx, name, bytes.NewReader(sealed))
	if err != nil {
		return 0, nil, fmt.Errorf("store %s: %w", name, err)
	}
	sum := sha256.Sum256(sealed)
	return size, sum[:], nil
}

// maxPlain bounds what one name unpacks to.
const maxPlain = 256 << 20

// get takes something from the target and opens it, with the hash of its stored bytes.
func (v vessel) get(ctx context.Context, name string) (plain, hash []byte, err error) {
	src, err := v.Open(ctx, name, 0, -1)
	if err != nil {
		return nil, nil, fmt.Errorf("take %s: %w", name, err)
	}
	sealed, err := io.ReadAll(src)
	if err := errors.Join(err, src.Close()); err != nil {
		return nil, nil, fmt.Errorf("take %s: %w", name, err)
	}
	small, err := v.key(name).OpenRecord(name, sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", name, err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(small))
	if err != nil {
		return nil, nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	if plain, err = io.ReadAll(io.LimitReader(zip, maxPlain)); err != nil {
		return nil, nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	sum := sha256.Sum256(sealed)
	return plain, sum[:], nil
}

// drop removes names; what is gone already is no error.
func (v vessel) drop(ctx context.Context, names ...string) error {
	var errs []error
	for name, err := range v.RemoveAll(ctx, names) {
		errs = append(errs, fmt.Errorf("remove %s: %w", name, err))
	}
	return errors.Join(errs...)
}

// dissolve removes a whole of which the first name says that it is one: that goes first, so
// that what is half removed does not count.
func (v vessel) dissolve(ctx context.Context, names []string) error {
	if err := v.drop(ctx, names[:1]...); err != nil {
		return err
	}
	return v.drop(ctx, names[1:]...)
}

// names lists what lies under a prefix, whole.
func (v vessel) names(ctx context.Context, prefix string) (names []string, err error) {
	for info, err := range v.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		if !info.Partial {
			names = append(names, info.Name)
		}
	}
	return names, nil
}
