package rights

import (
	"context"
	"errors"
	"slices"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// exportPage is how many things are read at a time: no read outlives a second, however much
// there is to export.
const exportPage = 50

// rowPage is how many rows without a seal are.
const rowPage = 1000

// instants are the columns that hold one: as numbers they would say nothing to people.
var instants = []string{"created", "last_seen", "closed", "grace", "ends", "restricted", "unlogged", "lagging", "confirmed", "changed", "used", "expires",
	"at", "superseded", "received", "due", "extended", "answered", "updated", "since", "told", "next", "sent", "no_training"}

// part collects one category: its records, opened, and the rows of its tables. False where
// there is nothing of it.
func (r *Rights) part(ctx context.Context, by musa.Actor, c musa.Category) (Part, bool, error) {
	p := Part{Category: string(c), Words: policy.NameOf(c), Records: []Sealed{}, Rows: []map[string]any{}}
	var after musa.RecordID
	for more := true; more; {
		page, last, err := r.records(ctx, by, c, after)
		if err != nil {
			return Part{}, false, err
		}
		p.Records, after, more = append(p.Records, page...), last, last != ""
	}
	apart := Apart()
	for _, t := range db.Counted() {
		if t.Category != c || apart[t.Name] != "" {
			continue
		}
		rows, err := r.rows(ctx, by, t)
		if err != nil {
			return Part{}, false, err
		}
		p.Rows = append(p.Rows, rows...)
	}
	return p, len(p.Records)+len(p.Rows) > 0, nil
}

// records opens a page of the records of a category, and says where the next begins: empty
// after the last.
func (r *Rights) records(ctx context.Context, by musa.Actor, c musa.Category, after musa.RecordID) (list []Sealed, last musa.RecordID, err error) {
	err = r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, last = nil, ""
		page, err := tx.OpeningsOf(ctx, by.Subject, c, after, exportPage)
		if err != nil {
			return err
		}
		for _, o := range page {
			s, ok, err := r.unseal(tx, by, o)
			if err != nil {
				return err
			}
			if ok {
				list = append(list, s)
			}
		}
		if len(page) == exportPage {
			last = page[len(page)-1].ID
		}
		return nil
	})
	return list, last, err
}

// unseal opens one record; false for what has come to its end.
func (r *Rights) unseal(tx db.Tx, by musa.Actor, o db.RecordOpening) (Sealed, bool, error) {
	grant := r.Policy().Decide(policy.Ask(tx.Now, by, musa.PurposeAnswerRights, vault.RecordItem(o.Record)))
	if o.Ordered > 0 || errors.Is(grant.Err(), musa.ErrGone) {
		return Sealed{}, false, nil
	}
	if err := grant.Err(); err != nil {
		return Sealed{}, false, err
	}
	locked, err := vault.LockedRecord(o)
	if errors.Is(err, musa.ErrNotFound) {
		return Sealed{}, false, nil
	}
	if err != nil {
		return Sealed{}, false, err
	}
	s := Sealed{ID: string(o.ID), Created: o.Created.Time(), Ends: instant(o.Ends), Rule: o.Rule, Asset: string(o.Asset), Job: string(o.Job)}
	if err := r.Vault.OpenRecord(grant, locked, &s.Content); err != nil {
		return Sealed{}, false, err
	}
	return s, true, nil
}

// rows tells all rows of a table that are the person's.
func (r *Rights) rows(ctx context.Context, by musa.Actor, t db.Table) ([]map[string]any, error) {
	var out []map[string]any
	for after := ""; ; {
		var page []db.Row
		err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			page, err = tx.RowsOf(ctx, t, by.Subject, after, rowPage)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			out = append(out, readable(t, row))
			after, _ = row["id"].(string)
		}
		if len(page) < rowPage || after == "" {
			return out, nil
		}
	}
}

func readable(t db.Table, row db.Row) map[string]any {
	out := map[string]any{"table": t.Name}
	for name, v := range row {
		if n, ok := v.(int64); ok && slices.Contains(instants, name) {
			v = any(nil)
			if n > 0 {
				v = musa.Millis(n).Time().Format(time.RFC3339Nano)
			}
		}
		out[name] = v
	}
	return out
}
