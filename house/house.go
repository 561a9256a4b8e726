// Package house puts the studio together from opened parts, in one visible place, and runs
// what runs beside the requests. cmd/musa opens the parts that an operator configured,
// musatest those that a test rigged; from there on both are the same house.
package house

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/blob"
	"musa/db"
	"musa/engine"
	"musa/erasure"
	"musa/pix"
	"musa/policy"
	"musa/proof"
	"musa/queue"
	"musa/retention"
	"musa/rights"
	"musa/runner"
	"musa/seal"
	"musa/studio"
	"musa/vault"
	"musa/web"
)

// Config is the opened parts and the settings that shape them. House does not close them.
type Config struct {
	DB      *db.DB
	Blobs   blob.Store
	Queue   *queue.Queue
	Keys    *seal.Keyset
	Engines map[string]engine.Engine
	Engine  string // the engine of orders that name none
	Policy  *policy.Document
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
	// Width is how many jobs this node carries at once.
	Width int
	// Session is how long an unused session lasts.
	Session time.Duration
	// ScrubEvery bounds how often the database's files are rewritten after erasures.
	ScrubEvery time.Duration
}

// House is a studio that is ready to open its doors.
type House struct {
	Config
	Studio *studio.Studio
	Rights *rights.Rights
	Keeper *retention.Keeper
	Runner *runner.Runner
	Eraser *erasure.Eraser
	doors  http.Handler
}

// maxSkew is how far the node's clock may be off the database's: due times are judged by
// both.
const maxSkew = 500 * time.Millisecond

// New checks that the store belongs to the keyset, publishes the policy and assembles the
// house. It refuses a store of another keyset, and another text of a published version.
func New(ctx context.Context, c Config) (*House, error) {
	if err := publish(ctx, c); err != nil {
		return nil, err
	}
	inForce := func() *policy.Document { return c.Policy }
	v := vault.New(vault.Config{DB: c.DB, Blobs: c.Blobs, Keys: c.Keys, Clock: c.Clock})
	accounts := account.New(account.Config{DB: c.DB, Vault: v, Keys: c.Keys, Clock: c.Clock, Policy: inForce,
		Allowance: c.Allowance, Session: c.Session})
	h := &House{Config: c}
	h.Studio = studio.New(studio.Config{DB: c.DB, Vault: v, Queue: c.Queue, Engines: c.Engines, Engine: c.Engine, Policy: inForce,
		Clock: c.Clock, Log: c.Log, Limits: c.Limits, Memory: c.Memory, Price: c.Price})
	var err error
	h.Eraser, err = erasure.New(erasure.Config{DB: c.DB, Vault: v, Blobs: c.Blobs, Keys: c.Keys, Queue: c.Queue,
		Proof: proof.New(proof.Config{SQL: c.DB.SQL(), Dialect: c.DB.Dialect(), Blobs: c.Blobs}), Clock: c.Clock,
		Log: c.Log, Node: c.Node, ScrubEvery: c.ScrubEvery})
	if err != nil {
		return nil, fmt.Errorf("eraser: %w", err)
	}
	h.Keeper = retention.New(retention.Config{DB: c.DB, Vault: v, Blobs: c.Blobs, Eraser: h.Eraser, Queue: c.Queue,
		Policy: inForce, Clock: c.Clock, Log: c.Log})
	h.Rights = rights.New(rights.Config{DB: c.DB, Vault: v, Eraser: h.Eraser, Studio: h.Studio, Queue: c.Queue, Policy: inForce, Log: c.Log})
	h.Runner = runner.New(runner.Config{DB: c.DB, Vault: v, Queue: c.Queue, Engines: c.Engines, Policy: inForce,
		Clock: c.Clock, Log: c.Log, Node: c.Node, Width: c.Width})
	h.doors = doors(h, api.New(api.Config{Accounts: accounts, Studio: h.Studio, Rights: h.Rights, Policy: inForce, Clock: c.Clock,
		Log: c.Log, Version: c.Version, Cookies: c.Cookies}),
		web.New(web.Config{Policy: inForce, Version: c.Version, Log: c.Log}))
	// A start leaves ten times as much garbage as what stays. An idle house would keep it
	// until its first collection, minutes later.
	debug.FreeOSMemory()
	return h, nil
}

// publish binds the store to the keyset and enters the policy's version.
func publish(ctx context.Context, c Config) error {
	text := c.Policy.YAML()
	sum := sha256.Sum256(text)
	effective, err := effect(c.Policy)
	if err != nil {
		return err
	}
	err = c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		bound, err := tx.Instance(ctx, c.Keys.ID())
		if err != nil {
			return err
		}
		if err := c.Keys.Require(bound.Keyset); err != nil {
			return err
		}
		return tx.PublishPolicy(ctx, db.PolicyVersion{Version: c.Policy.Ref(), SHA256: sum[:], Document: string(text), Effective: effective})
	})
	if err != nil {
		return fmt.Errorf("bind store and publish policy: %w", err)
	}
	return nil
}

// effect is the first moment, in UTC, of the day on which the document says it takes effect.
func effect(doc *policy.Document) (musa.Millis, error) {
	day, err := time.Parse(time.DateOnly, doc.Effective)
	if err != nil {
		return 0, fmt.Errorf("policy: effective is no date: %w", musa.ErrInvalid)
	}
	return musa.At(day), nil
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
	return nil
}

// Loop is what runs beside the requests until its context ends.
type Loop func(context.Context) error

// Loops are the house's: carrying jobs, and keeping the policy's times.
func (h *House) Loops() []Loop { return []Loop{h.Runner.Run, h.Keeper.Run} }

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
