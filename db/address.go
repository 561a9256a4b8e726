package db

import (
	"context"
	"encoding/base64"

	"github.com/uptrace/bun"

	"musa"
)

// Address finds an account by its e-mail. What stands here is a keyed digest of it, unique among open
// accounts; the address itself lies sealed in the account's record.
//
// Category: account.
type Address struct {
	bun.BaseModel `bun:"table:addresses"`

	Subject   musa.SubjectID `bun:",pk"`
	Digest    []byte
	Keys      int64       // the version of the key that the digest was made with
	Confirmed musa.Millis // 0 until its holder answered
	Changed   musa.Millis
}

var addressTable = Table{Name: "addresses", Category: musa.CategoryAccount, Columns: columns(musa.CategoryAccount, "subject", "digest", "keys", "confirmed", "changed"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// InsertAddress gives an account its address; musa.ErrConflict when another open account, or this
// one, has it already.
func (tx Tx) InsertAddress(ctx context.Context, a Address) error {
	n, err := tx.exec(ctx, "INSERT INTO addresses (subject, digest, keys, confirmed, changed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		a.Subject, a.Digest, a.Keys, a.Confirmed, a.Changed)
	if err == nil && n == 0 {
		err = musa.ErrConflict
	}
	return wrapf(err, "insert address of %s", a.Subject)
}

// AddressBy finds the account that a digest leads to; musa.ErrNotFound.
func (tx Tx) AddressBy(ctx context.Context, digest []byte) (Address, error) {
	var a Address
	err := tx.get(ctx, &a, "SELECT * FROM addresses WHERE digest = ?", digest)
	return a, wrapf(err, "address by digest")
}

// AddressOf finds an account's address; musa.ErrNotFound where it has none.
func (tx Tx) AddressOf(ctx context.Context, subject musa.SubjectID) (Address, error) {
	var a Address
	err := tx.get(ctx, &a, "SELECT * FROM addresses WHERE subject = ?", subject)
	return a, wrapf(err, "address of %s", subject)
}

// MoveAddress gives an account another address in the place of its former one, as InsertAddress
// does; told is the record that says which. A backup target's journal learns of it, so that no
// restore leads to the account by the former one.
func (tx Tx) MoveAddress(ctx context.Context, a Address, told musa.RecordID) error {
	if err := tx.DropAddress(ctx, a.Subject); err != nil {
		return err
	}
	if err := tx.InsertAddress(ctx, a); err != nil {
		return err
	}
	act := Act{Did: ActMoved, Subject: a.Subject, What: base64.RawURLEncoding.EncodeToString(a.Digest), Item: string(told)}
	return wrapf(tx.NoteAct(ctx, act), "move address of %s", a.Subject)
}

// DropAddress makes an account one that no address leads to; having had none is no error.
func (tx Tx) DropAddress(ctx context.Context, subject musa.SubjectID) error {
	_, err := tx.exec(ctx, "DELETE FROM addresses WHERE subject = ?", subject)
	return wrapf(err, "drop address of %s", subject)
}
