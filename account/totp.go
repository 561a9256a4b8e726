package account

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"musa"
	"musa/db"
)

const (
	totpStep = 30 * time.Second
	// totpSlack is how many steps the other clock may be off.
	totpSlack = 1
	totpWait  = 15 * time.Minute // to confirm a new one
	// factorFor is how long somebody may take from the first factor to the second, factorTries how
	// often they may be wrong before they have to begin again.
	factorFor   = 10 * time.Minute
	factorTries = 5
	// codesMost is how many wrong codes an account takes within codesWindow from whoever knows its
	// password, however often they begin. Then the app's codes, of which one in 300,000 is right,
	// wait; recovery codes and passkeys, which nobody guesses, still let its person in.
	codesMost   = 20
	codesWindow = 24 * time.Hour
)

var totpOptions = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1} // what every app knows

type totpSeal struct {
	Secret string `json:"secret"` // base32
}

// NewTOTP is a second factor that waits for its first code. It is shown once.
type NewTOTP struct {
	Secret string // to type
	URL    string // otpauth://…
	Until  musa.Millis
}

// BeginTOTP offers a second factor: an authenticator app. Nothing changes before ConfirmTOTP. The
// person has to have proved who they are.
func (a *Accounts) BeginTOTP(ctx context.Context, by musa.Actor) (NewTOTP, error) {
	if err := a.personal(ctx, by); err != nil {
		return NewTOTP{}, err
	}
	site := "Musa"
	if u, err := url.Parse(a.PublicURL); err == nil && u.Hostname() != "" {
		site = u.Hostname()
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: site, AccountName: "account", Digits: totpOptions.Digits, Algorithm: totpOptions.Algorithm})
	if err != nil {
		return NewTOTP{}, fmt.Errorf("make second factor: %w", err)
	}
	out := NewTOTP{Secret: key.Secret(), URL: key.URL()}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, by.Subject); err != nil {
			return err
		}
		if _, on, err := secondFactor(ctx, tx, by.Subject); err != nil || on {
			return errors.Join(err, totpOn(on))
		}
		former, err := tx.VouchersOf(ctx, by.Subject, musa.VoucherTOTP)
		if err != nil {
			return err
		}
		for _, v := range former {
			if err := tx.DropVouchers(ctx, v.ID); err != nil {
				return err
			}
		}
		out.Until = tx.Now.Add(totpWait)
		v := db.Voucher{ID: musa.NewVoucherID(a.Clock()), Subject: by.Subject, Purpose: musa.VoucherTOTP,
			Digest: a.voucherDigest(newSecret("")), Created: tx.Now, Expires: out.Until}
		if err := tx.InsertVoucher(ctx, v); err != nil {
			return err
		}
		return a.Vault.SealOwn(ctx, tx, by.Subject, string(v.ID), totpSeal{key.Secret()})
	})
	if err != nil {
		return NewTOTP{}, fmt.Errorf("offer second factor to %s: %w", by.Subject, err)
	}
	return out, nil
}

func totpOn(on bool) error {
	if !on {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrConflict, Code: "totp_on",
		Public: "There is an authenticator app already. Switch it off before you set up another."}
}

// secondFactor finds what a person has to show besides a password.
func secondFactor(ctx context.Context, tx db.Tx, subject musa.SubjectID) (db.Login, bool, error) {
	list, err := tx.LoginsOf(ctx, subject)
	for _, l := range list {
		if l.Kind == musa.LoginTOTP {
			return l, true, err
		}
	}
	return db.Login{}, false, err
}

// ConfirmTOTP switches the second factor on with its first code, and returns the recovery codes,
// which are shown once.
func (a *Accounts) ConfirmTOTP(ctx context.Context, by musa.Actor, code string) ([]string, error) {
	if err := a.personal(ctx, by); err != nil {
		return nil, err
	}
	var codes []string
	var wrong error
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		wrong = nil
		waiting, err := tx.VouchersOf(ctx, by.Subject, musa.VoucherTOTP)
		if err != nil {
			return err
		}
		if len(waiting) == 0 {
			return linkOver()
		}
		v := waiting[len(waiting)-1]
		if v, err = tx.Voucher(ctx, v.ID); err != nil { // locks it: it works once
			return errors.Join(linkOver(), err)
		}
		var s totpSeal
		if err := a.Vault.OpenOwn(ctx, tx, by, musa.PurposeSignIn, musa.CategoryCredential, string(v.ID), &s); err != nil {
			return err
		}
		step, ok := totpMatches(s.Secret, code, tx.Now)
		if !ok {
			wrong, err = a.missed(ctx, tx, v)
			return err
		}
		l := db.Login{ID: musa.NewLoginID(a.Clock()), Subject: by.Subject, Kind: musa.LoginTOTP, Created: tx.Now, Used: step}
		if err := errors.Join(tx.InsertLogin(ctx, l), a.Vault.SealOwn(ctx, tx, by.Subject, string(l.ID), s), tx.DropVouchers(ctx, v.ID)); err != nil {
			return err
		}
		if codes, err = a.newRecovery(ctx, tx, by.Subject); err != nil {
			return err
		}
		return a.factorChanged(ctx, tx, by, "totp_on")
	})
	if err = errors.Join(err, wrong); err != nil {
		return nil, fmt.Errorf("confirm second factor of %s: %w", by.Subject, err)
	}
	return codes, nil
}

// totpMatches says whether a code is right now, and the instant at which its step began.
func totpMatches(secret, code string, now musa.Millis) (step musa.Millis, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return r
	}, code)
	length := musa.Millis(totpStep.Milliseconds())
	for n := now/length - totpSlack; n <= now/length+totpSlack; n++ {
		if right, err := hotp.ValidateCustom(code, uint64(n), secret, totpOptions); err == nil && right {
			return n * length, true
		}
	}
	return 0, false
}

// missed counts a wrong guess at a voucher; after the last one the voucher is over.
func (a *Accounts) missed(ctx context.Context, tx db.Tx, v db.Voucher) (wrong, err error) {
	tries, err := tx.TryVoucher(ctx, v.ID)
	if err == nil && tries >= factorTries {
		return codeWrong(), tx.DropVouchers(ctx, v.ID)
	}
	return codeWrong(), err
}

func codeWrong() error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "code_wrong", Field: "code",
		Public: "This code is not right, or was used already. Wait for the next one, or use a recovery code."}
}

// DropTOTP switches the second factor off, with its recovery codes. The person has to have proved
// who they are.
func (a *Accounts) DropTOTP(ctx context.Context, by musa.Actor) error {
	if err := a.personal(ctx, by); err != nil {
		return err
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, by.Subject); err != nil {
			return err
		}
		list, err := tx.LoginsOf(ctx, by.Subject)
		if err != nil {
			return err
		}
		dropped := 0
		for _, l := range list {
			if l.Kind == musa.LoginTOTP || l.Kind == musa.LoginRecovery {
				if err := tx.DropLogin(ctx, l.ID); err != nil {
					return err
				}
				dropped++
			}
		}
		if dropped == 0 {
			return musa.ErrNotFound
		}
		return a.factorChanged(ctx, tx, by, "totp_off")
	})
	if err != nil {
		return fmt.Errorf("drop second factor of %s: %w", by.Subject, err)
	}
	return nil
}

// factorChanged notes in the audit log, and tells the person, that how they sign in is another.
func (a *Accounts) factorChanged(ctx context.Context, tx db.Tx, by musa.Actor, what string) error {
	if err := tx.AppendAudit(ctx, db.AuditEvent{Action: "sign_in_" + what, Role: by.Role, Subject: by.Subject, Object: string(by.Subject)}); err != nil {
		return err
	}
	return tx.QueueMail(ctx, db.Mail{Subject: by.Subject, Kind: "factor_changed", Object: what})
}
