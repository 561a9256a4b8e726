package account

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"musa"
	"musa/db"
	"musa/lang"
)

// How long what people say of themselves may be, in characters.
const (
	personNameMost = 100
	usernameMost   = 40
	profileMost    = 1000
	languageMost   = 40
)

var usernameForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]*$`)

// part is one field of an account.
type part struct {
	name, value string
	most        int
}

// parts are the fields of an account, as the policy names them.
func (p Person) parts() []part {
	return []part{{"email", p.Email, addressMost}, {"name", p.Name, personNameMost}, {"username", p.Username, usernameMost}, {"profile", p.Profile, profileMost},
		{"language", p.Language, languageMost}}
}

// usable refuses what is no line of text, or no text at all: a name with a line break in it would
// end up as another header of a mail.
func (f part) usable() error {
	wrong := func(code, public string) error {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: code, Field: f.name, Public: public}
	}
	switch {
	case !utf8.ValidString(f.value) || strings.ContainsFunc(f.value, f.stray):
		return wrong("field_unusable", "This field holds characters that are no text of one line. Type it without them.")
	case utf8.RuneCountInString(f.value) > f.most:
		return wrong("field_long", fmt.Sprintf("This field takes at most %d characters.", f.most))
	case f.name == "language" && f.value != "" && !slices.ContainsFunc(lang.All(), func(c *lang.Catalogue) bool { return c.Tag() == f.value }):
		return wrong("language_unknown", "Mails are written in the languages of this studio's pages. Choose one of those.")
	case f.name == "username" && f.value != "" && !usernameForm.MatchString(f.value):
		return wrong("username_unusable", "A user name begins with a letter or digit and goes on with such, or with dots, hyphens and underscores.")
	}
	return nil
}

// stray says that a character does not belong into a field: it controls something, or turns the
// direction of what follows.
func (f part) stray(r rune) bool {
	if f.name == "profile" && r == '\n' {
		return false
	}
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// Person tells a person what they said of themselves; empty for a guest.
func (a *Accounts) Person(ctx context.Context, by musa.Actor) (Person, error) {
	var p Person
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		p, _, err = a.profileOf(ctx, tx, by, musa.PurposeSignIn)
		return err
	})
	if errors.Is(err, musa.ErrNotFound) {
		return Person{}, nil
	}
	if err != nil {
		return Person{}, fmt.Errorf("profile of %s: %w", by.Subject, err)
	}
	return p, nil
}

// Change is what a person corrects; nil leaves a field as it is.
type Change struct{ Name, Username, Profile, Language *string }

// Correct changes what a person said of themselves. The address is changed by ChangeAddress.
// Promises C-26, E-25.
func (a *Accounts) Correct(ctx context.Context, by musa.Actor, c Change) (Person, error) {
	if by.Person != "" {
		return Person{}, accountNeeded()
	}
	var p Person
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		p, err = a.Rectify(ctx, tx, by, c)
		return err
	})
	if err != nil {
		return Person{}, fmt.Errorf("correct profile of %s: %w", by.Subject, err)
	}
	return p, nil
}

// Rectify changes what an account says of its owner in a transaction of the caller's: by is the
// owner, or the program that acts for them where their request was granted. GDPR art. 16.
func (a *Accounts) Rectify(ctx context.Context, tx db.Tx, by musa.Actor, c Change) (Person, error) {
	if by.Tier == musa.TierGuest {
		return Person{}, accountNeeded()
	}
	purpose := musa.PurposeSignIn
	if by.Role == musa.RoleSystem {
		purpose = musa.PurposeAnswerRights
	}
	p, id, err := a.profileOf(ctx, tx, by, purpose)
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return Person{}, err
	}
	for _, f := range []struct{ to, from *string }{{&p.Name, c.Name}, {&p.Username, c.Username}, {&p.Profile, c.Profile}, {&p.Language, c.Language}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	said := p
	if said.Email == "" {
		said.Email = "-" // an account by passkey has none, and is asked for none here
	}
	if err := a.fields(said); err != nil {
		return Person{}, err
	}
	if err := a.rewriteProfile(ctx, tx, by, purpose, id, p); err != nil {
		return Person{}, err
	}
	return p, tx.AppendAudit(ctx, db.AuditEvent{Action: "profile_changed", Role: by.Role, Subject: by.Subject, Object: string(by.Subject)})
}

// rewriteProfile puts a profile in the place of the former, where there is one.
func (a *Accounts) rewriteProfile(ctx context.Context, tx db.Tx, by musa.Actor, purpose musa.Purpose, id musa.RecordID, p Person) error {
	if id == "" {
		return a.fileProfile(ctx, tx, by, purpose, p)
	}
	return a.Vault.Rewrite(ctx, tx, by, purpose, id, p)
}

func accountNeeded() error {
	return &musa.Problem{Kind: musa.ErrRefused, Code: "account_needed", Public: "This needs an account. Make one first: what you have here stays yours."}
}
