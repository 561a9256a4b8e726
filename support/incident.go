package support

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/vault"
)

// Breach is what is known of an incident. It lies sealed under the custody; what people are told
// is Notice alone. GDPR art. 33 (3), 34 (2).
type Breach struct {
	Version      int    `json:"version"`
	What         string `json:"what"`
	Consequences string `json:"consequences"`
	Measures     string `json:"measures"`
	Notice       string `json:"notice"` // in plain words, to those whom it concerns
	Notes        []Note `json:"notes"`
}

// Note is one line of an incident's history.
type Note struct {
	At    musa.Millis    `json:"at"`
	By    musa.SubjectID `json:"by"`
	Words string         `json:"words"`
}

// Incident is a breach of personal data with its clock.
type Incident struct {
	db.Incident
	Breach         // empty in lists
	Affected, Told int
	Overdue        bool // the authority had to be told by now
}

// OpenIncident enters a breach. The authority's clock starts when the operator learnt of it.
// Policy security.incident.
func (d *Desk) OpenIncident(ctx context.Context, by musa.Actor, aware musa.Millis, b Breach) (Incident, error) {
	if err := staffed(by, musa.RoleOperator, musa.RoleCompliance); err != nil {
		return Incident{}, err
	}
	within := d.Policy().Security.Incident.TellAuthority
	if err := errors.Join(checkWords("what", b.What, maxWords), checkBreach(b)); err != nil {
		return Incident{}, err
	}
	if aware == 0 {
		aware = musa.At(d.Clock())
	}
	switch {
	case aware > musa.At(d.Clock()):
		return Incident{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "aware_ahead", Field: "aware", Public: "Nobody learnt of it in the future. Give the moment when you did."}
	case !within.Said():
		return Incident{}, &musa.Problem{Kind: musa.ErrRefused, Code: "incident_unknown",
			Public: "This studio's policy names no time for telling an authority. Publish a version with security.incident.tell_authority."}
	}
	custody, err := d.Keeper.Custody(ctx)
	if err != nil {
		return Incident{}, err
	}
	b.Version, b.Notes = 1, []Note{}
	out := Incident{Breach: b}
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := d.Vault.File(ctx, tx, vault.Filing{By: keeper(custody), Purpose: musa.PurposeProve, Category: musa.CategoryCase, Content: b})
		if err != nil {
			return err
		}
		out.Incident = db.Incident{ID: musa.NewCaseID(tx.Now.Time()), Aware: aware, Due: within.After(aware), OpenedBy: by.Subject, Record: r.ID}
		out.Overdue = out.Due <= tx.Now
		return errors.Join(tx.InsertIncident(ctx, out.Incident), entered(ctx, tx, by, "incident_opened", out.ID))
	})
	if err != nil {
		return Incident{}, fmt.Errorf("open an incident: %w", err)
	}
	return out, nil
}

func checkBreach(b Breach) error {
	for _, w := range []struct{ field, words string }{{"consequences", b.Consequences}, {"measures", b.Measures}, {"notice", b.Notice}} {
		if w.words == "" {
			continue
		}
		if err := checkWords(w.field, w.words, maxWords); err != nil {
			return err
		}
	}
	return nil
}

// keeper acts for the custody: the program itself, which alone opens what lies there.
func keeper(custody musa.SubjectID) musa.Actor {
	return musa.Actor{Subject: custody, Role: musa.RoleSystem}
}

func entered(ctx context.Context, tx db.Tx, by musa.Actor, action string, id musa.CaseID) error {
	return tx.AppendAudit(ctx, db.AuditEvent{Action: action, Role: by.Role, Subject: by.Subject, Object: string(id)})
}

// Incidents lists them without what happened: those first whose authority has to be told first.
func (d *Desk) Incidents(ctx context.Context, by musa.Actor, limit int) ([]Incident, error) {
	if err := staffed(by, musa.RoleOperator, musa.RoleCompliance); err != nil {
		return nil, err
	}
	var list []Incident
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Incidents(ctx, limit)
		list = make([]Incident, len(rows))
		for i, row := range rows {
			list[i] = Incident{Incident: row, Overdue: overdue(row, tx.Now)}
			if list[i].Affected, list[i].Told, err = tx.CountAffected(ctx, row.ID); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return list, nil
}

func overdue(i db.Incident, now musa.Millis) bool {
	return i.AuthorityTold == 0 && i.Ended == 0 && i.Due <= now
}

// Incident shows one with what happened. That it was read is entered.
func (d *Desk) Incident(ctx context.Context, by musa.Actor, id musa.CaseID) (Incident, error) {
	return d.change(ctx, by, id, "incident_read", func(context.Context, db.Tx, *Incident) error { return nil })
}

// TellAuthority notes that the authority was told.
func (d *Desk) TellAuthority(ctx context.Context, by musa.Actor, id musa.CaseID, note string) (Incident, error) {
	return d.change(ctx, by, id, "incident_authority_told", func(_ context.Context, tx db.Tx, i *Incident) error {
		if i.AuthorityTold > 0 {
			return i.add(by, tx.Now, note)
		}
		i.AuthorityTold = tx.Now
		return i.note(by, tx.Now, note)
	})
}

// Amend changes what is known of an incident, and notes why: at first little is. What people were
// told stays as they were told it. GDPR art. 33 (4).
func (d *Desk) Amend(ctx context.Context, by musa.Actor, id musa.CaseID, b Breach, why string) (Incident, error) {
	if err := errors.Join(checkWords("what", b.What, maxWords), checkBreach(b)); err != nil {
		return Incident{}, err
	}
	return d.change(ctx, by, id, "incident_amended", func(_ context.Context, tx db.Tx, i *Incident) error {
		if i.PeopleTold > 0 && b.Notice != i.Notice {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "notice_told", Field: "notice",
				Public: "People were told these words, so they stay. Enter what is new as another incident, and tell them of that."}
		}
		if i.What == b.What && i.Consequences == b.Consequences && i.Measures == b.Measures && i.Notice == b.Notice {
			return i.add(by, tx.Now, why)
		}
		i.What, i.Consequences, i.Measures, i.Notice = b.What, b.Consequences, b.Measures, b.Notice
		return i.note(by, tx.Now, why)
	})
}

// EndIncident notes that nothing is left to do.
func (d *Desk) EndIncident(ctx context.Context, by musa.Actor, id musa.CaseID, note string) (Incident, error) {
	return d.change(ctx, by, id, "incident_ended", func(_ context.Context, tx db.Tx, i *Incident) error {
		if i.Ended > 0 {
			return i.add(by, tx.Now, note)
		}
		i.Ended = tx.Now
		return i.note(by, tx.Now, note)
	})
}

// add is note for a line with which nothing changes; of those a history holds only so many.
func (i *Incident) add(by musa.Actor, now musa.Millis, words string) error {
	if len(i.Notes) >= maxNotes {
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: "incident_full", Field: "note",
			Public: "This incident has as many notes as it can hold, and this one changes nothing. What is new about it can still be entered: amend what is known, tell the authority, end it."}
	}
	return i.note(by, now, words)
}

func (i *Incident) note(by musa.Actor, now musa.Millis, words string) error {
	if err := checkWords("note", words, maxNote); err != nil {
		return err
	}
	i.Notes = append(i.Notes, Note{At: now, By: by.Subject, Words: words})
	return nil
}

// change opens an incident, changes it and stores what changed.
func (d *Desk) change(ctx context.Context, by musa.Actor, id musa.CaseID, action string, f func(context.Context, db.Tx, *Incident) error) (Incident, error) {
	var out Incident
	if err := staffed(by, musa.RoleOperator, musa.RoleCompliance); err != nil {
		return out, err
	}
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if out, err = d.breach(ctx, tx, id); err != nil {
			return err
		}
		was, notes := out.Incident, len(out.Notes)
		if err := f(ctx, tx, &out); err != nil {
			return err
		}
		if len(out.Notes) != notes {
			custody, err := tx.Custody(ctx)
			if err != nil {
				return err
			}
			if err := d.Vault.Rewrite(ctx, tx, keeper(custody), musa.PurposeProve, out.Record, out.Breach); err != nil {
				return err
			}
		}
		if out.Incident != was {
			if err := tx.SaveIncident(ctx, out.Incident); err != nil {
				return err
			}
		}
		out.Overdue = overdue(out.Incident, tx.Now)
		return entered(ctx, tx, by, action, id)
	})
	if err != nil {
		return Incident{}, fmt.Errorf("incident %s: %w", id, err)
	}
	return out, nil
}

func (d *Desk) breach(ctx context.Context, tx db.Tx, id musa.CaseID) (Incident, error) {
	var out Incident
	row, err := tx.Incident(ctx, id)
	if err != nil {
		return out, err
	}
	custody, err := tx.Custody(ctx)
	if err != nil {
		return out, err
	}
	if _, err := d.Vault.Read(ctx, tx, keeper(custody), musa.PurposeProve, row.Record, &out.Breach); err != nil {
		return out, err
	}
	out.Incident = row
	out.Affected, out.Told, err = tx.CountAffected(ctx, id)
	return out, err
}
