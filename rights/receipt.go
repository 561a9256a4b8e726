package rights

import (
	"context"
	"encoding/base64"

	"musa"
	"musa/audit"
	"musa/erasure"
	"musa/seal"
)

// Issued is a receipt as its holder gets it.
type Issued struct {
	audit.Receipt
	Capability string // opens this receipt again without an account; base64url of 32 bytes
	Verifier   string // the log's public key, as `musa receipt verify` takes it
	Logged     bool   // false for the second or so before the log has taken it
}

// Receipt gives a person one of their receipts; ErrNotFound for anybody else's.
func (r *Rights) Receipt(ctx context.Context, by musa.Actor, id musa.ReceiptID) (Issued, error) {
	return issued(r.Eraser.Receipt(ctx, by, id))
}

// ReceiptByCapability gives a receipt to whoever holds its capability, also when its owner
// is erased. A wrong capability is ErrNotFound.
func (r *Rights) ReceiptByCapability(ctx context.Context, id musa.ReceiptID, capability string) (Issued, error) {
	raw, err := base64.RawURLEncoding.DecodeString(capability)
	if err != nil || len(raw) != len(seal.Key{}) {
		return Issued{}, musa.ErrNotFound
	}
	return issued(r.Eraser.ReceiptByCapability(ctx, id, seal.Key(raw)))
}

func issued(r erasure.Issued, err error) (Issued, error) {
	if err != nil {
		return Issued{}, err
	}
	return Issued{Receipt: r.Receipt, Capability: base64.RawURLEncoding.EncodeToString(r.Capability[:]), Verifier: r.Verifier, Logged: r.Logged}, nil
}
