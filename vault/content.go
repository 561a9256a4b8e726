package vault

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/seal"
)

// Content is one open file of an asset: an io.ReadSeeker that stops with ErrGone once the
// asset's end has come or its key was destroyed, however the reading is paced.
type Content struct {
	vault *Vault
	id    string
	until musa.Millis
	r     *seal.Reader
	key   seal.Key
	done  chan struct{}
	once  sync.Once
	timer *time.Timer
}

// Open opens one file of an asset for the grant's purpose. Close it.
// Errors: ErrNoGrant, ErrUnaccounted where another than its owner would see it, and those of
// the store.
func (v *Vault) Open(ctx context.Context, g policy.Grant, l Locked, b db.Blob) (*Content, error) {
	if g.Accounted() {
		return nil, ErrUnaccounted
	}
	return v.openContent(ctx, g, l, b)
}

func (v *Vault) openContent(ctx context.Context, g policy.Grant, l Locked, b db.Blob) (*Content, error) {
	key, err := v.unlock(g, l)
	if err != nil {
		return nil, err
	}
	fetch := func(off, n int64) (io.ReadCloser, error) { return v.Blobs.Open(ctx, b.Name, off, n) }
	r, err := seal.NewReader(fetch, b.Size, key, aad(b.Asset, b.Role))
	if err != nil {
		return nil, fmt.Errorf("open %s/%s: %w", b.Asset, b.Role, err)
	}
	c := &Content{vault: v, id: l.ID, until: g.Until(), r: r, key: key, done: make(chan struct{})}
	if c.until > 0 {
		// A reader that waits for a slow client is woken at the end itself.
		// Armed in two steps, because expire itself uses the timer.
		c.timer = time.AfterFunc(time.Hour, c.expire)
		c.timer.Reset(c.until.Time().Sub(v.Clock()))
	}
	v.track(c)
	return c, nil
}

// Done is closed when the content may no longer be read; a response in flight is cut then.
func (c *Content) Done() <-chan struct{} { return c.done }

// Size is the plain size in bytes.
func (c *Content) Size() int64 { return c.r.Size() }

// Read reads plain bytes; ErrGone once the end has come.
func (c *Content) Read(p []byte) (int, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Seek moves within the plain bytes.
func (c *Content) Seek(off int64, whence int) (int64, error) { return c.r.Seek(off, whence) }

// Close forgets the key.
func (c *Content) Close() error {
	c.vault.untrack(c)
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cut()
	c.key.Zero()
	return c.r.Close()
}

func (c *Content) alive() error {
	select {
	case <-c.done:
		return fmt.Errorf("read %s: %w", c.id, musa.ErrGone)
	default:
	}
	if c.until > 0 && musa.At(c.vault.Clock()) >= c.until {
		c.cut()
		return fmt.Errorf("read %s: %w", c.id, musa.ErrGone)
	}
	return nil
}

func (c *Content) cut() { c.once.Do(func() { close(c.done) }) }

// expire cuts when the clock agrees; a turned clock may have been turned back.
func (c *Content) expire() {
	if left := c.until.Time().Sub(c.vault.Clock()); left > 0 {
		c.timer.Reset(left)
		return
	}
	c.cut()
}

// Shut cuts every open reader of the items, when their keys were destroyed anywhere.
func (v *Vault) Shut(ids []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range ids {
		for c := range v.open[id] {
			c.cut()
		}
	}
}

// ShutAll cuts every open reader, when it is not known whose keys were destroyed.
func (v *Vault) ShutAll() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, readers := range v.open {
		for c := range readers {
			c.cut()
		}
	}
}

func (v *Vault) track(c *Content) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open[c.id] == nil {
		v.open[c.id] = map[*Content]struct{}{}
	}
	v.open[c.id][c] = struct{}{}
}

func (v *Vault) untrack(c *Content) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.open[c.id], c)
	if len(v.open[c.id]) == 0 {
		delete(v.open, c.id)
	}
}

// Watch follows an item or an owner without reading anything: whatever is done with what is
// theirs ends when their key does. Stop it.
type Watch struct{ c *Content }

// Watch begins to follow.
func (v *Vault) Watch(id string) *Watch {
	c := &Content{vault: v, id: id, done: make(chan struct{})}
	v.track(c)
	return &Watch{c}
}

// Done is closed when the key was destroyed.
func (w *Watch) Done() <-chan struct{} { return w.c.done }

// Stop ends the watch.
func (w *Watch) Stop() { w.c.vault.untrack(w.c) }
