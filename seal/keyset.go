package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"musa"
)

// DefaultPath is where the instance keyset lies unless the setting "keys" says otherwise:
// outside the data directory, so that a copy of the data opens nothing.
const DefaultPath = "./musa.keys"

const (
	versionFile    = 1
	versionSubject = 1
	tinkPrefix     = 5 // one byte, then four of the key's id
)

// Keyset is the instance's own secret: it wraps every subject's key, keys the look-up
// hashes and signs checkpoints. Whoever holds its file and the database opens
// everything; whoever holds only one of them opens nothing. Safe for concurrent use.
type Keyset struct {
	path    string
	signing ed25519.PrivateKey
	lookup  lookupKey

	mu       sync.RWMutex // guards wrapping and wrap, which Rotate and reload replace
	wrapping *keyset.Handle
	wrap     tink.AEAD
}

type lookupKey struct {
	Version byte   `json:"version"`
	Key     []byte `json:"key"`
}

// file is the keyset file, JSON in the clear, mode 0600, version 1: a Tink AEAD keyset
// for wrapping (AES-256-GCM, several keys, one primary), the versioned HMAC-SHA256
// look-up key, and the Ed25519 seed of the checkpoint signer.
type file struct {
	Version  int             `json:"musa_keyset"`
	Wrapping json.RawMessage `json:"wrapping"`
	Lookup   lookupKey       `json:"lookup"`
	Signing  []byte          `json:"signing_seed"`
}

// generate draws every part afresh.
func generate(path string) (*Keyset, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("draw wrapping key: %w", err)
	}
	wrap, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use wrapping key: %w", err)
	}
	seed, lookup := make([]byte, ed25519.SeedSize), make([]byte, keySize)
	rand.Read(seed)
	rand.Read(lookup)
	return &Keyset{
		path: path, signing: ed25519.NewKeyFromSeed(seed), lookup: lookupKey{Version: 1, Key: lookup},
		wrapping: handle, wrap: wrap,
	}, nil
}

func (k *Keyset) encode(handle *keyset.Handle) ([]byte, error) {
	var wrapping bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&wrapping)); err != nil {
		return nil, fmt.Errorf("encode wrapping keys: %w", err)
	}
	defer clear(wrapping.Bytes())
	return json.MarshalIndent(file{
		Version: versionFile, Wrapping: wrapping.Bytes(), Lookup: k.lookup, Signing: k.signing.Seed(),
	}, "", "  ")
}

// decode names what is wrong without the words of the JSON or Tink parsers, which could
// quote the file.
func decode(path string, raw []byte) (*Keyset, error) {
	var f file
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, errors.New("it is not a whole keyset file")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows the keyset")
	}
	if f.Version != versionFile {
		return nil, fmt.Errorf("its version is %d, this Musa reads %d", f.Version, versionFile)
	}
	if len(f.Signing) != ed25519.SeedSize || len(f.Lookup.Key) != keySize || f.Lookup.Version == 0 {
		return nil, errors.New("a key in it has the wrong length")
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Wrapping)))
	if err != nil {
		return nil, errors.New("its wrapping keys cannot be read")
	}
	wrap, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("its wrapping keys cannot be used")
	}
	return &Keyset{
		path: path, signing: ed25519.NewKeyFromSeed(f.Signing), lookup: f.Lookup,
		wrapping: handle, wrap: wrap,
	}, nil
}

// ID is the keyset's public fingerprint. It stays the same when wrapping keys rotate and
// tells nothing about any key; the database stores it to recognise its keyset.
func (k *Keyset) ID() string {
	sum := sha256.Sum256(append([]byte("musa keyset v1\x00"), k.Signer().Public().(ed25519.PublicKey)...))
	return "mk_" + hex.EncodeToString(sum[:10])
}

// Format shows the fingerprint alone.
func (k *Keyset) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "[keyset %s]", k.ID()) }

// LogValue shows the fingerprint alone.
func (k *Keyset) LogValue() slog.Value { return slog.StringValue(k.ID()) }

// Path is the file this keyset was loaded from.
func (k *Keyset) Path() string { return k.path }

// Require refuses to go on with data that belongs to another keyset: ErrWrongKeyset, in
// words that name the file and both fingerprints.
func (k *Keyset) Require(id string) error {
	if k.ID() == id {
		return nil
	}
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "keyset_wrong",
		Public: fmt.Sprintf("The keyset %s is %s, but this data was sealed with %s. Put the keyset %s there, "+
			"or name its file in the setting \"keys\". Without it the data cannot be opened by anyone.", k.path, k.ID(), id, id),
		Cause: fmt.Errorf("%w: %s holds %s, the data wants %s", ErrWrongKeyset, k.path, k.ID(), id),
	}
}

// Digest is the keyed hash by which a secret value is looked up, 33 bytes: the version of
// the look-up key, then HMAC-SHA256 over the purpose and the value. Without the keyset
// it can neither be made nor guessed at.
func (k *Keyset) Digest(purpose, value string) []byte {
	mac := hmac.New(sha256.New, k.lookup.Key)
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(purpose)))
	mac.Write(size[:])
	io.WriteString(mac, purpose)
	io.WriteString(mac, value)
	return mac.Sum([]byte{k.lookup.Version})
}

// Derive makes the instance's key for a purpose, such as its backups: the same for as long as
// the keyset lives, also after rotations, and known to nobody without it.
func (k *Keyset) Derive(purpose string) Key {
	root := Key(k.lookup.Key)
	defer root.Zero()
	return root.Derive("instance\x00" + purpose)
}

// Signer signs checkpoints. The caller must not print it.
func (k *Keyset) Signer() ed25519.PrivateKey { return k.signing }

// WrapSubject seals a subject's key under the primary wrapping key.
//
// Layout, version 1, 66 bytes: version byte, then Tink's AES-256-GCM ciphertext (0x01, four
// bytes key id, 12 bytes nonce, 32 bytes key, 16 bytes tag); the subject's id is authenticated.
func (k *Keyset) WrapSubject(id musa.SubjectID, key Key) ([]byte, error) {
	k.mu.RLock()
	wrap := k.wrap
	k.mu.RUnlock()
	sealed, err := wrap.Encrypt(key[:], authenticated("subject", versionSubject, string(id)))
	if err != nil {
		return nil, fmt.Errorf("wrap key of %s: %w", id, err)
	}
	return append([]byte{versionSubject}, sealed...), nil
}

// OpenSubject gives a subject's key back. ErrWrongKeyset if this keyset lacks the wrapping
// key that was used; ErrBroken if the bytes were changed or belong to another subject.
func (k *Keyset) OpenSubject(id musa.SubjectID, wrapped []byte) (Key, error) {
	if len(wrapped) != 1+tinkPrefix+nonceSize+keySize+tagSize || wrapped[0] != versionSubject {
		return Key{}, fmt.Errorf("open key of %s: %w", id, ErrBroken)
	}
	wrap, ok := k.wrapper(wrappingID(wrapped))
	if !ok {
		return Key{}, fmt.Errorf("open key of %s: %w: %s (%s) holds no wrapping key %08x",
			id, ErrWrongKeyset, k.path, k.ID(), wrappingID(wrapped))
	}
	raw, err := wrap.Decrypt(wrapped[1:], authenticated("subject", versionSubject, string(id)))
	if err != nil || len(raw) != keySize {
		return Key{}, fmt.Errorf("open key of %s: %w", id, ErrBroken)
	}
	defer clear(raw)
	return Key(raw), nil
}

// wrapper is what opens under a wrapping key. One that is unknown may have been added by a
// rotation since the file was read.
func (k *Keyset) wrapper(id uint32) (tink.AEAD, bool) {
	k.mu.RLock()
	wrap, handle := k.wrap, k.wrapping
	k.mu.RUnlock()
	if holds(handle, id) {
		return wrap, true
	}
	if err := k.reload(); err != nil {
		return nil, false // that the key is missing says what to mend
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.wrap, holds(k.wrapping, id)
}

func wrappingID(wrapped []byte) uint32 { return binary.BigEndian.Uint32(wrapped[2:6]) }

func holds(handle *keyset.Handle, id uint32) bool {
	for i := range handle.Len() {
		if entry, err := handle.Entry(i); err == nil && entry.KeyID() == id {
			return true
		}
	}
	return false
}

// Rotate adds a new primary wrapping key. What the old ones wrapped stays under them and still
// opens. The file is replaced durably before the new key wraps anything, so that a crash loses
// nothing.
func (k *Keyset) Rotate() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	manager := keyset.NewManagerFromHandle(k.wrapping)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("draw wrapping key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return fmt.Errorf("make wrapping key primary: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("gather wrapping keys: %w", err)
	}
	wrap, err := aead.New(handle)
	if err != nil {
		return fmt.Errorf("use wrapping keys: %w", err)
	}
	raw, err := k.encode(handle)
	if err != nil {
		return err
	}
	defer clear(raw)
	if err := replace(k.path, raw); err != nil {
		return err
	}
	k.wrapping, k.wrap = handle, wrap
	return nil
}

// reload takes up keys that another process added by rotation. ErrWrongKeyset if the file has
// become another keyset.
func (k *Keyset) reload() error {
	fresh, err := Load(k.path)
	if err != nil {
		return err
	}
	if err := fresh.Require(k.ID()); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wrapping, k.wrap = fresh.wrapping, fresh.wrap
	return nil
}
