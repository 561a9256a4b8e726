package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"musa"
)

// ed25519Note is the algorithm byte that package note gives Ed25519.
const ed25519Note = 1

// NewSigner signs heads and checkpoints in a name, by custom the instance's host and
// path, with the instance's key.
func NewSigner(name string, key ed25519.PrivateKey) (note.Signer, error) {
	public := append([]byte{ed25519Note}, key.Public().(ed25519.PublicKey)...)
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write(public)
	id := binary.BigEndian.Uint32(h.Sum(nil))
	seed := append([]byte{ed25519Note}, key.Seed()...)
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, id, base64.StdEncoding.EncodeToString(seed)))
	if err != nil {
		// The cause is dropped: it could repeat the key.
		return nil, fmt.Errorf("signer's name may hold no space and no plus: %w", musa.ErrInvalid)
	}
	return s, nil
}

// VerifierKey is the public text by which anybody checks what NewSigner's signer signed.
func VerifierKey(name string, key ed25519.PublicKey) (string, error) {
	text, err := note.NewEd25519VerifierKey(name, key)
	if err != nil {
		return "", fmt.Errorf("verifier key: %w", err)
	}
	return text, nil
}

// open checks a signed note and returns its text.
func open(signed []byte, verifierKey string) (string, error) {
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return "", fmt.Errorf("verifier key: %w: %w", musa.ErrInvalid, err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("%w: %w", musa.ErrInvalid, err)
	}
	return n.Text, nil
}
