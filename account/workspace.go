package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/vault"
)

const (
	// foundings bounds how many workspaces one person may found within foundingWindow: each
	// begins with an allowance.
	foundings      = 3
	foundingWindow = 30 * 24 * time.Hour
	// membersMost bounds a workspace's members and open invitations.
	membersMost = 200
)

// Workspace is an owner that several people act for, as one of its members sees it.
type Workspace struct {
	ID            musa.SubjectID
	Name          string
	Role          musa.MemberRole // of the member who looks
	Since         musa.Millis     // when they came
	Tier          musa.Tier
	Created       musa.Millis
	Closed        musa.Millis // 0 while open
	Members       int
	Credits, Held int64
	Privacy       Privacy
}

// named is a record that holds a name alone: a workspace's, or a member's in it.
type calledSeal struct {
	Name string `json:"name"`
}

// workspaceUnknown is the one answer to who is no member, and about what is no workspace.
func workspaceUnknown() error {
	return &musa.Problem{Kind: musa.ErrNotFound, Code: "workspace_unknown", Public: "There is no such workspace of yours."}
}

// Found makes a workspace with a key and a ledger account of its own, and the person its owner.
// It begins in their tier and with the allowance that a new member has; as long as nothing is
// sold here, that is where its credits come from. Needs an account. ErrLimited after a few.
func (a *Accounts) Found(ctx context.Context, by musa.Actor, name string) (Workspace, error) {
	if by.Role != musa.RoleSubject || by.Person != "" || by.Tier == musa.TierGuest || by.Closed != 0 {
		return Workspace{}, &musa.Problem{Kind: musa.ErrRefused, Code: "account_needed",
			Public: "Only somebody with an open account of their own can found a workspace."}
	}
	if !a.Policy().Roles.Workspace.Has(string(musa.MemberOwner)) {
		return Workspace{}, &musa.Problem{Kind: musa.ErrRefused, Code: "workspaces_none",
			Public: "This studio's policy lists no roles of workspaces (roles.workspace), so there are none."}
	}
	name = strings.TrimSpace(name)
	if err := named(name); err != nil {
		return Workspace{}, err
	}
	if err := a.Limit(ctx, "found", string(by.Subject), foundings, foundingWindow); err != nil {
		return Workspace{}, err
	}
	id := musa.NewSubjectID(a.Clock())
	wrapped, err := a.Vault.NewSubject(id)
	if err != nil {
		return Workspace{}, fmt.Errorf("key for %s: %w", id, err)
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, by.Subject); err != nil {
			return err
		}
		s := db.Subject{ID: id, Kind: musa.SubjectWorkspace, Tier: by.Tier, State: musa.SubjectActive,
			Created: tx.Now, LastSeen: tx.Now, PolicyVersion: a.Policy().Ref(), Region: by.Standing.Region}
		if err := tx.InsertSubject(ctx, s, wrapped); err != nil {
			return err
		}
		ws := entered(by, s, musa.MemberOwner)
		r, err := a.Vault.File(ctx, tx, vault.Filing{By: ws, Purpose: musa.PurposeSignIn, Category: musa.CategoryAccount, Content: calledSeal{name}})
		if err != nil {
			return err
		}
		if err := tx.InsertWorkspace(ctx, db.Workspace{Subject: id, Record: r.ID}); err != nil {
			return err
		}
		if err := a.join(ctx, tx, by, db.Member{Workspace: id, Subject: by.Subject, Role: musa.MemberOwner}, ""); err != nil {
			return err
		}
		if err := tx.Grant(ctx, id, a.Allowance); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "workspace_founded", Role: by.Role, Subject: id, Object: string(by.Subject)})
	})
	if err != nil {
		return Workspace{}, fmt.Errorf("found %s: %w", id, err)
	}
	ws, err := a.Enter(ctx, by, id)
	if err != nil {
		return Workspace{}, err
	}
	return a.Workspace(ctx, ws)
}

// join makes a person a member, called by a name of their own choice: it lies in a record of
// theirs, so that it goes with them.
func (a *Accounts) join(ctx context.Context, tx db.Tx, by musa.Actor, m db.Member, name string) error {
	r, err := a.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: musa.PurposeSignIn, Category: musa.CategoryMembership, Content: calledSeal{name}})
	if err != nil {
		return err
	}
	m.Record, m.Since = r.ID, tx.Now
	return tx.InsertMember(ctx, m)
}

// entered is a person who acts for a workspace.
func entered(by musa.Actor, s db.Subject, role musa.MemberRole) musa.Actor {
	by.Person, by.Subject, by.Member = by.Subject, s.ID, role
	by.Tier, by.Closed, by.Standing = s.Tier, s.Closed, s.Standing()
	return by
}

// Enter is the actor as a member of a workspace: what they do there is the workspace's, as far
// as their role goes (musa.Actor.May). To who is no member there is no workspace: ErrNotFound.
// Somebody whose own account is closed or suspended enters none.
func (a *Accounts) Enter(ctx context.Context, by musa.Actor, id musa.SubjectID) (musa.Actor, error) {
	if by.Role != musa.RoleSubject || by.Person != "" {
		return musa.Actor{}, workspaceUnknown()
	}
	var out musa.Actor
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		m, err := tx.Member(ctx, id, by.Subject)
		if err != nil {
			return err
		}
		s, err := tx.Subject(ctx, id)
		if err != nil {
			return err
		}
		if s.State != musa.SubjectActive && s.State != musa.SubjectClosed {
			return musa.ErrNotFound
		}
		out = entered(by, s, m.Role)
		return nil
	})
	if errors.Is(err, musa.ErrNotFound) {
		return musa.Actor{}, workspaceUnknown()
	}
	if err != nil {
		return musa.Actor{}, fmt.Errorf("enter %s: %w", id, err)
	}
	switch {
	case by.Suspended:
		return musa.Actor{}, musa.AccountSuspended
	case by.Closed != 0:
		return musa.Actor{}, &musa.Problem{Kind: musa.ErrRefused, Code: "account_closed",
			Public: "Your account is closed. Take the closing back to act in a workspace again."}
	}
	return out, nil
}

// Workspaces lists those that the person is a member of, the longest first.
func (a *Accounts) Workspaces(ctx context.Context, by musa.Actor) ([]Workspace, error) {
	var list []Workspace
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list = nil
		mine, err := tx.MembershipsOf(ctx, by.Subject)
		if err != nil {
			return err
		}
		for _, m := range mine {
			s, err := tx.Subject(ctx, m.Workspace)
			if err != nil {
				return err
			}
			w, err := a.workspace(ctx, tx, entered(by, s, m.Role))
			if err != nil {
				return err
			}
			list = append(list, w)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("workspaces of %s: %w", by.Subject, err)
	}
	return list, nil
}

// Workspace shows the workspace that the actor has entered.
func (a *Accounts) Workspace(ctx context.Context, ws musa.Actor) (w Workspace, err error) {
	if err := ws.May(musa.ActSee); err != nil {
		return w, err
	}
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		w, err = a.workspace(ctx, tx, ws)
		return err
	})
	if err != nil {
		return Workspace{}, fmt.Errorf("workspace %s: %w", ws.Subject, err)
	}
	return w, nil
}

func (a *Accounts) workspace(ctx context.Context, tx db.Tx, ws musa.Actor) (Workspace, error) {
	w := Workspace{ID: ws.Subject, Role: ws.Member, Tier: ws.Tier, Closed: ws.Closed}
	s, err := tx.Subject(ctx, ws.Subject)
	if err != nil {
		return w, err
	}
	w.Created = s.Created
	row, err := tx.Workspace(ctx, ws.Subject)
	if err != nil {
		return w, err
	}
	w.Privacy = a.privacyOf(row, s)
	if w.Name, err = a.called(ctx, tx, ws, row.Record); err != nil {
		return w, err
	}
	members, err := tx.MembersOf(ctx, ws.Subject)
	if err != nil {
		return w, err
	}
	w.Members = len(members)
	for _, m := range members {
		if m.Subject == ws.Person {
			w.Since = m.Since
		}
	}
	acc, err := tx.Account(ctx, ws.Subject)
	w.Credits, w.Held = acc.Balance, acc.Held
	return w, err
}

// called opens a name; it is empty where its end came, and hidden while what bears it is closed.
func (a *Accounts) called(ctx context.Context, tx db.Tx, by musa.Actor, id musa.RecordID) (string, error) {
	if by.Closed != 0 {
		return "", nil
	}
	var n calledSeal
	_, err := a.Vault.Read(ctx, tx, by, musa.PurposeSignIn, id, &n)
	if errors.Is(err, musa.ErrNotFound) || errors.Is(err, musa.ErrGone) {
		return "", nil
	}
	return n.Name, err
}

// Rename gives the workspace another name.
func (a *Accounts) Rename(ctx context.Context, ws musa.Actor, name string) error {
	name = strings.TrimSpace(name)
	if err := errors.Join(ws.May(musa.ActGovern), named(name)); err != nil {
		return err
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		row, err := tx.Workspace(ctx, ws.Subject)
		if err != nil {
			return err
		}
		return a.Vault.Rewrite(ctx, tx, ws, musa.PurposeSignIn, row.Record, calledSeal{name})
	})
	if err != nil {
		return fmt.Errorf("rename %s: %w", ws.Subject, err)
	}
	return nil
}
