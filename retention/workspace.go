package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/db"
)

// Shortest settles for a workspace how long what is in it stays: the shortest that the policy
// lets it choose, which nobody there can change while it is so; or, taken back, what the rules
// say where nobody chooses. Policy organisation.may_enforce. Promises C-35, W-16.
func (k *Keeper) Shortest(ctx context.Context, ws musa.Actor, wish Enforcement) error {
	if err := ws.May(musa.ActGovern); err != nil {
		return err
	}
	doc := k.Policy()
	if wish == Enforced && !doc.Organisation.MayEnforce.Has("shortest_retention") {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "enforce_unlisted", Field: "shortest_retention",
			Public: "The policy lets no workspace settle how long things stay (organisation.may_enforce)."}
	}
	same := false
	err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, ws.Subject)
		if err != nil {
			return err
		}
		row, err := tx.Workspace(ctx, ws.Subject)
		if err != nil {
			return err
		}
		keep := int64(0)
		if wish == Enforced {
			if keep = shortest(offers(doc, s)).Milliseconds(); keep == 0 {
				return mayChoose(doc, s, time.Nanosecond) // in words what there is to choose from
			}
		}
		if same = row.Keep == keep; same {
			return nil
		}
		row.Keep, row.SetBy, row.SetAt = keep, ws.Author(), tx.Now
		s.Choice = keep
		if err := errors.Join(tx.SaveWorkspace(ctx, row), tx.ChangeSubject(ctx, s)); err != nil {
			return err
		}
		if wish == Enforced {
			if err := tx.DropPicks(ctx, s.ID); err != nil {
				return err
			}
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "workspace_enforced", Role: ws.Role, Subject: s.ID, Object: "shortest_retention"})
	})
	if err != nil || same {
		return wrapped(err, "shortest retention of", ws.Subject)
	}
	f, err := k.follow(ctx, ws.Subject)
	if err != nil {
		return fmt.Errorf("items of %s follow a change: %w", ws.Subject, err)
	}
	k.tell(f)
	return nil
}

// Enforcement is whether a workspace settles something for all in it.
type Enforcement int

// The two.
const (
	Free Enforcement = iota
	Enforced
)

func wrapped(err error, what string, id musa.SubjectID) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, id, err)
}

func shortest(list []Offer) (least time.Duration) {
	for _, o := range list {
		for _, c := range o.Choices {
			if d := c.Duration(); least == 0 || d < least {
				least = d
			}
		}
	}
	return least
}

// enforced refuses another choice in a workspace that settled it for all.
func enforced(ctx context.Context, tx db.Tx, s db.Subject) error {
	if s.Kind != musa.SubjectWorkspace {
		return nil
	}
	w, err := tx.Workspace(ctx, s.ID)
	if err != nil || w.Keep == 0 {
		return err
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "enforced", Field: "keep",
		Public: "This workspace enforces the shortest time (shortest_retention). An admin can take that back in its settings first."}
}

// heirs finds open workspaces that nobody owns, because their owners are erased: each passes
// to the member with the highest role, the longest there of several. One without members is
// erased: nobody could ever open it again.
func (k *Keeper) heirs(ctx context.Context) error {
	var ids []musa.SubjectID
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		ids, err = tx.OrphanedWorkspaces(ctx, batch)
		return err
	})
	if err != nil {
		return fmt.Errorf("list orphaned workspaces: %w", err)
	}
	var errs []error
	for _, id := range ids {
		var gone []string
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			gone, err = k.inherit(ctx, tx, id)
			return err
		})
		if err == nil {
			err = k.Eraser.Drop(gone)
		}
		if err != nil && !errors.Is(err, db.ErrHeld) {
			errs = append(errs, fmt.Errorf("orphaned workspace %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (k *Keeper) inherit(ctx context.Context, tx db.Tx, id musa.SubjectID) (gone []string, err error) {
	if _, err := tx.Subject(ctx, id); err != nil { // locks: who leaves at this moment is seen or waits
		return nil, err
	}
	members, err := tx.MembersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return k.Eraser.Subject(ctx, tx, id)
	}
	rank := musa.MemberRoles()
	heir := slices.MinFunc(members, func(a, b db.Member) int { return slices.Index(rank, a.Role) - slices.Index(rank, b.Role) })
	if heir.Role == musa.MemberOwner {
		return nil, nil
	}
	heir.Role = musa.MemberOwner
	return nil, errors.Join(tx.SetMemberRole(ctx, heir),
		tx.AppendAudit(ctx, db.AuditEvent{Action: "workspace_inherited", Role: musa.RoleSystem, Subject: id, Object: string(heir.Subject)}))
}
