package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"musa"
	"musa/db"
)

// inviteFor is how long an invitation works.
const inviteFor = 7 * 24 * time.Hour

// invitesMost bounds how many invitations one workspace sends within a day: they are mails to
// people who did not ask for them.
const invitesMost = 50

// inviteSeal is what an invitation holds, sealed under the workspace's key.
type inviteSeal struct {
	Email string          `json:"email"` // as Address wrote it; for the mail, and to know its holder by
	Role  musa.MemberRole `json:"role"`
	By    musa.SubjectID  `json:"by"`
}

// Invitation is an open one, as the workspace's admins see it.
type Invitation struct {
	ID      musa.VoucherID
	Email   string
	Role    musa.MemberRole
	Created musa.Millis
	Expires musa.Millis
}

// Invite asks the holder of an address into the workspace. It makes nothing but a voucher and a
// mail: whether the address has an account here shows nowhere. Another invitation of the same
// address takes the place of the former. ErrUnavailable where no mail can go out.
func (a *Accounts) Invite(ctx context.Context, ws musa.Actor, email string, role musa.MemberRole) (Invitation, error) {
	if err := errors.Join(ws.May(musa.ActGovern), a.roleKnown(role)); err != nil {
		return Invitation{}, err
	}
	if role == musa.MemberOwner {
		if err := ws.May(musa.ActOwn); err != nil {
			return Invitation{}, err
		}
	}
	address, err := Address(email)
	if err != nil {
		return Invitation{}, err
	}
	if ws.Closed != 0 {
		return Invitation{}, &musa.Problem{Kind: musa.ErrGone, Code: "account_closed", Public: "This workspace is about to be erased. Nobody new comes into it."}
	}
	if err := a.Mails(); err != nil {
		return Invitation{}, err
	}
	if err := a.Limit(ctx, "invite", string(ws.Subject), invitesMost, 24*time.Hour); err != nil {
		return Invitation{}, err
	}
	in := Invitation{Email: address, Role: role}
	err = a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, ws.Subject); err != nil {
			return err
		}
		open, err := a.invitations(ctx, tx, ws)
		if err != nil {
			return err
		}
		members, err := tx.MembersOf(ctx, ws.Subject)
		if err != nil {
			return err
		}
		if len(open)+len(members) >= membersMost {
			return &musa.Problem{Kind: musa.ErrConflict, Code: "workspace_full",
				Public: fmt.Sprintf("A workspace has at most %d members and open invitations.", membersMost)}
		}
		for _, o := range open {
			if o.Email == address {
				if err := tx.DropVouchers(ctx, o.ID); err != nil {
					return err
				}
			}
		}
		if in.ID, err = a.order(ctx, tx, order{For: ws.Subject, Purpose: musa.VoucherInvite,
			Content: inviteSeal{Email: address, Role: role, By: ws.Author()}}); err != nil {
			return err
		}
		in.Created, in.Expires = tx.Now, tx.Now.Add(inviteFor)
		if err := a.mailInvitation(ctx, tx, ws, in); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "member_invited", Role: ws.Role, Subject: ws.Subject, Object: string(in.ID)})
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("invite to %s: %w", ws.Subject, err)
	}
	return in, nil
}

// mailInvitation orders the mail, unless the address had enough of what it did not ask for today.
func (a *Accounts) mailInvitation(ctx context.Context, tx db.Tx, ws musa.Actor, in Invitation) error {
	if may, err := a.mayWrite(ctx, tx, lettersAny, in.Email); err != nil || !may {
		return err
	}
	return tx.QueueMail(ctx, db.Mail{Subject: ws.Subject, Kind: "invite", Object: string(in.ID), Once: string(in.ID)})
}

// Invitations lists those that are open.
func (a *Accounts) Invitations(ctx context.Context, ws musa.Actor) (list []Invitation, err error) {
	if err := ws.May(musa.ActGovern); err != nil {
		return nil, err
	}
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = a.invitations(ctx, tx, ws)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("invitations of %s: %w", ws.Subject, err)
	}
	return list, nil
}

func (a *Accounts) invitations(ctx context.Context, tx db.Tx, ws musa.Actor) (list []Invitation, err error) {
	rows, err := tx.VouchersOf(ctx, ws.Subject, musa.VoucherInvite)
	if err != nil {
		return nil, err
	}
	for _, v := range rows {
		var c inviteSeal
		if err := a.Vault.OpenOwn(ctx, tx, ws, musa.PurposeSignIn, musa.CategoryCredential, string(v.ID), &c); err != nil {
			return nil, err
		}
		backed, err := backed(ctx, tx, ws.Subject, c)
		if err != nil {
			return nil, err
		}
		if !backed {
			continue
		}
		list = append(list, Invitation{ID: v.ID, Email: c.Email, Role: c.Role, Created: v.Created, Expires: v.Expires})
	}
	return list, nil
}

// backed says whether who sent an invitation could send it still. Somebody who was removed, or made
// less than they were, has no way back in by what they sent before.
func backed(ctx context.Context, tx db.Tx, ws musa.SubjectID, c inviteSeal) (bool, error) {
	m, err := tx.Member(ctx, ws, c.By)
	if errors.Is(err, musa.ErrNotFound) {
		return false, nil
	}
	act := musa.ActGovern
	if c.Role == musa.MemberOwner {
		act = musa.ActOwn
	}
	return m.Role.May(act), err
}

// Withdraw ends an open invitation; ErrNotFound for what is none of the workspace's.
func (a *Accounts) Withdraw(ctx context.Context, ws musa.Actor, id musa.VoucherID) error {
	if err := ws.May(musa.ActGovern); err != nil {
		return err
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		v, err := tx.Voucher(ctx, id)
		if err == nil && (v.Subject != ws.Subject || v.Purpose != musa.VoucherInvite) {
			err = musa.ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.DropVouchers(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("withdraw invitation %s: %w", id, err)
	}
	return nil
}

// Accept makes the person a member of the workspace that invited the address which is theirs,
// confirmed. The name is what the others there call them; it may be empty. A secret that is
// wrong, expired, used, or was sent to another's address has one answer.
func (a *Accounts) Accept(ctx context.Context, by musa.Actor, v Visitor, secret, name string) (Workspace, error) {
	if by.Role != musa.RoleSubject || by.Person != "" || by.Tier == musa.TierGuest || by.Closed != 0 {
		return Workspace{}, &musa.Problem{Kind: musa.ErrRefused, Code: "account_needed",
			Public: "To join a workspace you need an open account with the address that was invited. Sign in or sign up with it, then open the link again."}
	}
	if name != "" {
		if err := named(name); err != nil {
			return Workspace{}, err
		}
	}
	if err := a.guessed(ctx, v); err != nil {
		return Workspace{}, err
	}
	var id musa.SubjectID
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var c inviteSeal
		s, err := a.redeem(ctx, tx, musa.VoucherInvite, secret, &c)
		if err != nil {
			return err
		}
		mine, err := tx.AddressBy(ctx, a.digestOf(c.Email))
		if errors.Is(err, musa.ErrNotFound) || err == nil && (mine.Subject != by.Subject || mine.Confirmed == 0) {
			return linkOver() // and the voucher stays: it is somebody else's
		}
		if err != nil {
			return err
		}
		if s.Kind != musa.SubjectWorkspace || s.State != musa.SubjectActive {
			return linkOver()
		}
		if still, err := backed(ctx, tx, s.ID, c); err != nil || !still {
			return errors.Join(err, linkOver())
		}
		id = s.ID
		if _, err := tx.Member(ctx, id, by.Subject); err == nil {
			return nil // they came by another invitation
		} else if !errors.Is(err, musa.ErrNotFound) {
			return err
		}
		if err := a.join(ctx, tx, by, db.Member{Workspace: id, Subject: by.Subject, Role: c.Role}, strings.TrimSpace(name)); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "member_joined", Role: by.Role, Subject: id, Object: string(by.Subject)})
	})
	if err != nil {
		return Workspace{}, fmt.Errorf("join: %w", err)
	}
	ws, err := a.Enter(ctx, by, id)
	if err != nil {
		return Workspace{}, err
	}
	return a.Workspace(ctx, ws)
}
