package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/erasure"
	"musa/policy"
	"musa/vault"
)

// lookEvery is how often a restore asks what was erased meanwhile, beside what it is at. C-18
// gives a minute from an erasure to the last trace, also in a store that is rehearsed.
const lookEvery = 10 * time.Second

// keepUp erases, keys and bytes, what was erased since the restore last looked. Its callers are
// all that takes long.
func (s *restore) keepUp(ctx context.Context) error {
	now := s.Clock()
	if now.Sub(s.looked) < lookEvery {
		return nil
	}
	s.looked = now
	// Mostly nothing was erased: one question for the next entry says so.
	_, err := s.from.Stat(ctx, journalName(s.end.Seq+1))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look into the journal: %w", err)
	}
	if err == nil {
		more, err := s.overtaken(ctx)
		if err != nil {
			return err
		}
		s.behind = s.behind || more
		s.soiled = s.soiled || more
	}
	if !s.soiled {
		return nil
	}
	e, err := s.eraser(ctx)
	if err != nil {
		return err
	}
	for n := replayPage; n == replayPage; {
		if n, err = e.Remove(ctx, replayPage); err != nil {
			return err
		}
	}
	return e.Scrub(ctx) // again each time: a reader may have stood in the way
}

// overtaken erases what the journal has named since it was last read, and says whether it has
// said anything.
func (s *restore) overtaken(ctx context.Context) (more bool, err error) {
	now, err := s.from.journal(ctx, s.end, link{})
	if err != nil {
		return false, err
	}
	fresh, more := s.add(now)
	if s.out.Erased = int64(len(s.gone)); len(fresh) == 0 {
		return more, nil
	}
	e, err := s.eraser(ctx)
	if err != nil {
		return false, err
	}
	for ids := range slices.Chunk(fresh, replayPage) {
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			owners, err := tx.Keyed(ctx, ids)
			if err != nil {
				return err
			}
			items, err := tx.Locked(ctx, ids)
			if err != nil {
				return err
			}
			var u db.Unkeyed
			for _, id := range ids {
				switch {
				case owners[id]:
					u.Subjects = append(u.Subjects, musa.SubjectID(id))
				case items[id] && strings.HasPrefix(id, "as_"):
					u.Assets = append(u.Assets, musa.AssetID(id))
				case items[id]:
					u.Records = append(u.Records, musa.RecordID(id))
				}
			}
			s.out.Replay += int64(u.Len())
			if err := tx.DropEntries(ctx, ids); err != nil {
				return err
			}
			return erase(ctx, tx, e, u)
		})
		if err != nil {
			return false, fmt.Errorf("erase what was erased meanwhile: %w", err)
		}
	}
	return true, nil
}

// eraser erases in the new store. It has no queue: nobody reads from that store yet.
func (s *restore) eraser(ctx context.Context) (*erasure.Eraser, error) {
	if s.erases != nil {
		return s.erases, nil
	}
	versions, err := s.Versions(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	inForce := func() *policy.Document { return versions.InForce(musa.At(s.Clock())) }
	s.erases, err = erasure.New(erasure.Config{DB: s.DB, Vault: vault.New(vault.Config{DB: s.DB, Blobs: s.Blobs, Keys: s.Keys, Clock: s.Clock}),
		Blobs: s.Blobs, Keys: s.Keys, Proof: s.inspector(), Clock: s.Clock, Log: s.Log, Node: "restore", Policy: inForce})
	return s.erases, err
}
