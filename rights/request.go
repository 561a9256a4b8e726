package rights

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// The rights that a policy can list, as requests name them.
const (
	RightAccess        = "access"
	RightRectification = "rectification"
	RightErasure       = "erasure"
	RightRestriction   = "restriction"
	RightPortability   = "portability"
	RightObjection     = "objection"
	RightWithdraw      = "withdraw"
	RightOptOut        = "opt_out_sale"
	RightReview        = "human_review"
)

// The outcomes of requests that no other package knows.
const (
	OutcomeExport    = "export_ready"    // GET /api/me/holdings and /api/me/export have all of it
	OutcomeProfile   = "yours_to_change" // PATCH /api/me/profile
	OutcomeErased    = "erasure_ordered"
	OutcomeClosed    = "account_closed"
	OutcomeWithdrawn = "consent_withdrawn"
	OutcomeOptedOut  = "opted_out"
	OutcomeDone      = "done" // by a person
	OutcomeRefused   = "refused"
	OutcomeLifted    = "lifted" // by whoever asked
)

// maxWords is the longest text of a request or an answer, in characters.
const maxWords = 8000

// mailCase is the kind of mail that tells of a request's new state.
const mailCase = "case"

// Request is what a person asks for.
type Request struct {
	Right   string
	Words   string       // theirs, sealed; a self-service request without any is carried out at once
	Purpose musa.Purpose // that they object to
	Consent string       // that they withdraw
	Asset   musa.AssetID // that it is about; may be empty
	Account bool         // an erasure of everything
}

// Case is a request with its clock, as its person sees it.
type Case struct {
	db.Case
	Paper
	Overdue bool
	Undo    musa.Millis // until when an erasure that was just ordered can be undone
	Closing Closing     // of an account that was just closed
}

// Paper is the sealed part of a case: what was asked, and what was answered.
type Paper struct {
	Words     string       `json:"words,omitempty"`
	Asset     musa.AssetID `json:"asset,omitempty"`
	Consent   string       `json:"consent,omitempty"`
	Extension string       `json:"extension,omitempty"` // why it takes longer
	Answer    string       `json:"answer,omitempty"`
}

// Ask enters a request. What the person may do themselves is done at once and entered as
// answered; the rest waits for a person, with the deadline of the law where they live.
// GDPR art. 12 to 22, CCPA 1798.130; promises P-20, C-32, W-27.
func (r *Rights) Ask(ctx context.Context, by musa.Actor, q Request) (Case, error) {
	right, err := r.askable(q)
	if err != nil {
		return Case{}, err
	}
	if q.Right == RightErasure && q.Account && strings.TrimSpace(q.Words) == "" {
		return r.askClose(ctx, by)
	}
	var (
		out       Case
		cancelled []musa.JobID
		hidden    []string
	)
	err = r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		out, cancelled, hidden = Case{Case: r.received(tx, by, q.Right), Paper: Paper{Words: q.Words, Asset: q.Asset, Consent: q.Consent}}, nil, nil
		out.Purpose = q.Purpose
		if err := r.fresh(ctx, tx, by, q); err != nil {
			return err
		}
		if right.SelfService.On() && strings.TrimSpace(q.Words) == "" || immediate(q.Right) {
			out.Answered, out.State = tx.Now, musa.CaseAnswered
			if cancelled, hidden, err = r.carry(ctx, tx, by, q, &out); err != nil {
				return err
			}
		}
		if err := r.file(ctx, tx, by, &out); err != nil {
			return err
		}
		return r.enter(ctx, tx, by, out.Case, "right_requested")
	})
	if err != nil {
		return Case{}, fmt.Errorf("request %s of %s: %w", q.Right, by.Subject, err)
	}
	if len(cancelled)+len(hidden) > 0 {
		r.spread(hidden, cancelled)
	}
	return out, nil
}

// fresh refuses a restriction or an objection that is in effect already: of two, one that is taken
// back would leave the other, and the person would wonder what still binds.
func (r *Rights) fresh(ctx context.Context, tx db.Tx, by musa.Actor, q Request) error {
	if q.Right != RightRestriction && q.Right != RightObjection {
		return nil
	}
	if _, err := tx.Subject(ctx, by.Subject); err != nil { // locked: one after the other
		return err
	}
	stands, err := r.stands(ctx, tx, db.Case{Subject: by.Subject, Kind: q.Right, Purpose: q.Purpose})
	if err == nil && stands {
		err = &musa.Problem{Kind: musa.ErrConflict, Code: "request_stands", Field: "right",
			Public: "This is in effect already. GET /api/rights lists the request; take that one back to end it."}
	}
	return err
}

// stands says whether what a request asks for is in effect by another one.
func (r *Rights) stands(ctx context.Context, tx db.Tx, q db.Case) (bool, error) {
	list, err := tx.CasesInEffect(ctx, q.Subject, consent.OutcomeRestricted, consent.OutcomeUpheld)
	return slices.ContainsFunc(list, func(c db.Case) bool { return c.Kind == q.Kind && c.Purpose == q.Purpose }), err
}

// immediate says that nobody has to look at a request before it is carried out: the law gives
// no time for it. Words that come with it are kept.
func immediate(right string) bool {
	return right == RightWithdraw || right == RightOptOut || right == RightRestriction
}

// askable refuses what the policy does not list, and what cannot be meant.
func (r *Rights) askable(q Request) (policy.Right, error) {
	doc := r.Policy()
	right, ok := doc.Rights.Get(q.Right)
	switch {
	case !ok:
		return right, &musa.Problem{Kind: musa.ErrInvalid, Code: "right_unlisted", Field: "right",
			Public: "The policy lists no such right. It lists: " + strings.Join(doc.Rights.Names(), ", ") + "."}
	case utf8.RuneCountInString(q.Words) > maxWords:
		return right, &musa.Problem{Kind: musa.ErrTooLarge, Code: "words_too_long", Field: "words", Public: fmt.Sprintf("Say it in at most %d characters.", maxWords)}
	case q.Right == RightObjection && !right.Purposes.Has(string(q.Purpose)):
		return right, &musa.Problem{Kind: musa.ErrInvalid, Code: "purpose_needed", Field: "purpose",
			Public: "Name the purpose that you object to. You may object to: " + strings.Join(right.Purposes, ", ") + ". What rests on a consent you withdraw."}
	case q.Right == RightWithdraw && !asked(doc, q.Consent):
		return right, &musa.Problem{Kind: musa.ErrInvalid, Code: "consent_needed", Field: "consent", Public: "Name the consent that you withdraw. GET /api/me/consents lists yours."}
	case q.Right == RightErasure && q.Asset != "" && q.Account:
		return right, &musa.Problem{Kind: musa.ErrInvalid, Code: "unit_unclear", Field: "unit",
			Public: "A picture is named, and everything. For the picture alone say unit asset; for all that is yours leave asset out."}
	case q.Right == RightErasure && q.Asset == "" && !q.Account && strings.TrimSpace(q.Words) == "":
		return right, &musa.Problem{Kind: musa.ErrInvalid, Code: "unit_needed", Field: "unit",
			Public: "Say what is to be erased: unit account for everything, or unit asset with the picture in asset. What you said for a job goes with DELETE /api/jobs/{id}/prompt."}
	}
	return right, nil
}

// asked says whether people are asked for a consent at all.
func asked(doc *policy.Document, name string) bool {
	line, ok := doc.Consents.Get(name)
	return ok && line.Mode.Default != "notice_only"
}

// received is a new request with the clock of the law where the person lives.
func (r *Rights) received(tx db.Tx, by musa.Actor, right string) db.Case {
	clock, _ := r.Policy().ClockOf(right, by.Standing.Region)
	return db.Case{ID: musa.NewCaseID(tx.Now.Time()), Subject: by.Subject, Kind: right, State: musa.CaseReceived,
		Regime: clock.Law, Received: tx.Now, Due: clock.Within.After(tx.Now)}
}

// carry does what a request asks for, where that is the person's to do.
func (r *Rights) carry(ctx context.Context, tx db.Tx, by musa.Actor, q Request, c *Case) (cancelled []musa.JobID, hidden []string, err error) {
	switch q.Right {
	case RightAccess, RightPortability:
		c.Outcome = OutcomeExport
	case RightRectification:
		c.Outcome = OutcomeProfile
	case RightErasure:
		c.Outcome = OutcomeErased
		a, err := tx.Asset(ctx, q.Asset)
		if err != nil {
			return nil, nil, err
		}
		c.Undo, err = r.order(ctx, tx, by, a)
		return nil, []string{string(q.Asset)}, err
	case RightRestriction:
		c.Outcome = consent.OutcomeRestricted
		_, cancelled, err = r.stop(ctx, tx, by.Subject)
	case RightObjection:
		c.Outcome = consent.OutcomeUpheld
	case RightWithdraw:
		c.Outcome = OutcomeWithdrawn
		err = r.Consents.Give(ctx, tx, by, q.Consent, q.Asset, consent.No, consent.ViaRights)
	case RightOptOut:
		c.Outcome = OutcomeOptedOut
		err = r.optOut(ctx, tx, by)
	default:
		c.Answered, c.State = 0, musa.CaseReceived // a person has to look
	}
	return cancelled, hidden, err
}

// optOut refuses all that the browser's signal would refuse, for good.
func (r *Rights) optOut(ctx context.Context, tx db.Tx, by musa.Actor) error {
	for _, e := range r.Policy().Consents {
		whole := len(e.Value.Scope) == 0 || e.Value.Scope.Has("subject")
		if e.Value.Gpc != "refuse" || !whole {
			continue
		}
		if err := r.Consents.Give(ctx, tx, by, e.Name, "", consent.No, consent.ViaRights); err != nil {
			return err
		}
	}
	return nil
}

// askClose closes the account; the request stands among its cases with the rest.
func (r *Rights) askClose(ctx context.Context, by musa.Actor) (Case, error) {
	closing, err := r.Close(ctx, by)
	if err != nil {
		return Case{}, err
	}
	var out Case
	err = r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.CasesInEffect(ctx, by.Subject, OutcomeClosed)
		for _, c := range list { // the last is the one of this closing
			out = Case{Case: c, Closing: closing}
		}
		return err
	})
	if err != nil {
		return Case{}, fmt.Errorf("closing of %s: %w", by.Subject, err)
	}
	return out, nil
}

// file seals what was written and adds the row, and reckons anew what it bears on.
func (r *Rights) file(ctx context.Context, tx db.Tx, by musa.Actor, c *Case) error {
	if c.Paper != (Paper{}) {
		rec, err := r.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: musa.PurposeAnswerRights, Category: musa.CategoryCase, Content: c.Paper})
		if err != nil {
			return err
		}
		c.Record = rec.ID
	}
	if err := tx.InsertCase(ctx, c.Case); err != nil {
		return err
	}
	return r.bear(ctx, tx, c.Case)
}

// bear makes a decision about a restriction or an objection count from this commit on. A backup
// target's journal learns of it, so that no restore forgets it.
func (r *Rights) bear(ctx context.Context, tx db.Tx, c db.Case) error {
	if c.Kind != RightRestriction && c.Kind != RightObjection {
		return nil
	}
	act := db.Act{Subject: c.Subject, What: string(c.Purpose), Item: string(c.ID)}
	switch {
	case c.Outcome == OutcomeLifted:
		act.Did = db.ActLifted
	case !inEffect(c):
		return r.Consents.Settle(ctx, tx, c.Subject)
	case c.Kind == RightObjection:
		act.Did = db.ActObjected
	default:
		act.Did = db.ActRestricted
	}
	if err := tx.NoteAct(ctx, act); err != nil {
		return err
	}
	return r.Consents.Settle(ctx, tx, c.Subject)
}

// enter notes what happened to a request, and tells its person by mail.
func (r *Rights) enter(ctx context.Context, tx db.Tx, by musa.Actor, c db.Case, action string) error {
	mail := db.Mail{Subject: c.Subject, Kind: mailCase, Object: string(c.ID), Once: strings.Join([]string{mailCase, string(c.ID), string(c.State)}, "/")}
	if err := tx.QueueMail(ctx, mail); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: action, Role: by.Role, Subject: c.Subject, Object: string(c.ID)})
}

// Cases lists a person's requests, newest first, older than after ("" for all).
func (r *Rights) Cases(ctx context.Context, by musa.Actor, after musa.CaseID, limit int) ([]Case, error) {
	var out []Case
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.CasesOf(ctx, by.Subject, after, limit)
		out = nil
		for _, c := range list {
			seen, err := r.read(ctx, tx, by, c)
			if err != nil {
				return err
			}
			out = append(out, seen)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("requests of %s: %w", by.Subject, err)
	}
	return out, nil
}

// Case shows one request to its person; ErrNotFound to anybody else.
func (r *Rights) Case(ctx context.Context, by musa.Actor, id musa.CaseID) (Case, error) {
	var out Case
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := tx.Case(ctx, id)
		if err == nil && c.Subject != by.Subject {
			err = musa.ErrNotFound
		}
		if err != nil {
			return err
		}
		out, err = r.read(ctx, tx, by, c)
		return err
	})
	if err != nil {
		return Case{}, fmt.Errorf("request %s: %w", id, err)
	}
	return out, nil
}

// read opens the words of a case for its person. Words whose end has come are left out.
func (r *Rights) read(ctx context.Context, tx db.Tx, by musa.Actor, c db.Case) (Case, error) {
	out := Case{Case: c, Overdue: c.Answered == 0 && tx.Now >= c.Due}
	if c.Record == "" {
		return out, nil
	}
	_, err := r.Vault.Read(ctx, tx, by, musa.PurposeAnswerRights, c.Record, &out.Paper)
	return out, over(err)
}

// Retract takes a request back: one that waits, or a restriction or an objection that is in
// effect. ErrConflict for what was answered and is over.
func (r *Rights) Retract(ctx context.Context, by musa.Actor, id musa.CaseID) (Case, error) {
	var out Case
	err := r.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := tx.Case(ctx, id)
		if err != nil {
			return err
		}
		lifts := inEffect(c)
		switch {
		case c.Subject != by.Subject:
			return musa.ErrNotFound
		case c.Answered > 0 && !lifts:
			return &musa.Problem{Kind: musa.ErrConflict, Code: "request_over", Public: "This request was answered, and nothing of it is in effect that could be taken back."}
		case lifts:
			c.Outcome = OutcomeLifted
		default:
			c.Answered = tx.Now
		}
		c.State = musa.CaseWithdrawn
		if err := tx.SaveCase(ctx, c); err != nil {
			return err
		}
		if err := r.bear(ctx, tx, c); err != nil {
			return err
		}
		if out, err = r.read(ctx, tx, by, c); err != nil {
			return err
		}
		return r.enter(ctx, tx, by, c, "right_retracted")
	})
	if err != nil {
		return Case{}, fmt.Errorf("retract %s: %w", id, err)
	}
	return out, nil
}

// inEffect says that an answer still bears on what may be done.
func inEffect(c db.Case) bool {
	return c.State == musa.CaseAnswered && (c.Outcome == consent.OutcomeRestricted || c.Outcome == consent.OutcomeUpheld)
}

// Retractable says whether the person can take the request back.
func (c Case) Retractable() bool { return c.Answered == 0 || inEffect(c.Case) }
