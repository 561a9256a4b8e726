package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Login is one way of a person to sign in. What it is checked against lies sealed beside the keys,
// under the login's id.
//
// Category: credential.
type Login struct {
	bun.BaseModel `bun:"table:logins"`

	ID      musa.LoginID `bun:",pk"`
	Subject musa.SubjectID
	Kind    musa.LoginKind
	Handle  []byte // a keyed digest by which it is found before anybody is known; empty where the person is known first
	Created musa.Millis
	Used    musa.Millis
}

var loginTable = Table{Name: "logins", Category: musa.CategoryCredential, Columns: columns(musa.CategoryCredential, "id", "subject", "kind", "handle", "created", "used"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// InsertLogin adds a way to sign in; musa.ErrConflict when its handle is another's already. What it
// is checked against is sealed beside it under its id.
func (tx Tx) InsertLogin(ctx context.Context, l Login) error {
	l.Handle = filled(l.Handle)
	n, err := tx.exec(ctx, "INSERT INTO logins (id, subject, kind, handle, created, used) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		l.ID, l.Subject, l.Kind, l.Handle, l.Created, l.Used)
	if err == nil && n == 0 {
		err = musa.ErrConflict
	}
	return wrapf(err, "insert login %s", l.ID)
}

// Login finds a way to sign in; musa.ErrNotFound. In a Write its row stays locked.
func (tx Tx) Login(ctx context.Context, id musa.LoginID) (Login, error) {
	var l Login
	err := tx.get(ctx, &l, "SELECT * FROM logins WHERE id = ? ?", id, tx.locked(forUpdate))
	return l, wrapf(err, "login %s", id)
}

// LoginBy finds the login of a kind that a handle leads to; musa.ErrNotFound.
func (tx Tx) LoginBy(ctx context.Context, kind musa.LoginKind, handle []byte) (Login, error) {
	var l Login
	err := tx.get(ctx, &l, "SELECT * FROM logins WHERE kind = ? AND handle = ? AND length(handle) > 0 ?", kind, handle, tx.locked(forUpdate))
	return l, wrapf(err, "login by handle")
}

// LoginsOf lists a person's ways to sign in, the oldest first.
func (tx Tx) LoginsOf(ctx context.Context, subject musa.SubjectID) ([]Login, error) {
	var list []Login
	err := tx.get(ctx, &list, "SELECT * FROM logins WHERE subject = ? ORDER BY id", subject)
	return list, wrapf(err, "logins of %s", subject)
}

// TouchLogin notes that a login was used.
func (tx Tx) TouchLogin(ctx context.Context, id musa.LoginID) error {
	n, err := tx.exec(ctx, "UPDATE logins SET used = ? WHERE id = ?", tx.Now, id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "touch login %s", id)
}

// SpendStep notes that the step of a code that began at an instant was used, unless it or a later one
// was before: then it says false. Of two that come with the same code one is refused.
func (tx Tx) SpendStep(ctx context.Context, id musa.LoginID, began musa.Millis) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE logins SET used = ? WHERE id = ? AND used < ?", began, id, began)
	return n == 1, wrapf(err, "spend step of login %s", id)
}

// DropLogin ends a way to sign in, with what it was checked against; musa.ErrNotFound. A backup
// target's journal learns of it, so that no restore lets it sign anybody in again.
func (tx Tx) DropLogin(ctx context.Context, id musa.LoginID) error {
	n, err := tx.exec(ctx, "DELETE FROM logins WHERE id = ?", id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return wrapf(err, "drop login %s", id)
	}
	return wrapf(tx.forsake(ctx, string(id)), "drop login %s", id)
}

// forsake destroys what opens things that are credentials, and has the journal know of them.
func (tx Tx) forsake(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := tx.strand(ctx, ids...); err != nil {
		return err
	}
	known, err := tx.Target(ctx)
	if err != nil || known == "" {
		return err
	}
	return tx.NoteErased(ctx, ids...)
}

// credentials are the tables of what lets somebody in, besides sessions. Each row's secret lies
// under its id.
var credentials = []string{"logins", "vouchers", "api_keys"}

// DropCredentials ends all that lets an owner in but their sessions.
func (tx Tx) DropCredentials(ctx context.Context, owner musa.SubjectID) error {
	var gone []string
	for _, table := range credentials {
		var ids []string
		if err := tx.get(ctx, &ids, "SELECT id FROM ? WHERE subject = ?", bun.Ident(table), owner); err != nil {
			return wrapf(err, "%s of %s", table, owner)
		}
		if _, err := tx.exec(ctx, "DELETE FROM ? WHERE subject = ?", bun.Ident(table), owner); err != nil {
			return wrapf(err, "drop %s of %s", table, owner)
		}
		gone = append(gone, ids...)
	}
	return wrapf(tx.forsake(ctx, gone...), "drop credentials of %s", owner)
}

// Logins pages through the logins of a kind, by id.
func (tx Tx) Logins(ctx context.Context, kind musa.LoginKind, after musa.LoginID, limit int) ([]Login, error) {
	var list []Login
	err := tx.get(ctx, &list, "SELECT * FROM logins WHERE kind = ? AND id > ? ORDER BY id LIMIT ?", kind, after, limit)
	return list, wrapf(err, "logins")
}
