package support

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/vault"
)

// Feedback is what a person thinks of a picture, as it lies sealed and as an export holds it.
type Feedback struct {
	Version int    `json:"version"`
	Rating  int    `json:"rating,omitempty"` // 1 to 5; 0 for none
	Thumb   string `json:"thumb,omitempty"`  // up or down; may be empty
	Note    string `json:"note,omitempty"`
}

// Rated is feedback with its life.
type Rated struct {
	Feedback
	Asset   musa.AssetID
	Created musa.Millis
	Ends    musa.Millis
	Rule    string
}

func (f *Feedback) check() error {
	f.Version = 1
	switch {
	case f.Rating < 0 || f.Rating > 5:
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "rating_unknown", Field: "rating", Public: "A rating is 1 to 5, or 0 for none."}
	case f.Thumb != "" && f.Thumb != "up" && f.Thumb != "down":
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "thumb_unknown", Field: "thumb", Public: "A thumb is up or down, or left out."}
	case f.Note != "":
		return checkWords("note", f.Note, maxNote)
	case f.Rating == 0 && f.Thumb == "":
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "feedback_empty", Field: "rating", Public: "Give a rating, a thumb or a note. To take it back, delete it."}
	}
	return nil
}

// Rate says what the actor thinks of a picture of theirs; a later word replaces it. It ends by its
// own rule, and with the picture. Promise C-08.
func (d *Desk) Rate(ctx context.Context, by musa.Actor, id musa.AssetID, f Feedback) (Rated, error) {
	if err := f.check(); err != nil {
		return Rated{}, err
	}
	var out Rated
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := d.rated(ctx, tx, by, id)
		switch {
		case errors.Is(err, errUnrated):
			r, err = d.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: musa.PurposeHelp, Category: musa.CategoryFeedback, Asset: id, Content: f})
		case err == nil:
			err = d.Vault.Rewrite(ctx, tx, by, musa.PurposeHelp, r.ID, f)
		}
		out = Rated{Feedback: f, Asset: id, Created: r.Created, Ends: r.Ends, Rule: r.Rule}
		return err
	})
	if err != nil {
		return Rated{}, fmt.Errorf("rate %s: %w", id, err)
	}
	return out, nil
}

// Rating shows what the actor thinks of a picture; ErrNotFound where they said nothing.
func (d *Desk) Rating(ctx context.Context, by musa.Actor, id musa.AssetID) (Rated, error) {
	var out Rated
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := d.rated(ctx, tx, by, id)
		if err != nil {
			return err
		}
		_, err = d.Vault.Read(ctx, tx, by, musa.PurposeHelp, r.ID, &out.Feedback)
		out.Asset, out.Created, out.Ends, out.Rule = id, r.Created, r.Ends, r.Rule
		return err
	})
	if err != nil {
		return Rated{}, fmt.Errorf("rating of %s: %w", id, err)
	}
	return out, nil
}

// Unrate erases what the actor thinks of a picture; ErrNotFound where they said nothing.
func (d *Desk) Unrate(ctx context.Context, by musa.Actor, id musa.AssetID) error {
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := d.rated(ctx, tx, by, id)
		if err != nil {
			return err
		}
		return d.Eraser.Records(ctx, tx, []musa.RecordID{r.ID})
	})
	if err != nil {
		return fmt.Errorf("erase rating of %s: %w", id, err)
	}
	return nil
}

var errUnrated = &musa.Problem{Kind: musa.ErrNotFound, Code: "unrated", Public: "You said nothing about this picture yet."}

// rated finds the one record of what the actor thinks of a picture of theirs, and keeps a second
// from being made at the same time: the picture's row is locked.
func (d *Desk) rated(ctx context.Context, tx db.Tx, by musa.Actor, id musa.AssetID) (db.Record, error) {
	if err := own(by); err != nil {
		return db.Record{}, err
	}
	a, err := tx.Asset(ctx, id)
	if err != nil {
		return db.Record{}, err
	}
	switch {
	case a.Owner != by.Subject:
		return db.Record{}, musa.ErrNotFound
	case a.Ordered > 0 || a.State != musa.AssetActive || a.Ends > 0 && a.Ends <= tx.Now:
		return db.Record{}, &musa.Problem{Kind: musa.ErrGone, Code: "picture_over", Public: "This picture has reached its end, and what you thought of it went with it."}
	}
	list, err := tx.RecordsOfAsset(ctx, id)
	if err != nil {
		return db.Record{}, err
	}
	for _, r := range list {
		if r.Category == musa.CategoryFeedback && r.Owner == by.Subject && r.State == musa.AssetActive && (r.Ends == 0 || r.Ends > tx.Now) {
			return r, nil
		}
	}
	return db.Record{}, errUnrated
}
