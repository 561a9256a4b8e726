package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"musa"
	"musa/db"
)

// passkeyWait is how long an authenticator may take to answer.
const passkeyWait = 5 * time.Minute

// passkeysMost is how many somebody may have.
const passkeysMost = 20

// passkeySeal is what of a passkey lies sealed. Its maker and model are not kept.
type passkeySeal struct {
	Name   string `json:"name"` // what its person calls it
	User   []byte `json:"user"` // the handle by which the authenticator knows the account
	ID     []byte `json:"id"`
	Key    []byte `json:"key"`   // public
	Count  uint32 `json:"count"` // of signatures; 0 where the authenticator does not count
	Synced bool   `json:"synced"`
}

// holder is somebody with passkeys, as the library sees them.
type holder struct {
	handle []byte
	held   []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (h holder) WebAuthnID() []byte { return h.handle }

// WebAuthnName implements webauthn.User. Authenticators show it; it names nobody.
func (h holder) WebAuthnName() string { return "Musa" }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return "Musa" }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.held }

func (p passkeySeal) credential() webauthn.Credential {
	c := webauthn.Credential{ID: p.ID, PublicKey: p.Key, Authenticator: webauthn.Authenticator{SignCount: p.Count}}
	c.Flags.BackupEligible = p.Synced
	return c
}

// Asking is a question for an authenticator. Options are WebAuthn's, for navigator.credentials;
// Ceremony comes back with the answer, once, and soon.
type Asking struct {
	Ceremony string
	Options  any
	Until    musa.Millis
}

// site is who we are to authenticators: the name of the studio's address.
func (a *Accounts) site() (*webauthn.WebAuthn, error) {
	u, err := url.Parse(a.PublicURL)
	if err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "passkeys_nameless",
			Public: "Passkeys belong to a name, and this studio is reached by a number. Its operator gives it one with the setting public-url."}
	}
	required := true
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: u.Hostname(), RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: &required, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return w, nil
}

// asked makes a ceremony's secret, and its voucher. The challenge follows from the secret, so that
// it lies nowhere.
func (a *Accounts) asked(ctx context.Context, subject musa.SubjectID) (secret string, until musa.Millis, err error) {
	secret = newSecret("")
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		until = tx.Now.Add(passkeyWait)
		return tx.InsertVoucher(ctx, db.Voucher{ID: musa.NewVoucherID(a.Clock()), Subject: subject, Purpose: musa.VoucherPasskey,
			Digest: a.Keys.Digest("passkey ceremony", secret), Created: tx.Now, Expires: until})
	})
	if err != nil {
		return "", 0, fmt.Errorf("begin ceremony: %w", err)
	}
	return secret, until, nil
}

func (a *Accounts) challenge(secret string) []byte {
	return a.Keys.Digest("passkey challenge", secret)
}

// answered spends a ceremony's voucher. It has to be the same subject's that began it.
func (a *Accounts) answered(ctx context.Context, secret string, subject musa.SubjectID) error {
	return a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		v, err := tx.VoucherBy(ctx, a.Keys.Digest("passkey ceremony", secret))
		if errors.Is(err, musa.ErrNotFound) || err == nil && (v.Purpose != musa.VoucherPasskey || v.Subject != subject) {
			return linkOver()
		}
		if err != nil {
			return err
		}
		return tx.DropVouchers(ctx, v.ID)
	})
}

// creation is the same question for the same ceremony, when it is asked and when it is answered.
func (a *Accounts) creation(ctx context.Context, by musa.Actor, secret string) (*webauthn.WebAuthn, holder, *protocol.CredentialCreation, *webauthn.SessionData, error) {
	site, err := a.site()
	if err != nil {
		return nil, holder{}, nil, nil, err
	}
	h := holder{handle: a.Keys.Digest("passkey holder", string(by.Subject))}
	if h.held, err = a.passkeys(ctx, by); err != nil {
		return nil, holder{}, nil, nil, err
	}
	if len(h.held) >= passkeysMost {
		return nil, holder{}, nil, nil, &musa.Problem{Kind: musa.ErrConflict, Code: "passkeys_full",
			Public: fmt.Sprintf("You have %d passkeys already. Remove one that is not used.", passkeysMost)}
	}
	options, session, err := site.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.held).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = a.challenge(secret)
			return nil
		})
	return site, h, options, session, err
}

// passkeys opens the credentials of somebody who is signed in.
func (a *Accounts) passkeys(ctx context.Context, by musa.Actor) (held []webauthn.Credential, err error) {
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		held = nil
		list, err := tx.LoginsOf(ctx, by.Subject)
		for _, l := range list {
			if l.Kind != musa.LoginPasskey {
				continue
			}
			var s passkeySeal
			if err := a.Vault.OpenOwn(ctx, tx, by, musa.PurposeSignIn, musa.CategoryCredential, string(l.ID), &s); err != nil {
				return err
			}
			held = append(held, s.credential())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", by.Subject, err)
	}
	return held, nil
}

// BeginPasskey asks an authenticator for a new passkey: another way in for a person who proved who
// they are, or the first one of a guest, who becomes a person with it.
func (a *Accounts) BeginPasskey(ctx context.Context, by musa.Actor) (Asking, error) {
	if err := a.mayAdd(ctx, by); err != nil {
		return Asking{}, err
	}
	secret, until, err := a.asked(ctx, by.Subject)
	if err != nil {
		return Asking{}, err
	}
	_, _, options, _, err := a.creation(ctx, by, secret)
	if err != nil {
		return Asking{}, err
	}
	return Asking{Ceremony: secret, Options: options, Until: until}, nil
}

func (a *Accounts) mayAdd(ctx context.Context, by musa.Actor) error {
	if by.Tier == musa.TierGuest && by.Role == musa.RoleSubject && by.Key == "" {
		return nil
	}
	return a.personal(ctx, by)
}

// PasskeyAnswer is what an authenticator made.
type PasskeyAnswer struct {
	Ceremony   string
	Credential json.RawMessage // of navigator.credentials, as JSON
	Name       string          // of a new one, for its person
	Newcomer   Newcomer        // of a guest who becomes a person
}

func (p PasskeyAnswer) name() string {
	if p.Name == "" {
		return "Passkey"
	}
	return p.Name
}

// FinishPasskey keeps a new passkey. A guest becomes a person and is signed in anew; for somebody
// who has an account the answer is empty.
func (a *Accounts) FinishPasskey(ctx context.Context, by musa.Actor, p PasskeyAnswer, from Visitor) (Entry, error) {
	if err := errors.Join(named(p.name()), a.mayAdd(ctx, by)); err != nil {
		return Entry{}, err
	}
	var n newcomer
	if by.Tier == musa.TierGuest {
		var err error
		if n, err = a.admissible(ctx, by, p.Newcomer, from); err != nil {
			return Entry{}, err
		}
	}
	site, h, _, session, err := a.creation(ctx, by, p.Ceremony)
	if err != nil {
		return Entry{}, err
	}
	if err := a.answered(ctx, p.Ceremony, by.Subject); err != nil {
		return Entry{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(p.Credential)
	if err != nil {
		return Entry{}, passkeyWrong(err)
	}
	c, err := site.CreateCredential(h, *session, parsed)
	if err != nil {
		return Entry{}, passkeyWrong(err)
	}
	kept := passkeySeal{Name: p.name(), User: h.handle, ID: c.ID, Key: c.PublicKey, Count: c.Authenticator.SignCount, Synced: c.Flags.BackupEligible}
	var in Entry
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		in = Entry{}
		l := db.Login{ID: musa.NewLoginID(a.Clock()), Subject: by.Subject, Kind: musa.LoginPasskey, Handle: a.passkeyHandle(c.ID), Created: tx.Now, Used: tx.Now}
		err := tx.InsertLogin(ctx, l)
		if errors.Is(err, musa.ErrConflict) {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "passkey_known", Public: "This passkey is in use already. Sign in with it, or make another."}
		}
		if err != nil {
			return err
		}
		if err := a.Vault.SealOwn(ctx, tx, by.Subject, string(l.ID), kept); err != nil {
			return err
		}
		if by.Tier != musa.TierGuest {
			return a.factorChanged(ctx, tx, by, "passkey_added")
		}
		in, err = a.joined(ctx, tx, by, n, from)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("keep passkey of %s: %w", by.Subject, err)
	}
	if in.Subject == "" {
		return in, nil
	}
	return in, a.Settle(ctx, in.Subject)
}

func (a *Accounts) passkeyHandle(id []byte) []byte {
	return a.Keys.Digest("passkey", base64.RawURLEncoding.EncodeToString(id))
}

// passkeyWrong is the one answer to all that is wrong with an authenticator's.
func passkeyWrong(cause error) error {
	// Only words go along: what kind of error it was would answer differently, and the library's
	// details quote what was sent.
	why := cause.Error()
	var p *protocol.Error
	if errors.As(cause, &p) {
		why = p.Type
	}
	cause = errors.New(why)
	return &musa.Problem{Kind: musa.ErrRefused, Code: "passkey_wrong", Cause: cause,
		Public: "This passkey did not convince us: it is unknown here, belongs to another site, or was not unlocked. Try again, or sign in another way."}
}
