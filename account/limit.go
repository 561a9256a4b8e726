package account

import (
	"context"
	"fmt"
	"sync"
	"time"

	"musa"
	"musa/db"
)

// limitMemory is how many refusals a node remembers; more are asked of the database.
const limitMemory = 10_000

// refusals are what a node refused, until when: a flood of what is refused anyway does not reach
// the database.
type refusals struct {
	mu    sync.Mutex
	until map[string]musa.Millis // guarded by mu
}

func (r *refusals) of(what []byte, now musa.Millis) musa.Millis {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until := r.until[string(what)]; until > now {
		return until
	}
	return 0
}

func (r *refusals) add(what []byte, until musa.Millis) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil || len(r.until) >= limitMemory {
		r.until = map[string]musa.Millis{}
	}
	r.until[string(what)] = until
}

func (r *refusals) forget(what []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.until, string(what))
}

// Limit counts a try of something by somebody, and refuses it with ErrLimited when there were more
// than n since the first within per. All nodes count together; what stands in the database is a
// keyed digest. Count an address together with the network that it is tried from: somebody who
// knows it must not lock its holder out.
func (a *Accounts) Limit(ctx context.Context, what, who string, n int, per time.Duration) error {
	digest := a.limitKey(what, who)
	now := musa.At(a.Clock())
	if until := a.refused.of(digest, now); until > 0 {
		return limited(now, until)
	}
	var l db.Limit
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		now = tx.Now
		l, err = tx.Hit(ctx, digest, tx.Now.Add(per))
		return err
	})
	if err != nil {
		return fmt.Errorf("limit %s: %w", what, err)
	}
	if l.Hits <= int64(n) {
		return nil
	}
	a.refused.add(digest, l.Until)
	return limited(now, l.Until)
}

// Forgive takes the count of somebody's tries back: they succeeded.
func (a *Accounts) Forgive(ctx context.Context, what, who string) error {
	digest := a.limitKey(what, who)
	a.refused.forget(digest)
	return a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.ForgetHits(ctx, digest) })
}

func (a *Accounts) limitKey(what, who string) []byte { return a.Keys.Digest("limit/"+what, who) }

func limited(now, until musa.Millis) error {
	wait := until.Time().Sub(now.Time())
	return &musa.Problem{Kind: musa.ErrLimited, Code: "rate_limited", Retry: wait,
		Public: fmt.Sprintf("That was tried too often. Try again in %s.", inWords(wait))}
}

func inWords(d time.Duration) string {
	switch {
	case d <= time.Minute:
		return "a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes())+1)
	}
	return fmt.Sprintf("%d hours", int(d.Hours())+1)
}
