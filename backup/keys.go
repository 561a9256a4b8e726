package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"musa"
	"musa/db"
)

// keyPage is how many keys a range of the key copy begins with.
const keyPage = 2000

// keyRange is a part of the key copy: the keys of a table from after one id up to another.
type keyRange struct {
	Table string `json:"table"`
	After string `json:"after"`
	UpTo  string `json:"up_to"`
}

func (r keyRange) has(id string) bool { return id > r.After && id <= r.UpTo }

// keyIndex says which ranges make the key copy.
type keyIndex struct {
	Ranges []keyRange `json:"ranges"`
	// Journal is where the journal stood when the copy was made.
	Journal link `json:"journal"`
}

// keyCopy is what a node knows of the key copy.
type keyCopy struct {
	edition string
	index   keyIndex
	seen    int64 // entries of the journal up to here were looked at
}

// edition is the names of one key copy in the target.
type edition struct {
	whole  bool // it has its index
	ranges map[int][]string
}

// editions lists the key copies: one, or two while one replaces the other.
func (v vessel) editions(ctx context.Context) (map[string]*edition, error) {
	names, err := v.names(ctx, keysPrefix)
	if err != nil {
		return nil, err
	}
	all := map[string]*edition{}
	for _, name := range names {
		id, part, ok := strings.Cut(strings.TrimPrefix(name, keysPrefix), "/")
		if !ok {
			continue
		}
		e := all[id]
		if e == nil {
			e = &edition{ranges: map[int][]string{}}
			all[id] = e
		}
		if part == indexName {
			e.whole = true
			continue
		}
		n, _, _ := strings.Cut(part, "-")
		if i, err := strconv.Atoi(n); err == nil {
			e.ranges[i] = append(e.ranges[i], name)
			slices.Sort(e.ranges[i])
		}
	}
	return all, nil
}

// latest is the newest key copy that is whole; empty when there is none.
func latest(all map[string]*edition) string {
	newest := ""
	for id, e := range all {
		if e.whole {
			newest = max(newest, id)
		}
	}
	return newest
}

// names are all of a key copy's, its index first.
func (e *edition) names(id string) (names []string) {
	if e.whole {
		names = append(names, indexOf(id))
	}
	for _, list := range e.ranges {
		names = append(names, list...)
	}
	return names
}

// seqOf is the number of the journal's entry that a range's name bears.
func seqOf(name string) int64 {
	_, n, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], "-")
	seq, _ := strconv.ParseInt(n, 10, 64)
	return seq
}

// index takes the index of a key copy.
func (v vessel) index(ctx context.Context, id string) (keyIndex, error) {
	var x keyIndex
	plain, _, err := v.get(ctx, indexOf(id))
	if err != nil {
		return x, err
	}
	if err := json.Unmarshal(plain, &x); err != nil {
		return x, fmt.Errorf("index of the key copy: %w", err)
	}
	return x, nil
}

// copyKeys makes a new key copy and removes the one before.
func (a *Archive) copyKeys(ctx context.Context, id string) (keys, size int64, err error) {
	a.copy.Lock()
	defer a.copy.Unlock()
	at, err := a.position(ctx)
	if err != nil {
		return 0, 0, err
	}
	x := keyIndex{Journal: at}
	shapes, err := a.DB.Shapes(ctx, db.KeyTables())
	if err != nil {
		return 0, 0, err
	}
	for _, s := range shapes {
		for last := ""; ; {
			page, err := a.page(ctx, s, keyRange{After: last}, keyPage)
			if err != nil {
				return 0, 0, err
			}
			if len(page) == 0 {
				break
			}
			page = page[:alike(s, page)]
			first, end := keyOf(s, page[0]), keyOf(s, page[len(page)-1])
			r := keyRange{Table: s.Table, After: max(last, kindOf(first)), UpTo: end}
			if page, err = a.openers(ctx, s, page); err != nil {
				return 0, 0, err
			}
			n, err := a.putRange(ctx, rangeName(id, len(x.Ranges), at.Seq), s, page)
			if err != nil {
				return 0, 0, err
			}
			x.Ranges, last = append(x.Ranges, r), r.UpTo
			keys, size = keys+int64(len(page)), size+n
			a.passed("keys", keys)
		}
	}
	plain, err := json.Marshal(x)
	if err != nil {
		return 0, 0, fmt.Errorf("encode index of the key copy: %w", err)
	}
	if _, _, err := a.sealed.put(ctx, indexOf(id), plain); err != nil {
		return 0, 0, err
	}
	a.keys = keyCopy{edition: id, index: x, seen: at.Seq}
	return keys, size, a.dropEditions(ctx, id)
}

func keyOf(s db.Shape, row []any) string { return s.KeyOf(row)[0].(string) }

// kindOf is the beginning of an id that says what it names.
func kindOf(id string) string { return id[:strings.IndexByte(id, '_')+1] }

// alike is how many rows of a page, from its first, name things of one kind. What is made later
// sorts behind all of its kind: no range reaches from one kind into the next, so that none grows.
func alike(s db.Shape, page [][]any) int {
	kind := kindOf(keyOf(s, page[0]))
	n := slices.IndexFunc(page, func(row []any) bool { return kindOf(keyOf(s, row)) != kind })
	if n < 0 {
		return len(page)
	}
	return n
}

// dropEditions removes all key copies but one, also such as were broken off.
func (a *Archive) dropEditions(ctx context.Context, keep string) error {
	all, err := a.sealed.editions(ctx)
	if err != nil {
		return err
	}
	for id, e := range all {
		if id == keep {
			continue
		}
		if err := a.sealed.dissolve(ctx, e.names(id)); err != nil {
			return err
		}
	}
	return nil
}

// page reads keys of one range.
func (a *Archive) page(ctx context.Context, s db.Shape, r keyRange, limit int) ([][]any, error) {
	return a.DB.Dump(ctx, db.Page{Shape: s, Moment: db.Moment{At: musa.At(a.Clock())}, After: []any{r.After}, UpTo: r.UpTo, Limit: limit})
}

// all reads the keys of one range, however many there are by now.
func (a *Archive) all(ctx context.Context, s db.Shape, r keyRange) (rows [][]any, err error) {
	for {
		page, err := a.page(ctx, s, r, keyPage)
		if rows = append(rows, page...); err != nil {
			return nil, err
		}
		if len(page) < keyPage {
			return a.openers(ctx, s, rows)
		}
		r.After = keyOf(s, page[len(page)-1])
	}
}

func (a *Archive) putRange(ctx context.Context, name string, s db.Shape, rows [][]any) (int64, error) {
	var plain bytes.Buffer
	defer func() { clear(plain.Bytes()) }()
	w := newWriter(&plain, s)
	for _, row := range rows {
		if err := w.row(row); err != nil {
			return 0, err
		}
	}
	size, _, err := a.sealed.put(ctx, name, plain.Bytes())
	return size, err
}

// Refresh takes the keys of what was erased out of the key copy: each range that lost one is
// written anew, and its predecessor removed. A crash between the two is made good by the next
// call, on any node. Call it under the lease only.
func (a *Archive) Refresh(ctx context.Context) error {
	if !a.copy.TryLock() {
		return nil // a new copy is being made, and the next call takes it on
	}
	defer a.copy.Unlock()
	if a.keys.edition != "" && !a.Aside {
		// Mostly nothing was erased: one question for the next entry says so.
		_, err := a.sealed.Stat(ctx, journalName(a.keys.seen+1))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	all, err := a.sealed.editions(ctx)
	if err != nil {
		return fmt.Errorf("refresh key copy: %w", err)
	}
	id := latest(all)
	if err := a.dropEditions(ctx, id); err != nil || id == "" {
		return err
	}
	if id != a.keys.edition {
		x, err := a.sealed.index(ctx, id)
		if err != nil {
			return fmt.Errorf("refresh key copy: %w", err)
		}
		a.keys = keyCopy{edition: id, index: x, seen: oldest(all[id])}
	}
	return a.replace(ctx, all[id])
}

// oldest is the journal's entry after which the range written first was written.
func oldest(e *edition) int64 {
	least := int64(-1)
	for _, names := range e.ranges {
		if seq := seqOf(names[len(names)-1]); least < 0 || seq < least {
			least = seq
		}
	}
	return max(least, 0)
}

// replace writes the ranges anew that lost a key after they were written.
func (a *Archive) replace(ctx context.Context, e *edition) error {
	at, err := a.position(ctx)
	if err != nil {
		return err
	}
	soiled := map[int]bool{}
	for seq := a.keys.seen + 1; seq <= at.Seq; seq++ {
		entry, _, err := a.sealed.entry(ctx, seq)
		if err != nil {
			return err
		}
		lost, err := a.lost(ctx, entry)
		if err != nil {
			return err
		}
		for i, r := range a.keys.index.Ranges {
			if names := e.ranges[i]; len(names) == 0 || seqOf(names[len(names)-1]) < seq {
				soiled[i] = soiled[i] || lost.touch(r)
			}
		}
	}
	shapes, err := a.DB.Shapes(ctx, db.KeyTables())
	if err != nil {
		return err
	}
	for i, r := range a.keys.index.Ranges {
		if soiled[i] {
			s := shapes[slices.IndexFunc(shapes, func(s db.Shape) bool { return s.Table == r.Table })]
			rows, err := a.all(ctx, s, r)
			if err != nil {
				return err
			}
			name := rangeName(a.keys.edition, i, at.Seq)
			if _, err := a.putRange(ctx, name, s, rows); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			e.ranges[i] = append(e.ranges[i], name)
		}
		if names := e.ranges[i]; len(names) > 1 {
			if err := a.sealed.drop(ctx, names[:len(names)-1]...); err != nil {
				return err
			}
		}
	}
	a.keys.seen = at.Seq
	return nil
}

// loss is the ids that an entry takes out of the key copy, sorted.
type loss struct {
	ids    []string
	owners bool // some owner, with all that lets them in
}

func (l loss) touch(r keyRange) bool {
	if l.owners && slices.Contains([]string{"sessions", "logins", "vouchers", "api_keys"}, r.Table) {
		return true
	}
	i, _ := slices.BinarySearch(l.ids, r.After+"\x00")
	return i < len(l.ids) && r.has(l.ids[i])
}

// lost names everything whose key went with what an entry names: with an owner all that they
// had, and with a prompt the records of what was made from it, which were sealed again.
func (a *Archive) lost(ctx context.Context, e entry) (loss, error) {
	var l loss
	var owners, records []string
	for _, x := range e.Erased {
		if act, ok := db.ParseAct(x.ID); ok {
			if act.Did == db.ActMoved { // its record was written anew, and the former tells the former address
				l.ids = append(l.ids, act.Item)
			}
			continue
		}
		l.ids = append(l.ids, x.ID)
		switch {
		case strings.HasPrefix(x.ID, "su_"):
			owners = append(owners, x.ID)
		case strings.HasPrefix(x.ID, "rc_"):
			records = append(records, x.ID)
		}
	}
	l.owners = len(owners) > 0
	more := func(ids []string, find func(db.Tx, context.Context, []string) ([]string, error)) error {
		for page := range slices.Chunk(ids, 200) {
			err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
				found, err := find(tx, ctx, page)
				l.ids = append(l.ids, found...)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := errors.Join(more(owners, db.Tx.ItemsOf), more(records, db.Tx.ResealedWith))
	slices.Sort(l.ids)
	return l, err
}
