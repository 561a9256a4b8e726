package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"musa"
	"musa/db"
)

// Rehearse restores the newest copy into a scratch store, looks at that store whole, and
// removes it. A copy that does not come out whole is marked, and is an error.
func (a *Archive) rehearse(ctx context.Context) error {
	var row db.Backup
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		row, err = tx.LatestBackup(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	err = a.scratch(ctx, row.ID)
	if err == nil {
		row.Rehearsed, row.Code = musa.At(a.Clock()), ""
	} else {
		row.Code = "rehearsal_" + codeOf(err)
		err = fmt.Errorf("rehearse %s: %w", row.ID, err)
	}
	note := a.DB.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { return tx.SaveBackup(ctx, row) })
	return errors.Join(err, note)
}

// scratch restores a copy into the scratch folder. What a rehearsal that died left there
// goes first.
func (a *Archive) scratch(ctx context.Context, id musa.BackupID) (err error) {
	if err := a.clearScratch(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.Scratch, 0o700); err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, a.clearScratch()) }()
	store, err := a.Folder(filepath.Join(a.Scratch, "blobs"))
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, db.Config{Path: filepath.Join(a.Scratch, "musa.db"), Clock: a.Clock, Log: a.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	out, err := Restore{Target: a.Target, Copy: id, DB: d, Blobs: store, Keys: a.Keys, Clock: a.Clock, Log: a.Log, Versions: a.Versions}.Run(ctx)
	if err != nil {
		return err
	}
	if len(out.Faults) > 0 {
		return &musa.Problem{Kind: musa.ErrUnavailable, Code: "faults",
			Public: fmt.Sprintf("The rehearsal found %d faults in the restored copy, first: %s in %s. Look at the store with musa verify, then make a new backup.",
				len(out.Faults), out.Faults[0].Kind, out.Faults[0].Where)}
	}
	return nil
}

func (a *Archive) clearScratch() error {
	if a.Scratch == "" {
		return nil
	}
	if err := os.RemoveAll(a.Scratch); err != nil {
		return fmt.Errorf("clear scratch folder: %w", err)
	}
	return nil
}
