package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"musa"
)

// Salt keeps a leaf from being guessed: it lies in the receipt alone.
type Salt [32]byte

// Leaf is what the log holds of a statement: nothing, to who lacks the salt.
func Leaf(salt Salt, statement []byte) Hash {
	h := sha256.New()
	h.Write(salt[:])
	h.Write(statement)
	return Hash(h.Sum(nil))
}

// Grow computes what appending leaves to a log of size leaves adds to its stored
// hashes, which begin at position StoredCount(size). read gives the stored ones.
func Grow(size int64, leaves []Hash, read tlog.HashReader) ([]tlog.Hash, error) {
	base := StoredCount(size)
	added := make([]tlog.Hash, 0, 2*len(leaves))
	recent := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		return splice(at, base, added, read)
	})
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(size+int64(i), leaf[:], recent)
		if err != nil {
			return nil, fmt.Errorf("append leaf %d: %w", size+int64(i), err)
		}
		added = append(added, more...)
	}
	return added, nil
}

// Grown reads a log that was just grown: what was added from memory, the rest by read.
func Grown(size int64, added []tlog.Hash, read tlog.HashReader) tlog.HashReader {
	base := StoredCount(size)
	return tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) { return splice(at, base, added, read) })
}

func splice(at []int64, base int64, added []tlog.Hash, read tlog.HashReader) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	var old []int64
	var where []int
	for i, p := range at {
		if p >= base {
			if p-base >= int64(len(added)) {
				return nil, fmt.Errorf("log hash %d is not stored: %w", p, musa.ErrNotFound)
			}
			out[i] = added[p-base]
			continue
		}
		old, where = append(old, p), append(where, i)
	}
	if len(old) == 0 {
		return out, nil
	}
	hashes, err := read.ReadHashes(old)
	if err != nil {
		return nil, err
	}
	for k, i := range where {
		out[i] = hashes[k]
	}
	return out, nil
}

// StoredCount is how many stored hashes a log of size leaves has.
func StoredCount(size int64) int64 {
	if size == 0 {
		return 0
	}
	return tlog.StoredHashCount(size)
}

// Checkpoint is the log's size and root at some moment, as C2SP tlog-checkpoint.
type Checkpoint struct {
	Origin string // names the log; by custom the signer's name
	Size   int64
	Root   Hash
}

// NewCheckpoint computes the root of the first size leaves.
func NewCheckpoint(origin string, size int64, read tlog.HashReader) (Checkpoint, error) {
	root, err := tlog.TreeHash(size, read)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("root of log of %d: %w", size, err)
	}
	return Checkpoint{Origin: origin, Size: size, Root: Hash(root)}, nil
}

// Sign writes the checkpoint as a signed note.
func (c Checkpoint) Sign(s note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	b, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: %w", c.Size, err)
	}
	return b, nil
}

// OpenCheckpoint checks a signed checkpoint against the verifier key; musa.ErrInvalid.
func OpenCheckpoint(signed []byte, verifierKey string) (Checkpoint, error) {
	text, err := open(signed, verifierKey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, fmt.Errorf("checkpoint: not of this form: %w", musa.ErrInvalid)
	}
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err1 != nil || err2 != nil || size < 0 || len(root) != sha256.Size {
		return Checkpoint{}, fmt.Errorf("checkpoint: not of this form: %w", musa.ErrInvalid)
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}, nil
}
