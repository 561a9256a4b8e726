package notice

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
)

// Channel is a way by which a kind of news reaches somebody.
type Channel string

// The channels. A page shows news where somebody looks anyway; a mail comes to them, so it takes
// an answer from the address (double opt-in).
const (
	ByMail Channel = "mail"
	ByPage Channel = "page"
)

// choice is the name under which a person's word on a kind and channel stands among their choices.
func choice(by Channel, kind string) string { return string(by) + ":" + kind }

// State is where a kind stands by a channel.
type State string

// The states.
const (
	On     State = "yes"
	Off    State = "no"
	Asked  State = "asked"  // by mail: the address has not answered yet
	Always State = "always" // what the service itself needs
)

// Preference is what somebody said about a kind of mail.
type Preference struct {
	Kind       string
	Mail, Page State
}

// Preferences are what comes to a person, and by which way: the mails of the service first, which
// always come.
func (n *Notices) Preferences(ctx context.Context, by musa.Actor) ([]Preference, error) {
	list := []Preference{{Kind: Service, Mail: Always, Page: Always}}
	err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		words, err := tx.LastWords(ctx, by.Subject)
		if err != nil {
			return err
		}
		asked, err := tx.VouchersOf(ctx, by.Subject, musa.VoucherList)
		if err != nil {
			return err
		}
		doc := n.inForce()
		for _, kind := range Lists(doc) {
			p := Preference{Kind: kind, Mail: Off, Page: Off}
			if n.allows(doc, by.Standing, words, ByMail, kind) {
				p.Mail = On
			}
			if n.allows(doc, by.Standing, words, ByPage, kind) {
				p.Page = On
			}
			for _, v := range asked {
				of, err := n.listOf(ctx, tx, v)
				if err != nil {
					return err
				}
				if of == kind && p.Mail == Off {
					p.Mail = Asked
				}
			}
			list = append(list, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("preferences of %s: %w", by.Subject, err)
	}
	return list, nil
}

// allows says whether a kind may come by a channel: the consent that the policy rests it on stands
// and covers it, and the person said yes to this very kind.
func (n *Notices) allows(doc *policy.Document, st musa.Standing, words []db.Choice, by Channel, kind string) bool {
	line, ok := doc.Mails.Get(kind)
	if !ok || !slices.Contains(st.Consents, line.Consent) {
		return false
	}
	return slices.ContainsFunc(words, func(c db.Choice) bool { return c.Name == choice(by, kind) && c.Given })
}

// wanted is nil while a kind of news may be mailed to somebody.
func (n *Notices) wanted(ctx context.Context, tx db.Tx, m db.Mail) error {
	s, err := tx.Subject(ctx, m.Subject)
	if err != nil {
		return err
	}
	words, err := tx.LastWords(ctx, m.Subject)
	if err != nil {
		return err
	}
	if !n.allows(n.inForce(), s.Standing(), words, ByMail, m.Kind) {
		return errSettled
	}
	return nil
}

// listFor is how long a confirmation waits for its mail to leave, and works from then on.
const listFor = 24 * time.Hour

// listed is what a list's voucher is good for.
type listing struct {
	Kind string `json:"kind"`
}

// Wish is what a person says about a kind by a channel.
type Wish struct {
	Way    Channel
	Kind   string
	Answer consent.Answer
}

// Choose enters wishes, all of them or none, one after the other. A no counts at once, and so does a
// yes to pages. By mail the address is asked first: nothing comes before it answered, and it is asked
// once in a day for a kind, whatever is wished here. musa.ErrInvalid for a kind that the policy does
// not know.
func (n *Notices) Choose(ctx context.Context, by musa.Actor, wishes []Wish) error {
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, w := range wishes {
			if err := n.isList(w.Kind, "kinds"); err != nil {
				return err
			}
			s, err := tx.Subject(ctx, by.Subject) // anew: the wish before may have given a consent
			if err != nil {
				return err
			}
			if w.Way == ByMail && w.Answer == consent.Yes {
				err = n.ask(ctx, tx, s, w.Kind)
			} else {
				err = n.enter(ctx, tx, s, word{w.Way, w.Kind, w.Answer, consent.ViaSettings})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("choose lists: %w", err)
	}
	return nil
}

// ask has a person's address asked for a kind.
func (n *Notices) ask(ctx context.Context, tx db.Tx, s db.Subject, kind string) error {
	if err := n.Mails(); err != nil {
		return err
	}
	a, err := tx.AddressOf(ctx, s.ID)
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return err
	}
	if err != nil || a.Confirmed == 0 {
		return &musa.Problem{Kind: musa.ErrConflict, Code: "no_address", Field: kind,
			Public: "There is no e-mail address in this account, so nothing can be mailed. Add one to your profile first, or have it shown on pages."}
	}
	words, err := tx.LastWords(ctx, s.ID)
	if err != nil || n.allows(n.inForce(), s.Standing(), words, ByMail, kind) {
		return err
	}
	return n.confirmation(ctx, tx, s, kind)
}

// confirmation orders the one mail that asks an address, unless one works still.
func (n *Notices) confirmation(ctx context.Context, tx db.Tx, s db.Subject, kind string) error {
	open, err := tx.VouchersOf(ctx, s.ID, musa.VoucherList)
	if err != nil {
		return err
	}
	for _, v := range open {
		if of, err := n.listOf(ctx, tx, v); err != nil || of == kind {
			return err
		}
	}
	v := db.Voucher{ID: musa.NewVoucherID(tx.Now.Time()), Subject: s.ID, Purpose: musa.VoucherList, Digest: n.listDigest(newSecret()),
		Created: tx.Now, Expires: tx.Now.Add(listFor)}
	if err := errors.Join(tx.InsertVoucher(ctx, v), n.Vault.SealOwn(ctx, tx, s.ID, string(v.ID), listing{kind})); err != nil {
		return err
	}
	return tx.QueueMail(ctx, db.Mail{Subject: s.ID, Kind: List, Object: string(v.ID)})
}

func newSecret() string {
	var raw [32]byte
	rand.Read(raw[:])
	return "musal_" + base64.RawURLEncoding.EncodeToString(raw[:])
}

func (n *Notices) listDigest(secret string) []byte { return n.Keys.Digest("list", secret) }

func (n *Notices) listOf(ctx context.Context, tx db.Tx, v db.Voucher) (string, error) {
	s, err := tx.Subject(ctx, v.Subject)
	if err != nil {
		return "", err
	}
	var l listing
	err = n.Vault.OpenOwn(ctx, tx, system(s), musa.PurposeNotify, musa.CategoryCredential, string(v.ID), &l)
	return l.Kind, err
}

// findList finds whom a confirmation goes to, and draws its secret.
func (n *Notices) findList(ctx context.Context, tx db.Tx, m db.Mail) (Addressee, error) {
	v, err := tx.Voucher(ctx, musa.VoucherID(m.Object))
	if err != nil {
		return Addressee{}, err
	}
	to, err := n.own(ctx, tx, m.Subject, musa.PurposeNotify)
	if err != nil {
		return to, err
	}
	if to.Name, err = n.listOf(ctx, tx, v); err != nil {
		return to, err
	}
	to.Secret = newSecret()
	return to, tx.ArmVoucher(ctx, v.ID, n.listDigest(to.Secret), listFor)
}

// Confirm is the answer of an address: from now on the kind is mailed. It works once. A secret
// that is wrong, old, used or another's is musa.ErrGone in the same words.
func (n *Notices) Confirm(ctx context.Context, secret string) (kind string, err error) {
	err = n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		v, err := tx.VoucherBy(ctx, n.listDigest(secret))
		if errors.Is(err, musa.ErrNotFound) || err == nil && v.Purpose != musa.VoucherList {
			return linkOver()
		}
		if err != nil {
			return err
		}
		s, err := tx.Subject(ctx, v.Subject)
		if err != nil {
			return err
		}
		if s.State != musa.SubjectActive {
			return linkOver()
		}
		if kind, err = n.listOf(ctx, tx, v); err != nil {
			return err
		}
		if err := tx.DropVouchers(ctx, v.ID); err != nil {
			return err
		}
		return n.enter(ctx, tx, s, word{ByMail, kind, consent.Yes, consent.ViaMail})
	})
	if err != nil {
		return "", fmt.Errorf("confirm a list: %w", err)
	}
	return kind, nil
}

func linkOver() error {
	return &musa.Problem{Kind: musa.ErrGone, Code: "link_over", Field: "secret",
		Public: "This link does not work: it was used already, is too old, or is not for you. Ask for a new one."}
}

// isList refuses what is no kind of news to choose, in the words of the field that named it.
func (n *Notices) isList(kind, field string) error {
	if slices.Contains(Lists(n.inForce()), kind) {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "list_unknown", Field: field,
		Public: "There is no such kind of mail to choose. Mails of the service itself always come; GET /api/me/mails lists the others."}
}

// word is what somebody says about a kind and channel.
type word struct {
	way    Channel
	kind   string
	answer consent.Answer
	via    string
}

// enter stores a word. The first yes to a kind carries the consent that the policy rests it on; the
// last no takes it back.
func (n *Notices) enter(ctx context.Context, tx db.Tx, s db.Subject, w word) error {
	doc := n.inForce()
	by := musa.Actor{Subject: s.ID, Tier: s.Tier, Role: musa.RoleSubject, Standing: s.Standing()}
	words, err := tx.LastWords(ctx, s.ID)
	if err != nil {
		return err
	}
	name, yes := choice(w.way, w.kind), w.answer == consent.Yes
	if w.way == ByMail && !yes {
		if err := n.forgetAsked(ctx, tx, s, w.kind); err != nil {
			return err
		}
	}
	said := slices.ContainsFunc(words, func(c db.Choice) bool { return c.Name == name && c.Given })
	if said != yes {
		if err := tx.Choose(ctx, db.Choice{Subject: s.ID, Name: name, Given: yes, Via: w.via, PolicyVersion: doc.Ref()}); err != nil {
			return err
		}
	}
	line, _ := doc.Mails.Get(w.kind)
	if yes {
		return n.Book.Give(ctx, tx, by, line.Consent, "", consent.Yes, w.via)
	}
	others := slices.ContainsFunc(words, func(c db.Choice) bool {
		way, kind, ok := strings.Cut(c.Name, ":")
		other, _ := doc.Mails.Get(kind)
		return ok && c.Given && c.Name != name && (way == string(ByMail) || way == string(ByPage)) && other.Consent == line.Consent
	})
	if others || !slices.Contains(by.Standing.Consents, line.Consent) {
		return nil
	}
	return n.Book.Give(ctx, tx, by, line.Consent, "", consent.No, w.via)
}

// forgetAsked ends confirmations of a kind that are under way.
func (n *Notices) forgetAsked(ctx context.Context, tx db.Tx, s db.Subject, kind string) error {
	open, err := tx.VouchersOf(ctx, s.ID, musa.VoucherList)
	if err != nil {
		return err
	}
	for _, v := range open {
		of, err := n.listOf(ctx, tx, v)
		if err == nil && of == kind {
			err = tx.DropVouchers(ctx, v.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stopSecret stops a kind for a person, by whoever has it: only mails to them bear it. It is no
// row and never runs out: the link of an old mail still stops what comes now.
func (n *Notices) stopSecret(subject musa.SubjectID, kind string) string {
	return string(subject) + "." + kind + "." + hex.EncodeToString(n.Keys.Digest("stop", string(subject)+" "+kind)[1:17])
}

// StopBy stops what the link of a mail names, without a session (RFC 8058). Again is the same. A
// wrong secret is musa.ErrGone.
func (n *Notices) StopBy(ctx context.Context, secret string) (kind string, err error) {
	parts := strings.Split(secret, ".")
	if len(parts) != 3 || !sameSecret(secret, n.stopSecret(musa.SubjectID(parts[0]), parts[1])) {
		return "", linkOver()
	}
	subject, kind := musa.SubjectID(parts[0]), parts[1]
	err = n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, subject)
		if errors.Is(err, musa.ErrNotFound) || err == nil && s.State == musa.SubjectErased {
			return nil // nobody is there to be mailed
		}
		if err != nil {
			return err
		}
		return n.enter(ctx, tx, s, word{ByMail, kind, consent.No, consent.ViaMail})
	})
	if err != nil {
		return "", fmt.Errorf("stop a list: %w", err)
	}
	return kind, nil
}
