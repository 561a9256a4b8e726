package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/db"
)

const voucherPrefix = "musav_"

// How long what was sent to somebody works, from when it left.
const (
	signUpFor = 24 * time.Hour
	resetFor  = time.Hour
	changeFor = 24 * time.Hour
)

// waitsFor is how long a voucher waits at least for its mail to leave: a mail server may be down
// for longer than a link works. Nobody knows its secret until then.
const waitsFor = 24 * time.Hour

// lives is how long the secret of a voucher works.
var lives = map[musa.VoucherPurpose]time.Duration{
	musa.VoucherSignUp: signUpFor, musa.VoucherReset: resetFor, musa.VoucherChange: changeFor, musa.VoucherInvite: inviteFor, musa.VoucherThread: threadFor,
}

// order is a voucher to be made.
type order struct {
	For     musa.SubjectID
	Purpose musa.VoucherPurpose
	Content any // sealed under the voucher's id
}

// order makes a voucher whose secret nobody knows yet: arm draws it when the mail goes out.
func (a *Accounts) order(ctx context.Context, tx db.Tx, o order) (musa.VoucherID, error) {
	v := db.Voucher{ID: musa.NewVoucherID(tx.Now.Time()), Subject: o.For, Purpose: o.Purpose,
		Digest: a.voucherDigest(newSecret(voucherPrefix)), Created: tx.Now, Expires: tx.Now.Add(max(lives[o.Purpose], waitsFor))}
	if err := tx.InsertVoucher(ctx, v); err != nil {
		return "", err
	}
	return v.ID, a.Vault.SealOwn(ctx, tx, o.For, string(v.ID), o.Content)
}

func (a *Accounts) voucherDigest(secret string) []byte { return a.Keys.Digest("voucher", secret) }

// arm draws the secret of a voucher, at the moment in which it is sent to its holder: it is stored
// nowhere, works from now on for as long as the mail says, and one that was drawn before works no
// more. musa.ErrNotFound once the voucher is over.
func (a *Accounts) arm(ctx context.Context, tx db.Tx, v db.Voucher) (secret string, err error) {
	secret = newSecret(voucherPrefix)
	if err := tx.ArmVoucher(ctx, v.ID, a.voucherDigest(secret), lives[v.Purpose]); err != nil {
		return "", err
	}
	return secret, nil
}

// linkOver is the one answer to a secret that is wrong, expired, used, or another's.
func linkOver() error {
	return &musa.Problem{Kind: musa.ErrGone, Code: "link_over", Field: "secret",
		Public: "This link does not work: it was used already, is too old, or is not for you. Ask for a new one."}
}

// redeem finds a voucher by its secret, whose owner is still there, opens what it is for, and ends
// it: it works once, in the caller's transaction.
func (a *Accounts) redeem(ctx context.Context, tx db.Tx, p musa.VoucherPurpose, secret string, content any) (db.Subject, error) {
	v, err := tx.VoucherBy(ctx, a.voucherDigest(secret))
	if errors.Is(err, musa.ErrNotFound) || err == nil && v.Purpose != p {
		return db.Subject{}, linkOver()
	}
	if err != nil {
		return db.Subject{}, err
	}
	s, err := tx.Subject(ctx, v.Subject)
	if err != nil || s.State == musa.SubjectErased {
		return s, errors.Join(err, linkOver())
	}
	if err := a.Vault.OpenOwn(ctx, tx, self(s), musa.PurposeSignIn, musa.CategoryCredential, string(v.ID), content); err != nil {
		return s, fmt.Errorf("open %s: %w", v.ID, err)
	}
	return s, tx.DropVouchers(ctx, v.ID)
}

// guessed bounds how often one network may try secrets.
func (a *Accounts) guessed(ctx context.Context, v Visitor) error {
	return a.Limit(ctx, "voucher", v.Network(), 60, 10*time.Minute)
}

// Letter is where a mail of an account goes, and the secret that its link carries; empty where it
// has no link.
type Letter struct{ Email, Language, Secret string }

// The kinds of mail about accounts.
const (
	MailSignUp  = "sign_up"       // confirm the address: the voucher makes the account
	MailKnown   = "sign_up_known" // somebody signed up with the address of an account
	MailReset   = "reset"         // a new password
	MailChange  = "change"        // confirm another address
	MailChanged = "changed"       // to the address that was, that it is no more
)

// Letter finds where a mail goes at the moment in which it leaves, and arms its voucher.
// musa.ErrNotFound once the voucher or the address is gone: then there is nothing to send.
func (a *Accounts) Letter(ctx context.Context, tx db.Tx, m db.Mail) (l Letter, err error) {
	id := musa.VoucherID(m.Object)
	v, err := tx.Voucher(ctx, id)
	if err != nil {
		return l, err
	}
	s, err := tx.Subject(ctx, v.Subject)
	if err != nil {
		return l, err
	}
	var c struct {
		Email    string         `json:"email"`
		Language string         `json:"language"`
		By       musa.SubjectID `json:"by"` // who invites
	}
	if err := a.Vault.OpenOwn(ctx, tx, writer(s), musa.PurposeNotify, musa.CategoryCredential, string(id), &c); err != nil {
		return l, err
	}
	l.Email, l.Language = c.Email, c.Language
	if l.Email == "" || l.Language == "" {
		err = a.complete(ctx, tx, cmp.Or(c.By, s.ID), &l)
	}
	if err == nil && l.Email == "" {
		err = fmt.Errorf("address for %s: %w", m.ID, musa.ErrNotFound)
	}
	if err == nil && m.Kind != MailChanged {
		l.Secret, err = a.arm(ctx, tx, v)
	}
	return l, err
}

// complete fills a letter in by what an account says: whose it is, or for an invitation, who invites,
// whose language its reader most likely shares. Guests say nothing.
func (a *Accounts) complete(ctx context.Context, tx db.Tx, id musa.SubjectID, l *Letter) error {
	s, err := tx.Subject(ctx, id)
	var p Person
	if err == nil {
		p, err = a.reader(ctx, tx, s)
	}
	if errors.Is(err, musa.ErrNotFound) || err != nil && l.Email != "" && (errors.Is(err, musa.ErrGone) || errors.Is(err, musa.ErrRefused)) {
		return nil // then there is the address, in English; or nobody, which the caller says
	}
	l.Email, l.Language = cmp.Or(l.Email, p.Email), cmp.Or(l.Language, p.Language)
	return err
}

// writer is the program writing to an owner.
func writer(s db.Subject) musa.Actor {
	return musa.Actor{Subject: s.ID, Tier: s.Tier, Role: musa.RoleSystem, Standing: s.Standing()}
}
