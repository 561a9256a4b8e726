package account

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
)

// Member is somebody in a workspace, as its members see them.
type Member struct {
	Subject musa.SubjectID
	Role    musa.MemberRole
	Since   musa.Millis
	Name    string // that they chose for it; may be empty
}

// memberUnknown is the answer about who is not in the workspace.
func memberUnknown() error {
	return &musa.Problem{Kind: musa.ErrNotFound, Code: "member_unknown", Public: "There is no such member in this workspace."}
}

// lastOwner refuses what would leave a workspace to nobody.
func lastOwner() error {
	return &musa.Problem{Kind: musa.ErrConflict, Code: "last_owner",
		Public: "A workspace always has an owner, and this is its last one. Make somebody else an owner first, or delete the workspace."}
}

// Members lists who is in the workspace, the longest there first.
func (a *Accounts) Members(ctx context.Context, ws musa.Actor) ([]Member, error) {
	if err := ws.May(musa.ActSee); err != nil {
		return nil, err
	}
	var list []Member
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list = nil
		rows, err := tx.MembersOf(ctx, ws.Subject)
		if err != nil {
			return err
		}
		for _, r := range rows {
			s, err := tx.Subject(ctx, r.Subject)
			if err != nil {
				return err
			}
			// Who joins shows the others what they want to be called: it is read for them.
			m := Member{Subject: r.Subject, Role: r.Role, Since: r.Since}
			if m.Name, err = a.called(ctx, tx, musa.Actor{Subject: s.ID, Tier: s.Tier, Role: musa.RoleSubject, Standing: s.Standing()}, r.Record); err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("members of %s: %w", ws.Subject, err)
	}
	return list, nil
}

// SetMember gives a member another role. Owners are made and unmade by owners alone, and the
// last one stays: ErrConflict.
func (a *Accounts) SetMember(ctx context.Context, ws musa.Actor, id musa.SubjectID, role musa.MemberRole) error {
	if err := ws.May(musa.ActGovern); err != nil {
		return err
	}
	if err := a.roleKnown(role); err != nil {
		return err
	}
	return a.changeMember(ctx, ws, id, func(ctx context.Context, tx db.Tx, m db.Member, owners int) error {
		if m.Role == musa.MemberOwner || role == musa.MemberOwner {
			if err := ws.May(musa.ActOwn); err != nil {
				return err
			}
		}
		if m.Role == role {
			return nil
		}
		if m.Role == musa.MemberOwner && owners == 1 {
			return lastOwner()
		}
		m.Role = role
		if err := tx.SetMemberRole(ctx, m); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "member_made_" + string(role), Role: ws.Role, Subject: ws.Subject, Object: string(id)})
	})
}

// RemoveMember ends a membership: a person's own, whatever their role, or another's. What they
// made stays the workspace's and names them no more. The last owner stays: ErrConflict.
func (a *Accounts) RemoveMember(ctx context.Context, ws musa.Actor, id musa.SubjectID) error {
	act := musa.ActSee
	if id != ws.Person {
		act = musa.ActGovern
	}
	if err := ws.May(act); err != nil {
		return err
	}
	return a.changeMember(ctx, ws, id, func(ctx context.Context, tx db.Tx, m db.Member, owners int) error {
		if m.Role == musa.MemberOwner {
			if id != ws.Person {
				if err := ws.May(musa.ActOwn); err != nil {
					return err
				}
			}
			if owners == 1 {
				return lastOwner()
			}
		}
		if err := tx.RemoveMember(ctx, m); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "member_removed", Role: ws.Role, Subject: ws.Subject, Object: string(id)})
	})
}

// changeMember changes one membership while the workspace is locked: of two changes at once
// the second sees what the first left. The actor's own role is looked at again, too.
func (a *Accounts) changeMember(ctx context.Context, ws musa.Actor, id musa.SubjectID,
	change func(ctx context.Context, tx db.Tx, m db.Member, owners int) error) error {
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, ws.Subject); err != nil {
			return err
		}
		members, err := tx.MembersOf(ctx, ws.Subject)
		if err != nil {
			return err
		}
		var found *db.Member
		owners, still := 0, false
		for i, m := range members {
			if m.Role == musa.MemberOwner {
				owners++
			}
			if m.Subject == id {
				found = &members[i]
			}
			still = still || m.Subject == ws.Person && m.Role == ws.Member
		}
		switch {
		case !still:
			return &musa.Problem{Kind: musa.ErrConflict, Code: "member_changed", Public: "Your own role here has just changed. Look again and repeat."}
		case found == nil:
			return memberUnknown()
		}
		return change(ctx, tx, *found, owners)
	})
	if err != nil {
		return fmt.Errorf("member %s of %s: %w", id, ws.Subject, err)
	}
	return nil
}

// roleKnown refuses a role that the program or the policy in force does not know.
func (a *Accounts) roleKnown(role musa.MemberRole) error {
	if role.May(musa.ActSee) && a.Policy().Roles.Workspace.Has(string(role)) {
		return nil
	}
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "member_role_unknown", Field: "role",
		Public: "There is no such role in a workspace. The policy lists them under roles.workspace: owner, admin, editor, viewer."}
}
