package backup

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/rights"
	"musa/vault"
)

// repeat does again, in the same order, what was decided after the copy and has erased nothing
// yet. A choice or a tier that changed is not in the journal: those are as they were in the copy.
func (s *restore) repeat(ctx context.Context) error {
	if len(s.acts) == 0 {
		return nil
	}
	versions, err := s.Versions(ctx, s.DB)
	if err != nil {
		return err
	}
	e, err := s.eraser(ctx)
	if err != nil {
		return err
	}
	known := func() *policy.Versions { return versions }
	book := s.book(versions)
	r := rights.New(rights.Config{DB: s.DB, Vault: vault.New(vault.Config{DB: s.DB, Blobs: s.Blobs, Keys: s.Keys, Clock: s.Clock}), Eraser: e,
		Consents: book, Policy: e.Policy, Versions: known, Log: s.Log})
	last := s.last()
	s.out.Repeat = int64(len(last))
	for _, act := range last {
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			switch act.Did {
			case db.ActRevoked:
				return revoke(ctx, tx, act)
			case db.ActLeft, db.ActMade:
				return member(ctx, tx, act)
			case db.ActEnforced:
				return enforce(ctx, tx, book, act)
			case db.ActMoved:
				return move(ctx, tx, act)
			}
			return r.Repeat(ctx, tx, act.Act, act.at)
		})
		if err != nil {
			return fmt.Errorf("repeat that %s was %s: %w", act.Subject, act.Did, err)
		}
	}
	return nil
}

func (s *restore) book(versions *policy.Versions) *consent.Book {
	return consent.New(consent.Config{DB: s.DB, Policy: func() *policy.Document { return versions.InForce(musa.At(s.Clock())) },
		Versions: func() *policy.Versions { return versions }})
}

// settle reckons anew what people allow. Their rows were read at another time than what they
// said: a yes after the copy's moment may stand in the one and not in the other. What ran out
// while the copy lay is over.
func (s *restore) settle(ctx context.Context) error {
	versions, err := s.Versions(ctx, s.DB)
	if err != nil {
		return err
	}
	book := s.book(versions)
	for n := 1; n > 0; {
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			list, err := tx.ExpiredChoices(ctx, replayPage)
			for _, c := range list {
				err = errors.Join(err, book.Lapse(ctx, tx, c))
			}
			n = len(list)
			return err
		})
		if err != nil {
			return wrapped(err)
		}
	}
	for after := musa.SubjectID(""); ; {
		if err := s.keepUp(ctx); err != nil {
			return err
		}
		var page []musa.SubjectID
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if page, err = tx.Spoken(ctx, after, replayPage); err != nil {
				return err
			}
			for _, id := range page {
				if err := book.Settle(ctx, tx, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(page) == 0 {
			return wrapped(err)
		}
		after = page[len(page)-1]
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reckon anew what people allow: %w", err)
}

// ended erases closed accounts whose end came while the copy lay, and what closing an account
// again had due by now.
func (s *restore) ended(ctx context.Context) error {
	e, err := s.eraser(ctx)
	if err != nil {
		return err
	}
	for n := 1; n > 0; {
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			var due db.Unkeyed
			if due.Assets, err = tx.DueAssets(ctx, tx.Now, replayPage); err != nil {
				return err
			}
			if due.Records, err = tx.DueRecords(ctx, tx.Now, replayPage); err != nil {
				return err
			}
			n = due.Len()
			if err := erase(ctx, tx, e, due); err != nil || n > 0 {
				return err
			}
			owners, err := tx.EndedSubjects(ctx, replayPage)
			for _, o := range owners {
				if _, err := e.Subject(ctx, tx, o.ID); err != nil {
					return err
				}
			}
			n = len(owners)
			return err
		})
		if err != nil {
			return fmt.Errorf("erase what is due of closed accounts: %w", err)
		}
		s.out.Replay += int64(n)
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropDoomed(ctx) })
}

// last leaves of those acts that take each other back the last only.
func (s *restore) last() []done {
	about := func(a done) db.Act {
		of := db.Act{Subject: a.Subject}
		switch a.Did {
		case db.ActClosed, db.ActReopened:
			of.Did = db.ActClosed
		case db.ActSuspended, db.ActRestored:
			of.Did = db.ActSuspended
		case db.ActMoved:
			of.Did = db.ActMoved
		case db.ActLeft, db.ActMade:
			of.Did, of.In = db.ActLeft, a.In
		case db.ActRestricted, db.ActObjected, db.ActLifted:
			of.Did, of.Item = db.ActLifted, a.Item
		case db.ActEnforced:
			of.Did, of.What = db.ActEnforced, a.What
		default:
			return a.Act
		}
		return of
	}
	final := map[db.Act]int{}
	for i, a := range s.acts {
		final[about(a)] = i
	}
	var list []done
	for i, a := range s.acts {
		if final[about(a)] == i {
			list = append(list, a)
		}
	}
	return list
}

// revoke takes a role back, unless it was given again before the copy was made.
func revoke(ctx context.Context, tx db.Tx, act done) error {
	held, err := tx.RolesOf(ctx, act.Subject)
	role := musa.Role(act.What)
	if err != nil || !slices.ContainsFunc(held, func(r db.RoleRow) bool { return r.Role == role && r.Since <= act.at }) {
		return err
	}
	if err = tx.RevokeRole(ctx, act.Subject, role); errors.Is(err, musa.ErrNotFound) {
		return nil
	}
	return err
}

// member ends a membership or gives it its role, unless it began again before the copy was made.
func member(ctx context.Context, tx db.Tx, act done) error {
	m, err := tx.Member(ctx, act.In, act.Subject)
	if errors.Is(err, musa.ErrNotFound) || err == nil && m.Since > act.at {
		return nil
	}
	if err != nil {
		return err
	}
	if act.Did == db.ActLeft {
		return tx.RemoveMember(ctx, m)
	}
	m.Role = musa.MemberRole(act.What)
	return tx.SetMemberRole(ctx, m)
}

// enforce has a workspace ask again what it asks of all in it.
func enforce(ctx context.Context, tx db.Tx, book *consent.Book, act done) error {
	w, err := tx.Workspace(ctx, act.Subject)
	if errors.Is(err, musa.ErrNotFound) {
		return nil // came after the copy
	}
	if err != nil {
		return err
	}
	w.Ask(act.Act, act.at)
	if err := tx.SaveWorkspace(ctx, w); err != nil {
		return err
	}
	return book.Settle(ctx, tx, w.Subject)
}

// move has an account found by its latest address, and by none where that became another's.
func move(ctx context.Context, tx db.Tx, act done) error {
	s, err := tx.Subject(ctx, act.Subject)
	if errors.Is(err, musa.ErrNotFound) || err == nil && s.State == musa.SubjectErased {
		return nil
	}
	digest, bad := base64.RawURLEncoding.DecodeString(act.What)
	if bad == nil && len(digest) == 0 {
		bad = musa.ErrInvalid
	}
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	err = tx.DropAddress(ctx, s.ID)
	if err == nil {
		err = tx.InsertAddress(ctx, db.Address{Subject: s.ID, Digest: digest, Keys: int64(digest[0]), Confirmed: act.at, Changed: act.at})
	}
	if errors.Is(err, musa.ErrConflict) {
		return nil
	}
	return err
}
