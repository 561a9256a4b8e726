package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// RoleRow says that a person may act in a role of the instance.
//
// Category: account.
type RoleRow struct {
	bun.BaseModel `bun:"table:roles"`

	Subject musa.SubjectID `bun:",pk"`
	Role    musa.Role      `bun:",pk"`
	Since   musa.Millis
}

var roleTable = Table{Name: "roles", Category: musa.CategoryAccount, Columns: columns(musa.CategoryAccount, "subject", "role", "since"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// AssignRole lets a person act in a role, from now on; doing it twice changes nothing.
func (tx Tx) AssignRole(ctx context.Context, id musa.SubjectID, role musa.Role) error {
	_, err := tx.exec(ctx, "INSERT INTO roles (subject, role, since) VALUES (?, ?, ?) ON CONFLICT (subject, role) DO NOTHING", id, role, tx.Now)
	return wrapf(err, "assign role %s to %s", role, id)
}

// RevokeRole takes a role back; musa.ErrNotFound when it was not held. A backup target's
// journal learns of it, so that no restore gives it again.
func (tx Tx) RevokeRole(ctx context.Context, id musa.SubjectID, role musa.Role) error {
	n, err := tx.exec(ctx, "DELETE FROM roles WHERE subject = ? AND role = ?", id, role)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err == nil {
		err = tx.NoteAct(ctx, Act{Did: ActRevoked, Subject: id, What: string(role)})
	}
	return wrapf(err, "revoke role %s of %s", role, id)
}

// HasRole finds the role of a person who is active; musa.ErrNotFound when it is not held.
func (tx Tx) HasRole(ctx context.Context, id musa.SubjectID, role musa.Role) (RoleRow, error) {
	var r RoleRow
	err := tx.get(ctx, &r, `SELECT r.* FROM roles AS r JOIN subjects AS s ON s.id = r.subject
		WHERE r.subject = ? AND r.role = ? AND s.state = 'active'`, id, role)
	return r, wrapf(err, "role %s of %s", role, id)
}

// Roles lists who may act in which role.
func (tx Tx) Roles(ctx context.Context) ([]RoleRow, error) {
	var list []RoleRow
	err := tx.get(ctx, &list, "SELECT * FROM roles ORDER BY subject, role")
	return list, wrapf(err, "roles")
}

// RolesOf lists the roles of one person.
func (tx Tx) RolesOf(ctx context.Context, id musa.SubjectID) ([]RoleRow, error) {
	var list []RoleRow
	err := tx.get(ctx, &list, "SELECT * FROM roles WHERE subject = ? ORDER BY role", id)
	return list, wrapf(err, "roles of %s", id)
}
