package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"musa"
	"musa/db"
)

const (
	keyPrefix = "musak_"
	// keyDays bounds how long a key lasts; keyDaysUsual holds where nobody says.
	keyDays, keyDaysUsual = 366, 90
	// keysMost is how many live keys somebody may have.
	keysMost = 50
	// nameMost bounds the names that people give, in bytes.
	nameMost = 200
)

// Key is a key of the API as its owner sees it. Secret is set once, when it is made.
type Key struct {
	ID      musa.KeyID
	Name    string
	Scopes  []Scope
	Created musa.Millis
	Expires musa.Millis
	Used    musa.Millis // 0 for never; to a few minutes
	Secret  string
}

// KeyWish is what a new key should be.
type KeyWish struct {
	Name   string
	Scopes []Scope
	Days   int // until it expires; 0 for 90
}

type keySeal struct {
	Name string `json:"name"`
}

// NewKey makes a key of the API. Its secret is returned once and stored nowhere. The person has to
// have proved who they are: ErrRefused otherwise, and for a guest, who has no account.
func (a *Accounts) NewKey(ctx context.Context, by musa.Actor, w KeyWish) (Key, error) {
	if err := a.personal(ctx, by); err != nil {
		return Key{}, err
	}
	words, err := scopes(w.Scopes)
	if err != nil {
		return Key{}, err
	}
	if w.Days == 0 {
		w.Days = keyDaysUsual
	}
	if w.Days < 1 || w.Days > keyDays {
		return Key{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "key_days", Field: "days",
			Public: fmt.Sprintf("A key lasts between 1 and %d days. Make another one when it expires.", keyDays)}
	}
	if err := named(w.Name); err != nil {
		return Key{}, err
	}
	k := Key{ID: musa.NewKeyID(a.Clock()), Name: w.Name, Scopes: scopeList(words), Secret: newSecret(keyPrefix)}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, by.Subject); err != nil { // locks the owner: two at once are counted
			return err
		}
		held, err := tx.APIKeysOf(ctx, by.Subject)
		if err != nil {
			return err
		}
		if len(held) >= keysMost {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "keys_full",
				Public: fmt.Sprintf("You have %d keys already. Revoke one that is not used.", keysMost)}
		}
		k.Created, k.Expires = tx.Now, tx.Now.Add(time.Duration(w.Days)*24*time.Hour)
		if err := tx.InsertAPIKey(ctx, db.APIKey{ID: k.ID, Subject: by.Subject, Digest: a.Keys.Digest("api key", k.Secret),
			Scopes: words, Created: k.Created, Expires: k.Expires}); err != nil {
			return err
		}
		if err := a.Vault.SealOwn(ctx, tx, by.Subject, string(k.ID), keySeal{k.Name}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "api_key_made", Role: by.Role, Subject: by.Subject, Object: string(k.ID)})
	})
	if err != nil {
		return Key{}, fmt.Errorf("new key of %s: %w", by.Subject, err)
	}
	return k, nil
}

// named refuses a name that is none, too long, or no text of one line.
func named(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > nameMost || !utf8.ValidString(name) || strings.ContainsFunc(name, part{}.stray) {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "name_unusable", Field: "name",
			Public: fmt.Sprintf("Give a name of one line, at most %d bytes long.", nameMost)}
	}
	return nil
}

// personal refuses whoever has no account, or did not prove just now to be its person.
func (a *Accounts) personal(ctx context.Context, by musa.Actor) error {
	if by.Role != musa.RoleSubject || by.Person != "" {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "person_needed",
			Public: "This is a person's own. Ask without naming a workspace."}
	}
	if by.Tier == musa.TierGuest || by.Closed != 0 {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "account_needed",
			Public: "This needs an account. Make one first: what you have here stays yours."}
	}
	return a.Proved(ctx, by)
}

// APIKeys lists the actor's keys.
func (a *Accounts) APIKeys(ctx context.Context, by musa.Actor) ([]Key, error) {
	var list []Key
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list = nil
		rows, err := tx.APIKeysOf(ctx, by.Subject)
		if err != nil {
			return err
		}
		for _, r := range rows {
			var s keySeal
			if err := a.Vault.OpenOwn(ctx, tx, by, musa.PurposeSignIn, musa.CategoryCredential, string(r.ID), &s); err != nil {
				return err
			}
			list = append(list, Key{ID: r.ID, Name: s.Name, Scopes: scopeList(r.Scopes), Created: r.Created, Expires: r.Expires, Used: r.Used})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keys of %s: %w", by.Subject, err)
	}
	return list, nil
}

// RevokeKey ends a key at once; musa.ErrNotFound for another's.
func (a *Accounts) RevokeKey(ctx context.Context, by musa.Actor, id musa.KeyID) error {
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.DropAPIKey(ctx, by.Subject, id); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "api_key_revoked", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return fmt.Errorf("revoke key %s: %w", id, err)
	}
	return nil
}

// IsKey says that a token is a key of the API, not a session's.
func IsKey(token string) bool { return strings.HasPrefix(token, keyPrefix) }

// Unlock turns a key of the API into the actor it stands for, for something that a scope covers.
// ErrUnauthorized for an unknown, revoked or expired key, in the same words; ErrRefused where the
// key is good for other things only. An empty scope is one that no key has.
func (a *Accounts) Unlock(ctx context.Context, secret string, scope Scope) (musa.Actor, error) {
	var (
		k     db.APIKey
		sub   db.Subject
		stale bool
	)
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		k, sub, err = tx.APIKeyBy(ctx, a.Keys.Digest("api key", secret))
		stale = k.Used+musa.Millis(touchEvery.Milliseconds()) <= tx.Now
		return err
	})
	if err == nil && stale {
		err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if err := tx.TouchAPIKey(ctx, k.ID); err != nil {
				return err
			}
			return tx.TouchSubject(ctx, k.Subject)
		})
	}
	if errors.Is(err, musa.ErrNotFound) {
		return musa.Actor{}, &musa.Problem{Kind: musa.ErrUnauthorized, Code: "key_unknown",
			Public: "This key has expired, was revoked, or never was. Its owner makes another one under “API keys”."}
	}
	if err != nil {
		return musa.Actor{}, fmt.Errorf("unlock with a key: %w", err)
	}
	if scope == "" || !slices.Contains(scopeList(k.Scopes), scope) {
		return musa.Actor{}, outOfScope(scope)
	}
	return musa.Actor{Subject: sub.ID, Tier: sub.Tier, Role: musa.RoleSubject, Standing: sub.Standing(), Key: k.ID}, nil
}

// Covers refuses a key of the API without a scope, for what a request does besides the act of its
// route. Who comes in a session passes.
func (a *Accounts) Covers(ctx context.Context, by musa.Actor, scope Scope) error {
	if by.Key == "" {
		return nil
	}
	owner := cmp.Or(by.Person, by.Subject)
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		held, err := tx.APIKeysOf(ctx, owner)
		if err == nil && !slices.ContainsFunc(held, func(k db.APIKey) bool { return k.ID == by.Key && slices.Contains(scopeList(k.Scopes), scope) }) {
			err = outOfScope(scope)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("scope of %s: %w", by.Key, err)
	}
	return nil
}

func outOfScope(scope Scope) error {
	if scope == "" {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "key_never",
			Public: "No key may do this. Sign in as the person whose account it is."}
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "scope_missing",
		Public: fmt.Sprintf("This key may not do this: it lacks the scope %s. Make one that has it.", scope)}
}

func newSecret(prefix string) string {
	var raw [32]byte
	rand.Read(raw[:])
	return prefix + base64.RawURLEncoding.EncodeToString(raw[:])
}
