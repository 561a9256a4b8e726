package support

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
)

// maxNamed is how many people one call names as affected.
const maxNamed = 10_000

// Whom says whose data an incident concerns: everybody who was here when the operator learnt of
// it, or some.
type Whom struct {
	All      bool
	Subjects []musa.SubjectID
}

// Affect notes whom an incident concerns. Who is nobody here is left out; calling it again adds.
func (d *Desk) Affect(ctx context.Context, by musa.Actor, id musa.CaseID, w Whom) (Incident, error) {
	if err := staffed(by, musa.RoleOperator, musa.RoleCompliance); err != nil {
		return Incident{}, err
	}
	if w.All == (len(w.Subjects) > 0) || len(w.Subjects) > maxNamed {
		return Incident{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "affected_unclear", Field: "subjects",
			Public: fmt.Sprintf("Say that it concerns all, or name 1 to %d people by their ids.", maxNamed)}
	}
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		i, err := tx.Incident(ctx, id)
		if err != nil {
			return err
		}
		if w.All {
			err = tx.AffectAll(ctx, id, i.Aware)
		} else {
			err = tx.Affect(ctx, id, w.Subjects)
		}
		return errors.Join(err, entered(ctx, tx, by, "incident_affected", id))
	})
	if err != nil {
		return Incident{}, fmt.Errorf("whom incident %s concerns: %w", id, err)
	}
	return d.Incident(ctx, by, id)
}

// TellPeople has everybody told whom an incident concerns and who was not told yet: by mail, where
// an address is known, and on their page. The order commits here, however many they are; the loop
// of notices does the telling, and goes on after a crash. Calling it again has those told who were
// added.
func (d *Desk) TellPeople(ctx context.Context, by musa.Actor, id musa.CaseID) (Incident, error) {
	return d.change(ctx, by, id, "incident_people_told", func(ctx context.Context, tx db.Tx, i *Incident) error {
		if i.Notice == "" || i.Affected == 0 {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "nothing_to_tell",
				Public: "Say first whom it concerns, and in the incident what people are told (notice)."}
		}
		if i.PeopleTold == 0 {
			i.PeopleTold = tx.Now
		}
		_, err := tx.OrderTelling(ctx, id)
		return err
	})
}

// Told is an incident as somebody sees it whom it concerns.
type Told struct {
	ID     musa.CaseID
	Aware  musa.Millis
	Ended  musa.Millis
	Notice string
}

// IncidentsOf tells the actor of the incidents that concern them, newest first.
func (d *Desk) IncidentsOf(ctx context.Context, by musa.Actor) ([]Told, error) {
	var list []Told
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.IncidentsOf(ctx, by.Subject, 100)
		if err != nil {
			return err
		}
		list = nil
		for _, row := range rows {
			i, err := d.breach(ctx, tx, row.ID)
			if errors.Is(err, musa.ErrGone) {
				continue // the policy ended what is known of it
			}
			if err != nil {
				return err
			}
			list = append(list, Told{ID: i.ID, Aware: i.Aware, Ended: i.Ended, Notice: i.Notice})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("incidents of %s: %w", by.Subject, err)
	}
	return list, nil
}
