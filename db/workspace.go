package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Workspace is what a workspace asks of everything in it. It is an owner like a person; its name lies
// sealed in a record of its own.
//
// Category: account.
type Workspace struct {
	bun.BaseModel `bun:"table:workspaces"`

	Subject    musa.SubjectID `bun:",pk"`
	NoTraining musa.Millis    // since when; 0 where members may choose
	Keep       int64          // ms that its items stay, 0 for the plan's
	Region     string
	Processors string // allowed ones, separated by spaces; empty for all of the policy's, "none" for none
	Record     musa.RecordID
	SetBy      musa.SubjectID // who changed any of this last; empty once they left
	SetAt      musa.Millis
}

var workspaceTable = Table{Name: "workspaces", Category: musa.CategoryAccount, Columns: columns(musa.CategoryAccount, "subject", "no_training", "keep", "region", "processors", "record", "set_by", "set_at"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"record", "records", Keep}, {"set_by", "subjects", Keep}}}

// Member says that a person works in a workspace. What they are called there lies sealed in a
// record of their own.
//
// Category: membership.
type Member struct {
	bun.BaseModel `bun:"table:members"`

	Workspace musa.SubjectID `bun:",pk"`
	Subject   musa.SubjectID `bun:",pk"`
	Role      musa.MemberRole
	Since     musa.Millis
	Record    musa.RecordID
}

var memberTable = Table{Name: "members", Category: musa.CategoryMembership, Columns: columns(musa.CategoryMembership, "workspace", "subject", "role", "since", "record"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"workspace", "subjects", Follow}, {"record", "records", Follow}}}

// InsertWorkspace adds what a workspace asks; its subject comes first.
func (tx Tx) InsertWorkspace(ctx context.Context, w Workspace) error {
	return wrapf(tx.insert(ctx, &w), "insert workspace %s", w.Subject)
}

// Workspace finds what a workspace asks; musa.ErrNotFound. In a Write its row stays locked.
func (tx Tx) Workspace(ctx context.Context, id musa.SubjectID) (Workspace, error) {
	var w Workspace
	err := tx.get(ctx, &w, "SELECT * FROM workspaces WHERE subject = ? ?", id, tx.locked(forUpdate))
	return w, wrapf(err, "workspace %s", id)
}

// The settings of a workspace that an ActEnforced names.
const (
	SetNoTraining = "no_training"
	SetRegion     = "region"
	SetProcessors = "processors"
)

// SaveWorkspace stores what a workspace asks; musa.ErrNotFound. A backup target's journal learns
// of what it asks otherwise now, but of how long things stay: that is a choice.
func (tx Tx) SaveWorkspace(ctx context.Context, w Workspace) error {
	was, err := tx.Workspace(ctx, w.Subject)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "UPDATE workspaces SET no_training = ?, keep = ?, region = ?, processors = ?, record = ?, set_by = ?, set_at = ? WHERE subject = ?",
		w.NoTraining, w.Keep, w.Region, w.Processors, w.Record, w.SetBy, w.SetAt, w.Subject)
	if err != nil {
		return wrapf(err, "save workspace %s", w.Subject)
	}
	for _, set := range []struct{ what, was, is string }{
		{SetNoTraining, asked(was.NoTraining), asked(w.NoTraining)}, {SetRegion, was.Region, w.Region}, {SetProcessors, was.Processors, w.Processors},
	} {
		if set.was == set.is {
			continue
		}
		if err := tx.NoteAct(ctx, Act{Did: ActEnforced, Subject: w.Subject, What: set.what, Item: set.is}); err != nil {
			return wrapf(err, "save workspace %s", w.Subject)
		}
	}
	return nil
}

// asked is whether something is asked since an instant, as an act says it.
func asked(since musa.Millis) string {
	if since > 0 {
		return "yes"
	}
	return ""
}

// Ask sets what an ActEnforced names, as of an instant.
func (w *Workspace) Ask(a Act, at musa.Millis) {
	switch a.What {
	case SetNoTraining:
		if asked(w.NoTraining) != a.Item {
			w.NoTraining = at
		}
		if a.Item == "" {
			w.NoTraining = 0
		}
	case SetRegion:
		w.Region = a.Item
	case SetProcessors:
		w.Processors = a.Item
	}
}

// InsertMember lets a person in; musa.ErrConflict when they are a member already.
func (tx Tx) InsertMember(ctx context.Context, m Member) error {
	return wrapf(tx.insert(ctx, &m), "insert member %s of %s", m.Subject, m.Workspace)
}

// Member finds one member; musa.ErrNotFound. In a Write the row stays locked.
func (tx Tx) Member(ctx context.Context, workspace, id musa.SubjectID) (Member, error) {
	var m Member
	err := tx.get(ctx, &m, "SELECT * FROM members WHERE workspace = ? AND subject = ? ?", workspace, id, tx.locked(forUpdate))
	return m, wrapf(err, "member %s of %s", id, workspace)
}

// MembersOf lists the members of a workspace, the longest there first.
func (tx Tx) MembersOf(ctx context.Context, workspace musa.SubjectID) ([]Member, error) {
	var list []Member
	err := tx.get(ctx, &list, "SELECT * FROM members WHERE workspace = ? ORDER BY since, subject", workspace)
	return list, wrapf(err, "members of %s", workspace)
}

// MembershipsOf lists the workspaces that a person is a member of, the longest first.
func (tx Tx) MembershipsOf(ctx context.Context, id musa.SubjectID) ([]Member, error) {
	var list []Member
	err := tx.get(ctx, &list, "SELECT * FROM members WHERE subject = ? ORDER BY since, workspace", id)
	return list, wrapf(err, "memberships of %s", id)
}

// SetMemberRole gives a member another role; musa.ErrNotFound. Lock the workspace's subject
// first and look who owns it: of two changes at once the second then sees the first. A backup
// target's journal learns of it, so that no restore gives the former role back.
func (tx Tx) SetMemberRole(ctx context.Context, m Member) error {
	n, err := tx.exec(ctx, "UPDATE members SET role = ? WHERE workspace = ? AND subject = ?", m.Role, m.Workspace, m.Subject)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err == nil {
		err = tx.NoteAct(ctx, Act{Did: ActMade, Subject: m.Subject, What: string(m.Role), In: m.Workspace})
	}
	return wrapf(err, "role of member %s of %s", m.Subject, m.Workspace)
}

// RemoveMember ends a membership. What the person made stays the workspace's, and nothing
// there names them any more; what they were called is ordered away. Lock the workspace's
// subject first. musa.ErrNotFound. A backup target's journal learns of it, so that no restore
// lets them in again.
func (tx Tx) RemoveMember(ctx context.Context, m Member) error {
	n, err := tx.exec(ctx, "DELETE FROM members WHERE workspace = ? AND subject = ?", m.Workspace, m.Subject)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return wrapf(err, "remove member %s of %s", m.Subject, m.Workspace)
	}
	for _, query := range []string{
		"UPDATE assets SET author = '' WHERE owner = ?0 AND author = ?1",
		"UPDATE jobs SET author = '', session = '' WHERE owner = ?0 AND author = ?1",
		"UPDATE workspaces SET set_by = '' WHERE subject = ?0 AND set_by = ?1",
	} {
		if _, err := tx.exec(ctx, query, m.Workspace, m.Subject); err != nil {
			return wrapf(err, "forget member %s of %s", m.Subject, m.Workspace)
		}
	}
	if err := tx.orderRecord(ctx, m.Record); err != nil {
		return err
	}
	err = tx.NoteAct(ctx, Act{Did: ActLeft, Subject: m.Subject, In: m.Workspace})
	return wrapf(err, "remove member %s of %s", m.Subject, m.Workspace)
}

// orderRecord has a record go at once.
func (tx Tx) orderRecord(ctx context.Context, id musa.RecordID) error {
	_, err := tx.exec(ctx, "UPDATE records SET ordered = ?0, ends = ?0, reason = ?1 WHERE id = ?2 AND state = 'active' AND (ends = 0 OR ends > ?0)",
		tx.Now, musa.EndOrdered, id)
	return wrapf(err, "order record %s away", id)
}

// leaveWorkspaces ends all memberships of a person who is erased.
func (tx Tx) leaveWorkspaces(ctx context.Context, id musa.SubjectID) error {
	list, err := tx.MembershipsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := tx.RemoveMember(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// disband removes a workspace that is erased, and all memberships of it.
func (tx Tx) disband(ctx context.Context, id musa.SubjectID) error {
	list, err := tx.MembersOf(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := tx.RemoveMember(ctx, m); err != nil {
			return err
		}
	}
	_, err = tx.exec(ctx, "DELETE FROM workspaces WHERE subject = ?", id)
	return err
}

// OrphanedWorkspaces lists open workspaces that nobody owns, because who did is erased.
func (tx Tx) OrphanedWorkspaces(ctx context.Context, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, `SELECT w.subject FROM workspaces AS w JOIN subjects AS s ON s.id = w.subject
		WHERE s.state = 'active' AND NOT EXISTS (SELECT 1 FROM members AS m WHERE m.workspace = w.subject AND m.role = 'owner')
		ORDER BY w.subject LIMIT ?`, limit)
	return ids, wrapf(err, "orphaned workspaces")
}
