package db

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// Session is one signed-in device. Its token is not here: Digest is a keyed hash of it.
//
// Category: credential.
type Session struct {
	bun.BaseModel `bun:"table:sessions"`

	ID       musa.SessionID `bun:",pk"`
	Subject  musa.SubjectID
	Digest   []byte
	Created  musa.Millis
	LastSeen musa.Millis
	Expires  musa.Millis
}

var sessionTable = Table{Name: "sessions", Category: musa.CategoryCredential,
	Columns: columns(musa.CategoryCredential, "id", "subject", "digest", "created", "last_seen", "expires")}

// InsertSession adds a session; musa.ErrConflict when its token is known already.
func (tx Tx) InsertSession(ctx context.Context, s Session) error {
	return wrapf(tx.insert(ctx, &s), "insert session %s", s.ID)
}

// SessionByDigest finds the session of a token with its active owner, until the
// session expires; musa.ErrNotFound.
func (tx Tx) SessionByDigest(ctx context.Context, digest []byte) (Session, Subject, error) {
	var (
		e Session
		o Subject
	)
	err := tx.bun.QueryRowContext(ctx, `SELECT s.id, s.subject, s.digest, s.created, s.last_seen, s.expires,
		o.id, o.kind, o.tier, o.state, o.created, o.last_seen, o.closed, o.policy_version
		FROM sessions AS s JOIN subjects AS o ON o.id = s.subject
		WHERE s.digest = ? AND s.expires > ? AND o.state = ?`, digest, tx.Now, musa.SubjectActive).Scan(
		&e.ID, &e.Subject, &e.Digest, &e.Created, &e.LastSeen, &e.Expires,
		&o.ID, &o.Kind, &o.Tier, &o.State, &o.Created, &o.LastSeen, &o.Closed, &o.PolicyVersion)
	if err != nil {
		return Session{}, Subject{}, fmt.Errorf("session by digest: %w", missing(err))
	}
	return e, o, nil
}

// TouchSession notes that the session was used, and moves its end.
func (tx Tx) TouchSession(ctx context.Context, id musa.SessionID, expires musa.Millis) error {
	n, err := tx.exec(ctx, "UPDATE sessions SET last_seen = ?, expires = ? WHERE id = ? AND expires > ?", tx.Now, expires, id, tx.Now)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "touch session %s", id)
}

// SessionsOf lists an owner's live sessions, newest first.
func (tx Tx) SessionsOf(ctx context.Context, owner musa.SubjectID) ([]Session, error) {
	var list []Session
	err := tx.get(ctx, &list, "SELECT * FROM sessions WHERE subject = ? AND expires > ? ORDER BY id DESC", owner, tx.Now)
	return list, wrapf(err, "sessions of %s", owner)
}

// DropSession signs a device out; musa.ErrNotFound.
func (tx Tx) DropSession(ctx context.Context, id musa.SessionID) error {
	n, err := tx.exec(ctx, "DELETE FROM sessions WHERE id = ?", id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "drop session %s", id)
}

// DropExpiredSessions removes up to limit sessions whose end has come.
func (tx Tx) DropExpiredSessions(ctx context.Context, limit int) (int, error) {
	n, err := tx.exec(ctx, "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires <= ? ORDER BY expires LIMIT ?)", tx.Now, limit)
	return n, wrapf(err, "drop expired sessions")
}
