package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// openedFor begins the action of an event that enters the use of somebody's data.
const openedFor = "opened_for_"

// OpenedFor is the action under which an opening for a purpose is entered.
func OpenedFor(p musa.Purpose) string { return openedFor + string(p) }

// Use is one time that somebody's data was opened by another than themselves.
type Use struct {
	ID      musa.AuditID
	At      musa.Millis
	Role    musa.Role
	Purpose musa.Purpose
	Object  string // the person's own item; of a held copy, what it was copied from
}

// Uses lists when an owner's data was opened by others, newest first, older than after (""
// for all). What is held in secret is left out.
func (tx Tx) Uses(ctx context.Context, owner musa.SubjectID, after musa.AuditID, limit int) ([]Use, error) {
	var list []struct {
		ID     musa.AuditID
		At     musa.Millis
		Role   musa.Role
		Action string
		Object string
	}
	// Held copies belong to the custody: their openings are found by the hold.
	err := tx.get(ctx, &list, `SELECT id, at, role, action, object FROM (
		SELECT e.id, e.at, e.role, e.action, e.object FROM audit_events AS e WHERE e.subject = ?0 AND length(e.sealed) > 0
		UNION ALL SELECT e.id, e.at, e.role, e.action, h.asset FROM holds AS h JOIN audit_events AS e
			ON e.object = h.evidence AND length(e.sealed) > 0
			WHERE h.owner = ?0 AND h.evidence <> '' AND h.untold = ?1) AS u
		WHERE action LIKE 'opened_for_%' AND (?2 = '' OR id < ?2) ORDER BY id DESC LIMIT ?3`, owner, false, after, limit)
	if err != nil {
		return nil, wrapf(err, "uses of what is %s's", owner)
	}
	uses := make([]Use, len(list))
	for i, e := range list {
		uses[i] = Use{ID: e.ID, At: e.At, Role: e.Role, Purpose: musa.Purpose(e.Action[len(openedFor):]), Object: e.Object}
	}
	return uses, nil
}

// EventsAbout lists the events with a sealed part about any of these things, oldest first.
func (tx Tx) EventsAbout(ctx context.Context, limit int, objects ...string) ([]AuditEvent, error) {
	var list []AuditEvent
	err := tx.get(ctx, &list, "SELECT * FROM audit_events WHERE object IN (?) AND length(sealed) > 0 ORDER BY id LIMIT ?", bun.List(objects), limit)
	return list, wrapf(err, "events about %d things", len(objects))
}
