package db

import (
	"context"
	"fmt"

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
}

var subjectTable = Table{Name: "subjects", Category: musa.CategoryAccount,
	Columns: columns(musa.CategoryAccount, "id", "kind", "tier", "state", "created", "last_seen", "closed", "policy_version")}

var subjectKeyTable = Table{Name: "subject_keys", Category: musa.CategoryAccount,
	Columns: columns(musa.CategoryAccount, "subject", "wrapped")}

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
	return s, nil
}

// SubjectKey finds an owner's wrapped key; musa.ErrNotFound once it is destroyed.
func (tx Tx) SubjectKey(ctx context.Context, id musa.SubjectID) ([]byte, error) {
	var wrapped []byte
	if err := tx.get(ctx, &wrapped, "SELECT wrapped FROM subject_keys WHERE subject = ? AND length(wrapped) > 0", id); err != nil {
		return nil, fmt.Errorf("key of subject %s: %w", id, err)
	}
	return wrapped, nil
}

// ReplaceSubjectKey stores the key under another wrapping, as when the instance's key
// is rotated; musa.ErrNotFound once it is destroyed. The former wrapping needs a Scrub
// to be gone.
func (tx Tx) ReplaceSubjectKey(ctx context.Context, id musa.SubjectID, wrapped []byte) error {
	if _, err := tx.SubjectKey(ctx, id); err != nil {
		return err
	}
	if err := tx.destroySubjectKey(ctx, id); err != nil {
		return err
	}
	return tx.insertSubjectKey(ctx, id, wrapped)
}

// SubjectKeys pages through the owners that have a key, by id.
func (tx Tx) SubjectKeys(ctx context.Context, after musa.SubjectID, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, "SELECT subject FROM subject_keys WHERE subject > ? AND length(wrapped) > 0 ORDER BY subject LIMIT ?", after, limit)
	if err != nil {
		return nil, fmt.Errorf("subject keys: %w", err)
	}
	return ids, nil
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

// IdleSubjects finds active owners of a kind who were last seen at or before an
// instant, the longest away first.
func (tx Tx) IdleSubjects(ctx context.Context, kind musa.SubjectKind, seen musa.Millis, limit int) ([]Subject, error) {
	var list []Subject
	err := tx.get(ctx, &list, "SELECT * FROM subjects WHERE state = 'active' AND kind = ? AND last_seen <= ? ORDER BY last_seen LIMIT ? ?",
		kind, seen, limit, tx.locked(skipLocked))
	if err != nil {
		return nil, fmt.Errorf("idle subjects: %w", err)
	}
	return list, nil
}

// EraseSubject destroys the owner's key and sessions: from the commit on nothing
// sealed for it opens. Its assets and records still stand as rows; erase them too. It
// says false when the owner was erased before.
func (tx Tx) EraseSubject(ctx context.Context, id musa.SubjectID) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE subjects SET state = ?, closed = ? WHERE id = ? AND state <> ?",
		musa.SubjectErased, tx.Now, id, musa.SubjectErased)
	if err != nil || n == 0 {
		return false, wrapf(err, "erase subject %s", id)
	}
	if err := tx.destroySubjectKey(ctx, id); err != nil {
		return false, err
	}
	if _, err := tx.exec(ctx, "DELETE FROM sessions WHERE subject = ?", id); err != nil {
		return false, fmt.Errorf("end sessions of subject %s: %w", id, err)
	}
	return true, nil
}
