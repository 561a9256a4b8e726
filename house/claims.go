package house

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"musa"
	"musa/account"
	"musa/audit"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// Claims tests what the policy claims of security, at the start and every minute. The privacy
// page shows a claim only while its test passes: a claim that was not tested yet, or that has
// no test, is not shown. Promise E-34.
//
// The tests look at samples; `musa verify --deep` looks at everything.
type Claims struct {
	db       *db.DB
	vault    *vault.Vault
	accounts *account.Accounts
	house    *House
	tests    map[string]func(context.Context) error

	mu      sync.Mutex
	passing map[string]bool // guarded by mu; a name that is missing was not tested yet
	// attested is the last password that was looked at; guarded by mu
	attested musa.LoginID
}

const (
	claimsEvery = time.Minute
	// samples is how many items of each kind one test looks at.
	samples = 3
	// looseFor is how long an event of the audit log may wait for its place in the chain.
	looseFor = time.Minute
)

func newClaims(h *House, v *vault.Vault) *Claims {
	c := &Claims{db: h.DB, vault: v, accounts: h.Accounts, house: h, passing: map[string]bool{}}
	c.tests = map[string]func(context.Context) error{
		"encrypted_at_rest":  c.sealedAtRest,
		"per_subject_keys":   c.ownKeys,
		"argon2id_passwords": c.passwords,
		"audit_log":          c.auditChain,
		"backups":            c.backups,
		"roles":              c.roles,
	}
	return c
}

// Run tests until ctx ends.
func (c *Claims) Run(ctx context.Context) error {
	tick := time.NewTicker(claimsEvery)
	defer tick.Stop()
	for {
		c.Test(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Test tests each claim once. One that the policy in force makes and that begins to fail is
// logged.
func (c *Claims) Test(ctx context.Context) {
	claimed := c.house.InForce().Security.Claims
	for name, test := range c.tests {
		err := test(ctx)
		if ctx.Err() != nil {
			return // stopped in mid-test: nothing was found
		}
		c.mu.Lock()
		before, tested := c.passing[name]
		c.passing[name] = err == nil
		c.mu.Unlock()
		switch {
		case !claimed.Has(name):
		case err != nil && (before || !tested):
			c.house.Log.Error("a claim of security does not hold and is no longer shown", "claim", name, "err", err)
		case err == nil && tested && !before:
			c.house.Log.Info("a claim of security holds again", "claim", name)
		}
	}
}

// Passing tells which claims passed their last test.
func (c *Claims) Passing() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.passing)
}

// Unmet are the paths of what a document says and this server cannot show to hold now:
// claims whose self-test does not pass, backups where no target is named, and what the program
// does not do yet.
func (c *Claims) Unmet(doc *policy.Document) []string {
	passing := c.Passing()
	var out []string
	for i, claim := range doc.Security.Claims {
		if !passing[claim] {
			out = append(out, fmt.Sprintf("security.claims[%d]", i))
		}
	}
	if c.house.Archive == nil {
		out = append(out, "lifecycle.backup")
	}
	for _, u := range doc.Unkept() {
		out = append(out, u.Path)
	}
	return out
}

// take takes a few sealed items, others at each test.
func (c *Claims) take(ctx context.Context) (list []db.Sample, err error) {
	err = c.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		first, last, err := tx.EndSpan(ctx)
		if err != nil {
			return err
		}
		list, err = tx.Samples(ctx, first+musa.Millis(rand.Int64N(int64(last-first)+1)), samples)
		return err
	})
	return list, err
}

func (c *Claims) sealedAtRest(ctx context.Context) error {
	list, err := c.take(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := c.vault.Attest(ctx, s); err != nil && c.stands(ctx, s) {
			return err
		}
	}
	return nil
}

// stands says whether an item is still there: one that was erased while it was looked at
// says nothing about how it was sealed.
func (c *Claims) stands(ctx context.Context, s db.Sample) bool {
	err := c.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Secret(ctx, s.Secret.ID)
		return err
	})
	return !errors.Is(err, musa.ErrNotFound)
}

func (c *Claims) ownKeys(ctx context.Context) error {
	list, err := c.take(ctx)
	if err != nil {
		return err
	}
	for i, s := range list {
		others := list[(i+1)%len(list)]
		for _, o := range list {
			if o.Secret.Subject != s.Secret.Subject {
				others = o
			}
		}
		if err := c.vault.AttestOwn(s, others); err != nil {
			return err
		}
	}
	return nil
}

// passwords tests how passwords are kept, and others of those that are there at each test.
func (c *Claims) passwords(ctx context.Context) error {
	c.mu.Lock()
	after := c.attested
	c.mu.Unlock()
	last, err := c.accounts.AttestPasswords(ctx, after, samples)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attested = last
	return err
}

// auditChain verifies the latest segment of the audit log against its signed head.
func (c *Claims) auditChain(ctx context.Context) error {
	keys := c.house.Keys
	verifier, err := audit.VerifierKey("musa/"+keys.ID(), keys.Signer().Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	var from, to audit.Head
	err = c.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		n, oldest, err := tx.LooseAudit(ctx)
		if err != nil {
			return err
		}
		if n > 0 && tx.Now.Time().Sub(oldest.Time()) > looseFor {
			return fmt.Errorf("%d events of the audit log wait to be chained, since %s: %w", n, oldest.Time().Format(time.RFC3339), musa.ErrUnavailable)
		}
		head, err := tx.AuditHead(ctx)
		if err != nil || head.Seq == 0 {
			return err
		}
		if to, err = audit.OpenHead([]byte(head.Note), verifier); err != nil {
			return err
		}
		before, err := tx.AuditHeadBefore(ctx, head.Seq)
		if err != nil || before.Seq == 0 {
			return err
		}
		from, err = audit.OpenHead([]byte(before.Note), verifier)
		return err
	})
	if err != nil || to.Seq == 0 {
		return err
	}
	_, err = audit.Verify(from, c.db.AuditEvents(ctx, from.Seq), to)
	return err
}

// backups asks for a copy that is at most half its time late, and for a rehearsal likewise.
func (c *Claims) backups(ctx context.Context) error {
	terms := c.house.InForce().Lifecycle.Backup
	if !terms.Every.Said() {
		return fmt.Errorf("the policy promises no backups: %w", musa.ErrUnavailable)
	}
	if c.house.Archive == nil {
		return fmt.Errorf("no target for backups is set: %w", musa.ErrUnavailable)
	}
	return c.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		times, err := tx.BackupTimes(ctx)
		if err != nil {
			return err
		}
		if late(tx.Now, times.Finished, terms.Every) {
			return fmt.Errorf("the last backup is older than its time and half of it, or there is none: %w", musa.ErrUnavailable)
		}
		if terms.Rehearse.Said() && late(tx.Now, times.Rehearsed, terms.Rehearse) {
			return fmt.Errorf("no backup was restored to try it for longer than its time and half of it: %w", musa.ErrUnavailable)
		}
		return nil
	})
}

func late(now, last musa.Millis, every policy.Span) bool {
	return last == 0 || now.Time().Sub(last.Time()) > every.Duration()*3/2
}

// roles asks the policy whether anybody may do what their role is not listed for, and
// looks for roles that nobody could have been given.
func (c *Claims) roles(ctx context.Context) error {
	doc := c.house.InForce()
	stranger := musa.NewSubjectID(c.house.Clock())
	for _, e := range doc.Roles.Instance {
		role := musa.Role(e.Name)
		if _, err := c.accounts.Staff(ctx, musa.Actor{Subject: stranger, Role: musa.RoleSubject}, role); !errors.Is(err, musa.ErrNotFound) {
			return fmt.Errorf("a stranger passes as %s (%v): %w", role, err, musa.ErrRefused)
		}
		if err := refused(doc, musa.Actor{Subject: stranger, Role: role}, e.Value); err != nil {
			return err
		}
	}
	if err := refused(doc, musa.Actor{Subject: stranger, Role: musa.RoleSubject}, nil); err != nil {
		return err
	}
	return c.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		held, err := tx.Roles(ctx)
		if err != nil {
			return err
		}
		for _, r := range held {
			if !doc.Roles.Instance.Has(string(r.Role)) {
				return fmt.Errorf("%s holds a role that the policy does not list: %w", r.Subject, musa.ErrRefused)
			}
			if _, err := tx.HasRole(ctx, r.Subject, r.Role); err != nil {
				return fmt.Errorf("a role is held by %s, who is not active: %w", r.Subject, err)
			}
		}
		return nil
	})
}

// refused tries every purpose of the document but the given ones on another's items.
func refused(doc *policy.Document, by musa.Actor, but policy.Words) error {
	for _, p := range doc.Purposes {
		if but.Has(p.Name) {
			continue
		}
		for _, category := range musa.Categories() {
			g := doc.Decide(policy.Facts{Now: 1, Actor: by, Purpose: musa.Purpose(p.Name),
				Item: policy.Item{ID: "as_sample", Owner: "su_owner", Category: category, Tier: musa.TierMember, Created: 1, Version: doc.Ref()}})
			if g.Allowed() {
				return fmt.Errorf("as %s another's %s opens to %s: %w", by.Role, category, p.Name, musa.ErrRefused)
			}
		}
	}
	return nil
}
