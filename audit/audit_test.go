package audit_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"musa"
	"musa/audit"
)

func keys(t testing.TB) (note.Signer, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := audit.NewSigner("studio.example", private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.VerifierKey("studio.example", public)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

func chain(n int) ([]audit.Event, audit.Head) {
	var list []audit.Event
	var head audit.Head
	for i := range n {
		e := audit.Event{ID: musa.AuditID(fmt.Sprint("au_", i)), At: musa.Millis(i), Action: "erase", Sealed: []byte("sealed"), Seq: int64(i + 1), Prev: head.Hash}
		e.Hash = audit.Chain(e.Prev, e)
		head = audit.Head{Seq: e.Seq, Hash: e.Hash, At: e.At}
		list = append(list, e)
	}
	return list, head
}

func all(list []audit.Event) iter.Seq2[audit.Event, error] {
	return func(yield func(audit.Event, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Every field is in the hash, and where one ends and the next begins.
func TestEveryFieldCounts(t *testing.T) {
	t.Parallel()
	base := audit.Event{ID: "i", At: 1, Action: "ab", Role: "c", Subject: "s", Object: "o", Sealed: []byte("x"), Seq: 1}
	seen := map[audit.Hash]string{audit.Chain(audit.Hash{}, base): "base", audit.Chain(audit.Hash{1}, base): "prev"}
	if len(seen) != 2 {
		t.Error("the hash before does not count")
	}
	for name, change := range map[string]func(*audit.Event){
		"id": func(e *audit.Event) { e.ID = "j" }, "at": func(e *audit.Event) { e.At = 2 }, "action": func(e *audit.Event) { e.Action = "ac" },
		"role": func(e *audit.Event) { e.Role = "d" }, "subject": func(e *audit.Event) { e.Subject = "t" }, "object": func(e *audit.Event) { e.Object = "p" },
		"sealed": func(e *audit.Event) { e.Sealed = []byte("y") }, "seq": func(e *audit.Event) { e.Seq = 2 },
		"border": func(e *audit.Event) { e.Action, e.Role = "a", "bc" },
	} {
		e := base
		change(&e)
		h := audit.Chain(audit.Hash{}, e)
		if same, ok := seen[h]; ok {
			t.Errorf("%s has the hash of %s", name, same)
		}
		seen[h] = name
	}
}

func TestVerifyNamesTheFirstFault(t *testing.T) {
	t.Parallel()
	_, head := chain(9)
	for name, c := range map[string]struct {
		spoil func([]audit.Event) []audit.Event
		seq   int64
	}{
		"untouched": {func(l []audit.Event) []audit.Event { return l }, 0},
		"one byte":  {func(l []audit.Event) []audit.Event { l[4].Sealed[0] ^= 1; return l }, 5},
		"cut off":   {func(l []audit.Event) []audit.Event { return l[:8] }, 9},
		"taken out": {func(l []audit.Event) []audit.Event { return slices.Delete(l, 2, 3) }, 3},
		"swapped":   {func(l []audit.Event) []audit.Event { l[1], l[2] = l[2], l[1]; return l }, 2},
		"forged end": {func(l []audit.Event) []audit.Event {
			l[8].Action = "x"
			l[8].Hash = audit.Chain(l[8].Prev, l[8])
			return l
		}, 9},
	} {
		list, _ := chain(9)
		for i := range list {
			list[i].Sealed = slices.Clone(list[i].Sealed)
		}
		_, err := audit.Verify(audit.Head{}, all(c.spoil(list)), head)
		var fault *audit.Fault
		if errors.As(err, &fault) != (c.seq > 0) || fault != nil && fault.Seq != c.seq {
			t.Errorf("%s: %v, want a fault at %d", name, err, c.seq)
		}
	}
}

func TestHeadsAreSigned(t *testing.T) {
	t.Parallel()
	s, key := keys(t)
	_, other := keys(t)
	_, head := chain(3)
	signed, err := head.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := audit.OpenHead(signed, key); err != nil || got != head {
		t.Errorf("opened %+v, %v", got, err)
	}
	if _, err := audit.OpenHead(signed, other); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("another's key gives %v", err)
	}
	for i := range signed {
		forged := slices.Clone(signed)
		forged[i] ^= 1
		if got, err := audit.OpenHead(forged, key); err == nil && got != head {
			t.Errorf("byte %d changed: %+v", i, got)
		}
	}
}

// memory is a log in memory.
type memory []tlog.Hash

func (m memory) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, p := range at {
		out[i] = m[p]
	}
	return out, nil
}

func TestReceiptsAndForgeries(t *testing.T) {
	t.Parallel()
	s, key := keys(t)
	_, other := keys(t)
	var log memory
	var leaves []audit.Hash
	var size int64
	salt := func(i int) audit.Salt { return audit.Salt{byte(i), byte(i >> 8)} }
	said := func(i int) audit.Statement {
		return audit.Statement{What: "erased", Item: fmt.Sprint("as_", i), Rule: "<&>"}
	}
	var old audit.Checkpoint
	for _, batch := range []int{1, 1, 3, 8, 50} {
		leaves = leaves[:0]
		for i := range batch {
			leaves = append(leaves, audit.Leaf(salt(int(size)+i), said(int(size)+i).Bytes()))
		}
		added, err := audit.Grow(size, leaves, log)
		if err != nil {
			t.Fatal(err)
		}
		log, size = append(log, added...), size+int64(batch)
		c, err := audit.NewCheckpoint(s.Name(), size, log)
		if err != nil {
			t.Fatal(err)
		}
		old = c
	}
	note, err := old.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	make := func(i int) audit.Receipt {
		proof, err := audit.Prove(size, int64(i), log)
		if err != nil {
			t.Fatal(err)
		}
		at := salt(i)
		return audit.Receipt{ID: "re_1", Statement: said(i), Salt: at[:], Index: int64(i), Size: size, Proof: proof, Checkpoint: string(note)}
	}
	for i := range int(size) {
		if _, err := audit.VerifyReceipt(make(i), key); err != nil {
			t.Errorf("receipt %d: %v", i, err)
		}
	}
	for name, forge := range map[string]func(*audit.Receipt){
		"statement":  func(r *audit.Receipt) { r.Statement.Item = "as_other" },
		"time":       func(r *audit.Receipt) { r.Statement.Erased++ },
		"salt":       func(r *audit.Receipt) { r.Salt[5] ^= 1 },
		"short salt": func(r *audit.Receipt) { r.Salt = r.Salt[:31] },
		"index":      func(r *audit.Receipt) { r.Index++ },
		"negative":   func(r *audit.Receipt) { r.Index = -1 },
		"size":       func(r *audit.Receipt) { r.Size-- },
		"proof":      func(r *audit.Receipt) { r.Proof[0] = slices.Clone(r.Proof[1]) },
		"cut proof":  func(r *audit.Receipt) { r.Proof = r.Proof[1:] },
		"short hash": func(r *audit.Receipt) { r.Proof[0] = r.Proof[0][:5] },
		"no note":    func(r *audit.Receipt) { r.Checkpoint = "" },
	} {
		r := make(20)
		forge(&r)
		if _, err := audit.VerifyReceipt(r, key); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("forged %s gives %v", name, err)
		}
	}
	if _, err := audit.VerifyReceipt(make(20), other); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("another's key gives %v", err)
	}
}

func BenchmarkVerifyReceipt(b *testing.B) {
	s, key := keys(b)
	leaves := make([]audit.Hash, 1<<15)
	added, err := audit.Grow(0, leaves, memory(nil))
	if err != nil {
		b.Fatal(err)
	}
	statement := audit.Statement{What: "erased"}
	leaf := audit.Leaf(audit.Salt{}, statement.Bytes())
	more, err := audit.Grow(1<<15, []audit.Hash{leaf}, memory(added))
	if err != nil {
		b.Fatal(err)
	}
	log := memory(append(added, more...))
	c, err := audit.NewCheckpoint(s.Name(), 1<<15+1, log)
	if err != nil {
		b.Fatal(err)
	}
	signed, err := c.Sign(s)
	if err != nil {
		b.Fatal(err)
	}
	proof, err := audit.Prove(c.Size, 1<<15, log)
	if err != nil {
		b.Fatal(err)
	}
	r := audit.Receipt{Statement: statement, Salt: make([]byte, 32), Index: 1 << 15, Size: c.Size, Proof: proof, Checkpoint: string(signed)}
	for b.Loop() {
		if _, err := audit.VerifyReceipt(r, key); err != nil {
			b.Fatal(err)
		}
	}
}
