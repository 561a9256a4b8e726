package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/seal"
)

// Original is an item that a hold copies.
type Original struct {
	Grant  policy.Grant // for the purpose hold
	Locked Locked
	Blobs  []db.Blob
}

// Copy seals an asset's files once more, under a new key, as the draft of another asset. It
// is how a hold keeps what goes its own way otherwise: the hold was there before the end, so
// reading does not stop at it. Plaintext passes through memory only, and nobody sees it.
func (v *Vault) Copy(ctx context.Context, from Original, g policy.Grant, to db.Asset) (draft *Draft, err error) {
	if from.Grant.Purpose() != musa.PurposeHold || from.Grant.Accounted() {
		return nil, ErrNoGrant
	}
	key, err := v.unlock(from.Grant, from.Locked)
	if err != nil {
		return nil, err
	}
	defer key.Zero()
	var (
		parts   []Part
		readers []*seal.Reader
	)
	defer func() {
		for _, r := range readers {
			err = errors.Join(err, r.Close())
		}
	}()
	for _, b := range from.Blobs {
		if b.State != musa.BlobLive {
			continue
		}
		fetch := func(off, n int64) (io.ReadCloser, error) { return v.Blobs.Open(ctx, b.Name, off, n) }
		r, err := seal.NewReader(fetch, b.Size, key, aad(b.Asset, b.Role))
		if err != nil {
			return nil, fmt.Errorf("open %s/%s: %w", b.Asset, b.Role, err)
		}
		readers = append(readers, r)
		parts = append(parts, Part{Role: b.Role, Data: r})
	}
	if draft, err = v.Seal(ctx, g, to, parts); err != nil {
		return nil, fmt.Errorf("copy %s: %w", from.Locked.ID, err)
	}
	return draft, nil
}

// CopiedRecord opens the sealed record of what is copied, to be sealed with the copy.
func (v *Vault) CopiedRecord(from Original, out any) error {
	if from.Grant.Purpose() != musa.PurposeHold || from.Grant.Accounted() {
		return ErrNoGrant
	}
	return v.openRecord(from.Grant, from.Locked, out)
}
