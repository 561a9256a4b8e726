package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"musa"
	"musa/backup"
	"musa/db"
	"musa/house"
	"musa/seal"
)

// restoreCmd is `musa restore`: data, db and blobs name the new store, which is empty.
type restoreCmd struct {
	Settings
	From         string `help:"The backup target: file:///DIR or s3://…; empty is the setting backup." placeholder:"URL"`
	Copy         string `help:"Which copy; empty is the newest. musa backup list shows them." placeholder:"ID"`
	Moved        bool   `help:"Take a copy that no journal follows, to move a store that is switched off: everything erased since the copy would come back."`
	AcceptFaults bool   `help:"Let the restored store be served in spite of the faults that an earlier try found."`
	JSON         bool   `name:"json" help:"Print JSON."`
}

// Run restores and prints what came of it: status 1 if the restored store is not whole.
func (c *restoreCmd) Run(ctx context.Context, out io.Writer) (err error) {
	if err := harden(); err != nil {
		return err
	}
	if c.From == "" {
		c.From = c.Backup
	}
	if c.From == "" || c.From == noBackup {
		return backupURL()
	}
	keys, err := seal.Load(c.Keys)
	if err != nil {
		return err
	}
	r := backup.Restore{Copy: musa.BackupID(c.Copy), Moved: c.Moved, Accept: c.AcceptFaults, Keys: keys, Clock: time.Now, Log: c.logger(), Versions: house.VersionsOf,
		Progress: verifyProgress(os.Stderr)}
	c.Settings.Backup = c.From
	dialer, err := c.dialer()
	if err != nil {
		return err
	}
	// Opening a folder makes it: what is not there must be said instead.
	if u, err := url.Parse(c.From); err == nil && u.Scheme == "file" {
		if err := there(u.Path); err != nil {
			return err
		}
	}
	if r.Target, _, err = c.target(ctx, c.From, dialer); err != nil {
		return err
	}
	if r.Blobs, err = c.store(ctx, dialer); err != nil {
		return err
	}
	r.DB, err = db.Open(ctx, db.Config{URL: c.DB, Path: filepath.Join(c.Data, "musa.db"), Dial: dialer.For("database"), Clock: time.Now, Log: r.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.DB.Close()) }()
	done, err := r.Run(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(done)
	} else {
		err = restorePrint(out, done)
	}
	if err == nil && len(done.Faults) > 0 {
		return failure(1)
	}
	return err
}

func there(dir string) error {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &musa.Problem{Kind: musa.ErrNotFound, Code: "backup_missing", Field: "from",
			Public: "There is no folder where the backup is said to be. Check the path behind file://."}
	}
	return err
}

// restoreUnserved is how to go on with a store that is not whole.
const restoreUnserved = "No server starts with this store. Put back what the faults name into the backup and run the same command again, " +
	"or restore another copy with --copy. To serve it in spite of these faults, run the same command again with --accept-faults."

// restoreBack names what no journal holds. Whoever restores has to do it again.
const restoreBack = "What is as it was at %s, and has to be repeated: tiers and choices of how long to keep, " +
	"deletions that were still to be undone, holds opened or released, policy versions published since. " +
	"What people added or changed after it is lost.\n"

func restorePrint(out io.Writer, r backup.Restored) error {
	fmt.Fprintf(out, "restored %s of %s: %d rows, %d keys, %d blobs\n", r.Copy.ID, r.Copy.At.Time().Format(time.RFC3339), r.Rows, r.Keys, r.Blobs)
	fmt.Fprintf(out, "the journal names %d erasures; %d things of the copy stay erased; %d later decisions were taken again\n", r.Erased, r.Replay, r.Repeat)
	if r.Lost > 0 {
		fmt.Fprintf(out, "%d blobs are not in the backup\n", r.Lost)
	}
	for _, f := range r.Faults {
		verifyPrint(out, f)
	}
	fmt.Fprintf(out, "%d faults in the restored store\n", len(r.Faults))
	if !r.Served {
		_, err := fmt.Fprintln(out, restoreUnserved)
		return err
	}
	_, err := fmt.Fprintf(out, restoreBack, r.Copy.At.Time().Format(time.RFC3339))
	return err
}
