package house

import (
	"context"
	"fmt"

	"musa"
	"musa/backup"
	"musa/blob"
	"musa/db"
	"musa/policy"
)

// Backup says where copies of the store go. The zero Backup makes none.
type Backup struct {
	Target blob.Store
	Name   string // of the target, not secret; the same on every node
	// GiveUp is said by an operator who wants no backup any more where there was one.
	GiveUp bool
	// Scratch is a folder for rehearsals; Folder opens a blob store in it.
	Scratch string
	Folder  func(dir string) (blob.Store, error)
}

var halfRestored = &musa.Problem{Kind: musa.ErrUnavailable, Code: "restore_unfinished", Field: "data",
	Public: "A restore into this store was broken off, and half a store is not served. Run the same `musa restore` again: it begins anew."}

// openArchive takes the house's place in its backup target. Every node of a store has to know the
// target: one that did not would erase past its journal.
func (h *House) openArchive(ctx context.Context) error {
	if h.Beside {
		return h.leaveJournal(ctx)
	}
	if err := h.DB.Write(ctx, h.claimTarget); err != nil {
		return fmt.Errorf("backup target: %w", err)
	}
	if h.Backup.Target == nil {
		if h.Config.Policy.Lifecycle.Backup.Every.Said() {
			h.Log.Warn("the policy promises backups, and none are made: name a target with --backup")
		}
		return nil
	}
	h.Archive = backup.New(backup.Config{DB: h.DB, Blobs: h.Blobs, Target: h.Backup.Target, Keys: h.Keys, Policy: h.InForce, Clock: h.Clock,
		Log: h.Log, Node: h.Node, Scratch: h.Backup.Scratch, Folder: h.Backup.Folder, Versions: VersionsOf})
	return nil
}

// claimTarget notes which target learns of this store's erasures.
func (h *House) claimTarget(ctx context.Context, tx db.Tx) error {
	if h.Backup.Target != nil {
		known, err := tx.Target(ctx)
		if err != nil {
			return err
		}
		if known != "" && known != h.Backup.Name {
			h.Log.Warn("another backup target than before: the copies in the former one know no erasure from now on, remove them")
		}
		return tx.SetTarget(ctx, h.Backup.Name)
	}
	if h.Backup.GiveUp {
		return tx.GiveUpTarget(ctx)
	}
	known, err := tx.Target(ctx)
	if err == nil && known == "" {
		return tx.OpenGap(ctx)
	}
	if err == nil {
		err = &musa.Problem{Kind: musa.ErrInvalid, Code: "backup_unset", Field: "backup",
			Public: "This store has a backup, whose journal must learn of every erasure. Name it with --backup. " +
				"To give it up, start once with --backup none and remove the copies: restoring them would bring back what is erased from now on."}
	}
	return err
}

// leaveJournal has a command beside a server note what it erases, where the server has a
// target to tell.
func (h *House) leaveJournal(ctx context.Context) error {
	return h.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		known, err := tx.Target(ctx)
		h.noted = known != ""
		return err
	})
}

// journal is how the eraser reaches the archive; nil without one.
func (h *House) journal() (journal func(context.Context) error, forget func(context.Context, []string) error) {
	switch {
	case h.noted:
		return func(context.Context) error { return nil }, nil
	case h.Archive == nil:
		return nil, nil
	}
	return h.Archive.Journal, h.Archive.Forget
}

// VersionsOf reads the versions of the policy that a store took up.
func VersionsOf(ctx context.Context, d *db.DB) (*policy.Versions, error) {
	t, err := Taken(ctx, d, nil)
	return t.Versions, err
}
