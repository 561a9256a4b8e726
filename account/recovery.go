package account

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"musa"
	"musa/db"
)

const (
	recoveryCodes = 10
	recoveryBytes = 8 // 13 letters, of which nobody guesses one
)

// base32 without letters that are read for digits.
var recoveryLetters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newRecovery makes another set of recovery codes and ends the former one.
func (a *Accounts) newRecovery(ctx context.Context, tx db.Tx, subject musa.SubjectID) ([]string, error) {
	list, err := tx.LoginsOf(ctx, subject)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		if l.Kind == musa.LoginRecovery {
			if err := tx.DropLogin(ctx, l.ID); err != nil {
				return nil, err
			}
		}
	}
	var codes []string
	for range recoveryCodes {
		var raw [recoveryBytes]byte
		rand.Read(raw[:])
		code := recoveryLetters.EncodeToString(raw[:])
		codes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:])
		if err := tx.InsertLogin(ctx, db.Login{ID: musa.NewLoginID(a.Clock()), Subject: subject, Kind: musa.LoginRecovery,
			Handle: a.recoveryHandle(subject, code), Created: tx.Now}); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// recoveryHandle is the keyed digest of a code, as typed by whoever reads it aloud.
func (a *Accounts) recoveryHandle(subject musa.SubjectID, code string) []byte {
	code = strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(code))
	return a.Keys.Digest("recovery code", string(subject)+"\x00"+code)
}

// RenewRecovery makes another set of recovery codes, shown once; the former ones are over.
// ErrConflict without a second factor. The person has to have proved who they are.
func (a *Accounts) RenewRecovery(ctx context.Context, by musa.Actor) ([]string, error) {
	if err := a.personal(ctx, by); err != nil {
		return nil, err
	}
	var codes []string
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, by.Subject); err != nil {
			return err
		}
		_, on, err := secondFactor(ctx, tx, by.Subject)
		if err == nil && !on {
			err = &musa.Problem{Kind: musa.ErrConflict, Code: "totp_off", Public: "Recovery codes belong to an authenticator app. Set one up first."}
		}
		if err != nil {
			return err
		}
		if codes, err = a.newRecovery(ctx, tx, by.Subject); err != nil {
			return err
		}
		return a.factorChanged(ctx, tx, by, "recovery_renewed")
	})
	if err != nil {
		return nil, fmt.Errorf("renew recovery codes of %s: %w", by.Subject, err)
	}
	return codes, nil
}

// halfway is what somebody gets who gave a right password, or came back from a provider, where the
// account asks for a second factor: a secret for Factor. It is empty where the account does not.
func (a *Accounts) halfway(ctx context.Context, tx db.Tx, subject musa.SubjectID) (string, error) {
	_, on, err := secondFactor(ctx, tx, subject)
	if err != nil || !on {
		return "", err
	}
	secret := newSecret(voucherPrefix)
	v := db.Voucher{ID: musa.NewVoucherID(tx.Now.Time()), Subject: subject, Purpose: musa.VoucherFactor,
		Digest: a.voucherDigest(secret), Created: tx.Now, Expires: tx.Now.Add(factorFor)}
	return secret, tx.InsertVoucher(ctx, v)
}

// Factor ends a sign-in that waits for its second factor, with a code of the app or a recovery
// code, which works once. After some wrong guesses the sign-in has to begin again.
func (a *Accounts) Factor(ctx context.Context, secret, code string, from Visitor) (Entry, error) {
	if err := a.guessed(ctx, from); err != nil {
		return Entry{}, err
	}
	var (
		in    Entry
		wrong error
	)
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		in, wrong = Entry{}, nil
		v, err := tx.VoucherBy(ctx, a.voucherDigest(secret))
		if errors.Is(err, musa.ErrNotFound) || err == nil && v.Purpose != musa.VoucherFactor {
			return linkOver()
		}
		if err != nil {
			return err
		}
		sub, err := tx.Subject(ctx, v.Subject)
		if err != nil {
			return err
		}
		right, err := a.factorMatches(ctx, tx, sub, code)
		if err != nil {
			return err
		}
		if !right {
			wrong, err = a.missedCode(ctx, tx, sub, v)
			return err
		}
		if err := tx.DropVouchers(ctx, v.ID); err != nil {
			return err
		}
		in, err = a.enter(ctx, tx, sub, from)
		return err
	})
	if err = errors.Join(err, wrong); err != nil {
		return Entry{}, fmt.Errorf("second factor: %w", err)
	}
	return in, nil
}

func (a *Accounts) codesKey(id musa.SubjectID) []byte { return a.limitKey("codes", string(id)) }

// missedCode counts a wrong code of an account, and tells its person once when there were too many:
// whoever tries them knows the password.
func (a *Accounts) missedCode(ctx context.Context, tx db.Tx, sub db.Subject, v db.Voucher) (wrong, err error) {
	if wrong, err = a.missed(ctx, tx, v); err != nil {
		return nil, err
	}
	l, err := tx.Hit(ctx, a.codesKey(sub.ID), tx.Now.Add(codesWindow))
	if err != nil || l.Hits < codesMost {
		return wrong, err
	}
	if l.Hits == codesMost {
		err = a.factorChanged(ctx, tx, self(sub), "codes_guessed")
	}
	return &musa.Problem{Kind: musa.ErrLimited, Code: "codes_limited", Field: "code", Retry: l.Until.Time().Sub(tx.Now.Time()),
		Public: "Too many wrong codes were tried for this account. Use a recovery code or a passkey, or come back tomorrow. If it was not you, reset your password: somebody knows it."}, err
}

// factorMatches looks for a code among the app's and the recovery codes, and spends it.
func (a *Accounts) factorMatches(ctx context.Context, tx db.Tx, sub db.Subject, code string) (bool, error) {
	app, on, err := secondFactor(ctx, tx, sub.ID)
	if err != nil || !on {
		return false, err
	}
	var s totpSeal
	if err := a.Vault.OpenOwn(ctx, tx, self(sub), musa.PurposeSignIn, musa.CategoryCredential, string(app.ID), &s); err != nil {
		return false, err
	}
	guesses, err := tx.Hits(ctx, a.codesKey(sub.ID))
	if err != nil {
		return false, err
	}
	if step, ok := totpMatches(s.Secret, code, tx.Now); ok && guesses.Hits < codesMost {
		return tx.SpendStep(ctx, app.ID, step)
	}
	spare, err := tx.LoginBy(ctx, musa.LoginRecovery, a.recoveryHandle(sub.ID, code))
	if errors.Is(err, musa.ErrNotFound) {
		return false, nil
	}
	if err == nil {
		err = tx.DropLogin(ctx, spare.ID)
	}
	if errors.Is(err, musa.ErrNotFound) {
		return false, nil // somebody else was faster with it
	}
	if err == nil {
		err = tx.ForgetHits(ctx, a.codesKey(sub.ID)) // nobody guesses one of these: the person is back
	}
	if err != nil {
		return false, err
	}
	return true, tx.AppendAudit(ctx, db.AuditEvent{Action: "recovery_code_used", Role: musa.RoleSubject, Subject: sub.ID, Object: string(sub.ID)})
}
