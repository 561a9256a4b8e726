package db

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"musa"
)

// JournalEntry is something erased, or an Act, that the backup target's journal does not
// hold yet.
//
// Category: technical.
type JournalEntry struct {
	bun.BaseModel `bun:"table:journal_entries"`

	Seq  int64  `bun:",pk,autoincrement"`
	Item string // id of an asset, a record, a session or a subject, or an Act
	At   musa.Millis
}

var journalTable = Table{Name: "journal_entries", Category: Technical, Columns: columns(Technical, "seq", "item", "at"),
	Edges: []Edge{{"item", "assets", Keep}}}

// NoteErased enters ids for the backup target's journal, in the transaction that destroys
// their keys.
func (tx Tx) NoteErased(ctx context.Context, ids ...string) error {
	const page = 1000
	for len(ids) > 0 {
		n := min(page, len(ids))
		list := make([]JournalEntry, n)
		for i, id := range ids[:n] {
			list[i] = JournalEntry{Item: id, At: tx.Now}
		}
		if err := tx.insert(ctx, &list); err != nil {
			return wrapf(err, "note %d erasures", n)
		}
		ids = ids[n:]
	}
	return nil
}

// JournalEntries lists the oldest of what the journal does not hold yet.
func (tx Tx) JournalEntries(ctx context.Context, limit int) ([]JournalEntry, error) {
	var list []JournalEntry
	err := tx.get(ctx, &list, "SELECT * FROM journal_entries ORDER BY seq LIMIT ?", limit)
	return list, wrapf(err, "journal entries")
}

// DropJournalEntries forgets what the journal holds now. It takes each by its own number: on
// PostgreSQL a lower one may commit after a higher.
func (tx Tx) DropJournalEntries(ctx context.Context, list ...JournalEntry) error {
	if len(list) == 0 {
		return nil
	}
	seqs := make([]int64, len(list))
	for i, e := range list {
		seqs[i] = e.Seq
	}
	_, err := tx.exec(ctx, "DELETE FROM journal_entries WHERE seq IN (?)", bun.List(seqs))
	return wrapf(err, "drop %d journal entries", len(list))
}

// What an Act did to its Subject.
const (
	ActClosed     = "closed"     // closed their account and was promised the receipt Item
	ActReopened   = "reopened"   // took that back
	ActRevoked    = "revoked"    // lost the role What
	ActLeft       = "left"       // is no member of the workspace In any more
	ActMade       = "made"       // has the role What in the workspace In
	ActWithdrew   = "withdrew"   // said no to the consent What, for Item alone where one is named
	ActRestricted = "restricted" // has the restriction that the case Item asked for
	ActObjected   = "objected"   // has the case Item upheld, against the purpose What
	ActLifted     = "lifted"     // took back what the case Item had brought
	ActSuspended  = "suspended"  // was set aside until What, for the report Item, by In
	ActRestored   = "restored"   // was let in again
	ActEnforced   = "enforced"   // is a workspace and asks Item of all in it, as its setting What
	ActMoved      = "moved"      // is found by the digest What instead of by a former address; Item is the record that tells it
)

// Act is a decision that erases nothing yet, and that a restore of an older copy takes again.
// No part of it may hold a slash.
type Act struct {
	Did     string
	Subject musa.SubjectID
	What    string
	Item    string
	In      musa.SubjectID
}

// String is the act as an item of the journal: no id holds a slash.
func (a Act) String() string {
	parts := []string{a.Did, string(a.Subject), a.What, a.Item}
	if a.In != "" {
		parts = append(parts, string(a.In))
	}
	return strings.Join(parts, "/")
}

// ParseAct reads an item of the journal; false says that it is an id.
func ParseAct(item string) (a Act, ok bool) {
	part := strings.Split(item, "/")
	if len(part) != 4 && len(part) != 5 {
		return a, false
	}
	a = Act{Did: part[0], Subject: musa.SubjectID(part[1]), What: part[2], Item: part[3]}
	if len(part) == 5 {
		a.In = musa.SubjectID(part[4])
	}
	return a, true
}

// NoteAct enters an act for the journal, where there is one.
func (tx Tx) NoteAct(ctx context.Context, a Act) error {
	known, err := tx.Target(ctx)
	if err != nil || known == "" {
		return err
	}
	return tx.NoteErased(ctx, a.String())
}
