package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/queue"
	"musa/vault"
)

// Change is another choice of how long things are kept, or another tier: exactly one is set.
// A choice of 0 goes back to what the rules say where nobody chooses.
type Change struct {
	Choice *time.Duration
	Tier   musa.Tier
}

// Change makes a change and returns what it does, which is what Forecast would have told.
// The owner's row changes at once; the items follow it page by page before Change returns,
// and should the process die in between, the next CatchUp has the rest follow. Until then
// each keeps the end that it has.
//
// A person changes their own choice; a tier is changed by RoleOperator or RoleSystem.
// Refusals are *musa.Problem: ErrInvalid for an unknown tier, ErrRefused for what the policy
// or the role does not allow, ErrNotFound for another's account, ErrGone for a closed one.
// Promises E-18, C-20.
func (k *Keeper) Change(ctx context.Context, by musa.Actor, subject musa.SubjectID, c Change) (Forecast, error) {
	var (
		next db.Subject
		same bool
	)
	err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		was, err := tx.Subject(ctx, subject)
		if err != nil {
			return err
		}
		if next, err = k.changed(by, was, c, tx.Now); err != nil {
			return err
		}
		if same = next == was; same {
			return nil
		}
		if c.Choice != nil {
			if err := enforced(ctx, tx, was); err != nil {
				return err
			}
		}
		if err := tx.ChangeSubject(ctx, next); err != nil {
			return err
		}
		action := "choice_changed"
		if c.Tier != "" {
			action = "tier_changed"
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: action, Role: by.Role, Subject: subject, Object: string(subject)})
	})
	if err != nil {
		return Forecast{}, fmt.Errorf("change of %s: %w", subject, err)
	}
	if same {
		return Forecast{}, nil
	}
	f, err := k.follow(ctx, subject)
	if err != nil {
		return Forecast{}, fmt.Errorf("items of %s follow a change: %w", subject, err)
	}
	k.tell(f)
	f.Notice = next.Grace
	return f, nil
}

// tell has what a change made due erased at once.
func (k *Keeper) tell(f Forecast) {
	if f.Now == 0 {
		return
	}
	k.rouse()
	if err := k.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDue}); err != nil {
		k.Log.Warn("broadcast notice", "kind", queue.NoticeDue, "err", err) // the next step finds them
	}
}

// changed is the owner's row as the change makes it, or why the change is refused.
func (k *Keeper) changed(by musa.Actor, s db.Subject, c Change, now musa.Millis) (db.Subject, error) {
	operates := by.Role == musa.RoleOperator || by.Role == musa.RoleSystem
	if !operates {
		if by.Subject != s.ID {
			return db.Subject{}, musa.ErrNotFound
		}
		if err := by.May(musa.ActGovern); err != nil {
			return db.Subject{}, err
		}
	}
	if s.State != musa.SubjectActive {
		return db.Subject{}, &musa.Problem{Kind: musa.ErrGone, Code: "account_closed", Public: "This account is closed: what is left of it has its end already."}
	}
	switch {
	case (c.Choice != nil) == (c.Tier != ""):
		return db.Subject{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "change_one", Public: "Change either the choice or the tier."}
	case c.Choice != nil:
		if operates {
			return db.Subject{}, &musa.Problem{Kind: musa.ErrRefused, Code: "choice_personal", Field: "keep",
				Public: "How long things are kept is chosen by the person whose they are."}
		}
		if err := mayChoose(k.Policy(), s, *c.Choice); err != nil {
			return db.Subject{}, err
		}
		s.Choice = c.Choice.Milliseconds()
		return s, nil
	case !operates:
		return db.Subject{}, &musa.Problem{Kind: musa.ErrRefused, Code: "tier_not_yours", Field: "tier",
			Public: "Your plan is not changed here. Ask whoever runs this studio."}
	}
	return Promoted(k.Policy(), s, c.Tier, now)
}

// Promoted is an owner's row in another tier, to be stored with what causes it; Follow comes after.
// A guest whose tier has an account becomes a person.
func Promoted(doc *policy.Document, s db.Subject, to musa.Tier, now musa.Millis) (db.Subject, error) {
	line, ok := doc.Tiers.Get(string(to))
	switch {
	case !ok:
		return db.Subject{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "tier_unknown", Field: "tier",
			Public: "The policy knows no such tier. It has: " + words(doc.Tiers.Names()) + "."}
	case s.Kind == musa.SubjectCustody:
		return db.Subject{}, &musa.Problem{Kind: musa.ErrRefused, Code: "tier_not_personal", Field: "tier",
			Public: "Only people and workspaces have a tier that can be changed."}
	case s.Kind != musa.SubjectGuest && !line.Account.On():
		return db.Subject{}, &musa.Problem{Kind: musa.ErrRefused, Code: "tier_without_account", Field: "tier",
			Public: "This tier is for people without an account, and this person has one. Close the account instead."}
	case s.Tier == to:
		return s, nil
	}
	if line.Account.On() && s.Kind == musa.SubjectGuest {
		s.Kind = musa.SubjectPerson
	}
	from := s.Tier
	s.Tier, s.Former, s.Grace = to, "", 0
	if notice, lost := lost(doc, s, from, now); lost {
		s.Former, s.Grace = from, now.Add(notice)
	}
	return s, nil
}

// lost says whether anything that the owner made in a former tier, and that the policy lets
// a loss shorten, would end sooner in the present one, and after which notice.
func lost(doc *policy.Document, s db.Subject, from musa.Tier, now musa.Millis) (notice time.Duration, any bool) {
	for _, c := range musa.Categories() {
		told, shortens := doc.TierLoss(c, from)
		i := policy.Item{Category: c, Tier: from, Created: now, JobEnded: now, Saved: true, Choice: chosen(s.Choice)}
		was := doc.End(i).At
		if i.Tier = s.Tier; shortens && sooner(doc.End(i).At, was) {
			notice, any = max(notice, told), true
		}
	}
	return notice, any
}

func chosen(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// followed is an item as its owner's row has it, for a change that came at an instant. A
// choice counts where the item's own version offers it. A tier that does not end it sooner
// is taken over. One that would, is taken over after the notice that the item's version
// promises, and not at all where that version does not let a loss shorten.
//
// It may be asked again about what it has made.
func followed(v *policy.Versions, s db.Subject, i policy.Item, at musa.Millis) policy.Item {
	end := v.End(i).At
	next := i
	next.Choice = chosen(s.Choice)
	if i.Tier == s.Tier {
		return next
	}
	taken := next
	taken.Tier, taken.Former, taken.Grace = s.Tier, "", 0
	if !sooner(v.End(taken).At, end) {
		return taken
	}
	doc, ok := v.Of(i.Version)
	if !ok {
		doc = v.InForce(at)
	}
	notice, shortens := doc.TierLoss(i.Category, i.Tier)
	if !shortens {
		return next
	}
	taken.Former, taken.Grace = i.Tier, at.Add(notice)
	return taken
}

// Follow has all items of an owner follow its row, after something else than Change changed that.
func (k *Keeper) Follow(ctx context.Context, subject musa.SubjectID) error {
	f, err := k.follow(ctx, subject)
	if err != nil {
		return fmt.Errorf("items of %s follow a change: %w", subject, err)
	}
	k.tell(f)
	return nil
}

// follow has all items of an owner follow its row, and tallies what that changes.
func (k *Keeper) follow(ctx context.Context, subject musa.SubjectID) (Forecast, error) {
	t := tally{ends: map[musa.Millis]int{}}
	var m mark
	changes := int64(-1) // that had come when the first page followed: later ones are not done by this
	for {
		var (
			page tally
			next mark
			last bool
		)
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			s, err := tx.Subject(ctx, subject)
			if err != nil {
				return err
			}
			if changes < 0 {
				changes = s.Changes
			}
			s.Changes = changes
			page, next = tally{now: tx.Now, ends: map[musa.Millis]int{}}, m
			if s.State != musa.SubjectActive {
				last = true // what closes an account sees to its items itself
				return tx.SubjectFollowed(ctx, s)
			}
			if last, err = k.followPage(ctx, tx, s, &next, &page); err != nil || !last {
				return err
			}
			return tx.SubjectFollowed(ctx, s)
		})
		if err != nil {
			return Forecast{}, err
		}
		t.join(page)
		if last {
			return t.forecast(), nil
		}
		m = next
	}
}

// followPage has the items after a mark follow, moves the mark, and says when none is left.
func (k *Keeper) followPage(ctx context.Context, tx db.Tx, s db.Subject, m *mark, t *tally) (last bool, err error) {
	v, at := k.Versions(), s.Lagging
	if at == 0 {
		at = tx.Now
	}
	p, err := itemsOf(ctx, tx, s.ID, m)
	if err != nil || p.empty() {
		return p.empty(), err
	}
	// What has reached its end stays ended, also while its key waits to be destroyed.
	p.assets = slices.DeleteFunc(p.assets, func(a db.Asset) bool { return over(v, vault.AssetItem(a), tx.Now) })
	p.records = slices.DeleteFunc(p.records, func(r db.Record) bool { return over(v, vault.RecordItem(r), tx.Now) })
	var was []musa.Millis
	for i := range p.assets {
		a := &p.assets[i]
		was = append(was, a.Ends)
		it := followed(v, s, vault.AssetItem(*a), at)
		a.Tier, a.Choice, a.Former, a.Grace = it.Tier, it.Choice.Milliseconds(), it.Former, it.Grace
	}
	for i := range p.records {
		r := &p.records[i]
		was = append(was, r.Ends)
		it := followed(v, s, vault.RecordItem(*r), at)
		r.Tier, r.Choice, r.Former, r.Grace = it.Tier, it.Choice.Milliseconds(), it.Former, it.Grace
	}
	if err := vault.Reckon(ctx, tx, v, p.assets, p.records); err != nil {
		return false, err
	}
	for i, a := range p.assets {
		t.add(1, was[i], a.Ends)
	}
	for i, r := range p.records {
		t.add(0, was[i], r.Ends)
	}
	return false, nil
}

// over says that an item has reached its end.
func over(v *policy.Versions, i policy.Item, now musa.Millis) bool {
	return (i.Stored > 0 && i.Stored <= now) || (v.End(i).At > 0 && v.End(i).At <= now)
}

// items is one page of what an owner has.
type items struct {
	assets  []db.Asset
	records []db.Record
}

func (p items) empty() bool { return len(p.assets)+len(p.records) == 0 }

// itemsOf is the page after a mark, assets first; it moves the mark.
func itemsOf(ctx context.Context, tx db.Tx, owner musa.SubjectID, m *mark) (p items, err error) {
	if p.assets, err = tx.LivingAssets(ctx, db.Whose{Owner: owner, After: string(m.asset), Limit: page}); err != nil {
		return p, err
	}
	if n := len(p.assets); n > 0 {
		m.asset = p.assets[n-1].ID
		return p, nil
	}
	if p.records, err = tx.LivingRecords(ctx, db.Whose{Owner: owner, After: string(m.record), Limit: page}); err != nil {
		return p, err
	}
	if n := len(p.records); n > 0 {
		m.record = p.records[n-1].ID
	}
	return p, nil
}

// patience is how long a change may be on its way before another looks after it.
const patience = 10 * time.Second

// CatchUp has items follow changes whose process died, and forgets lost tiers whose grace is
// over.
func (k *Keeper) CatchUp(ctx context.Context) error {
	var late []musa.SubjectID
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		late, err = tx.LaggingSubjects(ctx, tx.Now.Add(-patience), batch)
		return err
	})
	if err != nil {
		return fmt.Errorf("list changes under way: %w", err)
	}
	var errs []error
	for _, id := range late {
		if _, err := k.follow(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("items of %s follow a change: %w", id, err))
		}
	}
	return errors.Join(append(errs, k.drain(ctx, func(ctx context.Context, tx db.Tx) (int, error) { return tx.ForgetFormer(ctx, batch) }))...)
}
