package rights

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/erasure"
	"musa/seal"
)

// Issued is a receipt as its holder gets it.
type Issued struct {
	audit.Receipt
	Capability string // opens this receipt again without an account; base64url of 32 bytes
	Verifier   string // the log's public key, as `musa receipt verify` takes it
	Logged     bool   // false for the second or so before the log has taken it
	// Expected is when the data of a closed account goes, for a receipt that was promised to
	// its owner; 0 for any other.
	Expected musa.Millis
}

// Receipt gives a person one of their receipts; ErrNotFound for anybody else's.
func (r *Rights) Receipt(ctx context.Context, by musa.Actor, id musa.ReceiptID) (Issued, error) {
	return r.issued(ctx)(r.Eraser.Receipt(ctx, by, id))
}

// ReceiptByCapability gives a receipt to whoever holds its capability, also when its owner
// is erased. A wrong capability is ErrNotFound.
func (r *Rights) ReceiptByCapability(ctx context.Context, id musa.ReceiptID, capability string) (Issued, error) {
	raw, err := base64.RawURLEncoding.DecodeString(capability)
	if err != nil || len(raw) != len(seal.Key{}) {
		return Issued{}, musa.ErrNotFound
	}
	return r.issued(ctx)(r.Eraser.ReceiptByCapability(ctx, id, seal.Key(raw)))
}

func (r *Rights) issued(ctx context.Context) func(erasure.Issued, error) (Issued, error) {
	return func(i erasure.Issued, err error) (Issued, error) {
		if err != nil {
			return Issued{}, err
		}
		out := Issued{Receipt: i.Receipt, Capability: base64.RawURLEncoding.EncodeToString(i.Capability[:]), Verifier: i.Verifier, Logged: i.Logged}
		if i.Logged || i.Statement.What != audit.WhatClosed {
			return out, nil
		}
		err = r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			s, err := tx.Subject(ctx, musa.SubjectID(i.Statement.Item))
			if err == nil && s.State == musa.SubjectClosed && s.Receipt == i.ID {
				out.Expected = s.Ends
			}
			return err
		})
		if err != nil && !errors.Is(err, musa.ErrNotFound) {
			return Issued{}, fmt.Errorf("end of the account of receipt %s: %w", i.ID, err)
		}
		return out, nil
	}
}
