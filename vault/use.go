package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
)

// ErrUnaccounted is returned when somebody's data is opened by another before that use was
// entered. It is a defect of the caller: Enter comes first.
var ErrUnaccounted = errors.New("vault: opened without entering the use")

// Entry is an event of the audit log whose personal part, who and in which words, is sealed
// under the owner's key. What the owner loses with their key nobody reads any more.
type Entry struct {
	At     musa.Millis // set by the log
	Action string
	Role   musa.Role
	Owner  musa.SubjectID // whose data it concerns
	Object string         // the item or the hold
	By     musa.SubjectID // who did it
	Words  string         // why, as that person wrote it
}

// closed is the sealed part of an Entry.
type closed struct {
	By    musa.SubjectID `json:"by"`
	Words string         `json:"words,omitempty"`
}

// Log appends an entry in the caller's transaction. musa.ErrNotFound once the owner's key is
// destroyed.
func (v *Vault) Log(ctx context.Context, tx db.Tx, e Entry) error {
	wrapped, err := tx.SubjectKey(ctx, e.Owner)
	if err != nil {
		return fmt.Errorf("log %s: %w", e.Action, err)
	}
	subject, err := v.Keys.OpenSubject(e.Owner, wrapped)
	if err != nil {
		return fmt.Errorf("open key of %s: %w", e.Owner, err)
	}
	defer subject.Zero()
	plain, err := json.Marshal(closed{By: e.By, Words: e.Words})
	if err != nil {
		return fmt.Errorf("encode entry of %s: %w", e.Object, err)
	}
	event := db.AuditEvent{ID: musa.NewAuditID(tx.Now.Time()), Action: e.Action, Role: e.Role, Subject: e.Owner, Object: e.Object}
	key := subject.Derive(entryLabel)
	defer key.Zero()
	if event.Sealed, err = key.SealRecord(string(event.ID), plain); err != nil {
		return fmt.Errorf("seal entry of %s: %w", e.Object, err)
	}
	return tx.AppendAudit(ctx, event)
}

// entryLabel derives the key of an owner's sealed entries.
const entryLabel = "audit entry"

// Entries reads the entries about some of an owner's things, oldest first, at most limit.
func (v *Vault) Entries(ctx context.Context, tx db.Tx, owner musa.SubjectID, limit int, objects ...string) ([]Entry, error) {
	events, err := tx.EventsAbout(ctx, limit, objects...)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	wrapped, err := tx.SubjectKey(ctx, owner)
	if err != nil {
		return nil, err
	}
	subject, err := v.Keys.OpenSubject(owner, wrapped)
	if err != nil {
		return nil, fmt.Errorf("open key of %s: %w", owner, err)
	}
	defer subject.Zero()
	key := subject.Derive(entryLabel)
	defer key.Zero()
	var list []Entry
	for _, e := range events {
		if e.Subject != owner {
			continue
		}
		plain, err := key.OpenRecord(string(e.ID), e.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open entry %s: %w", e.ID, err)
		}
		var c closed
		if err := json.Unmarshal(plain, &c); err != nil {
			return nil, fmt.Errorf("decode entry %s: %w", e.ID, err)
		}
		list = append(list, Entry{At: e.At, Action: e.Action, Role: e.Role, Owner: owner, Object: e.Object, By: c.By, Words: c.Words})
	}
	return list, nil
}

// Use is the right to open one item of another's that was entered beforehand.
type Use struct {
	vault *Vault
	grant policy.Grant
}

// Enter writes down that somebody opens an item of another's, and why, before it is opened.
// Where it cannot be written nothing opens.
func (v *Vault) Enter(ctx context.Context, by musa.Actor, g policy.Grant, why string) (Use, error) {
	owner, item := g.Item()
	if !g.Allowed() {
		return Use{}, ErrNoGrant
	}
	err := v.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return v.Log(ctx, tx, Entry{Action: db.OpenedFor(g.Purpose()), Role: by.Role, Owner: owner, Object: item, By: by.Subject, Words: why})
	})
	if err != nil {
		return Use{}, fmt.Errorf("enter the use of %s: %w", item, err)
	}
	return Use{vault: v, grant: g}, nil
}

// OpenRecord opens the sealed record of the item that was entered.
func (u Use) OpenRecord(l Locked, out any) error {
	if u.vault == nil {
		return ErrNoGrant
	}
	return u.vault.openRecord(u.grant, l, out)
}

// Open opens one file of the asset that was entered. Close it.
func (u Use) Open(ctx context.Context, l Locked, b db.Blob) (*Content, error) {
	if u.vault == nil {
		return nil, ErrNoGrant
	}
	return u.vault.openContent(ctx, u.grant, l, b)
}
