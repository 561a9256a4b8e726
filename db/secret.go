package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// Secret is an item's key, wrapped under its owner's, and the item's small sealed
// record. It is the one place for either, so that erasing an item is deleting a row
// (in SQLite emptying it: a row with an empty key is none).
//
// Category: original; it takes the category of the item that it opens.
type Secret struct {
	ID      string // of an asset or a record
	Subject musa.SubjectID
	Wrapped []byte
	Sealed  []byte // may be empty
}

var secretTable = Table{Name: "secrets", Category: musa.CategoryOriginal,
	Columns: columns(musa.CategoryOriginal, "id", "subject", "wrapped", "sealed"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"id", "assets", Follow}, {"id", "records", Follow}}}

// insertSecret stores what opens an item.
func (tx Tx) insertSecret(ctx context.Context, s Secret) error {
	err := tx.quiet(ctx, "INSERT INTO secrets (id, subject, wrapped, sealed) VALUES ($1, $2, $3, $4)",
		s.ID, string(s.Subject), s.Wrapped, filled(s.Sealed))
	return wrapf(err, "insert secret of %s", s.ID)
}

// InsertSecret stores what opens a thing of an owner's that is neither picture nor record,
// such as a login.
func (tx Tx) InsertSecret(ctx context.Context, s Secret) error { return tx.insertSecret(ctx, s) }

// DropSecrets destroys what opens such things.
func (tx Tx) DropSecrets(ctx context.Context, ids ...string) error {
	return tx.strand(ctx, ids...)
}

// Secret finds what opens an item; musa.ErrNotFound once it is destroyed.
func (tx Tx) Secret(ctx context.Context, id string) (Secret, error) {
	s := Secret{ID: id}
	err := tx.bun.QueryRowContext(ctx, "SELECT subject, wrapped, sealed FROM secrets WHERE id = ? AND length(wrapped) > 0", id).
		Scan(&s.Subject, &s.Wrapped, &s.Sealed)
	if err != nil {
		return Secret{}, fmt.Errorf("secret of %s: %w", id, missing(err))
	}
	return s, nil
}

// ReplaceSealed changes an item's sealed record; musa.ErrNotFound once its key is
// destroyed. The former bytes are gone with the next clean scrub.
func (tx Tx) ReplaceSealed(ctx context.Context, id string, sealed []byte) error {
	s, err := tx.heldSecret(ctx, id)
	if err != nil {
		return err
	}
	if err := tx.strand(ctx, id); err != nil {
		return err
	}
	s.Sealed = sealed
	return tx.insertSecret(ctx, s)
}

// errOvertaken says that what a transaction read was put in another place meanwhile.
var errOvertaken = errors.New("overtaken by another transaction")

// heldSecret finds what opens an item and keeps it from being destroyed until the end of the
// transaction: who puts it back would otherwise put back a destroyed key.
func (tx Tx) heldSecret(ctx context.Context, id string) (Secret, error) {
	if tx.dialect == SQLite {
		return tx.Secret(ctx, id)
	}
	s := Secret{ID: id}
	err := tx.bun.QueryRowContext(ctx, "SELECT subject, wrapped, sealed FROM secrets WHERE id = ? FOR UPDATE", id).
		Scan(&s.Subject, &s.Wrapped, &s.Sealed)
	if err = missing(err); isMissing(err) {
		// Who waited for the row sees that it is gone, but not that its key has another.
		if _, again := tx.Secret(ctx, id); again == nil {
			err = errOvertaken
		}
	}
	return s, wrapf(err, "secret of %s", id)
}

// destroySecrets destroys what opens these items. SQLite must not rebalance the pages
// of live keys, which would leave copies in their gaps: there the row is emptied in
// its place.
func (tx Tx) destroySecrets(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	var err error
	if tx.dialect == SQLite {
		_, err = tx.exec(ctx, "UPDATE secrets SET id = '', subject = '', wrapped = x'', sealed = x'' WHERE id IN (?) AND length(wrapped) > 0", bun.List(ids))
	} else {
		// A list in IN would be planned anew for each of the partitions: twenty times as long.
		// OFFSET keeps the list a table of its own, whose every row asks its one partition.
		_, err = tx.exec(ctx, "DELETE FROM secrets USING (SELECT unnest(ARRAY[?]) AS id OFFSET 0) AS v WHERE secrets.id = v.id", bun.List(ids))
	}
	return wrapf(err, "destroy %d secrets", len(ids))
}

// destroySubjectKeyIn destroys an owner's key by a statement of a script, as destroySecrets does.
func (tx Tx) destroySubjectKeyIn(all *script, id musa.SubjectID) {
	if tx.dialect == SQLite {
		all.add("UPDATE subject_keys SET subject = '', wrapped = x'' WHERE subject = ? AND length(wrapped) > 0", id)
		return
	}
	all.add("DELETE FROM subject_keys WHERE subject = ?", id)
}

// quiet runs a statement whose arguments travel apart from its text. A server logs the
// text of a failing statement: with keys written into it, they would live in that log.
func (tx Tx) quiet(ctx context.Context, query string, args ...any) error {
	if tx.dialect == PostgreSQL {
		args = append([]any{extendedProtocol}, args...)
	}
	res, err := tx.bun.Tx.ExecContext(ctx, query, args...)
	if err != nil {
		return missing(err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return musa.ErrNotFound
	}
	return nil
}

// filled keeps an empty value from being NULL.
func filled(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// wrapf adds the operation to an error and leaves nil alone.
func wrapf(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
