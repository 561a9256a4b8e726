package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"musa"
	"musa/seal"
)

// plan chooses the copy and refuses what must not be restored, before anything is written.
func (s *restore) plan(ctx context.Context) (x keyIndex, ranges map[int][]string, err error) {
	all, err := s.from.manifests(ctx)
	if err != nil {
		return x, nil, err
	}
	at := slices.IndexFunc(all, func(m manifest) bool { return s.Copy == "" || m.ID == s.Copy })
	if at < 0 {
		return x, nil, &musa.Problem{Kind: musa.ErrNotFound, Code: "backup_not_found", Field: "from",
			Public: "There is no such finished copy in this target. `musa backup list` shows those that are."}
	}
	s.man = all[at]
	s.out.Copy = s.man.copied()
	editions, err := s.from.editions(ctx)
	if err != nil {
		return x, nil, err
	}
	id := latest(editions)
	if id == "" {
		return x, nil, noKeys(nil)
	}
	s.keys = id
	if x, err = s.from.index(ctx, id); err != nil {
		return x, nil, noKeys(err)
	}
	seen := s.man.Journal
	if x.Journal.Seq > seen.Seq {
		seen = x.Journal
	}
	ranges = editions[id].ranges
	for i := range x.Ranges {
		if len(ranges[i]) == 0 {
			return x, nil, noKeys(fmt.Errorf("range %d of %s: %w", i, id, fs.ErrNotExist))
		}
		if seq := seqOf(ranges[i][len(ranges[i])-1]); seq > seen.Seq {
			seen = link{Seq: seq}
		}
	}
	if s.said, err = s.from.journal(ctx, s.man.Journal, seen); err != nil {
		return x, nil, err
	}
	s.out.Erased = int64(len(s.gone))
	if s.adrift() && !s.Moved {
		return x, nil, noJournal("backup_aside", "This copy knows no erasure after "+cmp.Or(s.gap, s.man.At).Time().UTC().Format(time.RFC3339)+
			": no journal followed it, or not all the time. Everything erased since would come back. Restore a copy that a journal follows; "+
			"`musa backup list` shows them. Only to move a store that is switched off, use --moved.")
	}
	return x, ranges, nil
}

func noKeys(err error) error {
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "backup_no_keys", Field: "from", Cause: err,
		Public: "The key copy in the backup is not whole: without it nothing opens. Put back the files of keys/, all of the newest folder."}
}

// sealedForAnother gives words to a copy that does not open.
func sealedForAnother(err error) error {
	if !errors.Is(err, seal.ErrBroken) {
		return err
	}
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "backup_sealed", Field: "keys", Cause: err,
		Public: "The backup does not open with this key file: it was made under another, or was changed. Name the key file of the instance that made it with --keys."}
}

// keyRange takes a range of the key copy. One that lost a key meanwhile has been replaced.
func (s *restore) keyRange(ctx context.Context, i int, ranges map[int][]string) (name string, plain []byte, err error) {
	for {
		name = ranges[i][len(ranges[i])-1]
		plain, _, err = s.from.get(ctx, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return name, plain, err
		}
		all, look := s.from.editions(ctx)
		if look != nil {
			return name, nil, look
		}
		e := all[s.keys]
		if e == nil || len(e.ranges[i]) == 0 || e.ranges[i][len(e.ranges[i])-1] <= name {
			return name, nil, err
		}
		ranges[i] = e.ranges[i]
	}
}
