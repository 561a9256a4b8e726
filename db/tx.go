package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"musa"
)

// writeTries is how often a transaction that lost a race is run again.
const writeTries = 12

// Tx is one transaction. Every question and change of the studio's rows is a method of
// it, one file per noun.
type Tx struct {
	// Now is the one instant of this transaction, from the injected clock.
	Now musa.Millis

	bun     bun.Tx
	dialect string
	writes  bool
	gate    *gate // that this transaction passed; nil where there is none
}

// Awaited says that people wait for this transaction to end. A chore that has more to do
// then leaves it to the next.
func (tx Tx) Awaited() bool { return tx.gate != nil && tx.gate.awaited() }

// Write runs change in one transaction and commits it durably. When another
// transaction came in between, change runs again with a new Tx: it must have no effect
// outside of it.
func (d *DB) Write(ctx context.Context, change func(ctx context.Context, tx Tx) error) error {
	return d.write(ctx, d.gate.enter, change)
}

// Chore is Write for housekeeping: where there is one writer, everybody else who waits for
// it goes first, for a second. Keep it short: who comes meanwhile waits until it ends.
func (d *DB) Chore(ctx context.Context, change func(ctx context.Context, tx Tx) error) error {
	return d.write(ctx, d.gate.enterLast, change)
}

func (d *DB) write(ctx context.Context, enter func(context.Context) error, change func(ctx context.Context, tx Tx) error) error {
	for try := 1; ; try++ {
		err := d.try(ctx, enter, change)
		if err == nil {
			return nil
		}
		if !isTransient(err) || try == writeTries {
			return problem(err)
		}
		pause := time.NewTimer(time.Duration(1+rand.IntN(1<<min(try, 6))) * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("write after %d tries: %w", try, ctx.Err())
		case <-pause.C:
		}
	}
}

// try runs change in one transaction.
func (d *DB) try(ctx context.Context, enter func(context.Context) error, change func(ctx context.Context, tx Tx) error) error {
	var passed *gate
	if d.dialect == SQLite {
		if err := enter(ctx); err != nil {
			return err
		}
		defer d.gate.leave()
		passed = &d.gate
	}
	err := d.writer.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return change(ctx, Tx{Now: musa.At(d.clock()), bun: tx, dialect: d.dialect, writes: true, gate: passed})
	})
	return calledOff(ctx, err)
}

// calledOff names the cause where a caller's end rolled the transaction back: database/sql may
// say only that there is none any more, and a clean stop would read as a failure.
func calledOff(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// Read runs look on one consistent state of the rows. It fails when look takes longer
// than readLimit says: page by key instead. The time in line for a connection does not count.
func (d *DB) Read(ctx context.Context, look func(ctx context.Context, tx Tx) error) error {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := d.reader.RunInTx(ctx, d.readOptions(), func(ctx context.Context, tx bun.Tx) error {
		// Ending the transaction's own context rolls back though look should not listen.
		defer time.AfterFunc(readLimit(d.dialect), cancel).Stop()
		return look(ctx, Tx{Now: musa.At(d.clock()), bun: tx, dialect: d.dialect})
	})
	if err != nil && ctx.Err() != nil && outer.Err() == nil {
		// The words of err only: it is no caller who went away.
		return &musa.Problem{Kind: musa.ErrUnavailable, Code: "read_too_long", Cause: fmt.Errorf("%w: %v", context.DeadlineExceeded, err),
			Public: "The database took too long to answer. Try again, or ask for less at once."}
	}
	return problem(calledOff(outer, err))
}

func (d *DB) readOptions() *sql.TxOptions {
	if d.dialect == PostgreSQL {
		return &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	return &sql.TxOptions{ReadOnly: true}
}

// locked ends a query that reads rows in order to change them. SQLite has one writer
// and no such words.
func (tx Tx) locked(words string) bun.Safe {
	if tx.writes && tx.dialect == PostgreSQL {
		return bun.Safe(" " + words)
	}
	return ""
}

const (
	forUpdate  = "FOR UPDATE"
	skipLocked = "FOR UPDATE SKIP LOCKED"
)

// exec runs a statement and tells how many rows it changed.
func (tx Tx) exec(ctx context.Context, query string, args ...any) (int, error) {
	res, err := tx.bun.NewRaw(query, args...).Exec(ctx)
	if err != nil {
		return 0, missing(err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// get scans one row, or the rows into a slice.
func (tx Tx) get(ctx context.Context, into any, query string, args ...any) error {
	return missing(tx.bun.NewRaw(query, args...).Scan(ctx, into))
}

// script is statements that travel together: one by one, each would be a round trip.
type script []schema.QueryWithArgs

// add puts a statement behind the others.
func (s *script) add(query string, args ...any) { *s = append(*s, bun.SafeQuery(query, args...)) }

// AppendQuery implements bun's schema.QueryAppender.
func (s script) AppendQuery(gen schema.QueryGen, b []byte) (_ []byte, err error) {
	for i, query := range s {
		if i > 0 {
			b = append(b, "; "...)
		}
		if b, err = query.AppendQuery(gen, b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// run runs a script's statements one after the other.
func (tx Tx) run(ctx context.Context, s script) error {
	if len(s) == 0 {
		return nil
	}
	_, err := tx.exec(ctx, "?", s)
	return err
}

// insert adds the row or rows of one model.
func (tx Tx) insert(ctx context.Context, rows any) error {
	_, err := tx.bun.NewInsert().Model(rows).Exec(ctx)
	return missing(err)
}

// insertNew adds the row of one model unless a unique key of it exists already, and tells how
// many it added.
func (tx Tx) insertNew(ctx context.Context, row any) (int, error) {
	res, err := tx.bun.NewInsert().Model(row).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// rows writes itself as the rows of a VALUES list.
type rows [][]any

// AppendQuery implements bun's schema.QueryAppender.
func (r rows) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	for i, row := range r {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '(')
		for k, v := range row {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = gen.Append(b, v)
		}
		b = append(b, ')')
	}
	return b, nil
}
