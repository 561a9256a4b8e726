package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"musa"
	"musa/db"
)

// Staff is somebody who works for the instance. Token is set once, when they are added.
type Staff struct {
	Subject musa.SubjectID
	Roles   []musa.Role
	Since   musa.Millis // when the first of the roles was given
	Token   string
	Expires musa.Millis // the end of an unused session, with Token
}

// Staff is the actor in a role of the instance that they hold; ErrNotFound where they hold it
// not, or the policy in force does not know it: to others the role's doors do not exist.
func (a *Accounts) Staff(ctx context.Context, by musa.Actor, role musa.Role) (musa.Actor, error) {
	if by.Role != musa.RoleSubject || by.Closed != 0 || a.known(role) != nil {
		return musa.Actor{}, musa.ErrNotFound
	}
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.HasRole(ctx, by.Subject, role)
		return err
	})
	if err != nil {
		return musa.Actor{}, fmt.Errorf("role %s of %s: %w", role, by.Subject, err)
	}
	by.Role = role
	return by, nil
}

// known refuses a role that the policy in force does not list.
func (a *Accounts) known(role musa.Role) error {
	roles := a.Policy().Roles.Instance
	if _, ok := roles.Get(string(role)); ok {
		return nil
	}
	public := "This studio's policy lists no roles of the instance. Publish a version with roles.instance."
	if names := roles.Names(); len(names) > 0 {
		public = "The policy knows only these roles of the instance: " + strings.Join(names, ", ") + ". To use another, publish a version that lists it (roles.instance)."
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "role_unknown", Field: "role", Public: public}
}

// AddStaff makes a person without content who acts in a role, and a session for them. The
// token is shown once and stored nowhere; the session ends when it is not used.
func (a *Accounts) AddStaff(ctx context.Context, role musa.Role) (Staff, error) {
	if err := errors.Join(a.known(role), signIn(a.Policy())); err != nil {
		return Staff{}, err
	}
	now := a.Clock()
	s := Staff{Subject: musa.NewSubjectID(now), Roles: []musa.Role{role}, Token: newToken()}
	wrapped, err := a.Vault.NewSubject(s.Subject)
	if err != nil {
		return Staff{}, fmt.Errorf("key for %s: %w", s.Subject, err)
	}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s.Since, s.Expires = tx.Now, a.expires(tx.Now, musa.TierMember)
		person := db.Subject{ID: s.Subject, Kind: musa.SubjectPerson, Tier: musa.TierMember, State: musa.SubjectActive,
			Created: tx.Now, LastSeen: tx.Now, PolicyVersion: a.Policy().Ref()}
		if err := tx.InsertSubject(ctx, person, wrapped); err != nil {
			return err
		}
		if err := tx.InsertSession(ctx, db.Session{ID: musa.NewSessionID(now), Subject: s.Subject,
			Digest: a.digest(s.Token), Created: tx.Now, LastSeen: tx.Now, Expires: s.Expires}); err != nil {
			return err
		}
		return assign(ctx, tx, s.Subject, role)
	})
	if err != nil {
		return Staff{}, fmt.Errorf("add staff: %w", err)
	}
	return s, nil
}

func assign(ctx context.Context, tx db.Tx, id musa.SubjectID, role musa.Role) error {
	if err := tx.AssignRole(ctx, id, role); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: "role_given_" + string(role), Role: musa.RoleOperator, Subject: id, Object: string(id)})
}

// GiveRole lets a person who is there act in one more role.
func (a *Accounts) GiveRole(ctx context.Context, id musa.SubjectID, role musa.Role) error {
	if err := a.known(role); err != nil {
		return err
	}
	return a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, id)
		if err != nil {
			return err
		}
		if s.State != musa.SubjectActive || s.Kind != musa.SubjectPerson {
			return &musa.Problem{Kind: musa.ErrRefused, Code: "role_person", Field: "subject",
				Public: "Only a person with an open account can act in a role. Add somebody with `musa operator add`."}
		}
		return assign(ctx, tx, id, role)
	})
}

// RevokeRole takes a role back from its next request on; ErrNotFound when it was not held.
func (a *Accounts) RevokeRole(ctx context.Context, id musa.SubjectID, role musa.Role) error {
	return a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return revoke(ctx, tx, id, role) })
}

func revoke(ctx context.Context, tx db.Tx, id musa.SubjectID, role musa.Role) error {
	if err := tx.RevokeRole(ctx, id, role); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: "role_taken_" + string(role), Role: musa.RoleOperator, Subject: id, Object: string(id)})
}

// RemoveStaff takes all roles of a person back and ends their sessions. ErrNotFound when they
// hold none.
func (a *Accounts) RemoveStaff(ctx context.Context, id musa.SubjectID) error {
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		roles, err := tx.RolesOf(ctx, id)
		if err != nil {
			return err
		}
		if len(roles) == 0 {
			return musa.ErrNotFound
		}
		for _, r := range roles {
			if err := revoke(ctx, tx, id, r.Role); err != nil {
				return err
			}
		}
		sessions, err := tx.SessionsOf(ctx, id)
		for _, s := range sessions {
			if err := tx.DropSession(ctx, s.ID); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove staff %s: %w", id, err)
	}
	return nil
}

// AllStaff lists everybody who holds a role, by id.
func (a *Accounts) AllStaff(ctx context.Context) ([]Staff, error) {
	var list []Staff
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Roles(ctx)
		list = nil
		for _, r := range rows {
			if n := len(list); n == 0 || list[n-1].Subject != r.Subject {
				list = append(list, Staff{Subject: r.Subject, Since: r.Since})
			}
			s := &list[len(list)-1]
			s.Roles, s.Since = append(s.Roles, r.Role), min(s.Since, r.Since)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list staff: %w", err)
	}
	return list, nil
}

// Use is one time that a person's data was opened by somebody else.
type Use = db.Use

// Uses lists when a person's data was opened by others, newest first, after the last one of
// the page before, or from the newest for "". What the law forbids to tell is left out.
func (a *Accounts) Uses(ctx context.Context, by musa.Actor, after musa.AuditID, limit int) ([]Use, error) {
	var list []Use
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.Uses(ctx, by.Subject, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("uses of what is %s's: %w", by.Subject, err)
	}
	return list, nil
}
