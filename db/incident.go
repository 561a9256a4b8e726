package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Incident is a breach of personal data, with its clock (GDPR art. 33 and 34). What happened lies sealed in a
// record of the custody.
//
// Category: case.
type Incident struct {
	bun.BaseModel `bun:"table:incidents"`

	ID            musa.CaseID `bun:",pk"`
	Aware         musa.Millis // when the operator learnt of it
	Due           musa.Millis // when the authority has to know
	OpenedBy      musa.SubjectID
	AuthorityTold musa.Millis
	PeopleTold    musa.Millis
	Ended         musa.Millis
	Record        musa.RecordID
}

var incidentTable = Table{Name: "incidents", Category: musa.CategoryCase, Columns: columns(musa.CategoryCase, "id", "aware", "due", "opened_by", "authority_told", "people_told", "ended", "record"),
	Edges: []Edge{{"opened_by", "subjects", Keep}, {"record", "records", Keep}}}

// Affected is somebody whose data an incident concerns.
//
// Category: case.
type Affected struct {
	bun.BaseModel `bun:"table:affected"`

	Incident musa.CaseID    `bun:",pk"`
	Subject  musa.SubjectID `bun:",pk"`
	Ordered  musa.Millis    // when they were to be told; 0 until then
	Told     musa.Millis
}

var affectedTable = Table{Name: "affected", Category: musa.CategoryCase, Columns: columns(musa.CategoryCase, "incident", "subject", "ordered", "told"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// InsertIncident adds an incident.
func (tx Tx) InsertIncident(ctx context.Context, i Incident) error {
	return wrapf(tx.insert(ctx, &i), "insert incident %s", i.ID)
}

// Incident finds an incident; musa.ErrNotFound. In a Write its row stays locked until the end.
func (tx Tx) Incident(ctx context.Context, id musa.CaseID) (Incident, error) {
	var i Incident
	err := tx.get(ctx, &i, "SELECT * FROM incidents WHERE id = ? ?", id, tx.locked(forUpdate))
	return i, wrapf(err, "incident %s", id)
}

// SaveIncident stores where an incident stands.
func (tx Tx) SaveIncident(ctx context.Context, i Incident) error {
	n, err := tx.exec(ctx, "UPDATE incidents SET authority_told = ?, people_told = ?, ended = ? WHERE id = ?", i.AuthorityTold, i.PeopleTold, i.Ended, i.ID)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "save incident %s", i.ID)
}

// Incidents lists up to limit incidents: those whose authority was not told first, by when it has to be.
func (tx Tx) Incidents(ctx context.Context, limit int) ([]Incident, error) {
	var list []Incident
	err := tx.get(ctx, &list, `SELECT * FROM incidents ORDER BY CASE WHEN ended > 0 THEN 2 WHEN authority_told > 0 THEN 1 ELSE 0 END, due, id LIMIT ?`, limit)
	return list, wrapf(err, "incidents")
}

// IncidentsOf lists the incidents that a person was told to be affected by, newest first.
func (tx Tx) IncidentsOf(ctx context.Context, subject musa.SubjectID, limit int) ([]Incident, error) {
	var list []Incident
	err := tx.get(ctx, &list, `SELECT i.* FROM affected AS a JOIN incidents AS i ON i.id = a.incident
		WHERE a.subject = ? AND a.told > 0 ORDER BY i.id DESC LIMIT ?`, subject, limit)
	return list, wrapf(err, "incidents of %s", subject)
}

// Affect notes some people as affected, and leaves out who is no open account.
func (tx Tx) Affect(ctx context.Context, id musa.CaseID, subjects []musa.SubjectID) error {
	if len(subjects) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, `INSERT INTO affected (incident, subject, ordered, told) SELECT ?, id, 0, 0 FROM subjects
		WHERE id IN (?) AND kind <> 'custody' AND state <> 'erased' ON CONFLICT DO NOTHING`, id, bun.List(subjects))
	return wrapf(err, "people affected by %s", id)
}

// AffectAll notes everybody who was here when it happened as affected.
func (tx Tx) AffectAll(ctx context.Context, id musa.CaseID, before musa.Millis) error {
	_, err := tx.exec(ctx, `INSERT INTO affected (incident, subject, ordered, told) SELECT ?, id, 0, 0 FROM subjects
		WHERE kind <> 'custody' AND state <> 'erased' AND created <= ? ON CONFLICT DO NOTHING`, id, before)
	return wrapf(err, "people affected by %s", id)
}

// OrderTelling has everybody told whom an incident concerns and for whom that was not ordered yet,
// and says how many they are.
func (tx Tx) OrderTelling(ctx context.Context, id musa.CaseID) (int, error) {
	n, err := tx.exec(ctx, "UPDATE affected SET ordered = ? WHERE incident = ? AND ordered = 0 AND told = 0", tx.Now, id)
	return n, wrapf(err, "order telling of %s", id)
}

// Untold lists up to limit people of one incident who are to be told of it, and were not yet;
// musa.ErrNotFound when nobody is. In a Write no other transaction gets the same.
func (tx Tx) Untold(ctx context.Context, limit int) ([]Affected, error) {
	var list []Affected
	err := tx.get(ctx, &list, `SELECT * FROM affected WHERE ordered > 0 AND told = 0 AND incident =
		(SELECT MIN(incident) FROM affected WHERE ordered > 0 AND told = 0) ORDER BY subject LIMIT ? ?`, limit, tx.locked(skipLocked))
	if err == nil && len(list) == 0 {
		err = musa.ErrNotFound
	}
	return list, wrapf(err, "untold of incidents")
}

// Reached are those of some people who have an account with a confirmed address. One whose grace runs
// has it still: an incident concerns them as well.
func (tx Tx) Reached(ctx context.Context, of []musa.SubjectID) ([]musa.SubjectID, error) {
	if len(of) == 0 {
		return nil, nil
	}
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, `SELECT a.subject FROM addresses AS a JOIN subjects AS s ON s.id = a.subject
		WHERE a.subject IN (?) AND a.confirmed > 0 AND s.state IN ('active', 'suspended', 'closed') ORDER BY a.subject`, bun.List(of))
	return ids, wrapf(err, "who of them can be reached")
}

// Tell notes that people were told.
func (tx Tx) Tell(ctx context.Context, id musa.CaseID, subjects []musa.SubjectID) error {
	if len(subjects) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE affected SET told = ? WHERE incident = ? AND subject IN (?)", tx.Now, id, bun.List(subjects))
	return wrapf(err, "tell people of %s", id)
}

// CountAffected counts whom an incident concerns, and how many of them were told.
func (tx Tx) CountAffected(ctx context.Context, id musa.CaseID) (all, told int, err error) {
	err = tx.bun.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(CASE WHEN told > 0 THEN 1 ELSE 0 END), 0) FROM affected WHERE incident = ?", id).Scan(&all, &told)
	return all, told, wrapf(err, "count affected by %s", id)
}

// DropIncidents forgets up to limit incidents whose record is gone or at its end, with whom they
// concerned.
func (tx Tx) DropIncidents(ctx context.Context, limit int) (int, error) {
	var ids []musa.CaseID
	err := tx.get(ctx, &ids, `SELECT i.id FROM incidents AS i LEFT JOIN records AS r ON r.id = i.record AND r.state = 'active' AND (r.ends = 0 OR r.ends > ?)
		WHERE r.id IS NULL ORDER BY i.id LIMIT ?`, tx.Now, limit)
	if err != nil || len(ids) == 0 {
		return 0, wrapf(err, "old incidents")
	}
	if _, err := tx.exec(ctx, "DELETE FROM affected WHERE incident IN (?)", bun.List(ids)); err != nil {
		return 0, wrapf(err, "drop whom incidents concerned")
	}
	n, err := tx.exec(ctx, "DELETE FROM incidents WHERE id IN (?)", bun.List(ids))
	return n, wrapf(err, "drop incidents")
}
