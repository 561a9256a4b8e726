package audit

import (
	"bytes"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"musa"
)

// Statement is what the server said it did. Its bytes are its JSON in this order of
// fields, without spaces, as Bytes writes it.
type Statement struct {
	What          string        `json:"what"` // WhatErased or WhatClosed
	Item          string        `json:"item"`
	Category      musa.Category `json:"category"`
	Ordered       musa.Millis   `json:"ordered"` // all in Unix ms; 0 for none
	Erased        musa.Millis   `json:"erased"`
	Purged        musa.Millis   `json:"purged"`
	PolicyVersion string        `json:"policy_version"`
	Rule          string        `json:"rule"`

	// Of an account: what it held at its closing, and what the law keeps of it. Purged stays 0:
	// its receipt enters the log only when all of its bytes are gone.
	Counts []Count `json:"counts,omitempty"`
	Kept   []Kept  `json:"kept,omitempty"`
}

// Count is how many items of a category there were. What is held for compliance is not
// among them.
type Count struct {
	Category musa.Category `json:"category"`
	Items    int           `json:"items"`
}

// Kept is what stays, detached from the person, and until when.
type Kept struct {
	Category musa.Category `json:"category"`
	Until    musa.Millis   `json:"until"`
	Rule     string        `json:"rule"`
}

// What a statement can say was done.
const (
	WhatErased = "erased"
	WhatClosed = "closed" // of an account, until its end
)

// Bytes is the form that the leaf is made of.
func (s Statement) Bytes() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("audit: a statement of strings and numbers cannot fail to encode: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Receipt is what the person holds. With the verifier key it proves, without the
// server, that the statement stands in the log whose checkpoint was signed.
type Receipt struct {
	ID         musa.ReceiptID `json:"id"`
	Statement  Statement      `json:"statement"`
	Salt       []byte         `json:"salt"`
	Index      int64          `json:"index"`
	Size       int64          `json:"size"`
	Proof      [][]byte       `json:"proof"` // hashes from the leaf to the root, base64
	Checkpoint string         `json:"checkpoint"`
}

// Prove finds the hashes that lead from the leaf at index to the root of the first size
// leaves.
func Prove(size, index int64, read tlog.HashReader) ([][]byte, error) {
	proof, err := tlog.ProveRecord(size, index, read)
	if err != nil {
		return nil, fmt.Errorf("prove leaf %d in log of %d: %w", index, size, err)
	}
	out := make([][]byte, len(proof))
	for i := range proof {
		out[i] = proof[i][:]
	}
	return out, nil
}

// VerifyReceipt checks a receipt by itself, without asking anybody. It returns the
// checkpoint that it stands on, to compare with copies kept elsewhere; musa.ErrInvalid.
func VerifyReceipt(r Receipt, verifierKey string) (Checkpoint, error) {
	c, err := OpenCheckpoint([]byte(r.Checkpoint), verifierKey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("receipt %s: %w", r.ID, err)
	}
	if len(r.Salt) != len(Salt{}) {
		return Checkpoint{}, fmt.Errorf("receipt %s: salt of a wrong length: %w", r.ID, musa.ErrInvalid)
	}
	if c.Size != r.Size || r.Index < 0 || r.Index >= r.Size {
		return Checkpoint{}, fmt.Errorf("receipt %s: its checkpoint is of another size: %w", r.ID, musa.ErrInvalid)
	}
	proof := make(tlog.RecordProof, len(r.Proof))
	for i, h := range r.Proof {
		if len(h) != tlog.HashSize {
			return Checkpoint{}, fmt.Errorf("receipt %s: proof of a wrong length: %w", r.ID, musa.ErrInvalid)
		}
		proof[i] = tlog.Hash(h)
	}
	leaf := Leaf(Salt(r.Salt), r.Statement.Bytes())
	if err := tlog.CheckRecord(proof, r.Size, tlog.Hash(c.Root), r.Index, tlog.RecordHash(leaf[:])); err != nil {
		return Checkpoint{}, fmt.Errorf("receipt %s: %w: %w", r.ID, musa.ErrInvalid, err)
	}
	return c, nil
}
