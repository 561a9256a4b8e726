package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"musa/db"
	"musa/seal"
)

// Attest says whether an item lies sealed: its record and the first bytes of each blob look
// like our formats and nothing like clear text. It opens nothing of anybody's, so it needs no
// grant; that what is sealed opens by its own key alone is tried on a record of its own.
func (v *Vault) Attest(ctx context.Context, s db.Sample) error {
	if len(s.Secret.Sealed) > 0 && !seal.LooksSealed(s.Secret.Sealed) {
		return fmt.Errorf("record of %s: lies in clear: %w", s.Secret.ID, seal.ErrBroken)
	}
	for _, b := range s.Blobs {
		head, err := v.head(ctx, b)
		if err != nil {
			return fmt.Errorf("blob of %s: %w", s.Secret.ID, err)
		}
		if !seal.LooksSealed(head) {
			return fmt.Errorf("blob of %s: lies in clear: %w", s.Secret.ID, seal.ErrBroken)
		}
	}
	return attestFormat(s.Secret.ID)
}

// attestFormat seals a record that is nobody's, and opens it by its key and by another.
func attestFormat(id string) error {
	key := seal.NewKey()
	defer key.Zero()
	sealed, err := key.SealRecord(id, []byte("nobody's"))
	if err != nil {
		return err
	}
	if _, err := key.OpenRecord(id, sealed); err != nil {
		return fmt.Errorf("what was sealed does not open: %w", err)
	}
	if _, err := seal.NewKey().OpenRecord(id, sealed); err == nil {
		return fmt.Errorf("what was sealed opens by any key: %w", seal.ErrBroken)
	}
	return nil
}

// AttestOwn says whether an item's key opens by its owner's key, and not by the key of
// another owner, or of nobody. The key that opens is forgotten unused.
func (v *Vault) AttestOwn(s, others db.Sample) error {
	owner, err := v.Keys.OpenSubject(s.Secret.Subject, s.SubjectKey)
	if err != nil {
		return fmt.Errorf("open key of %s: %w", s.Secret.Subject, err)
	}
	defer owner.Zero()
	key, err := owner.Unwrap(s.Secret.ID, s.Secret.Wrapped)
	if err != nil {
		return fmt.Errorf("open key of %s: %w", s.Secret.ID, err)
	}
	key.Zero()
	strangers := []seal.Key{seal.NewKey()}
	if others.Secret.Subject != s.Secret.Subject {
		stranger, err := v.Keys.OpenSubject(others.Secret.Subject, others.SubjectKey)
		if err != nil {
			return fmt.Errorf("open key of %s: %w", others.Secret.Subject, err)
		}
		defer stranger.Zero()
		strangers = append(strangers, stranger)
	}
	for _, stranger := range strangers {
		if found, err := stranger.Unwrap(s.Secret.ID, s.Secret.Wrapped); err == nil {
			found.Zero()
			return fmt.Errorf("key of %s: opens by another's: %w", s.Secret.ID, seal.ErrBroken)
		}
	}
	return nil
}

// head is the first bytes of a blob as they lie in the store.
func (v *Vault) head(ctx context.Context, b db.Blob) (head []byte, err error) {
	const enough = 4096
	r, err := v.Blobs.Open(ctx, b.Name, 0, min(b.Size, enough))
	if err != nil {
		return nil, err
	}
	head, err = io.ReadAll(r)
	return head, errors.Join(err, r.Close())
}
