// Package account knows who is at the door: guests and their sessions.
//
// It promises that a session's token is stored only as a keyed digest, that it is shown
// once, and that a guest is admitted with nothing but the policy's allowance. It keeps no
// name, address or device of a guest.
package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"musa"
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

// Config is what Accounts leans on. All fields are needed.
type Config struct {
	DB     *db.DB
	Vault  *vault.Vault
	Keys   *seal.Keyset
	Clock  musa.Clock
	Policy func() *policy.Document
	// Allowance is how many credits a new guest gets.
	Allowance int64
	// Session is how long an unused session lasts.
	Session time.Duration
}

// Accounts admits and identifies people.
type Accounts struct{ Config }

// New makes Accounts.
func New(c Config) *Accounts { return &Accounts{c} }

// Guest is a newly admitted guest. Token is shown once and stored nowhere.
type Guest struct {
	Token   string
	Subject musa.SubjectID
	Tier    musa.Tier
	Credits int64
	Expires musa.Millis
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

// Identify turns a token into the actor it stands for; ErrUnauthorized for an unknown,
// ended or expired one, in the same words.
func (a *Accounts) Identify(ctx context.Context, token string) (musa.Actor, error) {
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
	if err == nil && stale {
		err = a.touch(ctx, s, sub.Tier)
	}
	if errors.Is(err, musa.ErrNotFound) {
		return musa.Actor{}, &musa.Problem{Kind: musa.ErrUnauthorized, Code: "session_unknown",
			Public: "This session has ended or never was. Start a new one (POST /api/guests) or reload the page."}
	}
	if err != nil {
		return musa.Actor{}, fmt.Errorf("identify session: %w", err)
	}
	return musa.Actor{Subject: sub.ID, Session: s.ID, Tier: sub.Tier, Role: musa.RoleSubject}, nil
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

func (a *Accounts) touch(ctx context.Context, s db.Session, tier musa.Tier) error {
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.TouchSession(ctx, s.ID, a.expires(tx.Now, tier)); err != nil {
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
