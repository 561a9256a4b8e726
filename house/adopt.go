package house

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// followEvery bounds how late a version is taken up that was published elsewhere.
const followEvery = 500 * time.Millisecond

// adopted is what a house knows of the store's versions.
type adopted struct {
	versions atomic.Pointer[policy.Versions]

	mu   sync.Mutex // held while versions is replaced
	last int64      // number of the latest adoption in versions; guarded by mu
}

// Versions are all versions of the policy that this store took up.
func (h *House) Versions() *policy.Versions { return h.adopted.versions.Load() }

// InForce is the version that decides now. One that is published for later takes over at
// its instant, by the clock alone.
func (h *House) InForce() *policy.Document { return h.Versions().InForce(musa.At(h.Clock())) }

// Publish takes a version up: it decides from its effective day on, or with the next request
// where that has passed. Another text of a published version is refused.
func (h *House) Publish(ctx context.Context, doc *policy.Document) error {
	if err := Publish(ctx, h.DB, doc); err != nil {
		return err
	}
	return h.TakeUp(ctx)
}

// Follow takes up what other nodes publish until ctx ends.
func (h *House) Follow(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := h.TakeUp(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("take up policy", "err", err)
		}
	}
}

// TakeUp takes up versions that were published since the last look.
func (h *House) TakeUp(ctx context.Context) error {
	h.adopted.mu.Lock()
	defer h.adopted.mu.Unlock()
	var last int64
	err := h.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		last, err = tx.LastAdoption(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for policy versions: %w", err)
	}
	if known := h.adopted.versions.Load(); known != nil && last == h.adopted.last {
		return nil
	}
	t, err := Taken(ctx, h.DB, h.adopted.versions.Load())
	if err != nil {
		return err
	}
	for _, l := range t.Left {
		h.Log.Warn("a published policy says what this program does not know", "version", l.Version, "line", l.Path)
	}
	h.adopted.versions.Store(t.Versions)
	h.adopted.last = t.Last
	return nil
}

// Publish enters a version into a store and takes it up there; servers that run on it follow
// within a second.
func Publish(ctx context.Context, d *db.DB, doc *policy.Document) error {
	effective, err := Effect(doc)
	if err != nil {
		return err
	}
	text := doc.YAML()
	sum := sha256.Sum256(text)
	err = d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p := db.PolicyVersion{Version: doc.Ref(), SHA256: sum[:], Document: string(text), Effective: effective}
		have, err := tx.Policy(ctx, p.Version)
		if err != nil && !errors.Is(err, musa.ErrNotFound) {
			return err
		}
		if err == nil && saysTheSame(have, text) {
			p.SHA256, p.Document = have.SHA256, have.Document
		}
		if err := tx.PublishPolicy(ctx, p); err != nil {
			return err
		}
		return tx.Adopt(ctx, p.Version, effective)
	})
	if err != nil {
		return fmt.Errorf("publish policy: %w", err)
	}
	return nil
}

// saysTheSame tells a stored text that another release wrote in its own form from one that
// says something else.
func saysTheSame(have db.PolicyVersion, text []byte) bool {
	was, _, err := policy.ParseStored(have.Version, []byte(have.Document))
	return err == nil && bytes.Equal(was.YAML(), text)
}

// Effect is the first moment, in UTC, of the day on which the document says it takes effect.
func Effect(doc *policy.Document) (musa.Millis, error) {
	day, err := time.Parse(time.DateOnly, doc.Effective)
	if err != nil {
		return 0, fmt.Errorf("policy: effective is no date: %w", musa.ErrInvalid)
	}
	return musa.At(day), nil
}

// Taking is what a store took up.
type Taking struct {
	Versions *policy.Versions
	Last     int64  // number of the latest adoption
	Left     []Left // what their texts say that this program does not know
}

// Left is a line of a published version that this program leaves out.
type Left struct{ Version, Path string }

// Taken reads what a store took up. Known are versions whose texts need no second parsing:
// a published text never changes. musa.ErrInvalid where nothing was taken up yet.
func Taken(ctx context.Context, d *db.DB, known *policy.Versions) (Taking, error) {
	var (
		list []db.Adoption
		t    Taking
		docs = map[string]*policy.Document{}
	)
	err := d.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if list, err = tx.Adoptions(ctx); err != nil {
			return err
		}
		for _, a := range list {
			if docs[a.Version] != nil {
				continue
			}
			if known != nil {
				if doc, ok := known.Of(a.Version); ok {
					docs[a.Version] = doc
					continue
				}
			}
			p, err := tx.Policy(ctx, a.Version)
			if err != nil {
				return err
			}
			doc, left, err := policy.ParseStored(a.Version, []byte(p.Document))
			if err != nil {
				return fmt.Errorf("policy version %s: %w", a.Version, err)
			}
			for _, path := range left {
				t.Left = append(t.Left, Left{a.Version, path})
			}
			docs[a.Version] = doc
		}
		return nil
	})
	if err != nil {
		return Taking{}, fmt.Errorf("read policy versions: %w", err)
	}
	taken := make([]policy.Adoption, len(list))
	for i, a := range list {
		taken[i] = policy.Adoption{Doc: docs[a.Version], Published: a.Published, Effective: a.Effective}
		t.Last = a.Seq
	}
	if t.Versions, err = policy.NewVersions(taken...); err != nil {
		return Taking{}, fmt.Errorf("policy versions: %w", err)
	}
	return t, nil
}
