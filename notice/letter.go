package notice

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"musa"
	"musa/db"
	"musa/lang"
	"musa/policy"
)

// errSettled is what ends a mail whose reason is gone: its reader does not want it any more.
var errSettled = errors.New("the mail is not wanted any more")

// letter is a mail that is ready to leave.
type letter struct {
	to   string
	text []byte
}

// letter finds to whom a mail goes, writes it in their language and gives it the form that
// travels. musa.ErrNotFound or ErrGone when nobody is there, musa.ErrRefused when the policy
// lets their address not be used, errSettled when they stopped it.
func (n *Notices) letter(ctx context.Context, m db.Mail) (letter, error) {
	var to Addressee
	var c content
	find := func(ctx context.Context, tx db.Tx) (err error) {
		if to, err = n.find(ctx, tx, m); err != nil {
			return err
		}
		c, err = n.content(ctx, tx, m, to)
		return err
	}
	// Only a finder of its own changes rows.
	in := n.DB.Read
	if m.Kind == List || n.Find[m.Kind] != nil {
		in = n.DB.Write
	}
	if err := in(ctx, find); err != nil {
		return letter{}, fmt.Errorf("letter %s: %w", m.ID, err)
	}
	address, err := mail.ParseAddress(to.Email)
	if err != nil || !plain(to.Email) || address.Address != to.Email {
		return letter{}, fmt.Errorf("letter %s: its address cannot be used: %w", m.ID, musa.ErrInvalid)
	}
	text, err := n.form(m, address, c)
	if err != nil {
		return letter{}, fmt.Errorf("letter %s: %w", m.ID, err)
	}
	return letter{to: to.Email, text: text}, nil
}

// profile is what stands sealed in an account's record, of what a mail needs.
type profile struct {
	Email    string `json:"email"`
	Language string `json:"language"`
}

func (n *Notices) find(ctx context.Context, tx db.Tx, m db.Mail) (Addressee, error) {
	if m.Kind == List {
		return n.findList(ctx, tx, m)
	}
	if f := n.Find[m.Kind]; f != nil {
		if to, err := f(ctx, tx, m); !errors.Is(err, ErrOwnAddress) {
			return to, err
		}
	}
	k, ok := kinds[m.Kind]
	switch {
	case m.Kind == Service:
		k.purpose = musa.PurposeNotify
	case !ok:
		if err := n.wanted(ctx, tx, m); err != nil {
			return Addressee{}, err
		}
		k.purpose = musa.PurposeMarket
	}
	return n.own(ctx, tx, m.Subject, k.purpose)
}

// own is an account's own address.
func (n *Notices) own(ctx context.Context, tx db.Tx, subject musa.SubjectID, purpose musa.Purpose) (Addressee, error) {
	s, err := tx.Subject(ctx, subject)
	if err != nil {
		return Addressee{}, err
	}
	records, err := tx.OpeningsOf(ctx, subject, musa.CategoryAccount, "", 10)
	if err != nil {
		return Addressee{}, err
	}
	for _, r := range records {
		var p profile
		if _, err := n.Vault.Read(ctx, tx, system(s), purpose, r.ID, &p); err != nil {
			return Addressee{}, err
		}
		if p.Email != "" {
			return Addressee{Email: p.Email, Language: p.Language}, nil
		}
	}
	return Addressee{}, fmt.Errorf("address of %s: %w", subject, musa.ErrNotFound)
}

// form is the mail as it travels. Every header is made here, of one line: what stands in a name
// or a subject cannot begin another.
func (n *Notices) form(m db.Mail, to *mail.Address, c content) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	from := *n.post.from
	from.Name = cmp.Or(from.Name, oneLine(c.Studio))
	msg.FromMailAddress(&from)
	// Who answers a mail reaches whom the policy names, not a machine.
	if contact, err := mail.ParseAddress(c.Contact); err == nil && plain(c.Contact) {
		msg.ReplyToMailAddress(&mail.Address{Address: contact.Address})
	}
	msg.ToMailAddress(&mail.Address{Address: to.Address})
	msg.Subject(oneLine(c.Subject))
	msg.SetDateWithValue(n.Clock())
	// The same at every try, so that a mailbox that got it twice can tell.
	msg.SetMessageIDWithValue(string(m.ID) + "@" + n.post.name())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", c.Language)
	if c.Stop != "" {
		msg.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribe, "<"+c.stopDoor+">")
		msg.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	html, err := c.html()
	if err != nil {
		return nil, err
	}
	msg.SetBodyString(gomail.TypeTextPlain, c.plain())
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	var out bytes.Buffer
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write the mail: %w", err)
	}
	return out.Bytes(), nil
}

// oneLine takes out of a text what could steer a header, and bounds it.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !plain(string(r)) }), " ")
	if r := []rune(s); len(r) > 150 {
		s = string(r[:149]) + "…"
	}
	return s
}

// since is how long ago news may be that pages still show.
const since = 365 * 24 * time.Hour

// language is the catalogue of who reads, English where they chose none.
func language(tag string) *lang.Catalogue { return lang.Match(tag, "") }

// matters are the sentences of the page that differ between two versions, in a language.
func matters(tag string, older, newer *policy.Document) (list []string) {
	for _, d := range policy.DiffIn(tag, older, newer) {
		if d.Lines {
			continue
		}
		for _, c := range d.Changes {
			if c.Path != "version" { // that it is another version is what the reader was told first
				list = append(list, c.Text)
			}
		}
	}
	return list
}
