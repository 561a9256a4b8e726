package db

import (
	"context"
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
	Columns: columns(musa.CategoryOriginal, "id", "subject", "wrapped", "sealed")}

// insertSecret stores what opens an item.
func (tx Tx) insertSecret(ctx context.Context, s Secret) error {
	err := tx.quiet(ctx, "INSERT INTO secrets (id, subject, wrapped, sealed) VALUES ($1, $2, $3, $4)",
		s.ID, string(s.Subject), s.Wrapped, filled(s.Sealed))
	return wrapf(err, "insert secret of %s", s.ID)
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
// destroyed. The former bytes need a Scrub to be gone.
func (tx Tx) ReplaceSealed(ctx context.Context, id string, sealed []byte) error {
	s, err := tx.Secret(ctx, id)
	if err != nil {
		return err
	}
	if err := tx.destroySecrets(ctx, id); err != nil {
		return err
	}
	s.Sealed = sealed
	return tx.insertSecret(ctx, s)
}

// destroySecrets destroys what opens these items. SQLite must not rebalance the pages
// of live keys, which would leave copies in their gaps: there the row is emptied in
// its place.
func (tx Tx) destroySecrets(ctx context.Context, ids ...string) error {
	query := "DELETE FROM secrets WHERE id IN (?)"
	if tx.dialect == SQLite {
		query = "UPDATE secrets SET id = '', subject = '', wrapped = x'', sealed = x'' WHERE id IN (?) AND length(wrapped) > 0"
	}
	_, err := tx.exec(ctx, query, bun.List(ids))
	return wrapf(err, "destroy %d secrets", len(ids))
}

// destroySubjectKey destroys an owner's key, as destroySecrets does.
func (tx Tx) destroySubjectKey(ctx context.Context, id musa.SubjectID) error {
	query := "DELETE FROM subject_keys WHERE subject = ?"
	if tx.dialect == SQLite {
		query = "UPDATE subject_keys SET subject = '', wrapped = x'' WHERE subject = ? AND length(wrapped) > 0"
	}
	_, err := tx.exec(ctx, query, id)
	return wrapf(err, "destroy key of subject %s", id)
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
