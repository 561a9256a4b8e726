package db

import (
	"context"
	"fmt"

	"musa"
)

// Secret is an item's key, wrapped under its owner's, and the item's small sealed
// record. It is the one place for either, so that erasing an item is deleting a row.
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
	err := tx.bun.QueryRowContext(ctx, "SELECT subject, wrapped, sealed FROM secrets WHERE id = ?", id).
		Scan(&s.Subject, &s.Wrapped, &s.Sealed)
	if err != nil {
		return Secret{}, fmt.Errorf("secret of %s: %w", id, missing(err))
	}
	return s, nil
}

// ReplaceSealed changes an item's sealed record. The former bytes need a Scrub to be
// gone.
func (tx Tx) ReplaceSealed(ctx context.Context, id string, sealed []byte) error {
	err := tx.quiet(ctx, "UPDATE secrets SET sealed = $1 WHERE id = $2", filled(sealed), id)
	return wrapf(err, "replace sealed record of %s", id)
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
