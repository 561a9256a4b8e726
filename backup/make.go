package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"musa"
	"musa/blob"
	"musa/db"
)

// Copy is one copy of the store in the target.
type Copy struct {
	ID      musa.BackupID `json:"id"`
	At      musa.Millis   `json:"at"` // what it is true of
	Rows    int64         `json:"rows"`
	Blobs   int64         `json:"blobs"`
	Missing int64         `json:"missing,omitempty"` // blobs that the store itself had lost
	Keys    int64         `json:"keys"`              // in the key copy, when this copy was made
	Bytes   int64         `json:"bytes"`             // written for it; blobs are shared
	Aside   bool          `json:"aside,omitempty"`   // no journal follows it
}

func (m manifest) copied() Copy {
	return Copy{ID: m.ID, At: m.At, Rows: m.Rows, Blobs: m.Blobs, Missing: m.Missing, Keys: m.Keys, Bytes: m.Bytes, Aside: m.Aside}
}

// staleWrite is how old an unfinished write in the target must be to count as left by a crash.
const staleWrite = 10 * time.Minute

// make copies the store under the lease, and notes how that went. A copy that no journal
// follows is no backup, and is not noted as one.
func (a *Archive) make(ctx context.Context) (Copy, error) {
	if a.Aside {
		man, err := a.write(ctx, musa.NewBackupID(a.Clock()))
		if err != nil {
			return Copy{}, fmt.Errorf("copy aside: %w", err)
		}
		return man.copied(), nil
	}
	row := db.Backup{ID: musa.NewBackupID(a.Clock())}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		row.Started = tx.Now
		return tx.InsertBackup(ctx, row.ID)
	})
	if err != nil {
		return Copy{}, err
	}
	man, err := a.write(ctx, row.ID)
	if err != nil {
		row.Code = codeOf(err)
		err = fmt.Errorf("backup %s: %w", row.ID, err)
	} else {
		row.Finished = musa.At(a.Clock())
		row.RowCount, row.BlobCount, row.Bytes = man.Rows, man.Blobs, man.Bytes
	}
	// The context may be over: how it went has to be noted all the same.
	note := a.DB.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { return tx.SaveBackup(ctx, row) })
	if err := errors.Join(err, note); err != nil {
		return Copy{}, err
	}
	return man.copied(), a.prune(ctx)
}

// codeOf is a failure in a word that a row may hold.
func codeOf(err error) string {
	var p *musa.Problem
	switch {
	case errors.As(err, &p) && p.Code != "":
		return p.Code
	case errors.Is(err, context.Canceled):
		return "broken_off"
	}
	return "failed"
}

// write makes a copy, its manifest last. What is erased while it goes on has left the key
// copy when it ends, and stands in the journal after the place that the manifest names.
func (a *Archive) write(ctx context.Context, id musa.BackupID) (*manifest, error) {
	if err := a.tidy(ctx); err != nil {
		return nil, err
	}
	if err := a.Journal(ctx); err != nil {
		return nil, err
	}
	at, err := a.position(ctx)
	if err != nil {
		return nil, err
	}
	m := &manifest{Version: manifestVersion, ID: id, Keyset: a.Keys.ID(), Journal: at, Aside: a.Aside}
	moment, err := a.DB.Moment(ctx)
	if err != nil {
		return nil, err
	}
	m.At = moment.At
	rows := rowsCopy{Archive: a, man: m, omit: a.omits()}
	if err := rows.all(ctx, moment); err != nil {
		return nil, err
	}
	if err := a.copyBlobs(ctx, m); err != nil {
		return nil, err
	}
	keys, size, err := a.copyKeys(ctx, string(id))
	if err != nil {
		return nil, err
	}
	m.Keys, m.Bytes = keys, m.Bytes+size
	if m.Policies, err = a.versions(ctx); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	_, _, err = a.sealed.put(ctx, rowsName(id, manifestName), plain)
	return m, err
}

func (a *Archive) versions(ctx context.Context) (refs []string, err error) {
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.Adoptions(ctx)
		for _, one := range list {
			refs = append(refs, one.Version)
		}
		return err
	})
	return refs, err
}

// tidy removes what crashes left in the target: unfinished writes, and rows of copies that
// have no manifest. Nobody else makes one now.
func (a *Archive) tidy(ctx context.Context) error {
	if _, err := blob.Sweep(ctx, a.Target, a.Clock().Add(-staleWrite)); err != nil {
		return fmt.Errorf("tidy target: %w", err)
	}
	copies, err := a.sealed.copies(ctx)
	if err != nil {
		return err
	}
	for _, names := range copies {
		if !slices.ContainsFunc(names, isManifest) {
			if err := a.sealed.drop(ctx, names...); err != nil {
				return err
			}
		}
	}
	return nil
}

func isManifest(name string) bool { return strings.HasSuffix(name, "/"+manifestName) }

// copies lists the names of each copy's rows, its manifest first.
func (v vessel) copies(ctx context.Context) (map[musa.BackupID][]string, error) {
	names, err := v.names(ctx, rowsPrefix)
	if err != nil {
		return nil, err
	}
	copies := map[musa.BackupID][]string{}
	for _, name := range names {
		id, _, _ := strings.Cut(strings.TrimPrefix(name, rowsPrefix), "/")
		copies[musa.BackupID(id)] = append(copies[musa.BackupID(id)], name)
	}
	for _, names := range copies {
		slices.SortFunc(names, func(x, y string) int {
			if isManifest(x) != isManifest(y) {
				return map[bool]int{true: -1, false: 1}[isManifest(x)]
			}
			return strings.Compare(x, y)
		})
	}
	return copies, nil
}

// List tells which copies lie in the target, the newest first.
func (a *Archive) List(ctx context.Context) ([]Copy, error) {
	all, err := a.sealed.manifests(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Copy, len(all))
	for i, m := range all {
		list[i] = m.copied()
	}
	return list, nil
}

// manifests reads those of all whole copies, the newest first.
func (v vessel) manifests(ctx context.Context) ([]manifest, error) {
	copies, err := v.copies(ctx)
	if err != nil {
		return nil, err
	}
	var all []manifest
	for id, names := range copies {
		if !isManifest(names[0]) {
			continue
		}
		m, err := v.manifest(ctx, id)
		if err != nil {
			return nil, sealedForAnother(err)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(x, y manifest) int { return strings.Compare(string(y.ID), string(x.ID)) })
	return all, nil
}

// prune removes copies that are older than the policy allows, the last one excepted, and
// what the journal says of the time before the oldest that is left.
func (a *Archive) prune(ctx context.Context) error {
	within := a.Policy().Lifecycle.Backup.Within
	if !within.Said() {
		return nil
	}
	all, err := a.sealed.manifests(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	bound := musa.At(a.Clock().Add(-within.Duration()))
	copies, err := a.sealed.copies(ctx)
	if err != nil {
		return err
	}
	oldest := all[0].Journal.Seq
	for i, m := range all {
		if i == 0 || m.At >= bound {
			oldest = min(oldest, m.Journal.Seq)
			continue
		}
		if err := a.sealed.dissolve(ctx, copies[m.ID]); err != nil {
			return fmt.Errorf("remove copy %s: %w", m.ID, err)
		}
	}
	names, err := a.sealed.names(ctx, journalPrefix)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { n, ok := numbered(name, journalPrefix); return !ok || n >= oldest })
	slices.Sort(names)
	if err := a.sealed.drop(ctx, names...); err != nil {
		return err
	}
	return a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropBackups(ctx, bound, all[0].ID) })
}
