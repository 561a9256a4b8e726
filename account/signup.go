package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/db"
)

// How often one network, and one address from one network, may begin an account or ask for a mail.
const (
	signUpTries  = 20
	mailTries    = 4
	signUpWindow = time.Hour
	// lettersMost is how many mails an address gets within that time because of what is typed here.
	lettersMost = 5
)

// SignUp is what somebody gives for an account by e-mail.
type SignUp struct {
	Person
	Origin
	Password string
}

// pending is what a voucher to sign up holds: all that makes the account, once the address is
// confirmed. Nothing of it is there where the address leads to an account already.
type pending struct {
	Person
	Hash   Hash   `json:"hash"`
	Region string `json:"region"`
}

// SignUp begins an account: a mail goes to the address, and the link in it makes the account of
// the guest who asks, or of nobody's yet. Whether the address leads to an account already is told
// to its holder alone, by mail; the answer is the same, and so is what is done for it.
//
// ErrUnavailable where the studio sends no mail; ErrInvalid for a field; ErrRefused for somebody
// who may have no account. Promises E-01, C-02, C-34.
func (a *Accounts) SignUp(ctx context.Context, by musa.Actor, v Visitor, in SignUp) error {
	if err := a.takes(); err != nil {
		return err
	}
	if err := a.Limit(ctx, "sign up", v.Network(), signUpTries, signUpWindow); err != nil {
		return err
	}
	address, err := Address(in.Email)
	if err != nil {
		return err
	}
	in.Person.Email = address
	if err := a.fields(in.Person); err != nil {
		return err
	}
	if err := usable(in.Password, in.Email, in.Name, in.Username); err != nil {
		return err
	}
	region, err := a.screen(ctx, by, v, in.Origin)
	if err != nil {
		return err
	}
	if err := a.Limit(ctx, "mail", address+" "+v.Network(), mailTries, signUpWindow); err != nil {
		return err
	}
	h, err := a.hash(ctx, in.Password)
	if err != nil {
		return err
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return a.propose(ctx, tx, by, pending{Person: in.Person, Hash: h, Region: region})
	})
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	return nil
}

// takes refuses sign-up where no mail can go out or the policy has no tier with an account.
func (a *Accounts) takes() error {
	if err := a.Mails(); err != nil {
		return err
	}
	if line, ok := a.Policy().Tiers.Get(string(musa.TierMember)); !ok || !line.Account.On() {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "accounts_refused", Public: "This studio's policy lets nobody have an account."}
	}
	return signIn(a.Policy())
}

// propose makes the voucher and the mail, or where there is an account already, the mail to its
// holder and a voucher that nobody will be sent.
func (a *Accounts) propose(ctx context.Context, tx db.Tx, by musa.Actor, p pending) error {
	whose, err := a.beginner(ctx, tx, by)
	if err != nil {
		return err
	}
	may, err := a.mayWrite(ctx, tx, lettersAny, p.Email)
	if err != nil || !may {
		return errors.Join(err, a.pretend(ctx, tx))
	}
	known, err := tx.AddressBy(ctx, a.digestOf(p.Email))
	m := db.Mail{Subject: whose, Kind: MailSignUp}
	switch {
	case err == nil:
		m.Subject, m.Kind, p = known.Subject, MailKnown, pending{}
	case !errors.Is(err, musa.ErrNotFound):
		return err
	}
	// A person who asks again gets one link that works: the last.
	if err := a.dropVouchers(ctx, tx, whose, musa.VoucherSignUp); err != nil {
		return err
	}
	id, err := a.order(ctx, tx, order{For: whose, Purpose: musa.VoucherSignUp, Content: p})
	if err != nil {
		return err
	}
	if m.Kind == MailSignUp {
		m.Object = string(id)
	}
	return tx.QueueMail(ctx, m)
}

// beginner is the guest who signs up; one who was none yet becomes one, without a session. Who is
// signed in to an account begins another.
func (a *Accounts) beginner(ctx context.Context, tx db.Tx, by musa.Actor) (musa.SubjectID, error) {
	if by.Subject != "" && by.Tier == musa.TierGuest && by.Person == "" && by.Closed == 0 {
		return by.Subject, nil
	}
	s, err := a.newGuest(ctx, tx)
	return s.ID, err
}

// Confirm makes the account that a voucher stands for. Whoever comes in the session that signed up,
// or knows the password besides, is signed in with a new token; to others the entry has no token:
// the link proves the address, and an account that somebody began with another's address is
// nothing to be led into. ErrGone for a link that does not work (any more).
func (a *Accounts) Confirm(ctx context.Context, by musa.Actor, v Visitor, secret, password string) (Entry, error) {
	if err := a.guessed(ctx, v); err != nil {
		return Entry{}, err
	}
	p, err := a.peek(ctx, secret)
	if err != nil {
		return Entry{}, err
	}
	knows := false
	if password != "" {
		if knows, err = a.matches(ctx, &p.Hash, password); err != nil {
			return Entry{}, err
		}
		if !knows {
			return Entry{}, &musa.Problem{Kind: musa.ErrRefused, Code: "password_wrong", Field: "password",
				Public: "This is not the password that was given at sign-up. Try again, or sign up anew."}
		}
	}
	var e Entry
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var p pending
		s, err := a.redeem(ctx, tx, musa.VoucherSignUp, secret, &p)
		if err != nil {
			return err
		}
		s, err = a.become(ctx, tx, s, newcomer{Person: p.Person, Region: p.Region, Address: p.Email})
		if errors.Is(err, musa.ErrConflict) {
			return linkOver() // somebody was faster with the address, or with this guest
		}
		if err != nil {
			return err
		}
		if err := a.setPassword(ctx, tx, s, p.Hash); err != nil {
			return err
		}
		e = Entry{Subject: s.ID, Tier: s.Tier}
		if knows || by.Subject == s.ID {
			e, err = a.enter(ctx, tx, s, v)
		}
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("confirm: %w", err)
	}
	return e, a.Settle(ctx, e.Subject)
}

// peek opens what a voucher to sign up holds without using it.
func (a *Accounts) peek(ctx context.Context, secret string) (p pending, err error) {
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		v, err := tx.VoucherBy(ctx, a.voucherDigest(secret))
		if errors.Is(err, musa.ErrNotFound) || err == nil && v.Purpose != musa.VoucherSignUp {
			return linkOver()
		}
		if err != nil {
			return err
		}
		s, err := tx.Subject(ctx, v.Subject)
		if err != nil {
			return err
		}
		err = a.Vault.OpenOwn(ctx, tx, self(s), musa.PurposeSignIn, musa.CategoryCredential, string(v.ID), &p)
		if errors.Is(err, musa.ErrNotFound) {
			return linkOver()
		}
		return err
	})
	return p, err
}

// fields refuses what the policy does not collect, and the lack of what it requires. Promise E-01.
func (a *Accounts) fields(p Person) error {
	line, _ := a.Policy().Categories.Get(string(musa.CategoryAccount))
	for _, f := range p.parts() {
		switch listed := line.Fields.Required.Has(f.name) || line.Fields.Optional.Has(f.name); {
		case f.value != "" && !listed:
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "field_uncollected", Field: f.name,
				Public: "This studio's policy does not collect that field. Leave it out."}
		case f.value == "" && line.Fields.Required.Has(f.name):
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "field_needed", Field: f.name, Public: "This field is needed for an account."}
		}
		if err := f.usable(); err != nil {
			return err
		}
	}
	return nil
}

// Fields are the parts of an account that the policy asks for, those that it requires first.
func (a *Accounts) Fields() (required, optional []string) {
	line, _ := a.Policy().Categories.Get(string(musa.CategoryAccount))
	return slices.Clone(line.Fields.Required), slices.Clone(line.Fields.Optional)
}
