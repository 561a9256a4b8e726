// Package house puts the studio together from opened parts, in one visible place, and runs
// what runs beside the requests. cmd/musa opens the parts that an operator configured,
// musatest those that a test rigged; from there on both are the same house.
package house

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/backup"
	"musa/blob"
	"musa/consent"
	"musa/db"
	"musa/engine"
	"musa/erasure"
	"musa/notice"
	"musa/pix"
	"musa/policy"
	"musa/proof"
	"musa/queue"
	"musa/retention"
	"musa/rights"
	"musa/runner"
	"musa/seal"
	"musa/studio"
	"musa/support"
	"musa/usage"
	"musa/vault"
	"musa/web"
)

// guestsUsual is how many guests one network begins in an hour: more than a school class or an office
// does, fewer than whoever collects allowances wants.
const guestsUsual = 120

// Config is the opened parts and the settings that shape them. House does not close them.
type Config struct {
	DB      *db.DB
	Blobs   blob.Store
	Queue   *queue.Queue
	Keys    *seal.Keyset
	Engines map[string]engine.Engine
	Engine  string           // the engine of orders that name none
	Policy  *policy.Document // to take up; Versions tells which is in force
	// Beside leaves the policy alone that the store took up before: a command that looks in
	// beside a server must not bring another.
	Beside  bool
	Clock   musa.Clock
	Log     *slog.Logger
	Node    string
	Version string
	Cookies api.Cookies
	Limits  pix.Limits
	// Memory bounds the bytes of uploads and plans held at once.
	Memory int64
	// Allowance is a new guest's credits; Price what a job costs.
	Allowance, Price int64
	// Guests is how many guests one network may begin in an hour; guestsUsual if 0.
	Guests int
	// Passwords is what hashing one takes; account.Stated if zero.
	Passwords account.Cost
	// Width is how many jobs this node carries at once.
	Width int
	// Session is how long an unused session lasts.
	Session time.Duration
	// ScrubEvery bounds how often the database's files are rewritten after erasures.
	ScrubEvery time.Duration
	// PublicURL is the address that people use: links in mails, passkeys and providers go there.
	PublicURL string
	// Proxies are the reverse proxies whose word about a visitor counts.
	Proxies api.Proxies
	// Providers are the identity providers that people may sign in with.
	Providers []account.Provider
	// Backup is where copies of the store go.
	Backup Backup
	// Mail is where mails leave; the zero Mail sends none. Its links lead to PublicURL.
	Mail notice.Mail
}

// House is a studio that is ready to open its doors.
type House struct {
	Config
	Accounts *account.Accounts
	Studio   *studio.Studio
	Rights   *rights.Rights
	Consents *consent.Book
	Notices  *notice.Notices
	Keeper   *retention.Keeper
	Runner   *runner.Runner
	Eraser   *erasure.Eraser
	Usage    *usage.Counter
	Support  *support.Desk
	Claims   *Claims
	Archive  *backup.Archive // nil without a backup target

	noted   bool // what is erased is noted for the journal that a server keeps
	adopted adopted
	api     *api.Door
	pages   *web.Site
	doors   http.Handler
}

// maxSkew is how far the node's clock may be off the database's: due times are judged by
// both.
const maxSkew = 500 * time.Millisecond

// New checks that the store belongs to the keyset, publishes the policy and assembles the
// house. It refuses a store of another keyset, and another text of a published version.
func New(ctx context.Context, c Config) (*House, error) {
	if err := bind(ctx, c); err != nil {
		return nil, err
	}
	h := &House{Config: c}
	if err := h.enter(ctx); err != nil {
		return nil, err
	}
	inForce := h.InForce
	v := vault.New(vault.Config{DB: c.DB, Blobs: c.Blobs, Keys: c.Keys, Clock: c.Clock, Policy: inForce, Versions: h.Versions})
	h.Consents = consent.New(consent.Config{DB: c.DB, Policy: inForce, Versions: h.Versions})
	h.Accounts = account.New(account.Config{DB: c.DB, Vault: v, Keys: c.Keys, Consent: h.Consents, Clock: c.Clock, Policy: inForce,
		Promote: retention.Promoted, Follow: func(ctx context.Context, id musa.SubjectID) error { return h.Keeper.Follow(ctx, id) }, Mails: func() error { return h.Notices.Mails() },
		Allowance: c.Allowance, Guests: cmp.Or(c.Guests, guestsUsual), Passwords: c.Passwords, Session: c.Session, PublicURL: c.PublicURL, Providers: c.Providers})
	if err := h.openNotices(v); err != nil {
		return nil, err
	}
	h.Studio = studio.New(studio.Config{DB: c.DB, Vault: v, Queue: c.Queue, Engines: c.Engines, Engine: c.Engine, Policy: inForce, Versions: h.Versions,
		Clock: c.Clock, Log: c.Log, Limits: c.Limits, Memory: c.Memory, Price: c.Price})
	if err := h.openArchive(ctx); err != nil {
		return nil, err
	}
	journal, forget := h.journal()
	var err error
	h.Eraser, err = erasure.New(erasure.Config{DB: c.DB, Vault: v, Blobs: c.Blobs, Keys: c.Keys, Queue: c.Queue,
		Proof: proof.New(proof.Config{SQL: c.DB.SQL(), Dialect: c.DB.Dialect(), Blobs: c.Blobs}), Clock: c.Clock,
		Log: c.Log, Node: c.Node, ScrubEvery: c.ScrubEvery, Policy: inForce, Journal: journal, Forget: forget})
	if err != nil {
		return nil, fmt.Errorf("eraser: %w", err)
	}
	h.Keeper = retention.New(retention.Config{DB: c.DB, Vault: v, Blobs: c.Blobs, Eraser: h.Eraser, Queue: c.Queue,
		Policy: inForce, Versions: h.Versions, Clock: c.Clock, Log: c.Log})
	h.Rights = rights.New(rights.Config{DB: c.DB, Vault: v, Eraser: h.Eraser, Studio: h.Studio, Queue: c.Queue, Accounts: h.Accounts, Consents: h.Consents, Policy: inForce,
		Versions: h.Versions, Log: c.Log})
	h.Runner = runner.New(runner.Config{DB: c.DB, Vault: v, Queue: c.Queue, Engines: c.Engines, Policy: inForce, Versions: h.Versions,
		Clock: c.Clock, Log: c.Log, Node: c.Node, Width: c.Width})
	h.Usage = usage.New(usage.Config{DB: c.DB, Versions: h.Versions, Clock: c.Clock, Log: c.Log, Noise: rand.Reader})
	h.Support = support.New(support.Config{DB: c.DB, Vault: v, Accounts: h.Accounts, Notices: h.Notices, Studio: h.Studio, Rights: h.Rights, Keeper: h.Keeper, Eraser: h.Eraser,
		Policy: inForce, Versions: h.Versions, Clock: c.Clock, Version: c.Version})
	h.Claims = newClaims(h, v)
	h.api = api.New(api.Config{Accounts: h.Accounts, Studio: h.Studio, Rights: h.Rights, Keeper: h.Keeper, Consents: h.Consents, Notices: h.Notices, Usage: h.Usage, Support: h.Support,
		Policy: inForce, Versions: h.Versions, Unmet: h.Claims.Unmet, Clock: c.Clock,
		Log: c.Log, Version: c.Version, Cookies: c.Cookies})
	h.pages = web.New(web.Config{Policy: inForce, Versions: h.Versions, Figures: h.Keeper.Figures, Unmet: h.Claims.Unmet, Clock: c.Clock,
		Version: c.Version, Log: c.Log, Cookies: c.Cookies})
	h.doors = doors(h, h.api, h.pages)
	for _, u := range inForce().Unkept() {
		c.Log.Warn("the policy says what this program does not do; nobody is promised it", "path", u.Path, "why", u.Words)
	}
	return h, nil
}

// enter takes the policy up, or takes over what the store took up before.
func (h *House) enter(ctx context.Context) error {
	if h.Beside {
		// With no version at all there is nothing to leave alone.
		if err := h.TakeUp(ctx); !errors.Is(err, musa.ErrInvalid) {
			return err
		}
	}
	return h.Publish(ctx, h.Config.Policy)
}

// bind ties the store to the keyset.
func bind(ctx context.Context, c Config) error {
	err := c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if half, err := tx.Restoring(ctx); err != nil || half {
			return errors.Join(err, halfRestored)
		}
		bound, err := tx.Instance(ctx, c.Keys.ID())
		if err != nil {
			return err
		}
		return c.Keys.Require(bound.Keyset)
	})
	if err != nil {
		return fmt.Errorf("bind store: %w", err)
	}
	return nil
}

// Handler is all of the house's doors.
func (h *House) Handler() http.Handler { return h.doors }

// Recover cleans up, before the doors open, what the last process was doing when it died.
// Only an embedded house is alone with its store and may judge so.
func (h *House) Recover(ctx context.Context) error {
	if !h.Queue.Embedded() {
		return nil
	}
	if err := h.Keeper.Recover(ctx); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	return h.Notices.Recover(ctx)
}

// Loop is what runs beside the requests until its context ends.
type Loop func(context.Context) error

// Loops are the house's: following the policy, carrying jobs, and keeping the policy's times.
func (h *House) Loops() []Loop {
	loops := []Loop{h.Follow, h.Runner.Run, h.Keeper.Run, h.Usage.Run, h.Claims.Run, h.Notices.Run}
	if h.Archive != nil {
		loops = append(loops, h.Archive.Run)
	}
	return loops
}

// Run runs loops until ctx ends or one of them fails, and waits for all.
func Run(ctx context.Context, loops ...Loop) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		wait sync.WaitGroup
		errs = make([]error, len(loops))
	)
	for i, loop := range loops {
		wait.Go(func() {
			defer stop()
			if err := loop(ctx); err != nil && !errors.Is(err, context.Canceled) {
				errs[i] = err
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// Ready says why the house cannot serve now, or nil.
func (h *House) Ready(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	before := h.Clock()
	now, err := h.DB.Now(ctx)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if skew := now.Sub(before); skew > maxSkew || skew < -maxSkew {
		return fmt.Errorf("clock: this node is %s off the database's: %w", skew.Round(time.Millisecond), musa.ErrUnavailable)
	}
	if err := h.Queue.Ready(ctx); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}
