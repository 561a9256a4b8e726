// Package notice tells people what they have to know, and what they asked to hear: mails of the
// service, versions of the policy, news.
//
// It promises that a mail is ordered in the transaction of its cause and survives a crash; that
// none goes out twice (what the other side may have when the process dies is unsure, and only an
// operator sends it again); that the address and the words are found when a mail leaves and stand
// in no queue and no log; that a version which takes more from people is told to every account
// exactly once, one of words alone to nobody; that what is no service mail goes only to who
// confirmed that they want it, and stops with one click. It judges nobody's consent itself: package
// consent keeps the words.
//
// States of a mail: waiting → sending (committed before its text leaves) → sent; from sending back
// to waiting where the other side surely has not taken it; failed when it never will, or time is
// over; unsure when nobody knows.
package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/seal"
	"musa/vault"
)

// Mail is where mails leave, and what their links lead to. The zero Mail sends none.
type Mail struct {
	URL  string // smtp://[name:password@]host[:port], or smtps://
	From string // an address, or `Name <address>`
	Site string // the studio's address for people, such as https://studio.example
	// Dial connects; the infrastructure that it may reach is declared by its maker.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Addressee is to whom a mail goes, found when it leaves.
type Addressee struct {
	Email    string
	Language string // that they chose; may be empty
	Secret   string // that the mail's link carries; may be empty
	Name     string // of what the mail is about, such as a workspace; may be empty
}

// ErrOwnAddress is a Finder's word that a mail goes to its account's own address after all.
var ErrOwnAddress = errors.New("to the account's own address")

// Finder finds the addressee of a mail, in the transaction in which it leaves. musa.ErrNotFound
// and musa.ErrGone end the mail.
type Finder func(ctx context.Context, tx db.Tx, m db.Mail) (Addressee, error)

// Config is what Notices lean on. All fields are needed but Mail.
type Config struct {
	DB       *db.DB
	Vault    *vault.Vault
	Keys     *seal.Keyset
	Book     *consent.Book
	Versions func() *policy.Versions
	Clock    musa.Clock
	Log      *slog.Logger
	Mail     Mail
	// Find has a finder for each kind of mail that does not go to its account's own address.
	Find map[string]Finder
}

// Notices tell people. Safe for concurrent use.
type Notices struct {
	Config
	post *post // nil without a mail server

	mu       sync.Mutex
	accepted map[musa.SubjectID]string // what each was last seen to have accepted; guarded by mu
	quiet    bool                      // that the policy lets no mail out was logged; guarded by mu
}

// New makes Notices. A Problem of kind ErrInvalid names a setting that cannot be used.
func New(c Config) (*Notices, error) {
	n := &Notices{Config: c, accepted: map[musa.SubjectID]string{}}
	if c.Mail.URL == "" {
		return n, nil
	}
	var err error
	n.post, err = newPost(c.Mail)
	return n, err
}

// Mails says whether there is a mail server: nothing that needs one is offered without.
func (n *Notices) Mails() error {
	if n.post == nil {
		return &musa.Problem{Kind: musa.ErrUnavailable, Code: "mail_unavailable",
			Public: "This studio sends no mails, so nothing can be confirmed by one. Use a passkey, or ask its operator to set up a mail server."}
	}
	return nil
}

const (
	stepEvery = time.Second
	loseEvery = time.Minute
)

// Run sends what waits and tells of new versions until ctx ends.
func (n *Notices) Run(ctx context.Context) error {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for {
		if err := n.Step(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("notices", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step tells of new versions, news and incidents, and sends all that is due.
func (n *Notices) Step(ctx context.Context) error {
	return errors.Join(n.tellVersions(ctx), n.tellNews(ctx), n.tellIncidents(ctx), n.send(ctx))
}

// Recover makes what was leaving when the last process died unsure, and what it had only claimed
// due. Only who is alone with the store may call it.
func (n *Notices) Recover(ctx context.Context) error {
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.LoseMails(ctx, lostSooner(tx.Now)); err != nil {
			return err
		}
		return tx.FreeMails(ctx)
	})
	if err != nil {
		return fmt.Errorf("recover mails: %w", err)
	}
	return nil
}

// system is who acts when nobody is there: the program, for the owner.
func system(s db.Subject) musa.Actor {
	return musa.Actor{Subject: s.ID, Tier: s.Tier, Role: musa.RoleSystem, Closed: s.Closed, Standing: s.Standing()}
}
