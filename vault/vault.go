// Package vault keeps personal content sealed: it is the one place where a picture or a
// record is closed under its own key, opened with a grant, and cut off when its time is up.
//
// It promises that plaintext exists only in memory and only under a policy.Grant, that a
// key belongs to exactly one item, and that a reader which outlives its item's end stops
// within a segment. It does not decide (policy does), does not look for what is due
// (retention does) and does not remove bytes (erasure does).
//
// What an attacker learns who holds one store alone: the blobs, sizes and counts; the
// database, ids, owners' pseudonyms, times and states; the keyset, nothing. Database and
// keyset together open what is alive, and nothing that was erased.
package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"golang.org/x/sync/errgroup"

	"musa"
	"musa/blob"
	"musa/db"
	"musa/policy"
	"musa/seal"
)

// PrefixAsset begins the name of every blob that belongs to an asset.
const PrefixAsset = "asset/"

// ErrNoGrant is returned when something is opened without a grant that covers it. It is
// a defect of the caller, never of the person.
var ErrNoGrant = errors.New("vault: opened without a grant")

// Config is what a Vault leans on. All fields are needed.
type Config struct {
	DB    *db.DB
	Blobs blob.Store
	Keys  *seal.Keyset
	Clock musa.Clock
	// Policy is the document in force; Versions are all that were taken up.
	Policy   func() *policy.Document
	Versions func() *policy.Versions
}

// Vault seals and opens. It is safe for concurrent use.
type Vault struct {
	Config
	mu   sync.Mutex
	open map[string]map[*Content]struct{} // by item id; guarded by mu
}

// New makes a vault.
func New(c Config) *Vault {
	return &Vault{Config: c, open: map[string]map[*Content]struct{}{}}
}

// NewSubject makes an owner's key, wrapped under the instance keyset.
func (v *Vault) NewSubject(id musa.SubjectID) (wrapped []byte, err error) {
	return v.Keys.WrapSubject(id, seal.NewKey())
}

// Draft is an asset whose bytes are being sealed before its row exists. Its key lives in
// memory until Keep wraps it; a crash before that leaves bytes that nobody can open, known
// to the sweep by their `writing` rows.
type Draft struct {
	vault *Vault
	asset musa.AssetID
	owner musa.SubjectID
	key   seal.Key
	blobs []db.Blob
	tried bool // Keep was called: the blobs may be live
}

// Part is one sealed file of a draft.
type Part struct {
	Role musa.BlobRole
	Data io.Reader // read by a goroutine of its own: no two parts may share one
}

// Seal closes the parts under a new key and returns the draft. The grant must allow making
// items of the category. On error nothing remains but rows that the sweep knows.
func (v *Vault) Seal(ctx context.Context, g policy.Grant, a db.Asset, parts []Part) (*Draft, error) {
	if !g.Covers(a.Owner, a.Category, string(a.ID)) {
		return nil, ErrNoGrant
	}
	d := &Draft{vault: v, asset: a.ID, owner: a.Owner, key: seal.NewKey()}
	for _, p := range parts {
		d.blobs = append(d.blobs, db.Blob{Name: blobName(), Asset: a.ID, Role: p.Role, State: musa.BlobWriting})
	}
	// The names are committed before the first byte, so that no crash leaves an unknown blob.
	err := v.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for i := range d.blobs {
			d.blobs[i].Created = tx.Now
		}
		return tx.InsertBlob(ctx, d.blobs...)
	})
	if err != nil {
		return nil, fmt.Errorf("announce blobs of %s: %w", a.ID, err)
	}
	// All parts at once: each waits for a disk to sync or a bucket to answer.
	group, each := errgroup.WithContext(ctx)
	for i, p := range parts {
		group.Go(func() error {
			size, err := v.put(each, d, d.blobs[i], p.Data)
			if err != nil {
				return fmt.Errorf("seal %s/%s: %w", a.ID, p.Role, err)
			}
			d.blobs[i].Size = size
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, d.Drop(context.WithoutCancel(ctx)))
	}
	return d, nil
}

func (v *Vault) put(ctx context.Context, d *Draft, b db.Blob, plain io.Reader) (int64, error) {
	pr, pw := io.Pipe()
	sealed := make(chan struct{})
	go func() {
		defer close(sealed)
		w, err := seal.NewWriter(pw, d.key, aad(d.asset, b.Role))
		if err == nil {
			if _, err = io.Copy(w, plain); err == nil {
				err = w.Close()
			}
		}
		pw.CloseWithError(err)
	}()
	size, err := v.Blobs.Put(ctx, b.Name, pr)
	// Unblocks the sealing goroutine when the store gave up early. Until it ended it reads what
	// the caller closes, and the key that Drop overwrites.
	pr.CloseWithError(err)
	<-sealed
	return size, err
}

// Size is the sealed size of all parts in bytes.
func (d *Draft) Size() int64 {
	var n int64
	for _, b := range d.blobs {
		n += b.Size
	}
	return n
}

// Names are the blobs that the draft wrote.
func (d *Draft) Names() []string {
	names := make([]string, len(d.blobs))
	for i, b := range d.blobs {
		names[i] = b.Name
	}
	return names
}

// Keep commits the draft in the caller's transaction: key and info go into the secrets, the
// blobs become live. The caller inserts the asset row in the same transaction.
func (d *Draft) Keep(ctx context.Context, tx db.Tx, info any) (db.Secret, error) {
	d.tried = true
	s, err := d.vault.sealItem(ctx, tx, d.owner, string(d.asset), d.key, info)
	if err != nil {
		return db.Secret{}, err
	}
	if err := tx.LiveBlob(ctx, d.blobs...); err != nil {
		return db.Secret{}, err
	}
	return s, nil
}

// Drop removes what the draft wrote, unless it was kept after all: the answer to a commit
// can be lost. Call it when the transaction of Keep gave an error. What it cannot remove
// now, the sweep removes later, because the rows stay.
func (d *Draft) Drop(ctx context.Context) error {
	d.key.Zero()
	discard := d.vault.remove // needs no room on a full disk
	if d.tried {
		discard = d.vault.Discard
	}
	var errs []error
	for _, b := range d.blobs {
		var err error
		if b.Size == 0 {
			// The store gave no answer, and may end the write yet: the row stays for the sweep.
			err = d.vault.unput(ctx, b.Name)
		} else {
			err = discard(ctx, b.Name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Discard removes one blob that was never finished, and then its row; one that is already
// absent is no error. It is doomed first, so that a slow writer cannot make it live
// meanwhile; one that went live is left alone.
func (v *Vault) Discard(ctx context.Context, name string) error {
	var may bool
	err := v.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		may, err = tx.DoomBlob(ctx, name)
		return err
	})
	if err != nil || !may {
		return err
	}
	return v.remove(ctx, name)
}

// unput removes the bytes of a blob and leaves its row.
func (v *Vault) unput(ctx context.Context, name string) error {
	if err := v.Blobs.Remove(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove blob %s: %w", name, err)
	}
	return nil
}

func (v *Vault) remove(ctx context.Context, name string) error {
	if err := v.unput(ctx, name); err != nil {
		return err
	}
	return v.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropBlob(ctx, name) })
}

// SealRecord closes a sealed item without blobs (a prompt, a history) in the caller's
// transaction, which also inserts its row.
func (v *Vault) SealRecord(ctx context.Context, tx db.Tx, r db.Record, content any) (db.Secret, error) {
	return v.sealItem(ctx, tx, r.Owner, string(r.ID), seal.NewKey(), content)
}

func (v *Vault) sealItem(ctx context.Context, tx db.Tx, owner musa.SubjectID, id string, key seal.Key, content any) (db.Secret, error) {
	wrapped, err := tx.SubjectKey(ctx, owner)
	if err != nil {
		return db.Secret{}, fmt.Errorf("key of %s: %w", owner, err)
	}
	subject, err := v.Keys.OpenSubject(owner, wrapped)
	if err != nil {
		return db.Secret{}, fmt.Errorf("open key of %s: %w", owner, err)
	}
	defer subject.Zero()
	s := db.Secret{ID: id, Subject: owner}
	if s.Wrapped, err = subject.Wrap(id, key); err != nil {
		return db.Secret{}, fmt.Errorf("wrap key of %s: %w", id, err)
	}
	plain, err := json.Marshal(content)
	if err != nil {
		return db.Secret{}, fmt.Errorf("encode record %s: %w", id, err)
	}
	if s.Sealed, err = key.SealRecord(id, plain); err != nil {
		return db.Secret{}, fmt.Errorf("seal record %s: %w", id, err)
	}
	return s, nil
}

// Locked is a sealed item as the database gives it, in one query.
type Locked struct {
	ID      string
	Owner   musa.SubjectID
	Class   musa.Category
	Secret  db.Secret
	Subject []byte // the owner's wrapped key
}

// LockedAsset is an asset as the database opened it.
func LockedAsset(o db.Opening) Locked {
	return Locked{ID: string(o.Asset.ID), Owner: o.Asset.Owner, Class: o.Asset.Category, Secret: o.Secret, Subject: o.SubjectKey}
}

// OpenRecord opens the sealed record of an item into out. ErrUnaccounted where another than
// its owner would see it: Enter that first.
func (v *Vault) OpenRecord(g policy.Grant, l Locked, out any) error {
	if g.Accounted() {
		return ErrUnaccounted
	}
	return v.openRecord(g, l, out)
}

func (v *Vault) openRecord(g policy.Grant, l Locked, out any) error {
	key, err := v.unlock(g, l)
	if err != nil {
		return err
	}
	defer key.Zero()
	plain, err := key.OpenRecord(l.ID, l.Secret.Sealed)
	if err != nil {
		return fmt.Errorf("open record %s: %w", l.ID, err)
	}
	if err := json.Unmarshal(plain, out); err != nil {
		return fmt.Errorf("decode record %s: %w", l.ID, err)
	}
	return nil
}

func (v *Vault) unlock(g policy.Grant, l Locked) (seal.Key, error) {
	if !g.Covers(l.Owner, l.Class, l.ID) {
		return seal.Key{}, ErrNoGrant
	}
	subject, err := v.Keys.OpenSubject(l.Owner, l.Subject)
	if err != nil {
		return seal.Key{}, fmt.Errorf("open key of %s: %w", l.Owner, err)
	}
	defer subject.Zero()
	key, err := subject.Unwrap(l.ID, l.Secret.Wrapped)
	if err != nil {
		return seal.Key{}, fmt.Errorf("open key of %s: %w", l.ID, err)
	}
	return key, nil
}

// ReceiptKey is the capability of a receipt: whoever holds it reads the receipt, also
// after its owner's key is gone. It follows from the owner's key while that exists.
func (v *Vault) ReceiptKey(owner musa.SubjectID, subject []byte, id musa.ReceiptID) (seal.Key, error) {
	k, err := v.Keys.OpenSubject(owner, subject)
	if err != nil {
		return seal.Key{}, fmt.Errorf("open key of %s: %w", owner, err)
	}
	defer k.Zero()
	return k.Derive("receipt/" + string(id)), nil
}

func aad(id musa.AssetID, role musa.BlobRole) string { return string(id) + "/" + string(role) }

// blobName is random, so that a name says nothing about the asset it belongs to.
func blobName() string {
	var raw [16]byte
	rand.Read(raw[:])
	return PrefixAsset + hex.EncodeToString(raw[:])
}
