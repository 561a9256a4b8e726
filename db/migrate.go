package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"musa"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// versionTable is where goose notes which migrations ran.
const versionTable = "schema_versions"

// migrationLock is the PostgreSQL advisory lock that lets one node migrate at a time.
const migrationLock = 0x6d757361 // "musa"

func (d *DB) migrate(ctx context.Context) error {
	if d.dialect == PostgreSQL {
		conn, err := d.writer.DB.Conn(ctx)
		if err != nil {
			return problem(fmt.Errorf("migrate: %w", err))
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
			return problem(fmt.Errorf("migrate: %w", err))
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}
	dialect := goose.DialectSQLite3
	if d.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
	}
	files, err := fs.Sub(migrations, "migrations/"+d.dialect)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	steps, err := goose.NewProvider(dialect, d.writer.DB, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return problem(fmt.Errorf("migrate: %w", err))
	}
	have, want, err := steps.GetVersions(ctx)
	if err != nil {
		return problem(fmt.Errorf("migrate: %w", err))
	}
	if have > want {
		return &musa.Problem{Kind: musa.ErrUnavailable, Code: "schema_newer", Field: "db",
			Public: fmt.Sprintf("The database has schema %d, this program knows %d. Run the newer program, or restore the backup made before the upgrade.", have, want)}
	}
	if have == want {
		return nil
	}
	if _, err := steps.Up(ctx); err != nil {
		return problem(fmt.Errorf("migrate: %w", err))
	}
	return nil
}
