package backup

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"musa"
	"musa/db"
)

// link is the end of the journal: the number and the hash of its last entry. The zero link
// stands before the first.
type link struct {
	Seq  int64  `json:"seq"`
	Hash []byte `json:"hash"`
}

// entry is one entry of the journal.
type entry struct {
	Seq    int64       `json:"seq"`
	Prev   []byte      `json:"prev"` // hash of the entry before, as stored
	At     musa.Millis `json:"at"`
	Erased []erased    `json:"erased,omitempty"`
	// Gap says that the store may have erased what the journal does not name, before this entry.
	Gap bool `json:"gap,omitempty"`
}

type erased struct {
	ID string      `json:"id"` // or a db.Act
	At musa.Millis `json:"at"`
}

// journalPage is how many erasures one entry takes.
const journalPage = 5000

// Journal carries what was erased into the target's journal. When it returns nil, everything
// whose erasure had been committed before the call stands there, durably.
func (a *Archive) Journal(ctx context.Context) error {
	if a.Aside {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		var list []db.JournalEntry
		e := entry{At: musa.At(a.Clock())}
		err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if e.Gap, err = tx.Gap(ctx); err != nil {
				return err
			}
			list, err = tx.JournalEntries(ctx, journalPage)
			return err
		})
		if err != nil || len(list) == 0 && !e.Gap {
			return err
		}
		for _, one := range list {
			e.Erased = append(e.Erased, erased{one.Item, one.At})
		}
		if err := a.enter(ctx, e); err != nil {
			return fmt.Errorf("journal of %d erasures: %w", len(list), err)
		}
		err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if e.Gap {
				if err := tx.CloseGap(ctx); err != nil {
					return err
				}
			}
			return tx.DropJournalEntries(ctx, list...)
		})
		if err != nil {
			return err
		}
	}
}

// enter appends an entry. Whichever node was first with a number has it: a name is written
// once. The caller holds mu.
func (a *Archive) enter(ctx context.Context, e entry) error {
	if err := a.follow(ctx); err != nil {
		return err
	}
	for {
		e.Seq, e.Prev = a.head.Seq+1, a.head.Hash
		plain, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode entry %d: %w", e.Seq, err)
		}
		_, hash, err := a.sealed.put(ctx, journalName(e.Seq), plain)
		if err == nil {
			a.head = &link{e.Seq, hash}
			return nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := a.follow(ctx); err != nil {
			return err
		}
	}
}

// follow finds the journal's end: by a list at first, then by the entries that other nodes
// appended. The caller holds mu.
func (a *Archive) follow(ctx context.Context) error {
	if a.head == nil {
		names, err := a.sealed.names(ctx, journalPrefix)
		if err != nil {
			return err
		}
		var last int64
		for _, name := range names {
			n, _ := numbered(name, journalPrefix)
			last = max(last, n)
		}
		if last == 0 {
			a.head = &link{}
			return nil
		}
		_, hash, err := a.sealed.entry(ctx, last)
		if err != nil {
			return err
		}
		a.head = &link{last, hash}
	}
	for {
		next := a.head.Seq + 1
		_, hash, err := a.sealed.entry(ctx, next)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		a.head = &link{next, hash}
	}
}

// position is the journal's end, which begins with an empty entry: a target without one has
// lost its journal.
func (a *Archive) position(ctx context.Context) (link, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.follow(ctx); err != nil {
		return link{}, err
	}
	if a.head.Seq == 0 {
		if err := a.enter(ctx, entry{At: musa.At(a.Clock())}); err != nil {
			return link{}, fmt.Errorf("begin the journal: %w", err)
		}
	}
	return *a.head, nil
}

// entry takes an entry from the journal, with its hash.
func (v vessel) entry(ctx context.Context, seq int64) (e entry, hash []byte, err error) {
	plain, hash, err := v.get(ctx, journalName(seq))
	if err != nil {
		return e, nil, err
	}
	if err := json.Unmarshal(plain, &e); err != nil || e.Seq != seq {
		return e, nil, fmt.Errorf("entry %d of the journal: %w", seq, errors.Join(musa.ErrInvalid, err))
	}
	return e, hash, nil
}

// said is what the journal says of the time after a copy.
type said struct {
	end  link                   // its last entry
	gone map[string]musa.Millis // what was erased
	acts []done                 // in the order in which they were done
	// gap is since when it does not name every erasure; 0 where it does.
	gap musa.Millis
}

// done is an act, and when it was done.
type done struct {
	db.Act
	at musa.Millis
}

// journal reads what happened after a copy, and checks on the way that the journal is whole
// from there to where the key copy last saw it.
func (v vessel) journal(ctx context.Context, from, seen link) (*said, error) {
	names, err := v.names(ctx, journalPrefix)
	if err != nil {
		return nil, err
	}
	var seqs []int64
	for _, name := range names {
		if n, ok := numbered(name, journalPrefix); ok && n >= from.Seq {
			seqs = append(seqs, n)
		}
	}
	slices.Sort(seqs)
	switch {
	case len(seqs) == 0 || seqs[0] != from.Seq:
		return nil, noJournal("backup_no_journal", "The journal of erasures is not in the backup, or does not reach back to the copy. "+
			"Without it a restore would bring back what people erased. Put the journal's files back, all of journal/, or restore a later copy.")
	case seqs[len(seqs)-1] < seen.Seq:
		return nil, noJournal("backup_journal_cut", "The journal of erasures ends before the entry that the rest of the backup knows. "+
			"What was erased since would come back. Put the newest files of journal/ back.")
	}
	out := &said{gone: map[string]musa.Millis{}}
	var prev []byte
	var last musa.Millis
	for i, seq := range seqs {
		if seq != from.Seq+int64(i) {
			return nil, noJournal("backup_journal_gap", "The journal of erasures has a gap. What it would name there would come back. "+
				"Put the missing files of journal/ back.")
		}
		e, hash, err := v.entry(ctx, seq)
		if err != nil {
			return nil, brokenJournal(err)
		}
		known := seq == from.Seq && !bytes.Equal(hash, from.Hash) || seq == seen.Seq && len(seen.Hash) > 0 && !bytes.Equal(hash, seen.Hash)
		if known || prev != nil && !bytes.Equal(e.Prev, prev) {
			return nil, brokenJournal(fmt.Errorf("entry %d is not the one that was written: %w", seq, musa.ErrInvalid))
		}
		if e.Gap && i > 0 && out.gap == 0 {
			out.gap = last
		}
		prev, last, out.end = hash, e.At, link{seq, hash}
		for _, x := range e.Erased {
			if act, ok := db.ParseAct(x.ID); ok {
				out.acts = append(out.acts, done{act, x.At})
				continue
			}
			out.gone[x.ID] = x.At
		}
	}
	slices.SortStableFunc(out.acts, func(a, b done) int { return cmp.Compare(a.at, b.at) })
	return out, nil
}

// add takes in what was said later, and returns which erasures are news and whether anything is.
func (s *said) add(later *said) (fresh []string, more bool) {
	for id, at := range later.gone {
		if _, known := s.gone[id]; !known {
			s.gone[id] = at
			fresh = append(fresh, id)
		}
	}
	acts := len(s.acts)
	for _, act := range later.acts {
		if !slices.Contains(s.acts, act) {
			s.acts = append(s.acts, act)
		}
	}
	slices.SortStableFunc(s.acts, func(a, b done) int { return cmp.Compare(a.at, b.at) })
	s.end, s.gap = later.end, cmp.Or(s.gap, later.gap)
	return fresh, len(fresh) > 0 || len(s.acts) > acts
}

func noJournal(code, words string) error {
	return &musa.Problem{Kind: musa.ErrRefused, Code: code, Field: "from", Public: words}
}

func brokenJournal(err error) error {
	return &musa.Problem{Kind: musa.ErrRefused, Code: "backup_journal_broken", Field: "from", Cause: err,
		Public: "The journal of erasures was changed: an entry does not follow from the one before. Put back the files of journal/ as they were written."}
}

// Forget removes the copies of blobs whose bytes go.
func (a *Archive) Forget(ctx context.Context, names []string) error {
	copies := make([]string, len(names))
	for i, name := range names {
		copies[i] = blobPrefix + name
	}
	return a.sealed.drop(ctx, copies...)
}
