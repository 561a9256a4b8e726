package account

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
)

// change is what a voucher to confirm another address holds, and one for the mail to the former.
type change struct {
	Email string `json:"email"`
}

// Reset orders a mail with a link that sets a new password, where the address leads to an account.
// The answer is the same where it does not.
func (a *Accounts) Reset(ctx context.Context, v Visitor, email string) error {
	if err := a.Mails(); err != nil {
		return err
	}
	address, err := Address(email)
	if err != nil {
		return err
	}
	if err := a.Limit(ctx, "sign up", v.Network(), signUpTries, signUpWindow); err != nil {
		return err
	}
	if err := a.Limit(ctx, "mail", address+" "+v.Network(), mailTries, signUpWindow); err != nil {
		return err
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return a.offerReset(ctx, tx, address) })
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	return nil
}

// offerReset makes the voucher and the mail, or writes as much as that where there is no account.
func (a *Accounts) offerReset(ctx context.Context, tx db.Tx, address string) error {
	found, err := tx.AddressBy(ctx, a.digestOf(address))
	if errors.Is(err, musa.ErrNotFound) {
		return a.pretend(ctx, tx) // and nothing is counted: nobody is kept from signing up by it
	}
	if err != nil {
		return err
	}
	if may, err := a.mayWrite(ctx, tx, lettersReset, address); err != nil || !may {
		return errors.Join(err, a.pretend(ctx, tx))
	}
	s, err := tx.Subject(ctx, found.Subject)
	if err != nil {
		return err
	}
	// Links that were sent before go on to work: whoever asks in another's name must not end the
	// one that its holder is about to open.
	id, err := a.order(ctx, tx, order{For: s.ID, Purpose: musa.VoucherReset, Content: change{}})
	if err != nil {
		return err
	}
	return tx.QueueMail(ctx, db.Mail{Subject: s.ID, Kind: MailReset, Object: string(id)})
}

// What is counted of the mails to an address. Links that set a new password go to the holder of an
// account alone and have a count of their own: no other mail that somebody has sent to an address
// keeps its holder from one.
const (
	lettersAny   = "mail to"
	lettersReset = "reset to"
)

// mayWrite counts a mail that somebody had sent to an address, and says whether it goes out. Beyond
// the bound nothing comes, whoever asks and from wherever: nobody fills another's mailbox. The
// asker hears nothing of it, and the links that came before work.
func (a *Accounts) mayWrite(ctx context.Context, tx db.Tx, what, address string) (bool, error) {
	l, err := tx.Hit(ctx, a.limitKey(what, address), tx.Now.Add(signUpWindow))
	return l.Hits <= lettersMost, err
}

// pretend writes the rows of a voucher and a mail that go nowhere and are forgotten at once.
func (a *Accounts) pretend(ctx context.Context, tx db.Tx) error {
	for range 4 {
		if _, err := tx.Hit(ctx, a.limitKey("nobody", newSecret("")), tx.Now); err != nil {
			return err
		}
	}
	return nil
}

// dropVouchers ends what was sent to somebody before for a purpose: the last link works alone.
func (a *Accounts) dropVouchers(ctx context.Context, tx db.Tx, id musa.SubjectID, p musa.VoucherPurpose) error {
	list, err := tx.VouchersOf(ctx, id, p)
	if err != nil {
		return err
	}
	ids := make([]musa.VoucherID, len(list))
	for i, v := range list {
		ids[i] = v.ID
	}
	return tx.DropVouchers(ctx, ids...)
}

// ConfirmReset sets a new password for whoever holds the secret of the mail, and ends all sessions,
// keys of the API and other such links: somebody else may have had the former. It signs nobody in;
// a second factor stays. ErrGone for a link that does not work.
func (a *Accounts) ConfirmReset(ctx context.Context, v Visitor, secret, password string) error {
	if err := a.guessed(ctx, v); err != nil {
		return err
	}
	if err := usable(password); err != nil {
		return err
	}
	h, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var c change
		s, err := a.redeem(ctx, tx, musa.VoucherReset, secret, &c)
		if err != nil {
			return err
		}
		if err := a.setPassword(ctx, tx, s, h); err != nil {
			return err
		}
		if _, err := tx.DropSessionsOf(ctx, s.ID, ""); err != nil {
			return err
		}
		if err := tx.DropAPIKeysOf(ctx, s.ID); err != nil {
			return err
		}
		return a.factorChanged(ctx, tx, self(s), "password_reset")
	})
	if err != nil {
		return fmt.Errorf("reset password: %w", err)
	}
	return nil
}

// ChangePassword sets another password, or the first, for somebody who just proved who they are,
// and ends their other sessions.
func (a *Accounts) ChangePassword(ctx context.Context, by musa.Actor, password string) error {
	if err := a.personal(ctx, by); err != nil {
		return err
	}
	p, err := a.Person(ctx, by)
	if err != nil {
		return err
	}
	if err := usable(password, p.Email, p.Name, p.Username); err != nil {
		return err
	}
	h, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, by.Subject)
		if err != nil {
			return err
		}
		if err := errors.Join(a.setPassword(ctx, tx, s, h), tx.ForgetHits(ctx, a.codesKey(s.ID))); err != nil {
			return err
		}
		if _, err := tx.DropSessionsOf(ctx, s.ID, by.Session); err != nil {
			return err
		}
		return a.factorChanged(ctx, tx, by, "password_changed")
	})
	if err != nil {
		return fmt.Errorf("change password of %s: %w", by.Subject, err)
	}
	return nil
}

// ChangeAddress orders a mail to another address, whose link makes it the account's. Where that
// leads to another account, its holder gets the mail that says so, and the answer is the same.
func (a *Accounts) ChangeAddress(ctx context.Context, by musa.Actor, v Visitor, email string) error {
	if err := a.Mails(); err != nil {
		return err
	}
	if err := a.personal(ctx, by); err != nil {
		return err
	}
	address, err := Address(email)
	if err != nil {
		return err
	}
	if err := a.Limit(ctx, "mail", address+" "+v.Network(), mailTries, signUpWindow); err != nil {
		return err
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := a.dropVouchers(ctx, tx, by.Subject, musa.VoucherChange); err != nil {
			return err
		}
		may, err := a.mayWrite(ctx, tx, lettersAny, address)
		if err != nil || !may {
			return errors.Join(err, a.pretend(ctx, tx))
		}
		found, err := tx.AddressBy(ctx, a.digestOf(address))
		if err == nil {
			return errors.Join(a.pretend(ctx, tx), tx.QueueMail(ctx, db.Mail{Subject: found.Subject, Kind: MailKnown}))
		}
		if !errors.Is(err, musa.ErrNotFound) {
			return err
		}
		id, err := a.order(ctx, tx, order{For: by.Subject, Purpose: musa.VoucherChange, Content: change{address}})
		if err != nil {
			return err
		}
		return tx.QueueMail(ctx, db.Mail{Subject: by.Subject, Kind: MailChange, Object: string(id)})
	})
	if err != nil {
		return fmt.Errorf("change address of %s: %w", by.Subject, err)
	}
	return nil
}

// ConfirmAddress makes the address that a mail was sent to the account's, for its person who is
// signed in, and tells the former one. ErrGone for a link that does not work, or is another's.
func (a *Accounts) ConfirmAddress(ctx context.Context, by musa.Actor, v Visitor, secret string) error {
	if err := a.guessed(ctx, v); err != nil {
		return err
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var c change
		s, err := a.redeem(ctx, tx, musa.VoucherChange, secret, &c)
		if err != nil {
			return err
		}
		if s.ID != by.Subject || s.State != musa.SubjectActive || by.Person != "" {
			return linkOver() // and the voucher stays: its use is taken back with the transaction
		}
		return a.moveAddress(ctx, tx, by, s, c.Email)
	})
	if err != nil {
		return fmt.Errorf("confirm address of %s: %w", by.Subject, err)
	}
	return nil
}

func (a *Accounts) moveAddress(ctx context.Context, tx db.Tx, by musa.Actor, s db.Subject, address string) error {
	p, id, err := a.profileOf(ctx, tx, by, musa.PurposeSignIn)
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return err
	}
	former := p.Email
	err = tx.MoveAddress(ctx, a.addressRow(s.ID, address, tx.Now), id)
	if errors.Is(err, musa.ErrConflict) {
		return linkOver() // it became another account's since the mail
	}
	if err != nil {
		return err
	}
	p.Email = address
	if err := a.rewriteProfile(ctx, tx, by, musa.PurposeSignIn, id, p); err != nil {
		return err
	}
	// What was sent to the former address must not work any more.
	if err := a.dropVouchers(ctx, tx, s.ID, musa.VoucherReset); err != nil {
		return err
	}
	if former != "" {
		told, err := a.order(ctx, tx, order{For: s.ID, Purpose: musa.VoucherChange, Content: change{former}})
		if err != nil {
			return err
		}
		if err := tx.QueueMail(ctx, db.Mail{Subject: s.ID, Kind: MailChanged, Object: string(told)}); err != nil {
			return err
		}
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: "address_changed", Role: by.Role, Subject: s.ID, Object: string(s.ID)})
}
