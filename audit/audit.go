// Package audit makes what was done hard to deny: a hash chain over events, signed
// heads that tell when its end was cut off, a transparency log of erasures (a Merkle
// tree after golang.org/x/mod/sumdb/tlog, with C2SP checkpoints), and receipts that
// anybody can verify without asking the server.
//
// It is pure: it stores nothing (package db does), dials nobody and reads no clock. It
// does not decide what is worth an event, and it cannot tell a true event from a false
// one; it tells that the record has not changed since.
package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"musa"
)

// Hash is one SHA-256.
type Hash [sha256.Size]byte

// Event is one thing that was done, and its place in the chain.
type Event struct {
	ID      musa.AuditID
	At      musa.Millis
	Action  string
	Role    musa.Role
	Subject musa.SubjectID // may be empty
	Object  string         // an id; may be empty
	Sealed  []byte         // the personal part, under the subject's key; may be empty

	Seq  int64 // from 1, 0 while not chained
	Prev Hash
	Hash Hash
}

// chainVersion begins what is hashed, so that a later layout cannot be mistaken for
// this one.
//
// Layout 1: version byte, previous hash (32), seq and time (8 each, big-endian), then
// id, action, role, subject, object and sealed part, each with a 4-byte length before.
const chainVersion = 1

// Chain is the hash of an event at its Seq after the one with the hash prev.
func Chain(prev Hash, e Event) Hash {
	b := make([]byte, 0, 256+len(e.Sealed))
	b = append(b, chainVersion)
	b = append(b, prev[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At))
	for _, part := range []string{string(e.ID), e.Action, string(e.Role), string(e.Subject), e.Object, string(e.Sealed)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// Fault names the first event at which a chain is broken.
type Fault struct {
	Seq  int64
	What string
}

// Error says where and what.
func (f *Fault) Error() string { return fmt.Sprintf("audit event %d: %s", f.Seq, f.What) }

// Verify walks the events that follow the head from (zero at the beginning of the log)
// and checks them against the head to, which was signed or copied elsewhere. A broken
// chain gives a *Fault; anything else is an error of reading. Events after to are
// checked too, and the last head is returned.
func Verify(from Head, events iter.Seq2[Event, error], to Head) (Head, error) {
	last := from
	for e, err := range events {
		if err != nil {
			return last, fmt.Errorf("read audit events after %d: %w", last.Seq, err)
		}
		switch {
		case e.Seq != last.Seq+1:
			return last, &Fault{last.Seq + 1, fmt.Sprintf("missing; the next one there is %d", e.Seq)}
		case e.Prev != last.Hash:
			return last, &Fault{e.Seq, "does not follow the one before it"}
		case Chain(e.Prev, e) != e.Hash:
			return last, &Fault{e.Seq, "was changed"}
		case e.Seq == to.Seq && e.Hash != to.Hash:
			return last, &Fault{e.Seq, "is not the one that was signed"}
		}
		last = Head{Seq: e.Seq, Hash: e.Hash, At: e.At}
	}
	if last.Seq < to.Seq {
		return last, &Fault{last.Seq + 1, fmt.Sprintf("missing; the log was signed up to %d", to.Seq)}
	}
	return last, nil
}

// Head is the end of the chain at some moment.
type Head struct {
	Seq  int64
	Hash Hash
	At   musa.Millis
}

const headTitle = "musa audit head v1"

// Sign writes the head as a signed note.
func (h Head) Sign(s note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n%d\n", headTitle, h.Seq, base64.StdEncoding.EncodeToString(h.Hash[:]), h.At)
	b, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return nil, fmt.Errorf("sign audit head %d: %w", h.Seq, err)
	}
	return b, nil
}

// OpenHead checks a signed head against the verifier key; musa.ErrInvalid.
func OpenHead(signed []byte, verifierKey string) (Head, error) {
	text, err := open(signed, verifierKey)
	if err != nil {
		return Head{}, fmt.Errorf("audit head: %w", err)
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[0] != headTitle || lines[4] != "" {
		return Head{}, fmt.Errorf("audit head: not of this form: %w", musa.ErrInvalid)
	}
	seq, err1 := strconv.ParseInt(lines[1], 10, 64)
	hash, err2 := base64.StdEncoding.DecodeString(lines[2])
	at, err3 := strconv.ParseInt(lines[3], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || len(hash) != sha256.Size {
		return Head{}, fmt.Errorf("audit head: not of this form: %w", musa.ErrInvalid)
	}
	return Head{Seq: seq, Hash: Hash(hash), At: musa.Millis(at)}, nil
}
