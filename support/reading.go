package support

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// maxReading is how many answers one call opens: each is an act of its own.
const maxReading = 50

// Reading says which words of a survey the staff read, and why.
type Reading struct {
	Survey musa.SurveyID
	Reason string
	After  musa.RecordID // the last of the page before
	Limit  int
}

// Remark is what somebody wrote to a question of a survey. It does not say who.
type Remark struct {
	Question, Words string
}

// Remarks opens what people wrote in their own words to a survey, for a reason that is entered
// before each answer opens and that its person sees (GET /api/me/disclosures). What they chose
// beside it stays closed: totals tell it. Next is where the next page begins, empty where none does.
func (d *Desk) Remarks(ctx context.Context, by musa.Actor, r Reading) (list []Remark, next musa.RecordID, err error) {
	if err := errors.Join(staffed(by, musa.RoleSupport), checkReason(r.Reason)); err != nil {
		return nil, "", err
	}
	r.Limit = min(max(r.Limit, 1), maxReading)
	var asked []Question
	var rows []db.Answer
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := open(ctx, tx, r.Survey)
		if err != nil {
			return err
		}
		if asked = wordy(s); len(asked) == 0 {
			return nil // nobody wrote anything: nothing is opened in vain
		}
		rows, err = tx.Answers(ctx, r.Survey, r.After, r.Limit)
		return err
	})
	for _, row := range rows {
		if err != nil {
			break
		}
		var said Answers
		switch err = d.readAnswer(ctx, by, row.Record, r.Reason, &said); {
		case errors.Is(err, musa.ErrNotFound), errors.Is(err, musa.ErrGone):
			err = nil // it was taken back meanwhile
		case err == nil:
			list = append(list, remarks(asked, said)...)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("words of survey %s: %w", r.Survey, err)
	}
	if len(rows) == r.Limit {
		next = rows[len(rows)-1].Record
	}
	return list, next, nil
}

func wordy(s Survey) (list []Question) {
	for _, q := range s.Questions {
		if q.Kind == AskWords {
			list = append(list, q)
		}
	}
	return list
}

func remarks(asked []Question, said Answers) (list []Remark) {
	for _, q := range asked {
		if words := said.Answers[q.ID]; words != "" {
			list = append(list, Remark{Question: q.ID, Words: words})
		}
	}
	return list
}

// readAnswer enters that an answer is opened, and opens it.
func (d *Desk) readAnswer(ctx context.Context, by musa.Actor, id musa.RecordID, why string, out *Answers) error {
	find := func(o *db.RecordOpening, grant *policy.Grant) error {
		return d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			*o, *grant, err = d.opening(ctx, tx, by, id)
			return err
		})
	}
	var o db.RecordOpening
	var grant policy.Grant
	if err := find(&o, &grant); err != nil {
		return err
	}
	use, err := d.Vault.Enter(ctx, by, grant, why)
	if err != nil {
		return err
	}
	// Once more: what was taken back while it was entered stays closed.
	if err := find(&o, &grant); err != nil {
		return err
	}
	locked, err := vault.LockedRecord(o)
	if err != nil {
		return err
	}
	return use.OpenRecord(locked, out)
}
