package db

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"musa"
)

// Subject is an owner of data.
//
// Category: account.
type Subject struct {
	bun.BaseModel `bun:"table:subjects"`

	ID            musa.SubjectID `bun:",pk"`
	Kind          musa.SubjectKind
	Tier          musa.Tier
	State         musa.SubjectState
	Created       musa.Millis
	LastSeen      musa.Millis
	Closed        musa.Millis // 0 while active
	PolicyVersion string
	Choice        int64       // ms that the owner chose for what rules let them choose, 0 for the rules' defaults
	Former        musa.Tier   // the tier that was lost, while that still counts
	Grace         musa.Millis // before which the loss shortens nothing
	Ends          musa.Millis // when a closed account's data goes, 0 while active
	Receipt       musa.ReceiptID
	Changes       int64       // of choice and tier, counted
	Lagging       musa.Millis // when the last of them came, while items still follow it
	Region        string      // a country or its part; empty where nobody said
	Restricted    musa.Millis // since when the use is restricted; 0
	Consents      string      // given and valid, separated by spaces; one for an item is its name, a colon and the id. Stored, "@" and its end follow one that runs out
	Objections    string      // purposes, separated by spaces
	Unlogged      musa.Millis // since when the interaction log is off; 0 for on
}

// Standing is what the owner has said about the use of what is theirs.
func (s Subject) Standing() musa.Standing {
	st := musa.Standing{Consents: strings.Fields(s.Consents), Restricted: s.Restricted > 0, Region: s.Region, Unlogged: s.Unlogged > 0}
	for _, p := range strings.Fields(s.Objections) {
		st.Objections = append(st.Objections, musa.Purpose(p))
	}
	return st
}

// lapse leaves out consents whose end has come: they count to the instant, not until a sweep.
func (s *Subject) lapse(now musa.Millis) {
	if !strings.Contains(s.Consents, "@") {
		return
	}
	var valid []string
	for _, c := range strings.Fields(s.Consents) {
		name, end, ends := strings.Cut(c, "@")
		if at, err := strconv.ParseInt(end, 10, 64); !ends || err == nil && now < musa.Millis(at) {
			valid = append(valid, name)
		}
	}
	s.Consents = strings.Join(valid, " ")
}

// SetRegion notes where an owner lives; musa.ErrNotFound.
func (tx Tx) SetRegion(ctx context.Context, id musa.SubjectID, region string) error {
	n, err := tx.exec(ctx, "UPDATE subjects SET region = ? WHERE id = ?", region, id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "region of %s", id)
}

// SetStanding stores an owner's standing, with the ends of those consents that run out; the times
// of what is new come from the transaction. musa.ErrNotFound.
func (tx Tx) SetStanding(ctx context.Context, id musa.SubjectID, st musa.Standing, ends map[string]musa.Millis) error {
	consents := slices.Clone(st.Consents)
	for i, c := range consents {
		if at := ends[c]; at > 0 {
			consents[i] = c + "@" + strconv.FormatInt(int64(at), 10)
		}
	}
	purposes := make([]string, len(st.Objections))
	for i, p := range st.Objections {
		purposes[i] = string(p)
	}
	n, err := tx.exec(ctx, `UPDATE subjects SET region = ?, consents = ?, objections = ?,
		restricted = CASE WHEN NOT ? THEN 0 WHEN restricted > 0 THEN restricted ELSE ? END,
		unlogged = CASE WHEN NOT ? THEN 0 WHEN unlogged > 0 THEN unlogged ELSE ? END WHERE id = ?`,
		st.Region, strings.Join(consents, " "), strings.Join(purposes, " "), st.Restricted, tx.Now, st.Unlogged, tx.Now, id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "standing of %s", id)
}

var subjectTable = Table{Name: "subjects", Category: musa.CategoryAccount,
	Columns: columns(musa.CategoryAccount, "id", "kind", "tier", "state", "created", "last_seen", "closed", "policy_version",
		"choice", "former", "grace", "ends", "receipt", "changes", "lagging", "region", "restricted", "consents", "objections", "unlogged"), Owner: "id",
	Edges: []Edge{{"receipt", "receipts", Keep}}}

var subjectKeyTable = Table{Name: "subject_keys", Category: musa.CategoryAccount,
	Columns: columns(musa.CategoryAccount, "subject", "wrapped"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// InsertSubject adds an owner with its key, wrapped under the instance's.
func (tx Tx) InsertSubject(ctx context.Context, s Subject, wrapped []byte) error {
	if err := tx.insert(ctx, &s); err != nil {
		return fmt.Errorf("insert subject %s: %w", s.ID, err)
	}
	return tx.insertSubjectKey(ctx, s.ID, wrapped)
}

func (tx Tx) insertSubjectKey(ctx context.Context, id musa.SubjectID, wrapped []byte) error {
	err := tx.quiet(ctx, "INSERT INTO subject_keys (subject, wrapped) VALUES ($1, $2)", string(id), wrapped)
	return wrapf(err, "insert key of subject %s", id)
}

// Subject finds an owner, also a closed or erased one; musa.ErrNotFound.
func (tx Tx) Subject(ctx context.Context, id musa.SubjectID) (Subject, error) {
	var s Subject
	err := tx.get(ctx, &s, "SELECT * FROM subjects WHERE id = ? ?", id, tx.locked(forUpdate))
	if err != nil {
		return Subject{}, fmt.Errorf("subject %s: %w", id, err)
	}
	s.lapse(tx.Now)
	return s, nil
}

// ChangeSubject stores another choice or tier of an active owner, and that its items have
// yet to follow; musa.ErrGone when the owner is closed or erased.
func (tx Tx) ChangeSubject(ctx context.Context, s Subject) error {
	n, err := tx.exec(ctx, `UPDATE subjects SET kind = ?, tier = ?, choice = ?, former = ?, grace = ?, changes = changes + 1, lagging = ?
		WHERE id = ? AND state = ?`, s.Kind, s.Tier, s.Choice, s.Former, s.Grace, tx.Now, s.ID, musa.SubjectActive)
	if err == nil && n == 0 {
		err = musa.ErrGone
	}
	return wrapf(err, "change subject %s", s.ID)
}

// SubjectFollowed notes that all of an owner's items follow its row, unless it changed
// again since it was read.
func (tx Tx) SubjectFollowed(ctx context.Context, s Subject) error {
	_, err := tx.exec(ctx, "UPDATE subjects SET lagging = 0 WHERE id = ? AND changes = ?", s.ID, s.Changes)
	return wrapf(err, "subject %s followed", s.ID)
}

// LaggingSubjects lists owners who changed at or before an instant and whose items do not
// all follow yet, the longest waiting first.
func (tx Tx) LaggingSubjects(ctx context.Context, since musa.Millis, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, "SELECT id FROM subjects WHERE lagging > 0 AND lagging <= ? ORDER BY lagging LIMIT ?", since, limit)
	return ids, wrapf(err, "lagging subjects")
}

// ForgetFormer clears up to limit lost tiers whose grace is over, and says how many.
func (tx Tx) ForgetFormer(ctx context.Context, limit int) (int, error) {
	n, err := tx.exec(ctx, `UPDATE subjects SET former = '', grace = 0
		WHERE id IN (SELECT id FROM subjects WHERE former <> '' AND grace <= ? ORDER BY grace LIMIT ?)`, tx.Now, limit)
	return n, wrapf(err, "forget former tiers")
}

// SubjectKey finds an owner's wrapped key; musa.ErrNotFound once it is destroyed.
func (tx Tx) SubjectKey(ctx context.Context, id musa.SubjectID) ([]byte, error) {
	var wrapped []byte
	if err := tx.get(ctx, &wrapped, "SELECT wrapped FROM subject_keys WHERE subject = ? AND length(wrapped) > 0", id); err != nil {
		return nil, fmt.Errorf("key of subject %s: %w", id, err)
	}
	return wrapped, nil
}

// TouchSubject notes that the owner was here.
func (tx Tx) TouchSubject(ctx context.Context, id musa.SubjectID) error {
	n, err := tx.exec(ctx, "UPDATE subjects SET last_seen = ? WHERE id = ? AND state = ?", tx.Now, id, musa.SubjectActive)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("touch subject %s: %w", id, err)
	}
	return nil
}

// IdleSubjects finds open or suspended guests or people of a tier who were last seen at or before an
// instant, the longest away first.
func (tx Tx) IdleSubjects(ctx context.Context, tier musa.Tier, seen musa.Millis, limit int) ([]Subject, error) {
	kind := musa.SubjectPerson
	if tier == musa.TierGuest {
		kind = musa.SubjectGuest
	}
	var list []Subject
	err := tx.get(ctx, &list, "SELECT * FROM subjects WHERE state IN ('active', 'suspended') AND kind = ? AND tier = ? AND last_seen <= ? ORDER BY last_seen LIMIT ? ?",
		kind, tier, seen, limit, tx.locked(skipLocked))
	if err != nil {
		return nil, fmt.Errorf("idle subjects: %w", err)
	}
	return list, nil
}
