package proof

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"musa"
)

// Fault is one thing that is wrong in a store.
type Fault struct {
	Kind  string      `json:"kind"`
	Where string      `json:"where"` // a table, a store or a file
	ID    string      `json:"id,omitempty"`
	Since musa.Millis `json:"since,omitempty"` // Unix ms; 0 where no moment is known
	Words string      `json:"words"`           // what is wrong, for a person
}

// Level says how much of a store is looked at.
type Level int

// The levels, each with all that the one before looks at.
const (
	// Quick asks the indexes of what ends: what is late, whatever the store's size.
	Quick Level = iota
	// Whole walks every row and the names in the blob store.
	Whole
	// Deep reads every sealed byte as well, and the raw files that Options names.
	Deep
)

// Options shape a look at a whole store.
type Options struct {
	Now   musa.Millis
	Level Level
	// EraseWithin and PurgeWithin are the policy's bounds after an end. What is later than
	// these is a fault.
	EraseWithin, PurgeWithin time.Duration
	// ReceiptsFor is how long a receipt is kept once it was logged: what is gone of those that
	// were logged before is no loss. 0 is for ever.
	ReceiptsFor time.Duration
	// PaymentsFor is how long a payment is kept at most: one that is older is a fault. 0 is for ever.
	PaymentsFor time.Duration
	// MailsFor and SentMailsFor are how long a mail is kept at most from when it was made and from when
	// it was sent: one that is older is a fault. 0 is for ever.
	MailsFor, SentMailsFor time.Duration
	// Tables gives the declared columns of each declared table.
	Tables map[string][]string
	// Categories are those that the policy knows; empty leaves them unchecked.
	Categories []musa.Category
	// Keyset is the public name of the keyset at hand; empty leaves it unchecked.
	Keyset string
	// Roots are folders and files that a Deep look reads raw, such as the data folder.
	Roots []string
	// Checks are further looks, by means that this package must not have.
	Checks []Check
	// Progress hears what is walked and how far; it may be nil.
	Progress func(what string, n int64)
}

// Check is a look that the caller brings, such as at signatures. It reports faults to
// found and returns an error when it could not look.
type Check struct {
	Name  string
	Level Level
	Run   func(ctx context.Context, found func(Fault)) error
}

// Tally counts what was looked at, by table or store.
type Tally map[string]int64

// round is one look at a whole store.
type round struct {
	*Inspector
	Options
	conn    *sql.Conn
	tally   Tally
	report  func(Fault)
	present presence
}

// Store looks at the whole store as far as the level asks, and hands each fault to found
// as it is met. It returns how much it looked at. An error says which look could not be
// made; those before it were.
func (i *Inspector) Store(ctx context.Context, o Options, found func(Fault)) (tally Tally, err error) {
	conn, err := i.SQL.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the store: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if i.Dialect == PostgreSQL {
		// Compiling a query over all partitions takes longer than a look may.
		if _, err := conn.ExecContext(ctx, "SET jit = off"); err != nil {
			return nil, fmt.Errorf("look at the store: %w", err)
		}
	}
	r := &round{Inspector: i, Options: o, conn: conn, tally: Tally{}, report: found, present: presence{}}
	steps := []Check{
		{"schema", Quick, r.schema}, {"keyset", Quick, r.keyset},
		{"ends", Quick, r.late}, {"unfinished blobs", Quick, r.unfinished}, {"tombstones", Quick, r.tombstones},
		{"waiting rows", Quick, r.waiting}, {"payments", Quick, r.payments}, {"mails", Quick, r.mails}, {"silent jobs", Quick, r.silent},
		{"late holds", Quick, r.lateHolds}, {"holds", Whole, r.holds},
		{"subjects", Whole, r.subjects}, {"standings", Whole, r.standings}, {"assets", Whole, r.assets}, {"records", Whole, r.records}, {"keys", Whole, r.secrets},
		{"lineage", Whole, r.edges}, {"policies", Whole, r.policies}, {"adoptions", Whole, r.adoptions},
		{"blob store", Whole, r.stored}, {"blobs", Whole, r.blobs},
		{"ledger", Whole, r.ledger}, {"jobs", Whole, r.jobs}, {"transparency log", Whole, r.log},
		{"clear text in rows", Whole, r.clearRows}, {"clear text in blobs", Deep, r.clearBlobs}, {"raw files", Deep, r.relics},
	}
	for _, s := range append(steps, o.Checks...) {
		if s.Level > o.Level {
			continue
		}
		if err := s.Run(ctx, found); err != nil {
			return r.tally, fmt.Errorf("look at %s: %w", s.Name, err)
		}
	}
	return r.tally, nil
}

// look is the inspector's, on the round's own connection.
func (r *round) look(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return r.ask(ctx, r.conn, scan, query, args...)
}

// passed notes that n more of something were looked at.
func (r *round) passed(what string, n int64) {
	r.tally[what] += n
	if r.Progress != nil {
		r.Progress(what, r.tally[what])
	}
}

// ago is the instant d before now.
func (r *round) ago(d time.Duration) musa.Millis { return r.Now.Add(-d) }
