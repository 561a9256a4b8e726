package backup

import (
	"context"
	"slices"

	"musa/db"
)

// omits are the categories that the policy leaves out of copies: their rows, keys and bytes.
func (a *Archive) omits() []string { return a.Policy().Lifecycle.Backup.LeavesOut }

// omitted says that the policy leaves a row's category out of backups.
func (c *rowsCopy) omitted(s db.Shape, row []any) bool {
	at := slices.Index(s.Columns, "category")
	if at < 0 {
		return false
	}
	category, _ := row[at].(string)
	return slices.Contains(c.omit, category)
}

// openers leaves out of rows of the key copy what opens such things.
func (a *Archive) openers(ctx context.Context, s db.Shape, rows [][]any) ([][]any, error) {
	omit := a.omits()
	if s.Table != "secrets" || len(omit) == 0 {
		return rows, nil
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = keyOf(s, row)
	}
	kept := make([][]any, 0, len(rows))
	for page := range slices.Chunk(ids, keyPage) {
		var out map[string]bool
		err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			out, err = tx.OfCategories(ctx, page, omit)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, row := range rows[:len(page)] {
			if !out[keyOf(s, row)] {
				kept = append(kept, row)
			}
		}
		rows = rows[len(page):]
	}
	return kept, nil
}

// live says which of some blobs belong into the target.
func (a *Archive) live(ctx context.Context, names ...string) (live map[string]bool, err error) {
	omit := a.omits()
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if live, err = tx.LiveAmong(ctx, names); err != nil || len(omit) == 0 {
			return err
		}
		out, err := tx.BlobsOfCategories(ctx, names, omit)
		for name := range out {
			delete(live, name)
		}
		return err
	})
	return live, err
}

// belonging names those of a page of live blobs that belong into the target.
func (a *Archive) belonging(ctx context.Context, page []db.Blob) ([]string, error) {
	names := make([]string, len(page))
	for i, b := range page {
		names[i] = b.Name
	}
	if len(a.omits()) == 0 {
		return names, nil
	}
	live, err := a.live(ctx, names...)
	return slices.DeleteFunc(names, func(name string) bool { return !live[name] }), err
}
