package db

import (
	"database/sql"
	"errors"
	"io/fs"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"musa"
)

// problem gives an operator's words to failures that an operator can mend, and leaves
// the rest as they are.
func problem(err error) error {
	p := &musa.Problem{Kind: musa.ErrUnavailable, Field: "db", Cause: err}
	switch {
	case err == nil:
		return nil
	case isFull(err):
		p.Code = "disk_full"
		p.Public = "The database's disk is full. Free some space; nothing is lost."
	case isReadOnly(err):
		p.Code = "database_read_only"
		p.Public = "The database cannot be written. Make its directory and file writable, or point db at the primary server."
	case isDenied(err):
		p.Code = "database_denied"
		p.Public = "The database refuses this user. Check user, password and database name in the setting db, and that the user may make tables there."
	case isUnreachable(err):
		p.Code = "database_unreachable"
		p.Public = "The database does not answer. Start it, or check host and port in the setting db."
	case isDamaged(err):
		p.Code = "database_damaged"
		p.Public = "The database file is damaged or no database. Restore a backup, or set data to another directory."
	default:
		return err
	}
	return p
}

func sqliteCode(err error) sqlite3.ErrNo {
	var e sqlite3.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func isFull(err error) bool {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT) {
		return true
	}
	return sqliteCode(err) == sqlite3.ErrFull || postgresCode(err) == "53100" || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnly(err error) bool {
	c := sqliteCode(err)
	return c == sqlite3.ErrReadonly || c == sqlite3.ErrCantOpen || c == sqlite3.ErrPerm ||
		postgresCode(err) == "25006" || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}

func isDenied(err error) bool {
	switch postgresCode(err) {
	case "28000", "28P01", "3D000", "42501":
		return true
	}
	return false
}

func isUnreachable(err error) bool {
	switch postgresCode(err) {
	case "57P01", "57P02", "57P03", "53300", "08006", "08001":
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || (errors.As(err, &network) && !network.Timeout())
}

func isDamaged(err error) bool {
	c := sqliteCode(err)
	return c == sqlite3.ErrCorrupt || c == sqlite3.ErrNotADB
}

func isBusy(err error) bool {
	c := sqliteCode(err)
	return c == sqlite3.ErrBusy || c == sqlite3.ErrLocked
}

// isTransient says that the same transaction may succeed when run again.
func isTransient(err error) bool {
	switch postgresCode(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return isBusy(err) || errors.Is(err, errOvertaken)
}

// isDuplicate says that a unique key exists already.
func isDuplicate(err error) bool {
	if postgresCode(err) == "23505" {
		return true
	}
	var e sqlite3.Error
	return errors.As(err, &e) &&
		(e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

// missing turns "no rows" into the glossary's word.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return musa.ErrNotFound
	}
	if isDuplicate(err) {
		return errors.Join(musa.ErrConflict, err)
	}
	return err
}

func isMissing(err error) bool { return errors.Is(err, musa.ErrNotFound) }
