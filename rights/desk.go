package rights

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"musa"
	"musa/account"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// Desk is one page of the requests that wait for a person.
type Desk struct {
	Cases   []Case // the most urgent first: what is overdue stands at the beginning
	Overdue int    // on this page
}

// Desk lists the open requests after one ("" for the first page), for the staff. What people
// wrote is not opened: Brief does that, for a role with the purpose attend.
func (r *Rights) Desk(ctx context.Context, by musa.Actor, after musa.CaseID, limit int) (Desk, error) {
	if err := attends(by); err != nil {
		return Desk{}, err
	}
	var out Desk
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		var from db.Case
		if after != "" {
			var err error
			if from, err = tx.Case(ctx, after); err != nil {
				return err
			}
		}
		list, err := tx.OpenCases(ctx, from, limit)
		out = Desk{}
		for _, c := range list {
			seen := Case{Case: c, Overdue: tx.Now >= c.Due}
			if seen.Overdue {
				out.Overdue++
			}
			out.Cases = append(out.Cases, seen)
		}
		return err
	})
	if err != nil {
		return Desk{}, fmt.Errorf("open requests: %w", err)
	}
	return out, nil
}

// attends refuses roles that have nothing to do with requests.
func attends(by musa.Actor) error {
	if by.Role == musa.RoleOperator || by.Role == musa.RoleCompliance {
		return nil
	}
	return musa.ErrNotFound
}

// Brief opens one request with what the person wrote, for a role that the policy gives the
// purpose attend. The look is entered beforehand and shown to the person; GDPR art. 15.
func (r *Rights) Brief(ctx context.Context, by musa.Actor, id musa.CaseID) (Case, error) {
	if err := attends(by); err != nil {
		return Case{}, err
	}
	var (
		out Case
		o   db.RecordOpening
		g   policy.Grant
	)
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := tx.Case(ctx, id)
		if err != nil {
			return err
		}
		out = Case{Case: c, Overdue: c.Answered == 0 && tx.Now >= c.Due}
		if c.Record == "" {
			return nil
		}
		if o, err = tx.RecordOpening(ctx, c.Record); err != nil {
			return err
		}
		g = r.Policy().Decide(policy.Facts{Now: tx.Now, Actor: by, Purpose: musa.PurposeAttend, Item: vault.RecordItem(o.Record)})
		return g.Err()
	})
	if err != nil || out.Record == "" || o.State != musa.AssetActive {
		return out, over(err)
	}
	locked, err := vault.LockedRecord(o)
	if err != nil {
		return out, over(err)
	}
	use, err := r.Vault.Enter(ctx, by, g, "a request about rights: "+string(id))
	if err != nil {
		return Case{}, err
	}
	return out, use.OpenRecord(locked, &out.Paper)
}

// over takes an end that has come for nothing left, not for a fault.
func over(err error) error {
	if errors.Is(err, musa.ErrGone) || errors.Is(err, musa.ErrNotFound) {
		return nil
	}
	return err
}

// Answer ends a request as carried out, in words to the person. A restriction and an
// objection count from then on. One for erasure is AnswerErasure's: done is only what was erased.
// One for rectification may be AnswerRectification's.
func (r *Rights) Answer(ctx context.Context, by musa.Actor, id musa.CaseID, words string) (Case, error) {
	return r.decide(ctx, by, id, words, "right_answered", func(ctx context.Context, tx db.Tx, c *Case) (ended, error) {
		if c.Kind == RightErasure {
			return ended{}, unnamed()
		}
		c.State, c.Answered, c.Outcome, c.Paper.Answer = musa.CaseAnswered, tx.Now, OutcomeDone, words
		// Two that wait for the same come to one in effect, as fresh has it for those that are asked for later.
		stands, err := r.stands(ctx, tx, c.Case)
		if err != nil || stands {
			return ended{}, err
		}
		switch {
		case c.Kind == RightObjection && c.Purpose != "": // one that reached support names none, and stops none by itself
			c.Outcome = consent.OutcomeUpheld
		case c.Kind == RightRestriction:
			c.Outcome = consent.OutcomeRestricted
			_, cancelled, err := r.stop(ctx, tx, c.Subject)
			return ended{cancelled: cancelled}, err
		}
		return ended{}, nil
	})
}

// Unit is what a request for erasure ends: everything, or one picture.
type Unit struct {
	Account bool
	Asset   musa.AssetID
}

func unnamed() error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "unit_needed", Field: "unit",
		Public: "Name what is erased by this answer: unit account for everything, or unit asset with the picture in asset. Where nothing is to be erased, refuse the request and say why."}
}

// AnswerErasure carries a request for erasure out for its person, as if they had ordered it
// themselves, and ends it in words to them. musa.ErrNotFound for a picture that is not theirs.
// GDPR art. 17.
func (r *Rights) AnswerErasure(ctx context.Context, by musa.Actor, id musa.CaseID, words string, u Unit) (Case, error) {
	return r.decide(ctx, by, id, words, "right_answered", func(ctx context.Context, tx db.Tx, c *Case) (ended, error) {
		switch {
		case c.Kind != RightErasure:
			return ended{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "unit_unmeant", Field: "unit", Public: "Only a request for erasure names what is erased. Leave it out."}
		case u.Account == (u.Asset != ""):
			return ended{}, unnamed()
		}
		owner, err := r.ownerOf(ctx, tx, c.Subject)
		if err != nil {
			return ended{}, err
		}
		c.State, c.Answered, c.Outcome, c.Paper.Answer = musa.CaseAnswered, tx.Now, OutcomeClosed, words
		if u.Asset != "" {
			c.Outcome = OutcomeErased
			a, err := tx.Asset(ctx, u.Asset)
			if err != nil {
				return ended{}, err
			}
			c.Undo, err = r.order(ctx, tx, owner, a)
			return ended{gone: []string{string(u.Asset)}}, err
		}
		if err := r.write(ctx, tx, owner, c); err != nil { // before the closing, after which nothing is written
			return ended{}, err
		}
		_, e, _, err := r.shut(ctx, tx, owner)
		return e, err
	})
}

// AnswerRectification corrects what the account of a request's person says, as if they had done
// it themselves, and ends the request in words to them. GDPR art. 16.
func (r *Rights) AnswerRectification(ctx context.Context, by musa.Actor, id musa.CaseID, words string, change account.Change) (Case, error) {
	return r.decide(ctx, by, id, words, "right_answered", func(ctx context.Context, tx db.Tx, c *Case) (ended, error) {
		if c.Kind != RightRectification {
			return ended{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "correction_unmeant", Field: "correct",
				Public: "Only a request for rectification says what is corrected. Leave it out."}
		}
		owner, err := r.ownerOf(ctx, tx, c.Subject)
		if err != nil {
			return ended{}, err
		}
		if owner.Tier == musa.TierGuest {
			return ended{}, &musa.Problem{Kind: musa.ErrConflict, Code: "nothing_to_correct", Field: "correct",
				Public: "Whoever asked has no account, and nothing here says who they are. Answer in words, or refuse and say why."}
		}
		c.State, c.Answered, c.Outcome, c.Paper.Answer = musa.CaseAnswered, tx.Now, OutcomeDone, words
		_, err = r.Accounts.Rectify(ctx, tx, owner, change)
		return ended{}, err
	})
}

// Refuse ends a request with a no and its reasons. GDPR art. 12(4).
func (r *Rights) Refuse(ctx context.Context, by musa.Actor, id musa.CaseID, words string) (Case, error) {
	return r.decide(ctx, by, id, words, "right_refused", func(_ context.Context, tx db.Tx, c *Case) (ended, error) {
		c.State, c.Answered, c.Outcome, c.Paper.Answer = musa.CaseRefused, tx.Now, OutcomeRefused, words
		return ended{}, nil
	})
}

// Extend tells the person, before the first deadline, that it takes longer and why; once, and
// by no more than the policy has. GDPR art. 12(3).
func (r *Rights) Extend(ctx context.Context, by musa.Actor, id musa.CaseID, words string) (Case, error) {
	return r.decide(ctx, by, id, words, "right_extended", func(_ context.Context, tx db.Tx, c *Case) (ended, error) {
		extend := r.extension(c.Kind, c.Regime)
		switch {
		case !extend.Said() || extend.Duration() == 0:
			return ended{}, &musa.Problem{Kind: musa.ErrRefused, Code: "no_extension", Public: "The policy has no extension for this right. Answer by the deadline."}
		case c.Extended > 0:
			return ended{}, &musa.Problem{Kind: musa.ErrConflict, Code: "extended_before", Public: "This deadline was extended before. It is not moved twice."}
		case tx.Now >= c.Due:
			return ended{}, &musa.Problem{Kind: musa.ErrRefused, Code: "extended_late", Public: "The deadline is over: an extension had to be told before. Answer now."}
		}
		c.State, c.Extended, c.Due, c.Paper.Extension = musa.CaseExtended, tx.Now, extend.After(c.Due), words
		return ended{}, nil
	})
}

// extension is by how much the law that a request runs under lets its deadline move.
func (r *Rights) extension(right, law string) policy.Span {
	line, _ := r.Policy().Rights.Get(right)
	if e, ok := line.Elsewhere.Get(law); ok {
		return e.Extend
	}
	return line.Extend
}

func (r *Rights) decide(ctx context.Context, by musa.Actor, id musa.CaseID, words, action string, do func(context.Context, db.Tx, *Case) (ended, error)) (Case, error) {
	if err := attends(by); err != nil {
		return Case{}, err
	}
	if strings.TrimSpace(words) == "" || utf8.RuneCountInString(words) > maxWords {
		return Case{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "words_needed", Field: "words",
			Public: fmt.Sprintf("Tell the person why, in one to %d characters.", maxWords)}
	}
	var (
		out Case
		e   ended
	)
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := tx.Case(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case c.Subject == by.Subject:
			return &musa.Problem{Kind: musa.ErrRefused, Code: "own_request", Public: "Nobody decides about their own request."}
		case c.Answered > 0:
			return &musa.Problem{Kind: musa.ErrConflict, Code: "request_over", Public: "This request is over: it was answered, refused or taken back."}
		}
		// The answer is the program's to write down, for the person whose it is.
		owner, err := r.ownerOf(ctx, tx, c.Subject)
		if err != nil {
			return err
		}
		if out, err = r.read(ctx, tx, owner, c); err != nil {
			return err
		}
		if e, err = do(ctx, tx, &out); err != nil {
			return err
		}
		out.Handler, out.Overdue = by.Subject, false
		if err := r.write(ctx, tx, owner, &out); err != nil {
			return err
		}
		if err := tx.SaveCase(ctx, out.Case); err != nil {
			return err
		}
		if err := r.bear(ctx, tx, out.Case); err != nil {
			return err
		}
		return r.enter(ctx, tx, by, out.Case, action)
	})
	if err != nil {
		return Case{}, fmt.Errorf("decide about %s: %w", id, err)
	}
	if len(e.gone)+len(e.cancelled) > 0 {
		r.spread(e.gone, e.cancelled)
	}
	out.Paper = Paper{Extension: out.Paper.Extension, Answer: out.Paper.Answer} // their words are Brief's to open
	return out, nil
}

// ownerOf is the program acting for a person.
func (r *Rights) ownerOf(ctx context.Context, tx db.Tx, id musa.SubjectID) (musa.Actor, error) {
	s, err := tx.Subject(ctx, id)
	return musa.Actor{Subject: id, Tier: s.Tier, Role: musa.RoleSystem, Standing: s.Standing()}, err
}

// write seals the answer beside what was asked. Of somebody whose key is destroyed nothing is
// written any more.
func (r *Rights) write(ctx context.Context, tx db.Tx, owner musa.Actor, c *Case) error {
	if c.Record != "" {
		err := r.Vault.Rewrite(ctx, tx, owner, musa.PurposeAnswerRights, c.Record, c.Paper)
		if over(err) != nil || err == nil {
			return err
		}
	}
	rec, err := r.Vault.File(ctx, tx, vault.Filing{By: owner, Purpose: musa.PurposeAnswerRights, Category: musa.CategoryCase, Content: c.Paper})
	if err == nil {
		c.Record = rec.ID
	}
	return over(err)
}
