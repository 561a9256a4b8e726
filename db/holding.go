package db

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"musa"
)

// Holding is how many rows of a table, or items of a category, an owner has. Oldest, Newest
// and the ends are 0 where the rows do not say.
type Holding struct {
	Table          string
	Category       musa.Category
	Items          int
	Oldest, Newest musa.Millis
	First, Last    musa.Millis // of the ends that are known
}

// begins are the columns that tell when a row was made, the best first.
var begins = []string{"created", "received", "opened", "at", "since", "confirmed", "told"}

// Uncounted are the tables that say something of people and are not counted as theirs, each
// with the reason.
func Uncounted() map[string]string {
	return map[string]string{
		"secrets":      "opens the items that are counted themselves",
		"subject_keys": "opens all of an owner's items",
		"blobs":        "the bytes of assets that are counted",
		"sources":      "the lineage of assets that are counted",
		"job_inputs":   "the inputs of jobs that are counted",
		"audit_heads":  "signs the log, names nobody",
		"limits":       "a digest that leads back to nobody",
		"incidents":    "whom one concerns is counted as affected",
		"roles":        "who works here, by their own",
		"usage_totals": "totals over enough people that they tell of none",
		"tallies":      "answers over all people, counted",
		"usage_days":   "days that were counted",
	}
}

// Holdings counts everything that is held of an owner, along the declared tables. What is
// held in secret is left out.
func (tx Tx) Holdings(ctx context.Context, owner musa.SubjectID) ([]Holding, error) {
	var list []Holding
	for _, t := range Counted() {
		found, err := tx.holding(ctx, t, owner)
		if err != nil {
			return nil, wrapf(err, "%s of %s", t.Name, owner)
		}
		list = append(list, found...)
	}
	return list, nil
}

// Counted lists the tables whose rows have an owner and are counted as theirs.
func Counted() []Table {
	var list []Table
	reasons := Uncounted()
	for _, t := range Tables() {
		if t.Owner != "" && t.Category != Technical && reasons[t.Name] == "" {
			list = append(list, t)
		}
	}
	return list
}

func (tx Tx) holding(ctx context.Context, t Table, owner musa.SubjectID) (list []Holding, err error) {
	column := func(names ...string) bun.Safe {
		for _, n := range names {
			if _, ok := t.Columns[n]; ok {
				return bun.Safe(`"` + n + `"`)
			}
		}
		return "NULL"
	}
	category := column("category")
	if _, ok := t.Columns["category"]; !ok {
		category = bun.Safe("'" + string(t.Category) + "'")
	}
	end := bun.Safe("NULL")
	if t.Name == "assets" || t.Name == "records" {
		end = "CASE WHEN ends > 0 THEN ends END"
	}
	begin := column(begins...)
	found, err := tx.bun.QueryContext(ctx, `SELECT ?0, COUNT(*), COALESCE(MIN(?1), 0), COALESCE(MAX(?1), 0), COALESCE(MIN(?2), 0), COALESCE(MAX(?2), 0)
		FROM ?3 WHERE ?4 = ?5 AND ?6 GROUP BY 1`, category, whole(begin), whole(end), bun.Ident(t.Name), bun.Ident(t.Owner), owner, t.shown())
	if err != nil {
		return nil, missing(err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		h := Holding{Table: t.Name}
		if err := found.Scan(&h.Category, &h.Items, &h.Oldest, &h.Newest, &h.First, &h.Last); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, found.Err()
}

func whole(e bun.Safe) bun.Safe { return "CAST(" + e + " AS BIGINT)" }

// shown is which rows of a table their owner is told of.
func (t Table) shown() bun.Safe {
	switch t.Name {
	case "assets", "records":
		return "state = 'active'"
	case "holds":
		return "untold = FALSE"
	case "audit_events": // nor does the log tell of a hold that must not be told of
		return "(action NOT LIKE 'hold_%' OR EXISTS (SELECT 1 FROM holds WHERE holds.id = audit_events.object AND holds.untold = FALSE))"
	}
	return "TRUE"
}

// Row is one row of a table as its owner may take it along: no bytes, which are digests and
// what is sealed, and nobody else's name.
type Row map[string]any

// RowsOf lists an owner's rows of a counted table, as far as they may be told: those with an
// id by it, after the last of the page before. Instants are numbers, as they are stored.
func (tx Tx) RowsOf(ctx context.Context, t Table, owner musa.SubjectID, after string, limit int) (list []Row, err error) {
	var names []string
	for n := range t.Columns {
		if !slices.Contains(t.Untold, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	columns := bun.Safe(`"` + strings.Join(names, `", "`) + `"`)
	key := bun.Ident(names[0])
	if slices.Contains(names, "id") {
		key = "id"
	}
	from := bun.SafeQuery("")
	if after != "" {
		from = bun.SafeQuery("AND ? > ?", key, after)
	}
	found, err := tx.bun.QueryContext(ctx, "SELECT ?0 FROM ?1 WHERE ?2 = ?3 AND ?4 ?5 ORDER BY ?6 LIMIT ?7",
		columns, bun.Ident(t.Name), bun.Ident(t.Owner), owner, t.shown(), from, key, limit)
	if err != nil {
		return nil, wrapf(missing(err), "rows of %s", t.Name)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		row, err := plainRow(found, names)
		if err != nil {
			return nil, wrapf(err, "rows of %s", t.Name)
		}
		list = append(list, row)
	}
	return list, found.Err()
}

func plainRow(found *sql.Rows, names []string) (Row, error) {
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	if err := found.Scan(into...); err != nil {
		return nil, err
	}
	row := Row{}
	for i, v := range values {
		if _, bytes := v.([]byte); !bytes {
			row[names[i]] = v
		}
	}
	return row, nil
}

// CategoryOf tells what kind of thing an id names; empty for one that is neither asset nor
// record, or is gone with its row.
func (tx Tx) CategoryOf(ctx context.Context, id string) (musa.Category, error) {
	var list []musa.Category
	err := tx.get(ctx, &list, "SELECT category FROM assets WHERE id = ?0 UNION ALL SELECT category FROM records WHERE id = ?0", id)
	if err != nil || len(list) == 0 {
		return "", wrapf(err, "category of %s", id)
	}
	return list[0], nil
}
