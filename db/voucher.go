package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"musa"
)

// Voucher is a secret that was sent to somebody and works once: to confirm an address, to reset a
// password, to join a workspace. Its digest stands here; what it is for lies sealed under its id.
//
// Category: credential.
type Voucher struct {
	bun.BaseModel `bun:"table:vouchers"`

	ID      musa.VoucherID `bun:",pk"`
	Subject musa.SubjectID // whose it is: a guest who signs up, a person, a workspace that invites
	Purpose musa.VoucherPurpose
	Digest  []byte
	Created musa.Millis
	Expires musa.Millis
	Tries   int64 // wrong guesses, where the secret is short
}

var voucherTable = Table{Name: "vouchers", Category: musa.CategoryCredential, Columns: columns(musa.CategoryCredential, "id", "subject", "purpose", "digest", "created", "expires", "tries"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// InsertVoucher adds a voucher; what it is for is sealed beside it under its id.
func (tx Tx) InsertVoucher(ctx context.Context, v Voucher) error {
	return wrapf(tx.insert(ctx, &v), "insert voucher %s", v.ID)
}

// Voucher finds a voucher that is neither used nor expired; musa.ErrNotFound. In a Write its row
// stays locked.
func (tx Tx) Voucher(ctx context.Context, id musa.VoucherID) (Voucher, error) {
	var v Voucher
	err := tx.get(ctx, &v, "SELECT * FROM vouchers WHERE id = ? AND expires > ? ?", id, tx.Now, tx.locked(forUpdate))
	return v, wrapf(err, "voucher %s", id)
}

// VoucherBy finds the voucher of a secret's digest, while it is neither used nor expired;
// musa.ErrNotFound. In a Write its row stays locked, so that it works once.
func (tx Tx) VoucherBy(ctx context.Context, digest []byte) (Voucher, error) {
	var v Voucher
	err := tx.get(ctx, &v, "SELECT * FROM vouchers WHERE digest = ? AND expires > ? ?", digest, tx.Now, tx.locked(forUpdate))
	return v, wrapf(err, "voucher by digest")
}

// VouchersOf lists the live vouchers of an owner for a purpose, the oldest first.
func (tx Tx) VouchersOf(ctx context.Context, owner musa.SubjectID, p musa.VoucherPurpose) ([]Voucher, error) {
	var list []Voucher
	err := tx.get(ctx, &list, "SELECT * FROM vouchers WHERE subject = ? AND purpose = ? AND expires > ? ORDER BY id", owner, p, tx.Now)
	return list, wrapf(err, "vouchers of %s", owner)
}

// ArmVoucher gives a live voucher another secret, which works for a while from now on: the former
// works no more. musa.ErrNotFound.
func (tx Tx) ArmVoucher(ctx context.Context, id musa.VoucherID, digest []byte, life time.Duration) error {
	n, err := tx.exec(ctx, "UPDATE vouchers SET digest = ?, expires = ? WHERE id = ? AND expires > ?", digest, tx.Now.Add(life), id, tx.Now)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "arm voucher %s", id)
}

// KeepVoucher has a live voucher live until an instant at least: the mail that carries it is tried
// again then. One that is over stays over, and a mail about something else keeps none.
func (tx Tx) KeepVoucher(ctx context.Context, id musa.VoucherID, until musa.Millis) error {
	_, err := tx.exec(ctx, "UPDATE vouchers SET expires = ? WHERE id = ? AND expires > ? AND expires < ?", until, id, tx.Now, until)
	return wrapf(err, "keep voucher %s", id)
}

// TryVoucher counts a wrong guess and says how many there were.
func (tx Tx) TryVoucher(ctx context.Context, id musa.VoucherID) (tries int64, err error) {
	err = tx.get(ctx, &tries, "UPDATE vouchers SET tries = tries + 1 WHERE id = ? RETURNING tries", id)
	return tries, wrapf(err, "try voucher %s", id)
}

// DropVouchers ends vouchers, with what they were for. A backup target's journal learns of it, so
// that none works again after a restore.
func (tx Tx) DropVouchers(ctx context.Context, ids ...musa.VoucherID) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.exec(ctx, "DELETE FROM vouchers WHERE id IN (?)", bun.List(ids)); err != nil {
		return wrapf(err, "drop %d vouchers", len(ids))
	}
	gone := make([]string, len(ids))
	for i, id := range ids {
		gone[i] = string(id)
	}
	return wrapf(tx.forsake(ctx, gone...), "drop %d vouchers", len(ids))
}

// ExpiredVouchers lists vouchers whose end has come, the longest over first.
func (tx Tx) ExpiredVouchers(ctx context.Context, limit int) ([]musa.VoucherID, error) {
	var ids []musa.VoucherID
	err := tx.get(ctx, &ids, "SELECT id FROM vouchers WHERE expires <= ? ORDER BY expires LIMIT ? ?", tx.Now, limit, tx.locked(skipLocked))
	return ids, wrapf(err, "expired vouchers")
}
