package studio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/pix"
	"musa/policy"
	"musa/vault"
)

// Origin is what something was where it came from, as facts: nothing is reckoned from it.
type Origin struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Job     string    `json:"job,omitempty"`
	Sources []string  `json:"sources,omitempty"` // all of them, also such as did not come along
}

// Arrival is a picture that comes from an export.
type Arrival struct {
	ID       musa.AssetID // that it will have
	Category musa.Category
	Body     io.Reader
}

// Arrived is a picture that is sealed already, and has no row yet. It is kept or dropped.
type Arrived struct {
	Asset   db.Asset
	Info    Info // format and measures; no name
	Altered bool // other bytes than came: metadata was removed
	draft   *vault.Draft
}

// Receive checks a picture as an upload is checked, and seals it. An original loses its
// metadata, of which an exported one has none; a result stays as it is, for its marks.
func (s *Studio) Receive(ctx context.Context, by musa.Actor, in Arrival) (*Arrived, error) {
	data, release, err := s.receive(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	defer release()
	info, err := pix.Inspect(ctx, data, s.Limits)
	if err != nil {
		return nil, err
	}
	clean := data
	if in.Category == musa.CategoryOriginal {
		if clean, err = pix.Strip(ctx, data); err != nil {
			return nil, err
		}
	}
	thumb, err := preview(ctx, clean)
	if err != nil {
		return nil, err
	}
	a := db.Asset{ID: in.ID, Owner: by.Subject, Author: author(by), Category: in.Category, State: musa.AssetActive, Tier: by.Tier, Created: musa.At(s.Clock())}
	grant := s.Policy().Decide(policy.Ask(a.Created, by, musa.PurposeGenerate, made(vault.AssetItem(a))))
	if err := grant.Err(); err != nil {
		return nil, err
	}
	draft, err := s.Vault.Seal(ctx, grant, a, []vault.Part{
		{Role: musa.BlobFull, Data: bytes.NewReader(clean)},
		{Role: musa.BlobThumb, Data: bytes.NewReader(thumb)},
	})
	if err != nil {
		return nil, err
	}
	a.Bytes = draft.Size()
	return &Arrived{Asset: a, Altered: !bytes.Equal(clean, data), draft: draft,
		Info: Info{Format: stored(clean, info), Width: info.Width, Height: info.Height, Bytes: int64(len(clean))}}, nil
}

// author is who acts: the person, also where they act for a workspace.
func author(by musa.Actor) musa.SubjectID {
	if by.Person != "" {
		return by.Person
	}
	return by.Subject
}

// Drop removes what was sealed.
func (a *Arrived) Drop(ctx context.Context) error { return a.draft.Drop(ctx) }

// Blobs names what was sealed, so that whoever takes long to keep it can say that it lives.
func (a *Arrived) Blobs() []string { return a.draft.Names() }

// Shelve gives a picture its row in the caller's transaction, with the end that one has which
// is made now.
func (s *Studio) Shelve(ctx context.Context, tx db.Tx, in *Arrived, sources []musa.AssetID) error {
	in.Info.Name = baseName(in.Info.Name, in.Info.Format)
	if err := vault.Belong(ctx, tx, s.Versions(), &in.Asset); err != nil {
		return err
	}
	secret, err := in.draft.Keep(ctx, tx, in.Info)
	if err != nil {
		return err
	}
	if err := tx.InsertAsset(ctx, in.Asset, secret); err != nil {
		return err
	}
	return tx.InsertSource(ctx, in.Asset.ID, sources...)
}

// Past is a job that was done elsewhere.
type Past struct {
	Job    db.Job
	Prompt musa.Prompt
	Params engine.Params
	Plan   *engine.Plan
	Origin Origin
	Inputs []musa.AssetID // that came along
}

// Recollect enters a job that was done elsewhere, in the caller's transaction: it costs
// nothing, and its prompt and history end as if they were made now.
func (s *Studio) Recollect(ctx context.Context, tx db.Tx, by musa.Actor, p Past) ([]db.Record, error) {
	j := p.Job
	j.Owner, j.Author, j.Created, j.Started, j.Ended, j.Lane, j.Held = by.Subject, author(by), tx.Now, tx.Now, tx.Now, Lane, 0
	j.PolicyVersion = s.Policy().Ref()
	if err := tx.InsertPastJob(ctx, j, p.Inputs...); err != nil {
		return nil, err
	}
	var records []db.Record
	var contents []any
	add := func(c musa.Category, content any) {
		records = append(records, db.Record{ID: musa.NewRecordID(tx.Now.Time()), Owner: by.Subject, Category: c, Job: j.ID, Tier: by.Tier, State: musa.AssetActive})
		contents = append(contents, content)
	}
	if p.Prompt.Reveal() != "" {
		add(musa.CategoryPrompt, prompted{p.Prompt})
	}
	if p.Plan != nil {
		add(musa.CategoryHistory, History{Params: p.Params, Plan: *p.Plan, Origin: &p.Origin})
	}
	if len(records) == 0 {
		return nil, nil
	}
	if err := s.mayMake(by, records, tx.Now); err != nil {
		return nil, err
	}
	if err := vault.BelongRecords(ctx, tx, s.Versions(), records); err != nil {
		return nil, err
	}
	for i, r := range records {
		secret, err := s.Vault.SealRecord(ctx, tx, r, contents[i])
		if err != nil {
			return nil, err
		}
		if err := tx.InsertRecord(ctx, r, secret); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// Room is how much of a person's storage is taken and how much there is, in sealed bytes; a
// limit of 0 is none.
type Room struct{ Used, Limit int64 }

// Room tells how full a person's storage is.
func (s *Studio) Room(ctx context.Context, by musa.Actor) (Room, error) {
	line, _ := s.Policy().Tiers.Get(string(by.Tier))
	r := Room{Limit: max(0, line.Storage.Bytes())}
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		r.Used, err = tx.Stored(ctx, by.Subject)
		return err
	})
	if err != nil {
		return Room{}, fmt.Errorf("stored bytes of %s: %w", by.Subject, err)
	}
	return r, nil
}

// Fits says whether more bytes fit; the problem that it returns names the way out.
func (r Room) Fits(more int64) error {
	if r.Limit <= 0 || r.Used+more <= r.Limit {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrTooLarge, Code: "storage_full", Field: "file",
		Public: fmt.Sprintf("Your storage of %d MB is full. Delete a picture, or wait until one reaches its end. Nothing was lost.", r.Limit/1_000_000)}
}
