package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"musa"
	"musa/db"
)

// Cost is what argon2id takes for one hash.
type Cost struct {
	Memory uint32 // KiB
	Time   uint32 // passes over it
}

// Stated is what the claim argon2id_passwords stands for: the least that OWASP recommends.
var Stated = Cost{Memory: 19 << 10, Time: 2}

const (
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

const (
	passwordLeast = 8
	passwordMost  = 256 // characters
	// passwordQueue is how many may wait for their turn to be hashed; whoever comes then is
	// asked to come again, so that a flood of guesses takes neither memory nor the processor.
	passwordQueue = 64
	// passwordTurns is how many are hashed at once on a node, 19 MiB each.
	passwordTurns = 4
)

// Hash is a password as it is kept: argon2id with its own salt and what it cost. It lies sealed
// under its login's id.
type Hash struct {
	Salt    []byte `json:"salt"`
	Key     []byte `json:"key"`
	Memory  uint32 `json:"memory"` // KiB
	Time    uint32 `json:"time"`
	Threads uint8  `json:"threads"`
}

// turns is who hashes now and who waits.
type turns struct {
	slots chan struct{}
	queue chan struct{}
}

func newTurns() turns {
	return turns{make(chan struct{}, passwordTurns), make(chan struct{}, passwordQueue)}
}

// take waits for a turn. Call the returned function when done.
func (t turns) take(ctx context.Context) (func(), error) {
	select {
	case t.queue <- struct{}{}:
	default:
		return nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "sign_in_busy",
			Public: "Many people are signing in just now. Try again in a few seconds."}
	}
	defer func() { <-t.queue }()
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash makes what is kept of a password. It takes a few dozen milliseconds.
func (a *Accounts) hash(ctx context.Context, password string) (Hash, error) {
	done, err := a.turns.take(ctx)
	if err != nil {
		return Hash{}, err
	}
	defer done()
	h := a.Passwords.blank()
	h.Key = h.of(password)
	return h, nil
}

// blank is a hash of no password yet, with a salt of its own.
func (c Cost) blank() Hash {
	h := Hash{Salt: make([]byte, argonSalt), Key: make([]byte, argonKey), Memory: c.Memory, Time: c.Time, Threads: argonThreads}
	rand.Read(h.Salt)
	return h
}

func (h Hash) of(password string) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), h.Salt, h.Time, h.Memory, h.Threads, argonKey)
}

// matches compares a password with what is kept of one. Where nothing is, it compares with
// nothing: that takes as long as it takes elsewhere.
func (a *Accounts) matches(ctx context.Context, kept *Hash, password string) (bool, error) {
	h := a.Passwords.blank()
	if kept != nil {
		h = *kept
	}
	done, err := a.turns.take(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	return subtle.ConstantTimeCompare(h.of(password), h.Key) == 1 && kept != nil, nil
}

// usable refuses a new password that is too short, too long, known to thieves, or a part of what
// else stands in the account.
func usable(password string, others ...string) error {
	wrong := func(code, public string) error {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: code, Field: "password", Public: public}
	}
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return wrong("password_unusable", "The password holds bytes that are no text. Type another.")
	case n < passwordLeast:
		return wrong("password_short", fmt.Sprintf("The password is too short. Take at least %d characters; a few words are easy to keep in mind.", passwordLeast))
	case n > passwordMost:
		return wrong("password_long", fmt.Sprintf("The password is too long. Take at most %d characters.", passwordMost))
	}
	for _, o := range others {
		if o != "" && strings.EqualFold(o, password) {
			return wrong("password_guessable", "The password is your name or address, which others know. Take another.")
		}
	}
	if breached(password) {
		return wrong("password_breached", "This password stands in published lists of stolen passwords and is tried first. Take another.")
	}
	return nil
}

// passwordOf finds the password that a person signs in with, and what is kept of it; nil where
// there is none.
func (a *Accounts) passwordOf(ctx context.Context, tx db.Tx, s db.Subject) (*db.Login, *Hash, error) {
	list, err := tx.LoginsOf(ctx, s.ID)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range list {
		if l.Kind != musa.LoginPassword {
			continue
		}
		var h Hash
		if err := a.Vault.OpenOwn(ctx, tx, self(s), musa.PurposeSignIn, musa.CategoryCredential, string(l.ID), &h); err != nil {
			return nil, nil, err
		}
		return &l, &h, nil
	}
	return nil, nil, nil
}

// setPassword puts a password in the place of the former. The login is a new one: no copy of the
// store brings the former back.
func (a *Accounts) setPassword(ctx context.Context, tx db.Tx, s db.Subject, h Hash) error {
	list, err := tx.LoginsOf(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.Kind == musa.LoginPassword {
			if err := tx.DropLogin(ctx, l.ID); err != nil {
				return err
			}
		}
	}
	// What the former let somebody begin, and links that set another, are over. The guesses at the
	// second factor are not: who reads the mails of an account could begin them anew by a reset.
	for _, p := range []musa.VoucherPurpose{musa.VoucherFactor, musa.VoucherReset} {
		if err := a.dropVouchers(ctx, tx, s.ID, p); err != nil {
			return err
		}
	}
	l := db.Login{ID: musa.NewLoginID(tx.Now.Time()), Subject: s.ID, Kind: musa.LoginPassword, Created: tx.Now}
	if err := tx.InsertLogin(ctx, l); err != nil {
		return err
	}
	return a.Vault.SealOwn(ctx, tx, s.ID, string(l.ID), h)
}

// sound tests the code that hashes, against an answer of argon2 0~20190702 (its own reference).
// Once: it stays as it is while the program runs, and would be most of what an idle server does.
var sound = sync.OnceValue(func() bool {
	h := Hash{Salt: []byte("salt of the test"), Memory: Stated.Memory, Time: Stated.Time, Threads: argonThreads}
	return hex.EncodeToString(h.of("a password for the test")) == "1b83eea9f5d0875e2f87c4d57b66c5948fefe97a4555a04321fd7cb31635645c"
})

// AttestPasswords tests that passwords are kept as the policy claims: new ones are made with
// argon2id at no less than the stated cost, and so were up to limit kept ones after an id. It
// returns the last of them, to go on from, and "" after all. Claim argon2id_passwords.
func (a *Accounts) AttestPasswords(ctx context.Context, after musa.LoginID, limit int) (last musa.LoginID, err error) {
	if a.Passwords.blank().weak() || !sound() {
		return "", fmt.Errorf("a password is not kept as argon2id: %w", musa.ErrUnavailable)
	}
	var kept []db.Login
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		kept, err = tx.Logins(ctx, musa.LoginPassword, after, limit)
		return err
	})
	if err != nil {
		return "", err
	}
	for _, l := range kept {
		if err := a.attest(ctx, l); err != nil {
			return "", err
		}
		last = l.ID
	}
	return last, nil
}

// attest looks at one kept password; one that was changed meanwhile says nothing.
func (a *Accounts) attest(ctx context.Context, l db.Login) error {
	return a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Login(ctx, l.ID); errors.Is(err, musa.ErrNotFound) {
			return nil
		}
		s, err := tx.Subject(ctx, l.Subject)
		if err != nil {
			return err
		}
		var h Hash
		if err := a.Vault.OpenOwn(ctx, tx, self(s), musa.PurposeSignIn, musa.CategoryCredential, string(l.ID), &h); err != nil {
			return fmt.Errorf("open login %s: %w", l.ID, err)
		}
		if h.weak() {
			return fmt.Errorf("login %s is kept for less than it should cost: %w", l.ID, musa.ErrUnavailable)
		}
		return nil
	})
}

func (h Hash) weak() bool {
	return h.Memory < Stated.Memory || h.Time < Stated.Time || h.Threads < 1 || len(h.Salt) < argonSalt || len(h.Key) < argonKey
}

// Format hides the hash from every way to print it.
func (h Hash) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[password]") }
