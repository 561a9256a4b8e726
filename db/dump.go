package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"musa"
	"musa/audit"
)

// Moment is the state that a dump shows, though its pages are read one after another: what
// came later is left out or taken back. A read that lasted would keep deleted keys alive.
type Moment struct {
	At    musa.Millis
	Audit AuditHead // the chain ends here
	Log   int64     // and the transparency log has this size
}

// settleWait bounds how long Moment waits for transactions that began before it. On a
// PostgreSQL server those of other databases count, too.
const settleWait = 5 * time.Second

// Moment fixes the present. Once it returns, everything that began before has been
// committed or never will.
func (d *DB) Moment(ctx context.Context) (Moment, error) {
	var m Moment
	var mark string
	err := d.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		m.At = tx.Now
		if tx.dialect == PostgreSQL {
			if err := tx.get(ctx, &mark, "SELECT CAST(pg_current_xact_id() AS text)"); err != nil {
				return err
			}
		}
		if m.Audit, err = tx.AuditHead(ctx); err != nil {
			return err
		}
		c, err := tx.Checkpoint(ctx)
		m.Log = c.Size
		return err
	})
	if err == nil && mark != "" {
		err = d.settled(ctx, mark)
	}
	return m, wrapf(problem(err), "moment of a dump")
}

func (d *DB) settled(ctx context.Context, mark string) error {
	deadline := time.NewTimer(settleWait)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var over bool
		err := d.reader.QueryRowContext(ctx, "SELECT pg_snapshot_xmin(pg_current_snapshot()) > CAST(? AS xid8)", mark).Scan(&over)
		if err != nil || over {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return nil // somebody else's; what it changes the restore mends
		case <-tick.C:
		}
	}
}

// dump says how a table is shown at a Moment. In its words ?0 is the instant, ?1 the
// audit chain's end, ?2 and ?3 the log's size in leaves and in hashes, ?4 no bytes.
type dump struct {
	table, where string
	as           map[string]string // columns that are taken back
	key          []string          // to page by, where it is not the primary key
}

// What closing their owner's account ordered of items is taken back with it, as by reopening.
const (
	unordered  = "CASE WHEN closed > ?0 THEN 0 ELSE ordered END"
	unclosed   = "CASE WHEN closed > ?0 THEN 0 ELSE closed END"
	unending   = "CASE WHEN closed > ?0 THEN due ELSE ends END"
	unreasoned = "CASE WHEN closed > ?0 THEN 'policy' ELSE reason END"
)

// dumps are in such an order that what a row names stands before it, but for policy
// versions: they are only ever added, and rows must find theirs.
var dumps = []dump{
	{table: "subjects", where: "created <= ?0", as: map[string]string{
		// Who was suspended before is so again: a suspension outlasts a closing.
		"state": `CASE WHEN closed <= ?0 THEN state WHEN EXISTS (SELECT 1 FROM suspensions AS z WHERE z.subject = subjects.id AND z.at <= ?0)
			THEN 'suspended' ELSE 'active' END`,
		"closed": "CASE WHEN closed > ?0 THEN 0 ELSE closed END",
		"ends":   "CASE WHEN closed > ?0 THEN 0 ELSE ends END",
		"receipt": `CASE WHEN closed > ?0 AND NOT EXISTS (SELECT 1 FROM receipts AS t WHERE t.id = subjects.receipt AND t.created <= ?0)
			THEN '' ELSE receipt END`}},
	{table: "assets", where: "created <= ?0", as: map[string]string{
		"state":   "CASE WHEN erased > ?0 THEN 'active' WHEN purged > ?0 THEN 'erased' ELSE state END",
		"erased":  "CASE WHEN erased > ?0 THEN 0 ELSE erased END",
		"purged":  "CASE WHEN purged > ?0 THEN 0 ELSE purged END",
		"receipt": "CASE WHEN erased > ?0 THEN '' ELSE receipt END",
		"ordered": unordered, "closed": unclosed, "ends": unending, "reason": unreasoned}},
	{table: "records", where: "created <= ?0", as: map[string]string{
		"state":   "CASE WHEN erased > ?0 THEN 'active' ELSE state END",
		"erased":  "CASE WHEN erased > ?0 THEN 0 ELSE erased END",
		"ordered": unordered, "closed": unclosed, "ends": unending, "reason": unreasoned}},
	{table: "blobs", where: "created <= ?0 AND " + alive},
	{table: "sources"},
	{table: "jobs", where: "created <= ?0", as: map[string]string{
		"state":   "CASE WHEN ended = 0 OR ended > ?0 THEN 'queued' ELSE state END",
		"started": "CASE WHEN ended = 0 OR ended > ?0 THEN 0 ELSE started END",
		"code":    "CASE WHEN ended > ?0 THEN '' ELSE code END",
		"ended":   "CASE WHEN ended > ?0 THEN 0 ELSE ended END"}},
	{table: "job_inputs"},
	{table: "ledger_accounts"},
	// By owner: folding an owner's entries into one falls between two pages least likely so.
	{table: "ledger_entries", where: "created <= ?0", key: []string{"subject", "id"}},
	{table: "audit_events", where: "at <= ?0", as: map[string]string{
		"seq":  "CASE WHEN seq > ?1 THEN NULL ELSE seq END",
		"prev": "CASE WHEN seq > ?1 THEN ?4 ELSE prev END",
		"hash": "CASE WHEN seq > ?1 THEN ?4 ELSE hash END"}},
	// The end itself is replaced by the next one: whoever dumps has it from the Moment.
	{table: "audit_heads", where: "seq < ?1"},
	{table: "receipts", where: "created <= ?0", as: map[string]string{
		"position": "CASE WHEN position >= ?2 THEN -1 ELSE position END"}},
	{table: "log_hashes", where: "position < ?3"},
	{table: "checkpoints", where: "size <= ?2"},
	{table: "roles", where: "since <= ?0"},
	{table: "holds", where: "opened <= ?0 AND state <> 'opening'"},
	{table: "addresses"},
	{table: "workspaces"},
	{table: "members", where: "since <= ?0"},
	{table: "choices", where: "at <= ?0", as: map[string]string{"superseded": "CASE WHEN superseded > ?0 THEN 0 ELSE superseded END"}},
	{table: "cases", where: "received <= ?0"},
	{table: "threads", where: "created <= ?0"},
	{table: "surveys", where: "created <= ?0"},
	{table: "answers", where: "created <= ?0"},
	{table: "tallies"},
	{table: "suspensions", where: "at <= ?0"},
	{table: "incidents", where: "aware <= ?0"},
	{table: "affected"},
	{table: "usage_totals"},
	{table: "usage_days"},
	{table: "news", where: "created <= ?0", as: map[string]string{"told": "CASE WHEN told = 0 THEN created ELSE told END"}},
	// What was being told by mail counts as told: nobody hears it twice because of a restore.
	{table: "adoptions", as: map[string]string{"told": "CASE WHEN told = 0 THEN published ELSE told END"}},
	{table: "policy_versions"},
}

// keyDumps are the tables of what opens things. They are never part of a dump of the rest. The
// secrets come last: one is given back to what is there.
var keyDumps = []dump{
	{table: "subject_keys", where: "length(wrapped) > 0", key: []string{"subject"}},
	{table: "sessions", where: "expires > ?0"},
	{table: "logins", where: "created <= ?0"},
	{table: "vouchers", where: "created <= ?0 AND expires > ?0"},
	{table: "api_keys", where: "created <= ?0"},
	{table: "secrets", where: "length(wrapped) > 0", key: []string{"id"}},
}

// Undumped are the tables that no dump holds, each with the reason.
func Undumped() map[string]string {
	return map[string]string{
		"schema_versions": "made by the migrations",
		"instance":        "written by the restore",
		"leases":          "of nodes that are gone",
		"strays":          "of database files that are not restored",
		"journal_entries": "on their way into the target's journal",
		"backups":         "the target itself says what lies there",
		"removals":        "of bytes that are not restored",
		"limits":          "of the last minutes",
		"mails":           "nobody gets one twice because of a restore",
	}
}

// DumpTables names the tables of a dump, in the order in which they are to be read.
func DumpTables() []string { return names(dumps) }

// KeyTables names the tables that hold what opens things.
func KeyTables() []string { return names(keyDumps) }

func names(list []dump) []string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.table
	}
	return out
}

// Page asks for a page of a table.
type Page struct {
	Shape
	Moment Moment
	After  []any  // the key of the row before; nil from the beginning
	UpTo   string // of a key of one text: not beyond this one; empty for no bound
	Limit  int
}

// Dump reads one page, in a read of its own. Values are nil, int64, float64, string or
// []byte, whichever the database.
func (d *DB) Dump(ctx context.Context, p Page) (rows [][]any, err error) {
	query, args := p.query()
	err = d.Read(ctx, func(ctx context.Context, tx Tx) error {
		found, err := tx.bun.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			row, into := make([]any, len(p.Columns)), make([]any, len(p.Columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := found.Scan(into...); err != nil {
				return err
			}
			for i := range row {
				if row[i], err = neutral(row[i], p.Kinds[i]); err != nil {
					return fmt.Errorf("column %s: %w", p.Columns[i], err)
				}
			}
			rows = append(rows, row)
		}
		return found.Err()
	})
	return rows, wrapf(err, "dump %s", p.Table)
}

func (p Page) query() (string, []any) {
	args := []any{p.Moment.At, p.Moment.Audit.Seq, p.Moment.Log, audit.StoredCount(p.Moment.Log), []byte{}}
	columns := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		columns[i] = `"` + c + `"`
		if as, ok := p.as[c]; ok {
			columns[i] = as
		}
	}
	var where []string
	if p.where != "" {
		where = append(where, p.where)
	}
	key := `"` + strings.Join(p.key, `", "`) + `"`
	if p.After != nil {
		var marks []string
		for _, v := range p.After {
			marks = append(marks, fmt.Sprintf("?%d", len(args)))
			args = append(args, v)
		}
		where = append(where, "("+key+") > ("+strings.Join(marks, ", ")+")")
	}
	if p.UpTo != "" {
		where = append(where, fmt.Sprintf("%s <= ?%d", key, len(args)))
		args = append(args, p.UpTo)
	}
	query := "SELECT " + strings.Join(columns, ", ") + ` FROM "` + p.Table + `"`
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	// PostgreSQL would take an output column's name for what to order by.
	order := p.Table + `."` + strings.Join(p.key, `", `+p.Table+`."`) + `"`
	args = append(args, p.Limit)
	return fmt.Sprintf("%s ORDER BY %s LIMIT ?%d", query, order, len(args)-1), args
}

// KeyOf is a row's key, for the page after it.
func (s Shape) KeyOf(row []any) []any {
	key := make([]any, len(s.key))
	for i, c := range s.key {
		key[i] = row[slices.Index(s.Columns, c)]
	}
	return key
}

// EndOfAudit is the moment's head as a row of its table's shape.
func (m Moment) EndOfAudit(s Shape) []any {
	row := make([]any, len(s.Columns))
	for i, c := range s.Columns {
		row[i] = map[string]any{"seq": m.Audit.Seq, "hash": m.Audit.Hash, "at": int64(m.Audit.At), "note": m.Audit.Note}[c]
	}
	return row
}

// ResealedWith lists assets whose sealed records change when records of their job are erased.
func (tx Tx) ResealedWith(ctx context.Context, records []string) ([]string, error) {
	var ids []string
	err := tx.get(ctx, &ids, "SELECT a.id FROM records AS r JOIN assets AS a ON a.job = r.job WHERE r.id IN (?) AND r.job <> ''", bun.List(records))
	return ids, wrapf(err, "resealed with %d records", len(records))
}

// ItemsOf lists everything that an owner has or had, as far as rows tell.
func (tx Tx) ItemsOf(ctx context.Context, owners []string) ([]string, error) {
	var ids []string
	err := tx.get(ctx, &ids, "SELECT id FROM assets WHERE owner IN (?0) UNION ALL SELECT id FROM records WHERE owner IN (?0)", bun.List(owners))
	return ids, wrapf(err, "items of %d owners", len(owners))
}
