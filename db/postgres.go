package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"musa"
)

const postgresPool = 16

func (d *DB) openPostgres(ctx context.Context, c Config) error {
	conf, err := pgx.ParseConfig(c.URL)
	if err != nil {
		// The cause is dropped: it repeats the URL, which may hold a password.
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "database_url", Field: "db",
			Public: "The setting db is no valid PostgreSQL URL. Write postgres://USER:PASSWORD@HOST:PORT/NAME."}
	}
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conf.RuntimeParams["timezone"] = "UTC"
	// Ours are short queries over many partitions: compiling them takes longer than they do.
	conf.RuntimeParams["jit"] = "off"
	if c.Dial != nil {
		conf.DialFunc = c.Dial
	}
	d.dialect = PostgreSQL
	writer := stdlib.OpenDB(*conf)
	writer.SetMaxOpenConns(postgresPool)
	writer.SetMaxIdleConns(postgresPool)
	d.writer = bun.NewDB(writer, pgdialect.New())
	reader := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SET default_transaction_read_only = on")
		return err
	}))
	reader.SetMaxOpenConns(postgresPool)
	reader.SetMaxIdleConns(postgresPool)
	d.reader = bun.NewDB(reader, pgdialect.New())
	if err := writer.PingContext(ctx); err != nil {
		d.Close()
		return problem(fmt.Errorf("open database: %w", err))
	}
	return nil
}

// extendedProtocol makes pgx send arguments apart from the statement, without leaving
// a prepared statement behind.
const extendedProtocol = pgx.QueryExecModeExec
