// Package studio takes orders: it admits uploads and jobs, shows people what is theirs and
// lets them watch the work.
//
// Every path that opens personal data asks policy.Decide first and passes the grant on to
// the vault. It does not run engines (runner does), does not erase (rights orders that,
// erasure does it) and knows no HTTP.
package studio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/sync/semaphore"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/pix"
	"musa/policy"
	"musa/queue"
	"musa/vault"
)

// Lane is the queue that local work waits in.
const Lane = "local"

// Config is what a Studio leans on. All fields are needed.
type Config struct {
	DB      *db.DB
	Vault   *vault.Vault
	Queue   *queue.Queue
	Engines map[string]engine.Engine
	// Engine is the name of the engine that an order gets when it names none.
	Engine string
	Policy func() *policy.Document // in force now
	// Versions are all that were taken up: they set the ends of what is stored.
	Versions func() *policy.Versions
	Clock    musa.Clock
	Log      *slog.Logger
	Limits   pix.Limits
	// Memory bounds the bytes of uploads and plans that are held at once.
	Memory int64
	// Price is what one job costs.
	Price int64
}

// Studio takes orders. It is safe for concurrent use.
type Studio struct {
	Config
	memory *semaphore.Weighted
}

// New makes a studio.
func New(c Config) *Studio {
	return &Studio{Config: c, memory: semaphore.NewWeighted(c.Memory)}
}

// Asset is a picture as its owner sees it. After its end only the row's own facts are
// left, and Info and Made are zero.
type Asset struct {
	db.Asset
	Info    Info
	Made    *Made          // how it was made; nil for an original
	Sources []musa.AssetID // what it was made from
	Hidden  bool           // its end has come, or its owner ordered its erasure
	Why     musa.EndReason // why it is hidden
	Undo    musa.Millis    // until when an ordered erasure can be taken back; 0 if it cannot
	Words   string         // what the policy says about its end
}

// Info is the sealed part of an asset's row.
type Info struct {
	Name   string `json:"name"` // as uploaded, or derived from it; a base name
	Format string `json:"format"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
	Made   *Made  `json:"made,omitempty"`
	// Origin is where it was before it came here with an import.
	Origin *Origin `json:"origin,omitempty"`
}

// Made is the processing history that stays with a result. Promise E-06.
type Made struct {
	Engine     string        `json:"engine"`
	Model      string        `json:"model"`
	Scale      int           `json:"scale"`
	Params     engine.Params `json:"params"`
	Steps      []engine.Step `json:"steps"`
	Seconds    float64       `json:"seconds"`
	Checks     []string      `json:"checks"`
	Understood string        `json:"understood,omitempty"`
}

// Wordless is the same without what was understood of the prompt.
func (i Info) Wordless() Info {
	if i.Made == nil {
		return i
	}
	made := *i.Made
	made.Understood = ""
	i.Made = &made
	return i
}

// facts turns an asset's row into what the policy judges by.
func facts(by musa.Actor, purpose musa.Purpose, a db.Asset, now musa.Millis) policy.Facts {
	return policy.Ask(now, by, purpose, vault.AssetItem(a))
}

// item is one asset with all that is needed to open it.
type item struct {
	asset  db.Asset
	locked vault.Locked
	blobs  []db.Blob
	grant  policy.Grant
}

func (i item) blob(role musa.BlobRole) (db.Blob, bool) {
	for _, b := range i.blobs {
		if b.Role == role && b.State == musa.BlobLive {
			return b, true
		}
	}
	return db.Blob{}, false
}

// load reads an asset and asks the policy. A foreign or absent one is ErrNotFound; one
// whose end has come is ErrGone to its owner, in words that say why.
func (s *Studio) load(ctx context.Context, by musa.Actor, purpose musa.Purpose, id musa.AssetID) (item, error) {
	var it item
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		o, err := tx.AssetWithSecret(ctx, id)
		if err != nil {
			return err
		}
		a := o.Asset
		it.asset = a
		if err := Present(by, a); err != nil {
			return err
		}
		it.grant = s.Policy().Decide(facts(by, purpose, a, tx.Now))
		if err := it.grant.Err(); err != nil {
			return err
		}
		it.locked = vault.LockedAsset(o)
		it.blobs, err = tx.BlobsOf(ctx, id)
		return err
	})
	if err != nil {
		return item{}, fmt.Errorf("asset %s: %w", id, err)
	}
	return it, nil
}

// Present tells apart what is foreign, ordered away and erased of what a row is about, before the
// policy is asked about what is left.
func Present(by musa.Actor, a db.Asset) error {
	switch {
	case a.Owner != by.Subject:
		return musa.ErrNotFound
	case a.Ordered > 0:
		return gone("erased_by_owner", "You deleted this picture.")
	case a.State != musa.AssetActive:
		return gone("expired", "This picture reached the end that the privacy policy sets for it ("+a.Rule+"), and was erased.")
	}
	return nil
}

func gone(code, public string) error {
	return &musa.Problem{Kind: musa.ErrGone, Code: code, Public: public}
}

// Content is one open file of an asset, with what is known about it.
type Content struct {
	*vault.Content
	Info Info
}

// Content opens one file of an asset for its owner. Close it.
func (s *Studio) Content(ctx context.Context, by musa.Actor, id musa.AssetID, role musa.BlobRole) (Content, error) {
	return s.ContentFor(ctx, by, musa.PurposeDeliver, id, role)
}

// ContentFor is Content for another purpose of the person's own, as AssetsFor is.
func (s *Studio) ContentFor(ctx context.Context, by musa.Actor, purpose musa.Purpose, id musa.AssetID, role musa.BlobRole) (Content, error) {
	it, err := s.load(ctx, by, purpose, id)
	if err != nil {
		return Content{}, err
	}
	b, ok := it.blob(role)
	if !ok {
		return Content{}, fmt.Errorf("asset %s has no %s: %w", id, role, musa.ErrNotFound)
	}
	var out Content
	if err := s.Vault.OpenRecord(it.grant, it.locked, &out.Info); err != nil {
		return Content{}, err
	}
	if out.Content, err = s.Vault.Open(ctx, it.grant, it.locked, b); err != nil {
		return Content{}, err
	}
	// An erasure that committed since the look above found no reader to cut. Now it would.
	if _, err := s.load(ctx, by, purpose, id); err != nil {
		return Content{}, errors.Join(err, out.Close())
	}
	return out, nil
}

// inputs reads items whole, within the memory budget; call release when done with them.
// The budget is taken for all at once: orders that each held a part would wait for each
// other.
func (s *Studio) inputs(ctx context.Context, items []item) (in []engine.Input, release func(), err error) {
	var total int64
	blobs := make([]db.Blob, len(items))
	for i, it := range items {
		b, ok := it.blob(musa.BlobFull)
		if !ok {
			return nil, nil, fmt.Errorf("asset %s has no %s: %w", it.asset.ID, musa.BlobFull, musa.ErrNotFound)
		}
		blobs[i] = b
		total += b.Size
	}
	if total > s.Memory {
		return nil, nil, &musa.Problem{Kind: musa.ErrTooLarge, Code: "inputs_too_large", Field: "inputs",
			Public: fmt.Sprintf("These pictures are larger together than the %d MB that are worked on at once. Send fewer or smaller ones.", s.Memory>>20)}
	}
	if err := s.memory.Acquire(ctx, total); err != nil {
		return nil, nil, err
	}
	release = func() { s.memory.Release(total) }
	for i, it := range items {
		data, err := s.read(ctx, it, blobs[i])
		if err != nil {
			release()
			return nil, nil, fmt.Errorf("read %s: %w", it.asset.ID, err)
		}
		in = append(in, engine.Input{Asset: it.asset.ID, Data: data})
	}
	return in, release, nil
}

func (s *Studio) read(ctx context.Context, it item, b db.Blob) ([]byte, error) {
	c, err := s.Vault.Open(ctx, it.grant, it.locked, b)
	if err != nil {
		return nil, err
	}
	data := make([]byte, c.Size())
	_, err = io.ReadFull(c, data)
	return data, errors.Join(err, c.Close())
}
