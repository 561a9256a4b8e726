// Package seal turns personal data into bytes that mean nothing without a key, and back.
//
// It promises: every format opens only with its own key and in its own place (owner,
// record, asset, position), and a flipped, cut, reordered or transplanted byte is an
// error, never other data. Each format begins with a version byte and has its layout
// written above the code that makes it.
//
// Keys form three floors: the instance [Keyset] wraps a subject's key, the subject's key
// wraps an item's key, and the item's key seals its bytes. Destroying a wrapped key
// therefore ends everything that stands above it.
//
// It does not store keys in a database, decide who may open what, or hide how long
// something is: a sealed length gives the plain length away.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
)

var (
	// ErrBroken says that sealed bytes do not open: they were changed or cut, or belong
	// to another key or another place. Which of these it is cannot be told apart.
	ErrBroken = errors.New("seal broken: changed bytes, or sealed for another key or place")
	// ErrNoKeyset says that there is no keyset file. It is also fs.ErrNotExist.
	ErrNoKeyset = fmt.Errorf("no keyset file: %w", fs.ErrNotExist)
	// ErrBadKeyset says that the keyset file is there, but cannot be used.
	ErrBadKeyset = errors.New("unusable keyset file")
	// ErrWrongKeyset says that the data belongs to another keyset.
	ErrWrongKeyset = errors.New("wrong keyset")
)

const (
	keySize   = 32
	nonceSize = 12
	tagSize   = 16

	versionKey    = 1
	versionRecord = 1
)

// Key is a secret of 256 bits. It redacts itself wherever it is printed, logged or
// encoded; slicing it is the one way to its bytes. Hazard: fmt does not ask the methods of
// an unexported field, so a struct that keeps a Key must redact itself.
type Key [keySize]byte

// NewKey draws a fresh key. crypto/rand.Read never fails since Go 1.24.
func NewKey() Key {
	var k Key
	rand.Read(k[:])
	return k
}

// Zero wipes this copy of the key. Copies made by assignment live on.
func (k *Key) Zero() { clear(k[:]) }

// Format hides the key from every verb of fmt, %x and %v alike.
func (Key) Format(s fmt.State, _ rune) { io.WriteString(s, "[key]") }

// String hides the key where fmt is not asked.
func (Key) String() string { return "[key]" }

// LogValue hides the key from slog.
func (Key) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalText refuses: a key is written only wrapped.
func (Key) MarshalText() ([]byte, error) { return nil, errors.New("a key is never encoded") }

// Derive makes another key from this one for the purpose that label names, by
// HKDF-SHA256. The same label gives the same key.
func (k Key) Derive(label string) Key { return k.derive(nil, "musa derive v1\x00"+label) }

func (k Key) derive(salt []byte, info string) Key {
	// Only an output of more than 255 hashes can fail.
	raw, err := hkdf.Key(sha256.New, k[:], salt, info, keySize)
	if err != nil {
		panic(err)
	}
	return Key(raw)
}

// Wrap seals an inner key for the item that id names.
//
// Layout, version 1, 61 bytes: version byte, 12 bytes nonce, 32 bytes key, 16 bytes tag.
// AES-256-GCM under a key derived for wrapping; the version and id are authenticated.
func (k Key) Wrap(id string, inner Key) ([]byte, error) {
	return k.sealOnce("wrap", versionKey, id, inner[:])
}

// Unwrap gives the inner key back. ErrBroken if it was not wrapped by this key for id.
func (k Key) Unwrap(id string, wrapped []byte) (Key, error) {
	raw, err := k.openOnce("wrap", versionKey, id, wrapped)
	if err != nil {
		return Key{}, fmt.Errorf("unwrap key of %s: %w", id, err)
	}
	defer clear(raw)
	if len(raw) != keySize {
		return Key{}, fmt.Errorf("unwrap key of %s: %w", id, ErrBroken)
	}
	return Key(raw), nil
}

// SealRecord seals the personal part of a row. The context names the row's place (table,
// id, column), so that a sealed column moved elsewhere does not open.
//
// Layout, version 1: version byte, 12 bytes nonce, ciphertext, 16 bytes tag. AES-256-GCM
// under a key derived for records; the version and context are authenticated. Nonces are
// random: one key is good for 2^32 records.
func (k Key) SealRecord(context string, plain []byte) ([]byte, error) {
	return k.sealOnce("record", versionRecord, context, plain)
}

// OpenRecord gives the plain bytes back. ErrBroken for another key or context.
func (k Key) OpenRecord(context string, sealed []byte) ([]byte, error) {
	plain, err := k.openOnce("record", versionRecord, context, sealed)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	return plain, nil
}

func (k Key) sealOnce(format string, version byte, place string, plain []byte) ([]byte, error) {
	gcm, err := k.gcm(format)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+nonceSize, 1+nonceSize+len(plain)+tagSize)
	out[0] = version
	rand.Read(out[1:])
	return gcm.Seal(out, out[1:1+nonceSize], plain, authenticated(format, version, place)), nil
}

func (k Key) openOnce(format string, version byte, place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 1+nonceSize+tagSize || sealed[0] != version {
		return nil, ErrBroken
	}
	gcm, err := k.gcm(format)
	if err != nil {
		return nil, err
	}
	nonce, body := sealed[1:1+nonceSize], sealed[1+nonceSize:]
	plain, err := gcm.Open(nil, nonce, body, authenticated(format, version, place))
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}

// gcm keys AES-256-GCM for one format, so that no two formats share a key.
func (k Key) gcm(format string) (cipher.AEAD, error) {
	sub := k.derive(nil, "musa "+format+" v1")
	defer sub.Zero()
	return newGCM(sub)
}

func newGCM(k Key) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, fmt.Errorf("aes: %w", err)
	}
	return cipher.NewGCM(block)
}

// authenticated is the associated data of the small formats. The length comes before the
// place, so that no two places run together.
func authenticated(format string, version byte, place string) []byte {
	aad := make([]byte, 0, len(format)+2+8+len(place))
	aad = append(aad, format...)
	aad = append(aad, 0, version)
	aad = binary.BigEndian.AppendUint64(aad, uint64(len(place)))
	return append(aad, place...)
}
