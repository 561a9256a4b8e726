package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"musa"
	"musa/db"
)

// BeginPasskeySignIn asks whatever authenticator there is who somebody is.
func (a *Accounts) BeginPasskeySignIn(ctx context.Context, from Visitor) (Asking, error) {
	if err := a.Limit(ctx, "passkey", from.Network(), passkeyBegins, time.Minute); err != nil {
		return Asking{}, err
	}
	secret, until, err := a.asked(ctx, "")
	if err != nil {
		return Asking{}, err
	}
	_, options, _, err := a.assertion(secret)
	if err != nil {
		return Asking{}, err
	}
	return Asking{Ceremony: secret, Options: options, Until: until}, nil
}

// passkeyBegins is how many sign-ins may begin from one network in a minute.
const passkeyBegins = 60

func (a *Accounts) assertion(secret string) (*webauthn.WebAuthn, *protocol.CredentialAssertion, *webauthn.SessionData, error) {
	site, err := a.site()
	if err != nil {
		return nil, nil, nil, err
	}
	options, session, err := site.BeginDiscoverableLogin(webauthn.WithChallenge(a.challenge(secret)))
	return site, options, session, err
}

// FinishPasskeySignIn signs in whoever holds the passkey. It is two factors in one: the
// authenticator, and what unlocked it. ErrRefused, in the same words, for everything that does
// not fit; a passkey whose counter went back was copied, and signs nobody in.
func (a *Accounts) FinishPasskeySignIn(ctx context.Context, p PasskeyAnswer, from Visitor) (in Entry, err error) {
	err = a.present(ctx, p, "", func(ctx context.Context, tx db.Tx, sub db.Subject) (err error) {
		in, err = a.enter(ctx, tx, sub, from)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("sign in with a passkey: %w", err)
	}
	return in, nil
}

// present takes an authenticator's answer to what was asked of one person, or of nobody known (""),
// and does in the transaction that counts it what it was asked for.
func (a *Accounts) present(ctx context.Context, p PasskeyAnswer, whose musa.SubjectID, then func(context.Context, db.Tx, db.Subject) error) error {
	site, _, session, err := a.assertion(p.Ceremony)
	if err != nil {
		return err
	}
	if err := a.answered(ctx, p.Ceremony, whose); err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(p.Credential)
	if err != nil {
		return passkeyWrong(err)
	}
	copied := false
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		l, err := tx.LoginBy(ctx, musa.LoginPasskey, a.passkeyHandle(parsed.RawID))
		if errors.Is(err, musa.ErrNotFound) || err == nil && whose != "" && l.Subject != whose {
			return passkeyWrong(musa.ErrNotFound)
		}
		if err != nil {
			return err
		}
		sub, err := tx.Subject(ctx, l.Subject)
		if err != nil {
			return err
		}
		if copied, err = a.convinced(ctx, tx, sub, l, proof{site, session, parsed}); err != nil || copied {
			return err
		}
		return then(ctx, tx, sub)
	})
	if err == nil && copied {
		err = passkeyCopied()
	}
	return err
}

// proof is an authenticator's answer, and what it was asked.
type proof struct {
	site    *webauthn.WebAuthn
	session *webauthn.SessionData
	answer  *protocol.ParsedCredentialAssertionData
}

// convinced checks an answer by what is kept of its passkey, and counts it. A passkey whose counter
// went back exists twice: its person is told, and nobody is let in.
func (a *Accounts) convinced(ctx context.Context, tx db.Tx, sub db.Subject, l db.Login, p proof) (copied bool, err error) {
	var s passkeySeal
	if err := a.Vault.OpenOwn(ctx, tx, self(sub), musa.PurposeSignIn, musa.CategoryCredential, string(l.ID), &s); err != nil {
		return false, err
	}
	found := func(_, _ []byte) (webauthn.User, error) {
		return holder{handle: s.User, held: []webauthn.Credential{s.credential()}}, nil
	}
	c, err := p.site.ValidateDiscoverableLogin(found, *p.session, p.answer)
	if err != nil {
		return false, passkeyWrong(err)
	}
	if c.Authenticator.CloneWarning {
		return true, a.factorChanged(ctx, tx, self(sub), "passkey_copied")
	}
	if s.Count != c.Authenticator.SignCount {
		s.Count = c.Authenticator.SignCount
		if err := errors.Join(tx.DropSecrets(ctx, string(l.ID)), a.Vault.SealOwn(ctx, tx, sub.ID, string(l.ID), s)); err != nil {
			return false, err
		}
	}
	return false, tx.TouchLogin(ctx, l.ID)
}

func passkeyCopied() error { return passkeyWrong(errors.New("the counter went back")) }

// BeginPasskeyProof asks a passkey of the actor's whether it is them.
func (a *Accounts) BeginPasskeyProof(ctx context.Context, by musa.Actor) (Asking, error) {
	if err := provable(by); err != nil {
		return Asking{}, err
	}
	secret, until, err := a.asked(ctx, by.Subject)
	if err != nil {
		return Asking{}, err
	}
	_, options, _, err := a.assertion(secret)
	if err != nil {
		return Asking{}, err
	}
	return Asking{Ceremony: secret, Options: options, Until: until}, nil
}

func provable(by musa.Actor) error {
	if by.Session == "" || by.Tier == musa.TierGuest || by.Person != "" {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "account_needed", Public: "Only somebody who is signed in to their own account can prove who they are."}
	}
	return nil
}

// ProveByPasskey proves by a passkey of the actor's that the session's person is there.
func (a *Accounts) ProveByPasskey(ctx context.Context, by musa.Actor, p PasskeyAnswer) error {
	if err := provable(by); err != nil {
		return err
	}
	err := a.present(ctx, p, by.Subject, func(ctx context.Context, tx db.Tx, _ db.Subject) error { return tx.ProveSession(ctx, by.Session) })
	if err != nil {
		return fmt.Errorf("prove %s: %w", by.Session, err)
	}
	return nil
}
