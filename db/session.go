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
	Device   musa.RecordID // what is known of the device; may be empty
	Proved   musa.Millis   // when its person last proved to be one; 0 for a guest
	Thread   musa.ThreadID // the one thing that it opens, of a link to an answer; empty for all
}

var sessionTable = Table{Name: "sessions", Category: musa.CategoryCredential,
	Columns: columns(musa.CategoryCredential, "id", "subject", "digest", "created", "last_seen", "expires", "device", "proved", "thread"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"device", "records", Keep}}}

// InsertSession adds a session; musa.ErrConflict when its token is known already.
func (tx Tx) InsertSession(ctx context.Context, s Session) error {
	return wrapf(tx.insert(ctx, &s), "insert session %s", s.ID)
}

// SessionByDigest finds the session of a token with its owner, until the session expires;
// musa.ErrNotFound. A closed owner's lasts as long as closing can be undone.
func (tx Tx) SessionByDigest(ctx context.Context, digest []byte) (Session, Subject, error) {
	var (
		e Session
		o Subject
	)
	err := tx.bun.QueryRowContext(ctx, `SELECT s.id, s.subject, s.digest, s.created, s.last_seen, s.expires, s.device, s.proved, s.thread,
		o.id, o.kind, o.tier, o.state, o.created, o.last_seen, o.closed, o.policy_version, o.region, o.restricted, o.consents, o.objections, o.unlogged
		FROM sessions AS s JOIN subjects AS o ON o.id = s.subject
		WHERE s.digest = ? AND s.expires > ? AND o.state IN ('active', 'closed', 'suspended')`, digest, tx.Now).Scan(
		&e.ID, &e.Subject, &e.Digest, &e.Created, &e.LastSeen, &e.Expires, &e.Device, &e.Proved, &e.Thread,
		&o.ID, &o.Kind, &o.Tier, &o.State, &o.Created, &o.LastSeen, &o.Closed, &o.PolicyVersion,
		&o.Region, &o.Restricted, &o.Consents, &o.Objections, &o.Unlogged)
	if err != nil {
		return Session{}, Subject{}, fmt.Errorf("session by digest: %w", missing(err))
	}
	o.lapse(tx.Now)
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

// DropSession signs a device out; musa.ErrNotFound. A backup target's journal learns of it, so
// that no restore signs the device in again.
func (tx Tx) DropSession(ctx context.Context, id musa.SessionID) error {
	n, err := tx.exec(ctx, "DELETE FROM sessions WHERE id = ?", id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return wrapf(err, "drop session %s", id)
	}
	known, err := tx.Target(ctx)
	if err == nil && known != "" {
		err = tx.NoteErased(ctx, string(id))
	}
	return wrapf(err, "drop session %s", id)
}

// DropSessionsOf signs an owner's devices out, but one where it is named, and says how many.
func (tx Tx) DropSessionsOf(ctx context.Context, owner musa.SubjectID, but musa.SessionID) (int, error) {
	list, err := tx.SessionsOf(ctx, owner)
	n := 0
	for _, s := range list {
		if s.ID == but {
			continue
		}
		if err := tx.DropSession(ctx, s.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, err
}

// ProveSession notes that its person just proved to be one; musa.ErrNotFound.
func (tx Tx) ProveSession(ctx context.Context, id musa.SessionID) error {
	n, err := tx.exec(ctx, "UPDATE sessions SET proved = ? WHERE id = ? AND expires > ?", tx.Now, id, tx.Now)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "prove session %s", id)
}

// SetDevice notes which record tells of the session's device.
func (tx Tx) SetDevice(ctx context.Context, id musa.SessionID, device musa.RecordID) error {
	_, err := tx.exec(ctx, "UPDATE sessions SET device = ? WHERE id = ?", device, id)
	return wrapf(err, "device of session %s", id)
}

// Session finds a live session; musa.ErrNotFound.
func (tx Tx) Session(ctx context.Context, id musa.SessionID) (Session, error) {
	var s Session
	err := tx.get(ctx, &s, "SELECT * FROM sessions WHERE id = ? AND expires > ?", id, tx.Now)
	return s, wrapf(err, "session %s", id)
}

// DropEntries removes those among some ids that let somebody in: sessions, logins, vouchers and
// keys of the API.
func (tx Tx) DropEntries(ctx context.Context, ids []string) error {
	var gone []string
	for _, table := range append([]string{"sessions"}, credentials...) {
		var some []string
		if err := tx.get(ctx, &some, "DELETE FROM ? WHERE id IN (?) RETURNING id", bun.Ident(table), listed(ids)); err != nil {
			return wrapf(err, "drop %s among %d ids", table, len(ids))
		}
		gone = append(gone, some...)
	}
	return wrapf(tx.strand(ctx, gone...), "drop entries among %d ids", len(ids))
}

// DropExpiredSessions removes up to limit sessions whose end has come.
func (tx Tx) DropExpiredSessions(ctx context.Context, limit int) (int, error) {
	n, err := tx.exec(ctx, "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires <= ? ORDER BY expires LIMIT ?)", tx.Now, limit)
	return n, wrapf(err, "drop expired sessions")
}
