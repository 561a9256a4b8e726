// Package account knows who is at the door: guests, people with an account, and their sessions.
//
// It promises that a session's token and the secret of a link are stored only as keyed digests and
// shown once, that a password is kept as argon2id alone, that no answer tells a stranger, by its
// words or by the work done for it, whether an address has an account, and that tries are counted
// so that nobody locks anybody else out. A guest is admitted with nothing but the policy's
// allowance: it keeps no name, address or device of a guest. It sends no mail: it orders one in the
// transaction of its cause, and draws a link's secret when the mail leaves.
package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/seal"
	"musa/vault"
)

// touchEvery bounds how often a session's last use is written: it is a coarse fact for
// the policy's `last_seen`, not a trace of behaviour. A session that lasts shorter is
// written more often, so that its use counts.
const (
	touchEvery = 5 * time.Minute
	touchParts = 10 // of a session's life
)

const tokenPrefix = "musa_"

// Config is what Accounts leans on. All fields are needed, but those that say otherwise.
type Config struct {
	DB      *db.DB
	Vault   *vault.Vault
	Keys    *seal.Keyset
	Consent *consent.Book
	Clock   musa.Clock
	Policy  func() *policy.Document
	// Promote is a guest's row in the tier of those who have an account, by a document's rules.
	Promote func(*policy.Document, db.Subject, musa.Tier, musa.Millis) (db.Subject, error)
	// Follow has all that is an owner's follow them into another tier, after the commit.
	Follow func(context.Context, musa.SubjectID) error
	// Mails says why no mail can go out, or nil; without mail nobody signs up by e-mail.
	Mails func() error
	// Allowance is how many credits a new guest gets.
	Allowance int64
	// Guests is how many guests one network may begin in an hour.
	Guests int
	// Passwords is what hashing one takes; what is stated if zero.
	Passwords Cost
	// Session is how long an unused session lasts.
	Session time.Duration
	// PublicURL is the address that people use: passkeys belong to its name, and providers send
	// people back to it.
	PublicURL string
	// Providers are the identity providers that the settings name; there may be none.
	Providers []Provider
}

// Accounts admits and identifies people. Safe for concurrent use.
type Accounts struct {
	Config
	turns   turns
	refused refusals
	met     discovered
}

// New makes Accounts.
func New(c Config) *Accounts {
	c.Passwords = cmp.Or(c.Passwords, Stated)
	return &Accounts{Config: c, turns: newTurns()}
}

// Guest is a newly admitted guest. Token is shown once and stored nowhere.
type Guest struct {
	Token   string
	Subject musa.SubjectID
	Tier    musa.Tier
	Credits int64
	Expires musa.Millis
}

// home is what a server on this machine is reached from by this machine.
var home = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// AdmitFrom is Admit for a visitor: one network begins only so many guests in an hour, each of whom
// brings an allowance, a key and rows. ErrLimited beyond. This machine itself is not counted: it is
// a proxy that nobody declared, with everybody behind it, or the operator.
func (a *Accounts) AdmitFrom(ctx context.Context, v Visitor) (Guest, error) {
	if addr := v.Addr.Unmap(); addr == home || addr == netip.IPv6Loopback() {
		return a.Admit(ctx)
	}
	if err := a.Limit(ctx, "guest", v.Network(), a.Guests, time.Hour); err != nil {
		return Guest{}, err
	}
	return a.Admit(ctx)
}

// Profile is what a person sees about their own account.
type Profile struct {
	Subject       musa.SubjectID
	Tier          musa.Tier
	Credits, Held int64
	Created       musa.Millis
}

// Admit makes a guest: a subject with its own key, a session and the allowance, in one
// transaction.
func (a *Accounts) Admit(ctx context.Context) (Guest, error) {
	now := a.Clock()
	doc := a.Policy()
	if _, ok := doc.Tiers.Get(string(musa.TierGuest)); !ok {
		return Guest{}, &musa.Problem{Kind: musa.ErrRefused, Code: "guests_refused",
			Public: "This studio's policy admits no guests. Sign in to use it."}
	}
	if err := signIn(doc); err != nil {
		return Guest{}, err
	}
	g := Guest{Subject: musa.NewSubjectID(now), Tier: musa.TierGuest, Credits: a.Allowance}
	token := newToken()
	g.Token = token
	wrapped, err := a.Vault.NewSubject(g.Subject)
	if err != nil {
		return Guest{}, fmt.Errorf("key for %s: %w", g.Subject, err)
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		g.Expires = a.expires(tx.Now, g.Tier)
		s := db.Subject{ID: g.Subject, Kind: musa.SubjectGuest, Tier: g.Tier, State: musa.SubjectActive,
			Created: tx.Now, LastSeen: tx.Now, PolicyVersion: doc.Ref()}
		if err := tx.InsertSubject(ctx, s, wrapped); err != nil {
			return err
		}
		if err := tx.InsertSession(ctx, db.Session{ID: musa.NewSessionID(now), Subject: g.Subject,
			Digest: a.digest(token), Created: tx.Now, LastSeen: tx.Now, Expires: g.Expires}); err != nil {
			return err
		}
		if err := tx.Grant(ctx, g.Subject, a.Allowance); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "guest_admitted", Role: musa.RoleSubject, Subject: g.Subject, Object: string(g.Subject)})
	})
	if err != nil {
		return Guest{}, fmt.Errorf("admit guest: %w", err)
	}
	return g, nil
}

// signIn refuses new sessions where the document does not name what they are for.
func signIn(doc *policy.Document) error {
	if p, ok := doc.Purposes.Get(string(musa.PurposeSignIn)); ok && p.Uses.Has(string(musa.CategoryCredential)) {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "purpose_undeclared",
		Public: "The policy names no purpose for sessions (purposes.sign_in), so none can begin. Only its operator can change that."}
}

// Identify turns a token into the actor it stands for; ErrUnauthorized for an unknown,
// ended or expired one, in the same words. It notes the device again where what was known of it has
// come to its end.
func (a *Accounts) Identify(ctx context.Context, token string, v Visitor) (musa.Actor, error) {
	var (
		s     db.Session
		sub   db.Subject
		stale bool
	)
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		s, sub, err = tx.SessionByDigest(ctx, a.digest(token))
		stale = s.LastSeen+min(musa.Millis(touchEvery.Milliseconds()), (s.Expires-s.LastSeen)/touchParts) <= tx.Now
		return err
	})
	if err == nil && stale && sub.State == musa.SubjectActive {
		err = a.touch(ctx, s, sub, v)
	}
	if errors.Is(err, musa.ErrNotFound) {
		return musa.Actor{}, &musa.Problem{Kind: musa.ErrUnauthorized, Code: "session_unknown",
			Public: "This session has ended or never was. Start a new one (POST /api/guests) or reload the page."}
	}
	if err != nil {
		return musa.Actor{}, fmt.Errorf("identify session: %w", err)
	}
	return musa.Actor{Subject: sub.ID, Session: s.ID, Tier: sub.Tier, Role: musa.RoleSubject, Closed: sub.Closed, Standing: sub.Standing(),
		Suspended: sub.State == musa.SubjectSuspended, Thread: s.Thread}, nil
}

// expires is when a session ends that is used now: after the setting's time, or when the
// policy ends its owner's credentials or account, whichever is first.
func (a *Accounts) expires(now musa.Millis, tier musa.Tier) musa.Millis {
	at := now.Add(a.Session)
	for _, c := range []musa.Category{musa.CategoryCredential, musa.CategoryAccount} {
		if end := a.Policy().End(policy.Item{Category: c, Tier: tier, LastSeen: now}).At; end > 0 {
			at = min(at, end)
		}
	}
	return at
}

func (a *Accounts) touch(ctx context.Context, s db.Session, owner db.Subject, v Visitor) error {
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.TouchSession(ctx, s.ID, a.expires(tx.Now, owner.Tier)); err != nil {
			return err
		}
		if err := a.renewed(ctx, tx, s, owner, v); err != nil {
			return err
		}
		return tx.TouchSubject(ctx, s.Subject)
	})
	if err != nil {
		return fmt.Errorf("touch %s: %w", s.ID, err)
	}
	return nil
}

// Profile tells a person about their own account.
func (a *Accounts) Profile(ctx context.Context, by musa.Actor) (Profile, error) {
	p := Profile{Subject: by.Subject, Tier: by.Tier}
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		sub, err := tx.Subject(ctx, by.Subject)
		if err != nil {
			return err
		}
		acc, err := tx.Account(ctx, by.Subject)
		if err != nil {
			return err
		}
		p.Created, p.Credits, p.Held = sub.Created, acc.Balance, acc.Held
		return nil
	})
	if err != nil {
		return Profile{}, fmt.Errorf("profile of %s: %w", by.Subject, err)
	}
	return p, nil
}

func (a *Accounts) digest(token string) []byte { return a.Keys.Digest("session", token) }

func newToken() string {
	var raw [32]byte
	rand.Read(raw[:])
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
}
